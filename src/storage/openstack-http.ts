import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { checkAborted, concat } from '../kit/bytes.ts';
import { decodeUtf8 } from '../kit/encoding.ts';
import { BundleError, type Where } from '../kit/errors.ts';
import { showAddress } from './address.ts';

/** How long the services may keep us waiting in all, whom to believe that it is the service, and when to give up. */
export interface ServiceOptions {
  /** for all requests of one connection together */
  readonly timeoutMs?: number;
  /** PEM of the authorities that count for https, in place of those of node */
  readonly ca?: string;
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
export interface ServiceAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Uint8Array;
}

/** Sends requests until its time is up. */
export interface ServiceConnection {
  /** @throws {BundleError} `REMOTE_FAILED`, `INTERRUPTED` [glance.31] */
  readonly send: (service: string, request: ServiceRequest) => Promise<ServiceAnswer>;
}

const TIMEOUT_MS = 30_000;

/** Opens a connection to the services of one cloud; nothing is sent yet. Redirects are not followed, nor is anything asked twice. */
export function openServices(options: ServiceOptions = {}): ServiceConnection {
  const { timeoutMs = TIMEOUT_MS, ca, signal } = options;
  let left = timeoutMs;
  return {
    send: async (service, request) => {
      checkAborted(signal);
      const started = Date.now();
      const deadline = AbortSignal.timeout(Math.max(0, left));
      const stop = signal ? AbortSignal.any([deadline, signal]) : deadline;
      const where = { file: showAddress(request.url.href) };
      try {
        const response = await start(request, ca, stop);
        return await read(response, request.limit, where, service);
      } catch (error) {
        checkAborted(signal);
        if (error instanceof BundleError) throw error;
        const reason = deadline.aborted
          ? `no whole answer within ${timeoutMs / 1000} seconds`
          : reasonOf(error);
        throw serviceFailed(`${service} cannot be asked: ${reason}`, where, error);
      } finally {
        left -= Date.now() - started; // [glance.31] fifty requests must not take fifty times as long
      }
    },
  };
}

/** What keeps a service from being of use, as an error of the network. */
export function serviceFailed(message: string, where: Where, cause?: unknown): BundleError {
  return new BundleError('REMOTE_FAILED', message, {
    where,
    why: 'without the certificate nothing can be said about the signature, so nothing is called verified',
    fix: 'check the address, the network and the certificate authority (--os-cacert); or give the certificates in a folder: --certificates DIR',
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

/** An http or https address, its path ending in `/`. @throws {BundleError} `USAGE` */
export function serviceAddress(text: string, option: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    (url?.protocol === 'http:' || url?.protocol === 'https:') &&
    url.username === '' &&
    url.password === ''
  ) {
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

function start(
  request: ServiceRequest,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { method, url, headers, body } = request;
  const common = {
    method,
    signal,
    agent: false,
    headers: {
      ...headers,
      'accept-encoding': 'identity',
      ...(body && { 'content-type': 'application/json', 'content-length': body.byteLength }),
    },
  } as const;
  return new Promise((resolve, reject) => {
    const sent =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...common, ...(ca !== undefined && { ca }) }, resolve)
        : httpRequest(url, common, resolve);
    sent.on('error', reject).end(body);
  });
}

async function read(
  response: IncomingMessage,
  limit: number,
  where: Where,
  service: string,
): Promise<ServiceAnswer> {
  const { statusCode: status = 0, headers } = response;
  const encoding = headers['content-encoding'];
  const problem =
    status >= 300 && status <= 399 && headers.location !== undefined
      ? 'sends us elsewhere, which is not followed'
      : encoding !== undefined && encoding !== 'identity' && 'answers in an encoding that was not asked for';
  if (problem) {
    response.destroy();
    throw serviceFailed(`${service} ${problem}`, where);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > limit) throw serviceFailed(`${service} sends more than ${limit} bytes`, where);
    parts.push(chunk);
  }
  if (!response.complete) throw serviceFailed(`the answer of ${service} ends early`, where);
  return { status, headers, body: concat([new Uint8Array(), ...parts]) };
}

function reasonOf(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  return inner instanceof Error ? inner.message : String(inner);
}
