import type { Certificate } from '../../crypto/certificate.ts';
import type { Signer } from '../../engine/engine.ts';
import { keySigner } from '../../engine/node/key-signer.ts';
import { openPkcs12 } from '../../engine/node/pkcs12.ts';
import { openInTries, parsePrivateKey } from '../../engine/node/private-key.ts';
import { kindOfBytes } from '../../formats/credentials/credential-kind.ts';
import { parseKeyName } from '../../formats/keys/key-name.ts';
import { unlessAborted } from '../../kit/deadline.ts';
import type { BundleError } from '../../kit/errors/errors.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { certificatesIn } from '../../trust/given-certificates.ts';
import { readNamed } from '../trust/small-files.ts';
import type { PluginFolder } from './find-plugin.ts';

/** What opens a key, whatever holds it. */
export interface KeyOpening {
  /** gives the passphrase of a key, when it is asked for */
  readonly passphrase: () => Promise<string>;
  /** how often it is asked while what it says is wrong */
  readonly tries: number;
  readonly plugins: readonly PluginFolder[];
  /** what is said of a key that comes without a certificate; left out where it needs none */
  readonly alone?: (why: string) => BundleError;
}

/** A key that can sign, and what came with it. */
export interface OpenedKey {
  readonly signer: Signer;
  /** the signer's among them, where whoever holds the key has it */
  readonly certificates: readonly Certificate[];
  /** what has been read or started for it: no output may replace that */
  readonly files: readonly string[];
}

/**
 * Opens a private key where it is: in a file, or with a plugin. [key.1]
 *
 * @throws {BundleError} `USAGE`, `KEY_UNREADABLE`, `PASSPHRASE_*`, `FILE_*`, `SIGNER_FAILED`
 */
export async function openKey(name: string, opening: KeyOpening, waiting: SourceOptions): Promise<OpenedKey> {
  const key = parseKeyName(name);
  switch (key.kind) {
    case 'file':
      return openKeyFile(name, opening, waiting);
    case 'plugin': {
      const { findPlugin } = await import('./find-plugin.ts');
      const { openPluginSigner } = await import('./plugin-signer.ts');
      const file = findPlugin(key.plugin, opening.plugins);
      const program = { name: key.plugin, file, timeoutMs: waiting.idleMs };
      const opened = await openPluginSigner(key, program, waiting.signal);
      return { ...opened, files: [file] };
    }
  }
}

/** [pub.22] [pub.24] */
async function openKeyFile(
  name: string,
  { passphrase, tries, alone }: KeyOpening,
  waiting: SourceOptions,
): Promise<OpenedKey> {
  const given = await readNamed(name, waiting);
  const asked = (): Promise<string> => unlessAborted(passphrase(), waiting.signal);
  if (kindOfBytes(given.bytes) === 'pkcs12') {
    const { key, certificates: all } = await openInTries(tries, () =>
      openPkcs12(given, asked, waiting.signal),
    );
    if (alone && all.length === 0) throw alone('this PKCS#12 file has the key, and no certificate');
    const certificates = all.flatMap((bytes) => certificatesIn({ name, bytes }));
    return { signer: keySigner(key, name), certificates, files: [name] };
  }
  if (alone) {
    const kinds = 'only a PKCS#12 file (.p12, .pfx), a token or a plugin has both';
    throw alone(`${kinds}; of another key the certificate is a file of its own`);
  }
  const key = await openInTries(tries, () => parsePrivateKey(given, asked));
  return { signer: keySigner(key, name), certificates: [], files: [name] };
}
