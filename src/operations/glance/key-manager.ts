import { formatPem } from '../../formats/pem.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { abortSignal, count, face, needed, oneOf, path, type Rule, shape, text } from '../../kit/shape.ts';
import { sourceOptions } from '../../kit/source.ts';
import { showAddress } from '../../storage/remote/address.ts';
import { type BarbicanClient, openBarbican } from '../../storage/remote/barbican-client.ts';
import {
  type CatalogChoice,
  expectToken,
  type KeystoneLogin,
  type KeystoneName,
  signIn,
} from '../../storage/remote/keystone-client.ts';
import { openServices } from '../../storage/remote/openstack-http.ts';
import { readNamed } from '../../storage/trust/small-files.ts';
import { certificateBlocksIn } from '../../trust/given-certificates.ts';
import type { CertificateSource } from '../../verdict/image/certificate-source.ts';
import { barbicanCertificates } from './certificate-sources.ts';

/** Where a key manager is and how to get in. */
export interface KeyManagerOptions {
  /** the address of Barbican, or `catalog` for the one in Keystone's catalog */
  readonly barbican: string;
  /** the address of Keystone; not needed with a token and an address of Barbican */
  readonly authUrl?: string;
  readonly login: KeystoneLogin;
  /** which address of the catalog */
  readonly choice?: CatalogChoice;
  /** PEM file of the authorities that count for https, in place of the usual ones */
  readonly caFile?: string;
  /** for all requests together */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Opens a key manager: signs in where that is needed. @throws {BundleError} `USAGE`, `FILE_*`, `REMOTE_*` [glance.29] */
export async function openKeyManager(options: KeyManagerOptions): Promise<BarbicanClient> {
  return openGiven(keyManagerOptions(options, ''));
}

const keystoneName = shape<KeystoneName>({ id: text, name: text, domainId: text, domainName: text });

type LoginOf<K extends KeystoneLogin['kind']> = Extract<KeystoneLogin, { readonly kind: K }>;

const LOGINS: { readonly [K in KeystoneLogin['kind']]: Rule<LoginOf<K>> } = {
  token: shape<LoginOf<'token'>>({ kind: needed(oneOf<'token'>({ token: true })), token: needed(text) }),
  password: shape<LoginOf<'password'>>({
    kind: needed(oneOf<'password'>({ password: true })),
    user: needed(keystoneName),
    password: needed(text),
    project: needed(keystoneName),
  }),
  'application-credential': shape<LoginOf<'application-credential'>>({
    kind: needed(oneOf<'application-credential'>({ 'application-credential': true })),
    id: text,
    name: text,
    user: keystoneName,
    secret: needed(text),
  }),
};

const login: Rule<KeystoneLogin> = (value, name) => {
  const kinds = { token: true, password: true, 'application-credential': true } as const;
  const { kind } = face<Pick<KeystoneLogin, 'kind'>>(
    { kind: needed(oneOf<KeystoneLogin['kind']>(kinds)) },
    'a way to sign in',
  )(value, name);
  return LOGINS[kind](value, name);
};

const keyManagerOptions = shape<KeyManagerOptions>({
  barbican: needed(path),
  authUrl: path,
  login: needed(login),
  choice: shape<CatalogChoice>({
    region: text,
    interface: oneOf<NonNullable<CatalogChoice['interface']>>({ public: true, internal: true, admin: true }),
  }),
  caFile: path,
  timeoutMs: count,
  signal: abortSignal,
});

async function openGiven(options: KeyManagerOptions): Promise<BarbicanClient> {
  const { barbican, authUrl, login: way, caFile, timeoutMs, signal } = options;
  const services = openServices({
    // [net.2] whatever token there is comes from the Keystone that is named
    encrypted: /^https:/i.test(authUrl ?? ''),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(caFile !== undefined && {
      ca: certificateBlocksIn(await readNamed(caFile, sourceOptions(options)))
        .map(({ bytes }) => formatPem('CERTIFICATE', bytes))
        .join(''),
    }),
    ...(signal !== undefined && { signal }),
  });
  const known = barbican === 'catalog' ? undefined : barbican;
  if (way.kind === 'token' && known !== undefined) {
    return openBarbican(services, known, expectToken(way.token));
  }
  if (authUrl === undefined) {
    throw new BundleError('USAGE', 'the address of Keystone is not given', {
      why: 'a password, an application credential and the catalog are of no use without it',
      fix: {
        text: 'give the address of Keystone; or a token, and the address of Barbican',
        advice: 'give-keystone',
      },
    });
  }
  const session = await signIn(services, authUrl, way, options.choice);
  const endpoint = known ?? session.keyManager;
  if (endpoint !== undefined) return openBarbican(services, endpoint, session.token);
  throw new BundleError(
    'REMOTE_FAILED',
    'the catalog of Keystone has no key manager (type key-manager) for this region and interface',
    {
      where: { file: showAddress(authUrl) },
      why: 'certificates are kept in the key manager, and nobody says where it is',
      fix: { text: 'give the address; or another region and interface', advice: 'give-barbican' },
    },
  );
}

/** The certificates of a key manager that is opened when the first is asked for. [glance.5] [glance.28] */
export function keyManagerCertificates(options: KeyManagerOptions): CertificateSource {
  const given = keyManagerOptions(options, '');
  let opening: Promise<CertificateSource> | undefined;
  return {
    find: async (uuid) => {
      opening ??= openGiven(given).then(barbicanCertificates);
      return (await opening).find(uuid);
    },
  };
}
