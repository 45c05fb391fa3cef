import { encodeUtf8, formatBase64 } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors.ts';
import { showAddress } from './address.ts';
import { waitFor } from './idle.ts';
import { spoolable } from './private-file.ts';
import { remoteError } from './remote-error.ts';
import { RemoteStream } from './remote-stream.ts';
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
    const ask = (headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
      follow(target, headers, where, options, abort.signal);
    const response = await ask();
    const { body } = response;
    if (response.status !== 200 || !body) throw refusal(response, where);
    const size = sizeOf(response);
    return {
      name: where.file,
      ...(size === undefined ? {} : { size }),
      repeatable: false,
      stream: () => spoolable(new RemoteStream(response, body, ask, { ...options, where }), options),
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
  headers: Readonly<Record<string, string>>,
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
    const sent = { ...headers, ...signInFor(target, address) };
    const response = await fetchOnce(target, sent, where, options, signal);
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
  sent: Readonly<Record<string, string>>,
  where: { file: string },
  options: SourceOptions,
  signal: AbortSignal,
): Promise<Response> {
  const plain = new URL(target);
  plain.username = ''; // fetch refuses addresses with these, and its message would print them
  plain.password = '';
  // identity: a bundle is compressed by its packer or not at all, and its size is known then
  const headers = { 'accept-encoding': 'identity', ...sent };
  try {
    return await waitFor(fetch(plain, { signal, redirect: 'manual', headers }), options, where.file);
  } catch (error) {
    throw remoteError(error, where);
  }
}
