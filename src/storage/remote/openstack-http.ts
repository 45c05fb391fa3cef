import { checkAborted } from '../../kit/bytes.ts';
import { counted, decodeUtf8 } from '../../kit/encoding.ts';
import { BundleError, type Where } from '../../kit/errors/errors.ts';
import { showAddress } from './address.ts';
import { type Fail, type HttpAnswer, type HttpOptions, openHttp, readWhole } from './http-client.ts';

/** How long the services may keep us waiting in all, whom to believe that it is the service, and when to give up. */
export interface ServiceOptions extends HttpOptions {
  /** for all requests of one connection together */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A request; the body is JSON. */
interface ServiceRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** bytes of the answer that are read at most */
  readonly limit: number;
}

/** An answer, read whole. */
export interface ServiceAnswer extends Pick<HttpAnswer, 'status' | 'header'> {
  readonly body: Uint8Array;
}

/** Sends requests until its time is up. */
export interface ServiceConnection {
  /** @throws {BundleError} `REMOTE_FAILED`, `INTERRUPTED` [glance.31] */
  readonly send: (service: string, request: ServiceRequest) => Promise<ServiceAnswer>;
}

const TIMEOUT_MS = 30_000;

/**
 * Opens a connection to the services of one cloud; nothing is sent yet. Redirects are not followed, nor is anything asked twice.
 *
 * Once a service was asked over https, none is asked over http, whoever names it: it would get the token. [net.2]
 */
export function openServices(options: ServiceOptions = {}): ServiceConnection {
  const { timeoutMs = TIMEOUT_MS, signal } = options;
  const http = openHttp(options);
  let left = timeoutMs;
  return {
    send: async (service, { limit, ...request }) => {
      checkAborted(signal);
      const started = performance.now();
      const deadline = AbortSignal.timeout(Math.max(0, Math.floor(left)));
      const stop = signal ? AbortSignal.any([deadline, signal]) : deadline;
      const where = { file: showAddress(request.url.href) };
      const fail: Fail = (problem, cause) => serviceFailed(`${service} ${problem}`, where, cause);
      try {
        const headers = {
          ...request.headers,
          ...(request.body !== undefined && { 'content-type': 'application/json' }),
        };
        const answer = await http.ask({ ...request, headers, signal: stop }, fail);
        const { status, header } = answer;
        if (status >= 300 && status <= 399) {
          answer.close();
          throw fail('sends us elsewhere, which is not followed');
        }
        return { status, header, body: await readWhole(answer, limit, fail) };
      } catch (error) {
        checkAborted(signal);
        if (!deadline.aborted) throw error;
        throw fail(`cannot be asked: no whole answer within ${counted(timeoutMs / 1000, 'second')}`, error);
      } finally {
        left -= performance.now() - started; // [glance.31] fifty requests must not take fifty times as long
      }
    },
  };
}

/** What keeps a service from being of use, as an error of the network. */
export function serviceFailed(message: string, where: Where, cause?: unknown): BundleError {
  return new BundleError('REMOTE_FAILED', message, {
    where,
    why: 'without the certificate nothing can be said about the signature, so nothing is called verified',
    fix: {
      text: 'check the address, the network and the certificate authority; or give the certificates in a folder',
      advice: 'name-certificates',
    },
    cause,
  });
}

/** A refusal to let us in. [glance.30] */
export function serviceRefused(service: string, status: number, where: Where): BundleError {
  const problem = status === 401 ? 'does not accept the token or password' : 'does not let this user do that';
  return new BundleError('REMOTE_UNAUTHORISED', `${service} ${problem} (${status})`, {
    where,
    why: 'certificates are given only to those who may see them',
    fix:
      status === 401
        ? 'get a new token (openstack token issue), or check OS_USERNAME, OS_PASSWORD and the project'
        : 'ask for a role that may read secrets of the project (creator, or reader), or for an access list on the secret',
  });
}

/** Whether a text is an http or https address without user name and password. */
export function isServiceAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return /^https?:$/.test(url?.protocol ?? '') && url?.username === '' && url.password === '';
}

/** An http or https address, its path ending in `/`. @throws {BundleError} `USAGE` */
export function serviceAddress(text: string, option: string): URL {
  if (isServiceAddress(text)) {
    const url = new URL(text);
    url.search = '';
    url.hash = '';
    url.pathname = url.pathname.replace(/\/*$/, '/');
    return url;
  }
  throw new BundleError('USAGE', `${option} is no http or https address without user name and password`, {
    fix: 'give it as the service catalog shows it: openstack endpoint list',
  });
}

/** The JSON object of an answer. @throws {BundleError} `REMOTE_FAILED` */
export function jsonOf(service: string, { body }: ServiceAnswer, where: Where): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(decodeUtf8(body) ?? '');
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch (cause) {
    throw serviceFailed(`${service} answers with something that is not JSON`, where, cause);
  }
  throw serviceFailed(`${service} answers with JSON that is no object`, where);
}
