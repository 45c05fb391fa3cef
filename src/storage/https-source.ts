import { encodeUtf8, formatBase64 } from '../kit/encoding.ts';
import { BundleError, isBundleError } from '../kit/errors.ts';
import { showAddress } from './address.ts';
import { waitFor } from './idle.ts';
import { spoolable } from './private-file.ts';
import type { Source, SourceOptions } from './source.ts';

/**
 * Starts to fetch a bundle over https; redirects are followed as long as they stay https.
 *
 * The transport proves nothing about the bundle: it is judged like one from a pipe.
 *
 * @throws {BundleError} `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`, `INPUT_STALLED`, `USAGE`
 */
export async function openHttpsSource(address: string, options: SourceOptions): Promise<Source> {
  const where = { file: showAddress(address) };
  const target = parseAddress(address, where);
  const abort = new AbortController();
  try {
    const response = await follow(target, where, options, abort.signal);
    const { body } = response;
    if (response.status !== 200 || !body) throw refusal(response, where);
    const size = sizeOf(response);
    return {
      name: where.file,
      ...(size === undefined ? {} : { size }),
      repeatable: false,
      stream: () => spoolable(readBody(body, where, options), options),
      checkUnchanged: () => {},
      [Symbol.asyncDispose]: async () => abort.abort(),
    };
  } catch (error) {
    abort.abort(); // nobody will read what may still come
    throw error;
  }
}

function parseAddress(address: string, where: { file: string }): URL {
  if (URL.canParse(address)) return new URL(address);
  throw new BundleError('USAGE', 'this is no https address', { where, fix: 'give it as https://HOST/PATH' });
}

function refusal({ status, statusText }: Response, where: { file: string }): BundleError {
  const code = status === 401 || status === 403 ? 'REMOTE_UNAUTHORISED' : 'REMOTE_FAILED';
  return new BundleError(code, `the server answers ${`${status} ${statusText}`.trim()}`, { where });
}

/** The bytes to come, when the server says so of the bytes that we will see. */
function sizeOf({ headers }: Response): number | undefined {
  const length = headers.get('content-length');
  const plain = !headers.has('content-encoding') && length !== null && /^\d{1,15}$/.test(length);
  return plain ? Number(length) : undefined;
}

const REDIRECTS = 5;

async function follow(
  address: URL,
  where: { file: string },
  options: SourceOptions,
  signal: AbortSignal,
): Promise<Response> {
  const failed = (message: string): BundleError => new BundleError('REMOTE_FAILED', message, { where });
  let target = address;
  for (let step = 0; step <= REDIRECTS; step++) {
    // [cli.13]
    if (target.protocol !== 'https:') {
      throw failed(`the server sends us to ${target.protocol}//, which is not https`);
    }
    const response = await fetchOnce(target, signInFor(target, address), where, options, signal);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel().catch(() => {}); // nobody wants it
    if (!URL.canParse(location, target.href))
      throw failed('the server sends us to something that is no address');
    target = new URL(location, target);
  }
  throw failed(`the server redirects more than ${REDIRECTS} times`);
}

/** User name and password of the address as given, for its own server; a redirect neither takes them away nor brings any. */
function signInFor(target: URL, address: URL): { authorization: string } | undefined {
  const { username, password } = address;
  if (target.origin !== address.origin || (username === '' && password === '')) return undefined;
  const pair = encodeUtf8(`${decodePart(username)}:${decodePart(password)}`);
  return { authorization: `Basic ${formatBase64(pair)}` };
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that stands for itself
  }
}

async function fetchOnce(
  target: URL,
  signIn: { authorization: string } | undefined,
  where: { file: string },
  options: SourceOptions,
  signal: AbortSignal,
): Promise<Response> {
  const plain = new URL(target);
  plain.username = ''; // fetch refuses addresses with these, and its message would print them
  plain.password = '';
  // identity: a bundle is compressed by its packer or not at all, and its size is known then
  const headers = { 'accept-encoding': 'identity', ...signIn };
  try {
    return await waitFor(fetch(plain, { signal, redirect: 'manual', headers }), options, where.file);
  } catch (error) {
    throw remoteError(error, where);
  }
}

async function* readBody(
  body: ReadableStream<Uint8Array>,
  where: { file: string },
  options: SourceOptions,
): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  try {
    for (;;) {
      const next = await waitFor(reader.read(), options, where.file);
      if (next.done) return;
      if (next.value.byteLength > 0) yield next.value;
    }
  } catch (error) {
    throw remoteError(error, where);
  } finally {
    await reader.cancel().catch(() => {}); // the connection is gone either way
  }
}

function remoteError(error: unknown, where: { file: string }): BundleError {
  if (isBundleError(error)) return error;
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = inner instanceof Error ? inner.message : String(inner);
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  const unknownCa = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/.test(code);
  const fix = 'if the server has a CA of its own, name it: NODE_EXTRA_CA_CERTS=ca.pem bulla …';
  return new BundleError('REMOTE_FAILED', `the transfer failed: ${text}`, {
    where,
    cause: error,
    ...(unknownCa ? { fix } : {}),
  });
}
