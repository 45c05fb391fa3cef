import { type Command, Option } from 'commander';
import { hasText } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { SigningDigest, TimestampSource } from '../../operations/sign/signing.ts';
import type { SigningFiles } from '../../operations/sign/signing-identity.ts';
import type { Context } from '../context.ts';
import { keyOpeningOf } from './key-options.ts';

/** Options that say who signs, and who timestamps it. */
export interface SignerFlags {
  readonly key?: string;
  readonly cert?: string;
  readonly chain?: string;
  readonly passphraseFile?: string;
  readonly cms?: boolean;
  readonly tsa?: string;
}

/** Options of the commands that sign. */
export interface SignFlags extends SignerFlags {
  readonly digest: SigningDigest;
}

/** Adds key, certificate, chain, passphrase file, digest and timestamp authority. */
export function withSignOptions(command: Command): Command {
  return withSignerOptions(
    command.addOption(
      new Option('--digest <name>', 'digest of manifest and signature')
        .choices(['sha256', 'sha384', 'sha512'])
        .default('sha256'),
    ),
  );
}

/** The same without the digest. */
export function withSignerOptions(command: Command): Command {
  return command
    .option(
      '--key <key>',
      'private key of the signer: a file, of which PKCS#12 (.p12, .pfx) has its certificates with it, or plugin:NAME/KEYID; see bulla help keys [BULLA_KEY]',
    )
    .option('--cert <pem>', "the signer's certificate [BULLA_CERT]")
    .option('--chain <pem>', 'intermediate certificates to put beside it [BULLA_CHAIN]')
    .option('--passphrase-file <file>', 'first line is the passphrase of the key [BULLA_PASSPHRASE_FILE]')
    .option('--tsa <url>', 'have the signature timestamped by this authority (http or https) [BULLA_TSA]');
}

/** Adds the choice of a CMS signature, for bundles. */
export function withCmsOption(command: Command): Command {
  return command
    .option('--cms', 'add a CMS signature, as VirtualBox reads it (default: when there are intermediates)')
    .option('--no-cms', 'add none: put the intermediates beside the certificate');
}

/** How the signature is made, from the flags. @throws {BundleError} `USAGE` for `--tsa` without a signer */
export async function signatureOptionsOf(
  flags: SignFlags,
  context: Context,
): Promise<{ readonly digest: SigningDigest; readonly cms?: boolean; readonly timestamp?: TimestampSource }> {
  const { digest, cms, tsa, key } = flags;
  if ((tsa !== undefined || cms !== undefined) && !key) {
    throw new BundleError('USAGE', `${tsa === undefined ? '--cms' : '--tsa'} needs --key and --cert`, {
      fix: 'give them; a bundle that is signed already is timestamped with: bulla timestamp',
    });
  }
  const timestamp = tsa === undefined ? undefined : await authorityOf(tsa, digest, context);
  return { digest, ...(cms !== undefined && { cms }), ...(timestamp !== undefined && { timestamp }) };
}

/** The timestamp authority at an address. */
export async function authorityOf(
  url: string,
  digest: SigningDigest,
  context: Context,
): Promise<TimestampSource> {
  const { authorityAt } = await import('../../operations/sign/timestamp-source.ts');
  return authorityAt(url, { digest, at: new Date(), signal: context.signal });
}

/** The signer's files, or undefined when none are named. @throws {BundleError} `USAGE` for certificates without a key */
export function signingFilesOf(flags: SignerFlags, context: Context): SigningFiles | undefined {
  const { key, cert, chain } = flags;
  if (key) {
    return {
      key,
      ...(hasText(cert) && { certificate: cert }),
      ...(hasText(chain) && { chain }),
      ...keyOpeningOf(key, flags, context),
    };
  }
  if (!cert && !chain) return undefined;
  const problem = cert ? '--cert needs --key' : '--chain needs --key and --cert';
  throw new BundleError('USAGE', problem, {
    fix: 'give both, or configure them (bulla help configuration); for trying things out: bulla dev-certs DIR',
  });
}
