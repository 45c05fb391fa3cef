import { type Command, Option } from 'commander';
import type { HashMethod } from '../../formats/glance/names.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { ImageSigner } from '../../operations/glance/image-signer.ts';
import type { Context } from '../context.ts';
import { HASH_CHOICES } from './glance-choices.ts';
import { keyOpeningOf } from './key-options.ts';
import { showTyping } from './passphrase.ts';
import { type PatienceFlags, waitingOf } from './read-options.ts';

/** Options of the commands that sign disk images for Glance on the way. */
export interface GlanceKeyFlags extends PatienceFlags {
  readonly glanceKey?: string;
  readonly glancePassphraseFile?: string;
  readonly glanceHash?: HashMethod;
}

/** Adds the key that signs for Glance. */
export function withGlanceKeyOptions(command: Command, fallback: string): Command {
  return command
    .option('--glance-key <pem>', `private key of the certificate with that UUID${fallback}`)
    .option(
      '--glance-passphrase-file <file>',
      'first line is the passphrase of that key [BULLA_PASSPHRASE_FILE]',
    )
    .addOption(
      new Option('--glance-hash <name>', 'hash method of that signature (default: SHA-256)').choices([
        ...HASH_CHOICES,
      ]),
    );
}

/** Who signs for Glance, when a certificate's UUID is given. @throws {BundleError} `USAGE`, and those of `loadImageSigner` */
export async function imageSignerOf(
  option: string,
  uuid: string | undefined,
  flags: GlanceKeyFlags,
  context: Context,
  fallback?: { readonly key?: string; readonly passphraseFile?: string },
): Promise<ImageSigner | undefined> {
  const key = flags.glanceKey ?? fallback?.key;
  if (uuid === undefined) {
    if (flags.glanceKey === undefined && flags.glanceHash === undefined) return undefined;
    throw new BundleError('USAGE', `--glance-key and --glance-hash need ${option}`, {
      fix: `give ${option} with the UUID of the certificate in Barbican`,
    });
  }
  if (key === undefined) {
    throw new BundleError('USAGE', `${option} needs --glance-key`, {
      fix: 'give the private key of the certificate with that UUID',
    });
  }
  const passphraseFile =
    flags.glancePassphraseFile ?? (flags.glanceKey === undefined ? fallback?.passphraseFile : undefined);
  const { loadImageSigner } = await import('../../operations/glance/sign-image.ts');
  return loadImageSigner(
    { key, ...keyOpeningOf(key, { passphraseFile }, context) },
    {
      certificateUuid: uuid,
      at: new Date(),
      ...(flags.glanceHash !== undefined && { hash: flags.glanceHash }),
    },
    waitingOf(flags, context),
  ).finally(showTyping);
}
