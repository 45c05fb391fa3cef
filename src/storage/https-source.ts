import { BundleError, isBundleError } from '../kit/errors.ts';
import { waitFor } from './idle.ts';
import type { Source, SourceOptions } from './source.ts';

/**
 * Starts to fetch a bundle over https; redirects are followed as long as they stay https.
 *
 * The transport proves nothing about the bundle: it is judged like one from a pipe.
 *
 * @throws {BundleError} `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`, `INPUT_STALLED`, `USAGE`
 */
export async function openHttpsSource(address: string, options: SourceOptions): Promise<Source> {
  const where = { file: withoutSecrets(address) };
  const abort = new AbortController();
  const response = await follow(address, where, options, abort.signal);
  if (response.status === 401 || response.status === 403) {
    abort.abort();
    throw new BundleError(
      'REMOTE_UNAUTHORISED',
      `the server answers ${response.status} ${response.statusText}`,
      { where },
    );
  }
  if (response.status !== 200 || !response.body) {
    abort.abort();
    throw new BundleError('REMOTE_FAILED', `the server answers ${response.status} ${response.statusText}`, {
      where,
    });
  }
  const length = response.headers.get('content-length');
  const encoded = response.headers.has('content-encoding');
  const size = length !== null && !encoded && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  const { body } = response;
  return {
    name: where.file,
    ...(size === undefined ? {} : { size }),
    repeatable: false,
    stream: () => readBody(body, where, options),
    checkUnchanged: () => {},
    [Symbol.asyncDispose]: async () => abort.abort(),
  };
}

const REDIRECTS = 5;

async function follow(
  address: string,
  where: { file: string },
  options: SourceOptions,
  signal: AbortSignal,
): Promise<Response> {
  let target = new URL(address);
  for (let step = 0; step <= REDIRECTS; step++) {
    if (target.protocol !== 'https:') {
      throw new BundleError(
        'REMOTE_FAILED',
        `the server sends us to ${target.protocol}//, which is not https`,
        { where },
      );
    }
    const response = await fetchOnce(target, where, options, signal);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    target = new URL(location, target);
  }
  throw new BundleError('REMOTE_FAILED', `the server redirects more than ${REDIRECTS} times`, { where });
}

async function fetchOnce(
  target: URL,
  where: { file: string },
  options: SourceOptions,
  signal: AbortSignal,
): Promise<Response> {
  try {
    // identity: a bundle is compressed by its packer or not at all, and its size is known then
    const request = fetch(target, { signal, redirect: 'manual', headers: { 'accept-encoding': 'identity' } });
    return await waitFor(request, options, where.file);
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
      yield next.value;
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
  return new BundleError('REMOTE_FAILED', `the transfer failed: ${text}`, { where, cause: error });
}

/** The address without the user name and password that may stand in it, for messages. */
function withoutSecrets(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}
