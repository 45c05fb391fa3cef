import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { concat } from '../kit/bytes.ts';
import { BundleError, isBundleError } from '../kit/errors.ts';
import { showAddress } from './address.ts';

/** How long an authority may take, and when to give up for other reasons. */
export interface TsaOptions {
  /** from the first byte out to the last one in */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 15_000;
/** A token has some KiB; certificates and revocation lists may be inside. */
const REPLY_BYTES = 1024 * 1024;
const QUERY_TYPE = 'application/timestamp-query';
const REPLY_TYPE = 'application/timestamp-reply';

/**
 * Asks a timestamp authority over http or https (RFC 3161 section 3.4) and gives its reply, unread.
 *
 * The transport proves nothing, and need not: the reply is signed. Redirects are not followed.
 *
 * @throws {BundleError} `USAGE`, `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`, `INTERRUPTED` [tst.11]
 */
export async function requestTimestamp(
  url: string,
  query: Uint8Array,
  { timeoutMs = TIMEOUT_MS, signal }: TsaOptions = {},
): Promise<Uint8Array> {
  const where = { file: URL.canParse(url) ? showAddress(url) : url };
  const target = parseAddress(url, where);
  const deadline = AbortSignal.timeout(timeoutMs);
  const stop = signal ? AbortSignal.any([deadline, signal]) : deadline;
  try {
    const response = await send(target, query, stop);
    expectReply(response, where);
    return await readReply(response, where);
  } catch (error) {
    if (isBundleError(error)) throw error;
    if (signal?.aborted) throw new BundleError('INTERRUPTED', 'the work was interrupted', { cause: error });
    const reason = deadline.aborted ? `no answer within ${timeoutMs / 1000} seconds` : reasonOf(error);
    throw failed(`the timestamp authority cannot be asked: ${reason}`, where, error);
  }
}

function parseAddress(url: string, where: { file: string }): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target?.protocol === 'http:' || target?.protocol === 'https:') return target;
  throw new BundleError('USAGE', 'this is no http or https address', {
    where,
    fix: 'give it as the authority publishes it, such as http://tsa.example/tsr',
  });
}

function send(target: URL, query: Uint8Array, signal: AbortSignal): Promise<IncomingMessage> {
  const open = target.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { 'content-type': QUERY_TYPE, 'content-length': query.byteLength, accept: REPLY_TYPE };
  return new Promise((resolve, reject) => {
    open(target, { method: 'POST', headers, signal, agent: false }, resolve).on('error', reject).end(query);
  });
}

function expectReply(response: IncomingMessage, where: { file: string }): void {
  const { statusCode: status = 0, statusMessage = '', headers } = response;
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const problem =
    status >= 300 && status <= 399
      ? 'sends us elsewhere, which is not followed'
      : status !== 200
        ? `answers ${`${status} ${statusMessage}`.trim()}`
        : type !== REPLY_TYPE && `answers with ${type ?? 'no type'} instead of ${REPLY_TYPE}`;
  if (!problem) return;
  response.destroy();
  const code = status === 401 || status === 403 ? 'REMOTE_UNAUTHORISED' : 'REMOTE_FAILED';
  throw new BundleError(code, `the timestamp authority ${problem}`, {
    where,
    why: 'the signature is to have a timestamp, so nothing was written without one',
    fix: 'check the address of the authority, and whether it wants you to sign in',
  });
}

async function readReply(response: IncomingMessage, where: { file: string }): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > REPLY_BYTES)
      throw failed(`the timestamp authority sends more than ${REPLY_BYTES} bytes`, where);
    parts.push(chunk);
  }
  if (!response.complete) throw failed('the answer of the timestamp authority ends early', where);
  return concat([new Uint8Array(), ...parts]);
}

function reasonOf(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  return inner instanceof Error ? inner.message : String(inner);
}

function failed(message: string, where: { file: string }, cause?: unknown): BundleError {
  return new BundleError('REMOTE_FAILED', message, {
    where,
    why: 'the signature is to have a timestamp, so nothing was written without one',
    fix: 'check the address and the network, and run again; or ask on another machine: bulla timestamp --tsq-out',
    cause,
  });
}
