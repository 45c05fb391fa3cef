import { isUuid } from '../../formats/glance/names.ts';
import { encodeUtf8, formatBase64 } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { moment, needed, shape, text } from '../../kit/shape.ts';
import { showAddress } from './address.ts';
import {
  jsonOf,
  type ServiceAnswer,
  type ServiceConnection,
  serviceAddress,
  serviceFailed,
  serviceRefused,
} from './openstack-http.ts';

/** A key manager that speaks the Barbican API v1, and the token for it. */
export interface BarbicanClient {
  /** the address, without what may let somebody in */
  readonly name: string;
  /**
   * The secret of a UUID with its payload, or undefined when there is none: two requests.
   * @throws {BundleError} `USAGE` for what is no UUID, before any request; `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`
   */
  readonly fetchSecret: (uuid: string) => Promise<Secret | undefined>;
  /** Stores a certificate (PEM) and gives its UUID. @throws {BundleError} `REMOTE_FAILED`, `REMOTE_UNAUTHORISED` */
  readonly storeCertificate: (secret: NewSecret) => Promise<string>;
}

/** A secret as it is kept. */
export interface Secret {
  /** `certificate`, `opaque`, … */
  readonly type: string;
  /** the type that the payload was stored with */
  readonly contentType: string;
  readonly payload: Uint8Array;
}

/** A certificate to be stored. */
export interface NewSecret {
  readonly name: string;
  readonly pem: string;
  /** when the key manager is to forget it; never when left out */
  readonly expiration?: Date;
}

const SERVICE = 'Barbican';
/** Barbican itself takes no more than 20 000 bytes unless told otherwise. */
const PAYLOAD_BYTES = 256 * 1024;
const METADATA_BYTES = 64 * 1024;
const CONTENT_TYPE = /^[\w.+-]+\/[\w.+-]+(; ?charset=[\w-]+)?$/i;

/** A client for the key manager at an address; nothing is sent yet. @throws {BundleError} `USAGE` [glance.28] */
export function openBarbican(services: ServiceConnection, endpoint: string, token: string): BarbicanClient {
  const base = serviceAddress(endpoint, 'the address of Barbican');
  const root = /\/v1\/$/.test(base.pathname) ? base : new URL('v1/', base);
  const ask = (url: URL, accept: string, limit: number): Promise<ServiceAnswer> =>
    services.send(SERVICE, { method: 'GET', url, headers: { accept, 'x-auth-token': token }, limit });
  return {
    name: showAddress(root.href),
    fetchSecret: async (uuid) => {
      if (!isUuid(uuid)) throw noUuid(uuid); // [glance.5] nothing else may become a part of an address
      const url = new URL(`secrets/${uuid}`, root);
      const where = { file: showAddress(url.href) };
      const answer = await ask(url, 'application/json', METADATA_BYTES);
      if (answer.status === 404) return undefined;
      expectStatus(answer, 200, where);
      const metadata = jsonOf(SERVICE, answer, where);
      const { type, contentType } = readMetadata(metadata, uuid, where);
      if (contentType === undefined) return { type, contentType: '', payload: new Uint8Array() };
      const payload = await ask(new URL(`secrets/${uuid}/payload`, root), contentType, PAYLOAD_BYTES);
      if (payload.status === 404) return undefined; // removed meanwhile, or never filled
      expectStatus(payload, 200, { file: `${where.file}/payload` });
      return { type, contentType, payload: payload.body };
    },
    storeCertificate: async (given) => {
      const secret = newSecret(given, 'secret');
      const url = new URL('secrets', root);
      const where = { file: showAddress(url.href) };
      const answer = await services.send(SERVICE, {
        method: 'POST',
        url,
        headers: { accept: 'application/json', 'x-auth-token': token },
        body: encodeUtf8(JSON.stringify(bodyOf(secret))),
        limit: METADATA_BYTES,
      });
      expectStatus(answer, 201, where);
      const { secret_ref: ref } = jsonOf(SERVICE, answer, where);
      const uuid = typeof ref === 'string' ? (ref.split('/').at(-1) ?? '') : '';
      if (!isUuid(uuid))
        throw serviceFailed(`${SERVICE} does not say under which UUID it keeps the certificate`, where);
      return uuid.toLowerCase();
    },
  };
}

const newSecret = shape<NewSecret>({ name: needed(text), pem: needed(text), expiration: moment });

/** As the openstack client sends it, but for the attributes that mean nothing for a certificate. [glance.33] */
function bodyOf({ name, pem, expiration }: NewSecret): Record<string, unknown> {
  return {
    name,
    secret_type: 'certificate',
    payload: formatBase64(encodeUtf8(pem)),
    payload_content_type: 'application/octet-stream',
    payload_content_encoding: 'base64',
    ...(expiration !== undefined && { expiration: expiration.toISOString().replace(/\.\d+Z$/, '+00:00') }),
  };
}

function readMetadata(
  metadata: Record<string, unknown>,
  uuid: string,
  where: { file: string },
): { readonly type: string; readonly contentType: string | undefined } {
  const { secret_type: type, secret_ref: ref, content_types: types, status } = metadata;
  // [glance.31] an answer about another secret is not an answer
  if (typeof ref === 'string' && ref.split('/').at(-1)?.toLowerCase() !== uuid.toLowerCase()) {
    throw serviceFailed(`${SERVICE} answers about another secret than the one asked for`, where);
  }
  if (typeof type !== 'string')
    throw serviceFailed(`${SERVICE} does not say what kind of secret this is`, where);
  if (status !== undefined && status !== 'ACTIVE') {
    throw serviceFailed(`${SERVICE} does not have the secret ready: its status is not ACTIVE`, where);
  }
  if (types === undefined || types === null) return { type, contentType: undefined };
  const contentType = typeof types === 'object' && 'default' in types ? types.default : undefined;
  if (typeof contentType !== 'string' || !CONTENT_TYPE.test(contentType)) {
    throw serviceFailed(`${SERVICE} does not say of which type the secret's payload is`, where);
  }
  return { type, contentType };
}

function expectStatus(answer: ServiceAnswer, wanted: number, where: { file: string }): void {
  const { status } = answer;
  if (status === wanted) return;
  if (status === 401 || status === 403) throw serviceRefused(SERVICE, status, where);
  const said = descriptionOf(answer);
  throw serviceFailed(`${SERVICE} answers ${status}${said === undefined ? '' : `: ${said}`}`, where);
}

/** What the service says about a refusal, cut to what fits into a message. */
function descriptionOf({ body }: ServiceAnswer): string | undefined {
  try {
    const { description } = JSON.parse(new TextDecoder().decode(body));
    return typeof description === 'string' ? description.slice(0, 300) : undefined;
  } catch {
    return undefined; // the status says what there is to say
  }
}

function noUuid(text: string): BundleError {
  return new BundleError('USAGE', `"${text.slice(0, 80)}" is no UUID`, {
    why: 'certificates are asked for by UUID; nothing else is sent to the key manager',
    fix: 'give it as 8-4-4-4-12 hex digits; it is the last part of the secret href',
  });
}
