import { type Certificate, isSignedBy } from '../../crypto/certificate.ts';
import { sameKey } from '../../crypto/key-identity.ts';
import { isEdwards } from '../../crypto/signature.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError, type ErrorCode } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { moment, needed, path, positive, shape } from '../../kit/shape.ts';
import type { SourceOptions } from '../../kit/source.ts';
import type { PluginFolder } from '../../storage/signers/find-plugin.ts';
import { openKey } from '../../storage/signers/open-key.ts';
import { readNamed } from '../../storage/trust/small-files.ts';
import { certificatesIn } from '../../trust/given-certificates.ts';
import { judgeCertificateForSigning } from '../../trust/judge-signer.ts';
import { isSelfIssued } from '../../trust/path/certificate-rules.ts';
import { shown } from '../../trust/path/findings.ts';
import { passphrase, pluginFolders } from '../option-rules.ts';
import { DEVELOPMENT_CAS } from '../trust/dev-certs.ts';
import { type Waiting, waitingOptions, whileWaiting } from '../waiting.ts';
import type { SigningIdentity } from './signing.ts';

/** A signer as the user names it: files in PEM or DER, certificates in PKCS#7 too; one PKCS#12 that has both; or a key that is in no file. */
export interface SigningFiles {
  /** a file, or a key of a plugin: `plugin:NAME/KEYID` [key.1] */
  readonly key: string;
  /** the signer's certificate, found by its key; the others in the same file are intermediates. A PKCS#12 and what holds a key elsewhere may have it themselves */
  readonly certificate?: string;
  /** more intermediates */
  readonly chain?: string;
  /** asked only when the key is encrypted */
  readonly passphrase?: () => Promise<string>;
  /** how often it is asked while what it says is wrong (default: once) */
  readonly tries?: number;
  /** where plugins are looked for, the first that has one counting; nowhere when left out [key.8] */
  readonly plugins?: readonly PluginFolder[];
}

/**
 * Loads a signer, and refuses it with the words of the importer if no importer would accept it.
 *
 * Whether an importer trusts the issuer is not known here; a self-signed certificate is fine, since it may be pinned.
 *
 * @throws {BundleError} `KEY_UNREADABLE`, `KEY_MISMATCH`, `PASSPHRASE_*`, `FILE_*`, `CONFIG_INVALID`, `CERTIFICATE_EXPIRED`, `KEY_WEAK`, `PURPOSE_REFUSED`, …
 */
export async function loadSigningIdentity(
  files: SigningFiles,
  at: Date,
  waiting: Waiting = {},
): Promise<SigningIdentity> {
  const from = signingFiles(files, 'files');
  const when = moment(at, 'at');
  return whileWaiting(waitingOptions(waiting, 'waiting'), (source) => loadGiven(from, when, source));
}

const signingFiles = shape<SigningFiles>({
  key: needed(path),
  certificate: path,
  chain: path,
  passphrase,
  tries: positive,
  plugins: pluginFolders,
});

async function loadGiven(files: SigningFiles, at: Date, waiting: SourceOptions): Promise<SigningIdentity> {
  const { key, certificate, passphrase: ask = noPassphrase(key), tries = 1, plugins = [] } = files;
  const opening = {
    passphrase: ask,
    tries,
    plugins,
    ...(certificate === undefined && { alone: aloneIs(key) }),
  };
  const { signer, certificates: beside, files: opened } = await openKey(key, opening, waiting);
  const place = certificate ?? key;
  const given = certificate === undefined ? beside : certificatesIn(await readNamed(certificate, waiting));
  // what converts or exports a whole chain writes it in any order; a file that is given without the signer's is another's [pub.24]
  const leaf = given.find(({ publicKey }) => sameKey(publicKey, signer.publicKey));
  if (!leaf) {
    throw new BundleError('KEY_MISMATCH', 'the key does not belong to the certificate', {
      where: { file: key },
      why: `${given.length === 1 ? 'the certificate' : 'each certificate'} in ${place} is for another key, so every importer would find the signature invalid`,
    });
  }
  const [fault] = judgeCertificateForSigning(leaf, at);
  if (fault) throw unfit(fault, place); // [sig.6]
  const chain = files.chain ? certificatesIn(await readNamed(files.chain, waiting)) : [];
  const intermediates = withoutDuplicates([...given, ...beside, ...chain], leaf);
  if (intermediates.length + 1 > DEFAULT_LIMITS.certificates) {
    throw new BundleError('USAGE', `${intermediates.length + 1} certificates are more than importers read`, {
      fix: `give at most ${DEFAULT_LIMITS.certificates}: the signer's and its intermediates`,
    });
  }
  const paths = [...opened, ...[certificate, files.chain].flatMap((one) => one || [])];
  return {
    signer,
    leaf,
    intermediates,
    warnings: warningsOn(leaf, intermediates),
    files: paths,
  };
}

