import { BundleError } from '../../../kit/errors/errors.ts';
import { worded } from '../../advice.ts';
import type { Context } from '../../context.ts';
import { isAsked } from '../../options/passphrase.ts';
import { type SignerFlags, signingFilesOf } from '../../options/sign-options.ts';
import { faultOfConfiguration } from './fault-of-configuration.ts';

/** What is wrong with a signer, and what is odd about it; nothing where all is well. */
interface SignerFindings {
  readonly problem?: BundleError;
  readonly warnings: readonly string[];
}

/**
 * Loads the signer that is configured as `sign` does, and says what that comes to; it asks nobody for a passphrase, and leaves what is no
 * regular file alone: a pipe can be read once, by what signs. [cli.30]
 */
export async function lookAtSigner(flags: SignerFlags, context: Context): Promise<SignerFindings> {
  const { isRegularFile } = await import('../../../storage/programs.ts');
  const { BULLA_PASSPHRASE_FILE: variable } = context.env;
  const passphraseFile = flags.passphraseFile ?? variable;
  const named = [flags.key, flags.cert, flags.chain, passphraseFile].flatMap((file) => file || []);
  const files = signingFilesOf(flags, context);
  if (!files || !named.every(isRegularFile)) return { warnings: [] };
  const { isSignedBy } = await import('../../../crypto/certificate.ts');
  const { loadSigningIdentity } = await import('../../../operations/sign/signing-identity.ts');
  try {
    const { leaf, intermediates, warnings } = await loadSigningIdentity(
      passphraseFile ? files : { ...files, passphrase: unasked(files.key), tries: 1 },
      new Date(),
      { signal: context.signal },
    );
    if (flags.chain !== undefined && !intermediates.some((one) => isSignedBy(leaf, one)))
      return { problem: notItsChain(flags.chain), warnings: [] };
    return { warnings: warnings.map((told) => worded(told)) };
  } catch (error) {
    const fault = faultOfConfiguration(error);
    if (fault.code !== 'PASSPHRASE_NEEDED' || !isAsked(context)) return { problem: fault, warnings: [] };
    const warning = `${files.key}: the key is encrypted and no passphrase file is configured, so the passphrase is asked for, and without a terminal nothing is signed; whether the key can be used was not tried here`;
    return { warnings: [warning] };
  }
}

function unasked(file: string): () => Promise<string> {
  return () =>
    Promise.reject(
      new BundleError(
        'PASSPHRASE_NEEDED',
        'the private key is encrypted, and no passphrase file is configured',
        {
          where: { file },
        },
      ),
    );
}

function notItsChain(file: string): BundleError {
  return new BundleError(
    'CONFIG_INVALID',
    'none of the intermediates has issued the certificate of the signer',
    {
      where: { file },
      why: 'importers that know the root alone find no path to the signer',
      fix: 'name the certificate of the CA that issued it, or no intermediates where a root did',
    },
  );
}
