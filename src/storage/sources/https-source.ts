import { BundleError } from '../../kit/errors/errors.ts';
import type { Source, SourceOptions } from '../../kit/source.ts';
import { Patience } from '../../kit/streams/idle.ts';
import { basicOf, showAddress } from '../remote/address.ts';
import { type Fail, type HttpAnswer, type HttpOptions, openHttp } from '../remote/http-client.ts';
import { remoteFailure } from '../remote/remote-error.ts';
import { spoolable } from './private-file.ts';
import { RemoteStream } from './remote-stream.ts';

/**
 * Starts to fetch a bundle over https; redirects are followed as long as they stay https.
 *
 * The transport proves nothing about the bundle: it is judged like one from a pipe.
 *
 * @throws {BundleError} `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`, `INPUT_STALLED`, `USAGE`
 */
export async function openHttpsSource(
  address: string,
  options: SourceOptions & Pick<HttpOptions, 'ca'>,
): Promise<Source> {
  const source = await openAddress(parseAddress(address), options);
  if (source) return source;
  throw new BundleError('REMOTE_FAILED', 'the server has no such file (404)', {
    where: { file: showAddress(address) },
  });
}

/** The same for an address that may lead nowhere: nothing, when the server says that it has no such file. */
export async function openAddress(
  target: URL,
  options: SourceOptions & Pick<HttpOptions, 'ca'>,
): Promise<Source | undefined> {
  const where = { file: showAddress(target.href) };
  const fail = remoteFailure(where);
  const abort = new AbortController();
  const patience = new Patience(options, where.file);
  const ask = (headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> =>
    patience.wait(follow(target, headers, { ca: options.ca, signal: abort.signal, fail }));
  try {
    const answer = await ask();
    if (answer.status === 404 || answer.status === 410) {
      answer.close();
      abort.abort();
      return undefined;
    }
    if (answer.status !== 200) throw refusal(answer, where);
    const size = sizeOf(answer);
    return {
      name: where.file,
      ...(size !== undefined && { size }),
      repeatable: false,
      stream: () => spoolable(new RemoteStream({ answer, size, ask, patience, fail, where }), options),
      checkUnchanged: () => {},
      [Symbol.asyncDispose]: async () => abort.abort(),
    };
  } catch (error) {
    abort.abort(); // nobody will read what may still come
    throw error;
  }
}

/** @throws {BundleError} `USAGE` */
export function parseAddress(address: string): URL {
  if (URL.canParse(address)) return new URL(address);
  throw new BundleError('USAGE', 'this is no https address', {
    where: { file: showAddress(address) },
    fix: 'give it as https://HOST/PATH',
  });
}

function refusal({ status }: HttpAnswer, where: { file: string }): BundleError {
  const code = status === 401 || status === 403 ? 'REMOTE_UNAUTHORISED' : 'REMOTE_FAILED';
  return new BundleError(code, `the server answers ${status}`, { where });
}

/** The bytes to come, when the server says so. */
function sizeOf({ header }: HttpAnswer): number | undefined {
  const length = header('content-length');
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

const REDIRECTS = 5;
const REDIRECTING: readonly number[] = [301, 302, 303, 307, 308];

async function follow(
  address: URL,
  headers: Readonly<Record<string, string>>,
  { ca, signal, fail }: Pick<HttpOptions, 'ca'> & { readonly signal: AbortSignal; readonly fail: Fail },
): Promise<HttpAnswer> {
  const http = openHttp({ ca, encrypted: true }); // [cli.13]
  let url = address;
  // [net.3] whom another server sends us to may be a path of its choice, on the first one, too
  let signIn = basicOf(address);
  for (let step = 0; step <= REDIRECTS; step++) {
    const question = { method: 'GET', url, headers: { ...headers, ...signIn }, signal } as const;
    const answer = await http.ask(question, fail);
    const location = answer.header('location');
    if (!REDIRECTING.includes(answer.status) || location === undefined) return answer;
    answer.close(); // nobody wants the rest
    if (!URL.canParse(location, url.href)) throw fail('sends us to something that is no address');
    url = new URL(location, url);
    if (url.origin !== address.origin) signIn = {};
  }
  throw fail(`redirects more than ${REDIRECTS} times`);
}