function aloneIs(file: string): (why: string) => BundleError {
  return (why) =>
    new BundleError('USAGE', 'the key comes without its certificate', {
      where: { file },
      why,
      fix: { text: 'give the certificate that was issued for the key', advice: 'give-certificate' },
    });
}

/** What the signer can do about a certificate that importers refuse. */
const REMEDIES: Partial<Record<ErrorCode, string>> = {
  CERTIFICATE_EXPIRED: 'sign with a certificate that is valid now',
  CERTIFICATE_NOT_YET_VALID: 'check the clock of this machine, or sign with a certificate that is valid now',
  KEY_WEAK: 'make a new key (RSA of 3072 bits, say), and have a certificate issued for it',
  PURPOSE_REFUSED:
    'have a certificate issued with the extended key usage codeSigning (or emailProtection, or none)',
};

function unfit({ code, message, cause }: BundleError, file: string): BundleError {
  return new BundleError(code, message, {
    where: { file },
    why: 'importers would refuse every bundle signed with this certificate',
    fix: REMEDIES[code] ?? { text: 'sign with another certificate', advice: 'try-things-out' },
    cause,
  });
}

/** Where nobody can be asked. */
export function noPassphrase(file: string): () => Promise<string> {
  return async () => {
    throw new BundleError('PASSPHRASE_NEEDED', 'the private key is encrypted', { where: { file } });
  };
}

function withoutDuplicates(certificates: readonly Certificate[], leaf: Certificate): readonly Certificate[] {
  const seen = new Set([leaf.fingerprint]);
  return certificates.filter(({ fingerprint }) => {
    if (seen.has(fingerprint)) return false;
    seen.add(fingerprint);
    return true;
  });
}

/** [path.28] Importers know a root as a rule; whether the issuer is one cannot be seen in what it has issued. */
function missingIssuer(leaf: Certificate, intermediates: readonly Certificate[]): readonly Told[] {
  const { issuer } = leaf.fields;
  if (isSelfIssued(leaf) || issuer.attributes.some(({ value }) => DEVELOPMENT_CAS.has(value))) return [];
  if (intermediates.some((one) => isSignedBy(leaf, one))) return [];
  const lack =
    intermediates.length === 0
      ? 'its certificate is not given'
      : 'none of those that are given beside it is its';
  const problem = `if "${shown(issuer.text)}" is not a root that importers have, they find no path to the signer: ${lack}`;
  return [{ text: `${problem}; then give it as chain`, advice: 'give-chain', of: problem }];
}

/** What is said of a signer's certificates: who cannot read its signatures, and which certificate importers may lack. */
export function warningsOn(leaf: Certificate, intermediates: readonly Certificate[]): readonly Told[] {
  return [...readability(leaf), ...missingIssuer(leaf, intermediates)];
}

function readability(leaf: Certificate): readonly string[] {
  if (leaf.key.type === 'rsa') return [];
  const own = isEdwards(leaf.publicKey) ? ', which signs the manifest itself and not its digest' : '';
  return [`the key is ${leaf.key.label}${own}: VMware and VirtualBox read RSA signatures only`];
}
