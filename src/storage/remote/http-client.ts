import type { IncomingMessage, RequestOptions } from 'node:http';
import { concat } from '../../kit/bytes.ts';

/** Makes an error of what keeps a server from being of use, a clause whose subject is the server. */
export type Fail = (problem: string, cause?: unknown) => Error;

/** What holds for all that is asked in one conversation. */
export interface HttpOptions {
  /** PEM of the authorities that count for https, in place of those of node */
  readonly ca?: string | undefined;
  /** what is asked with was given out over https, so http must not get it */
  readonly encrypted?: boolean;
}

/** A request. User name and password in the address are not sent: `basicOf` makes a header of them. */
interface HttpQuestion {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** closes the connection, whatever it is at */
  readonly signal: AbortSignal;
}

/** An answer whose body has not been read. */
export interface HttpAnswer {
  readonly status: number;
  /** the value of a header that came once; undefined when it did not come, or several times */
  readonly header: (name: string) => string | undefined;
  /** The payload as it comes; no chunk is empty. To be asked for once. */
  readonly body: () => AsyncGenerator<Uint8Array, void>;
  /** closes the connection */
  readonly close: () => void;
}

/** Asks servers, and goes from https to http for none. */
export interface HttpClient {
  readonly ask: (question: HttpQuestion, fail: Fail) => Promise<HttpAnswer>;
}

const HEADER_BYTES = 16 * 1024;

/**
 * Opens a conversation, in which one answer may lead to the next question; nothing is sent yet.
 *
 * All that bulla asks of servers is asked here. How long to wait is for the caller, who aborts. No redirect is followed, nothing
 * decoded, nothing asked twice, and no connection used again, so that what comes belongs to the one question that was sent.
 *
 * @see spec/network.md
 */
export function openHttp({ ca, encrypted = false }: HttpOptions = {}): HttpClient {
  let secret = encrypted;
  return {
    ask: async (question, fail) => {
      const isEncrypted = question.url.protocol === 'https:';
      // [net.2] a token, a password or a choice of ours that came under https is not told to whoever listens
      if (secret && !isEncrypted) {
        throw fail(`leads from https to ${question.url.protocol}//, which is not https`);
      }
      secret = isEncrypted;
      return send(question, ca, fail);
    },
  };
}

function send(
  { method, url, headers, body, signal }: HttpQuestion,
  ca: string | undefined,
  fail: Fail,
): Promise<HttpAnswer> {
  const options: RequestOptions = {
    method,
    signal,
    agent: false,
    auth: null,
    maxHeaderSize: HEADER_BYTES,
    insecureHTTPParser: false,
    headers: {
      ...headers,
      'accept-encoding': 'identity',
      ...(body !== undefined && { 'content-length': body.byteLength }),
    },
  };
  // loaded here, for whoever asks no server needs neither
  const request =
    url.protocol === 'https:'
      ? process.getBuiltinModule('node:https').request(url, { ...options, ...(ca !== undefined && { ca }) })
      : process.getBuiltinModule('node:http').request(url, options);
  request.maxHeadersCount = 0; // else those behind the first thousands would be dropped unseen; their size is bounded
  return new Promise((resolve, reject) => {
    let failure: unknown;
    let isAnswered = false;
    const give = (problem: string, cause?: unknown): void => {
      failure ??= cause;
      reject(fail(problem, cause));
      if (!isAnswered) request.destroy(); // of an answer it would drop what has come, as if that were all
    };
    request.on('error', (error) => give(`cannot be asked: ${reasonOf(error)}`, error));
    request.on('close', () => give('closes the connection without an answer'));
    request.on('upgrade', () => give('changes the protocol, which was not asked for'));
    request.on('response', (response) => {
      isAnswered = true;
      response.on('error', () => {}); // whoever reads it is told; who does not has no use for it
      const close = (): void => {
        response.destroy();
        request.destroy();
      };
      resolve({
        status: response.statusCode ?? 0,
        header: (name) => headerOf(response, name),
        body: () => readBody({ response, fail, signal, failure: () => failure }),
        close,
      });
    });
    request.end(body);
  });
}

/** What a body is read from. */
interface Reading {
  readonly response: IncomingMessage;
  readonly signal: AbortSignal;
  readonly fail: Fail;
  /** what became of the connection, which says more than that it is gone */
  readonly failure: () => unknown;
}

/** One generator, since each one more costs a wait for every chunk. */
async function* readBody({ response, fail, signal, failure }: Reading): AsyncGenerator<Uint8Array, void> {
  try {
    const problem = framingOf(response);
    if (problem !== undefined) throw fail(problem);
    const chunks = (response as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    let size = 0;
    for (;;) {
      let next: IteratorResult<Uint8Array>;
      try {
        next = await chunks.next();
      } catch (error) {
        const cause = failure() ?? error;
        throw fail(`breaks off: ${reasonOf(cause)}`, cause);
      }
      if (next.done) break;
      size += next.value.byteLength;
      if (next.value.byteLength > 0) yield next.value;
    }
    const length = headerOf(response, 'content-length');
    const isWhole = response.complete && !signal.aborted && (length === undefined || Number(length) === size);
    if (!isWhole) throw fail('breaks off: the answer ends early');
  } finally {
    response.destroy();
  }
}

/** What is between us and the bytes that were asked for; only chunks are taken apart. */
function framingOf(response: IncomingMessage): string | undefined {
  const { headersDistinct, httpVersion } = response;
  const encodings = codings(headersDistinct['content-encoding']);
  // [net.1] nobody asked for it; decoding is where a small answer becomes an enormous one
  if (encodings.some((coding) => coding !== 'identity')) {
    return 'answers in an encoding that was not asked for (Content-Encoding)';
  }
  const transfers = headersDistinct['transfer-encoding'];
  if (transfers === undefined) return undefined;
  const isChunked = codings(transfers).join() === 'chunked' && httpVersion === '1.1';
  if (isChunked && headersDistinct['content-length'] === undefined) return undefined;
  return 'answers in an encoding that was not asked for (Transfer-Encoding)';
}

function codings(values: readonly string[] = []): readonly string[] {
  return values
    .flatMap((value) => value.split(','))
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
}

function headerOf({ headersDistinct }: IncomingMessage, name: string): string | undefined {
  const values = headersDistinct[name];
  return values?.length === 1 ? values[0] : undefined;
}

/** All of an answer, which has `limit` bytes at most. */
export async function readWhole(answer: HttpAnswer, limit: number, fail: Fail): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body()) {
    size += chunk.byteLength;
    if (size > limit) throw fail(`sends more than ${limit} bytes`);
    parts.push(chunk);
  }
  return concat([new Uint8Array(), ...parts]);
}

function reasonOf(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  return inner instanceof Error ? inner.message : String(inner);
}
