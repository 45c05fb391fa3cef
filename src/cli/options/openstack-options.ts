import type { Command } from 'commander';
import { hasText } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { KeyManagerOptions } from '../../operations/glance/key-manager.ts';
import type { CertificateSource } from '../../verdict/image/certificate-source.ts';
import type { Context } from '../context.ts';
import { parseCount } from './options.ts';

/** Options of the commands that ask the services of an OpenStack cloud. */
export interface OpenStackFlags {
  readonly barbican?: string;
  readonly osAuthUrl?: string;
  readonly osCacert?: string;
  readonly timeout?: number;
}

/** Adds the addresses; who one is comes from the environment, as for the openstack client. [glance.36] */
export function withOpenStackOptions(command: Command): Command {
  return command
    .option(
      '--barbican <url>',
      'the key manager with the certificates, or "catalog" to ask Keystone where it is',
    )
    .option(
      '--os-auth-url <url>',
      'Keystone, to sign in with a password or application credential [OS_AUTH_URL]',
    )
    .option('--os-cacert <pem>', 'believe these authorities for https, and no others [OS_CACERT]')
    .option(
      '--timeout <seconds>',
      'for all requests to Keystone and Barbican together (default: 30)',
      parseCount,
    );
}

/** What the commands say about the environment. */
export const OPENSTACK_ENVIRONMENT =
  'Who you are at Barbican: OS_TOKEN; or OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME, OS_USER_DOMAIN_NAME, …;\n' +
  'or OS_APPLICATION_CREDENTIAL_ID and OS_APPLICATION_CREDENTIAL_SECRET; as in an openrc file.';

/** The certificates by UUID: a folder or a key manager. @throws {BundleError} `USAGE` */
export async function certificatesOf(
  flags: OpenStackFlags & { readonly certificates?: string },
  context: Context,
): Promise<CertificateSource> {
  const { certificates, barbican } = flags;
  if ((certificates === undefined) === (barbican === undefined)) {
    const problem =
      barbican === undefined
        ? 'nothing says where the certificates are kept'
        : '--certificates and --barbican are two places';
    throw new BundleError('USAGE', problem, {
      why: 'the properties name the certificate by its UUID alone',
      fix: 'give either --certificates DIR (with UUID.pem in it) or --barbican URL',
    });
  }
  if (certificates !== undefined) {
    const { certificateFolder } = await import('../../operations/glance/certificate-sources.ts');
    return certificateFolder(certificates);
  }
  const { keyManagerCertificates } = await import('../../operations/glance/key-manager.ts');
  return keyManagerCertificates(keyManagerOf(flags, context));
}

/** The key manager from flags and environment. @throws {BundleError} `USAGE` */
export function keyManagerOf(flags: OpenStackFlags, { env, signal }: Context): KeyManagerOptions {
  const { barbican, osAuthUrl = env['OS_AUTH_URL'], osCacert = env['OS_CACERT'], timeout } = flags;
  if (barbican === undefined) {
    throw new BundleError('USAGE', 'the key manager is not given', {
      fix: 'give --barbican URL, or --barbican catalog to ask Keystone (OS_AUTH_URL)',
    });
  }
  const region = env['OS_REGION_NAME'];
  const wanted = env['OS_INTERFACE']?.replace(/URL$/, '');
  return {
    barbican,
    login: loginOf(env),
    ...(hasText(osAuthUrl) && { authUrl: osAuthUrl }),
    ...(hasText(osCacert) && { caFile: osCacert }),
    ...(timeout !== undefined && { timeoutMs: timeout * 1000 }),
    choice: {
      ...(hasText(region) && { region }),
      ...((wanted === 'internal' || wanted === 'admin') && { interface: wanted }),
    },
    signal,
  };
}

/** [glance.36] Never from the command line, which every user of the machine can read. */
function loginOf(env: Context['env']): KeyManagerOptions['login'] {
  const token = env['OS_TOKEN'] || env['OS_AUTH_TOKEN'];
  if (token) return { kind: 'token', token };
  const user = named(env, 'OS_USER', env['OS_USERNAME']);
  const secret = env['OS_APPLICATION_CREDENTIAL_SECRET'];
  if (secret) {
    const id = env['OS_APPLICATION_CREDENTIAL_ID'];
    const name = env['OS_APPLICATION_CREDENTIAL_NAME'];
    if (id) return { kind: 'application-credential', id, secret };
    if (name) return { kind: 'application-credential', name, user, secret };
  }
  const password = env['OS_PASSWORD'];
  if (password && (user.id || user.name)) {
    return { kind: 'password', user, password, project: named(env, 'OS_PROJECT', env['OS_PROJECT_NAME']) };
  }
  throw new BundleError('USAGE', 'nothing says who you are at Keystone and Barbican', {
    why: 'certificates are given only to those who may see them; secrets are not taken from the command line',
    fix: 'set OS_TOKEN (openstack token issue -f value -c id), or source an openrc file with OS_USERNAME and OS_PASSWORD',
  });
}

function named(
  env: Context['env'],
  prefix: string,
  name: string | undefined,
): {
  readonly id?: string;
  readonly name?: string;
  readonly domainId?: string;
  readonly domainName?: string;
} {
  const id = env[`${prefix}_ID`];
  if (id) return { id };
  const domainId = env[`${prefix}_DOMAIN_ID`] || env['OS_DEFAULT_DOMAIN_ID'];
  const domainName = env[`${prefix}_DOMAIN_NAME`] || env['OS_DEFAULT_DOMAIN_NAME'];
  return {
    ...(hasText(name) && { name }),
    ...(hasText(domainId) ? { domainId } : hasText(domainName) && { domainName }),
  };
}
