import { encodeUtf8 } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { showAddress } from './address.ts';
import {
  isServiceAddress,
  jsonOf,
  type ServiceConnection,
  serviceAddress,
  serviceFailed,
  serviceRefused,
} from './openstack-http.ts';

/** A name within a domain, or an ID. */
export interface KeystoneName {
  readonly id?: string;
  readonly name?: string;
  readonly domainId?: string;
  readonly domainName?: string;
}

/** How to sign in to Keystone (Identity API v3). */
export type KeystoneLogin =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'password';
      readonly user: KeystoneName;
      readonly password: string;
      readonly project: KeystoneName;
    }
  | {
      readonly kind: 'application-credential';
      readonly id?: string;
      /** with the user that it belongs to */
      readonly name?: string;
      readonly user?: KeystoneName;
      readonly secret: string;
    };

/** What signing in gave: a token, and the address of the key manager if the catalog has one. */
export interface KeystoneSession {
  readonly token: string;
  readonly keyManager?: string;
}

/** Which of the addresses in the catalog is wanted. */
export interface CatalogChoice {
  readonly region?: string;
  readonly interface?: 'public' | 'internal' | 'admin';
}

const SERVICE = 'Keystone';
/** A catalog of a large cloud has some tens of KiB. */
const ANSWER_BYTES = 1024 * 1024;

/**
 * Signs in to Keystone, with one request.
 *
 * @throws {BundleError} `USAGE`, `REMOTE_FAILED`, `REMOTE_UNAUTHORISED` [glance.29]
 */
export async function signIn(
  services: ServiceConnection,
  authUrl: string,
  login: KeystoneLogin,
  choice: CatalogChoice = {},
): Promise<KeystoneSession> {
  const base = serviceAddress(authUrl, 'the address of Keystone (OS_AUTH_URL)');
  const url = new URL(/\/v3\/$/.test(base.pathname) ? 'auth/tokens' : 'v3/auth/tokens', base);
  const where = { file: showAddress(url.href) };
  const answer = await services.send(SERVICE, {
    method: 'POST',
    url,
    headers: { accept: 'application/json' },
    body: encodeUtf8(JSON.stringify({ auth: identityOf(login) })),
    limit: ANSWER_BYTES,
  });
  const { status, header } = answer;
  if (status === 401 || status === 403) throw serviceRefused(SERVICE, status, where);
  if (status !== 201 && status !== 200) throw serviceFailed(`${SERVICE} answers ${status}`, where);
  const token = header('x-subject-token') ?? '';
  if (!isToken(token)) throw serviceFailed(`${SERVICE} gives no token`, where);
  const keyManager = keyManagerIn(jsonOf(SERVICE, answer, where), choice);
  if (keyManager !== undefined && !isServiceAddress(keyManager)) {
    throw serviceFailed(`the catalog of ${SERVICE} has a key manager whose address is none`, where);
  }
  return { token, ...(keyManager !== undefined && { keyManager }) };
}

function isToken(token: string): boolean {
  return /^[\x21-\x7e]{1,8192}$/.test(token);
}

/** A token that may stand in a header. @throws {BundleError} `USAGE` */
export function expectToken(token: string): string {
  if (isToken(token)) return token;
  throw new BundleError('USAGE', 'the token is not one: it is empty, too long, or has blanks in it', {
    fix: 'take it from: openstack token issue -f value -c id',
  });
}

function identityOf(login: KeystoneLogin): Record<string, unknown> {
  switch (login.kind) {
    case 'token':
      return { identity: { methods: ['token'], token: { id: expectToken(login.token) } } };
    case 'password':
      return {
        identity: {
          methods: ['password'],
          password: { user: { ...named(login.user), password: login.password } },
        },
        ...((login.project.id !== undefined || login.project.name !== undefined) && {
          scope: { project: named(login.project) },
        }),
      };
    case 'application-credential': {
      const { id, name, user, secret } = login;
      const credential = id !== undefined ? { id } : { name, user: named(user ?? {}) };
      return {
        identity: {
          methods: ['application_credential'],
          application_credential: { ...credential, secret },
        },
      };
    }
  }
}

function named({ id, name, domainId, domainName }: KeystoneName): Record<string, unknown> {
  if (id !== undefined) return { id };
  const domain = domainId !== undefined ? { id: domainId } : { name: domainName ?? 'Default' };
  return { name, domain };
}

/** Anything that is not as it should be counts as absent: whoever needs the address says so. */
function keyManagerIn(answer: Record<string, unknown>, choice: CatalogChoice): string | undefined {
  const wanted = choice.interface ?? 'public';
  const services = listOf(recordOf(answer['token'])['catalog']).map(recordOf);
  const endpoints = services
    .filter(({ type }) => type === 'key-manager')
    .flatMap(({ endpoints }) => listOf(endpoints))
    .map(recordOf);
  const found = endpoints.find(
    (one) =>
      one['interface'] === wanted &&
      (choice.region === undefined || one['region'] === choice.region || one['region_id'] === choice.region),
  );
  return typeof found?.['url'] === 'string' ? found['url'] : undefined;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
