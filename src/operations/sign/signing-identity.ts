import { type Certificate, isSignedBy } from '../../crypto/certificate.ts';
import { sameKey } from '../../crypto/key-identity.ts';
import { isEdwards } from '../../crypto/signature.ts';
import type { Signer } from '../../engine/engine.ts';
import { keySigner } from '../../engine/node/key-signer.ts';
import { openPkcs12 } from '../../engine/node/pkcs12.ts';
import { openInTries, type PrivateKey, parsePrivateKey } from '../../engine/node/private-key.ts';
import { kindOfBytes } from '../../formats/credentials/credential-kind.ts';
import { unlessAborted } from '../../kit/deadline.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError, type ErrorCode } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { moment, needed, path, positive, shape } from '../../kit/shape.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { readNamed } from '../../storage/trust/small-files.ts';
import { certificatesIn } from '../../trust/given-certificates.ts';
import { judgeCertificateForSigning } from '../../trust/judge-signer.ts';
import { isSelfIssued } from '../../trust/path/certificate-rules.ts';
import { shown } from '../../trust/path/findings.ts';
import { passphrase } from '../option-rules.ts';
import { DEVELOPMENT_CA } from '../trust/dev-certs.ts';
import { type Waiting, waitingOptions, whileWaiting } from '../waiting.ts';
import type { SigningIdentity } from './signing.ts';

/** The files of a signer as the user names them: PEM or DER, certificates in PKCS#7 too; or one PKCS#12 that has both. */
export interface SigningFiles {
  readonly key: string;
  /** the signer's certificate, found by its key; the others in the same file are intermediates. Of a PKCS#12 it is in the file of the key */
  readonly certificate?: string;
  /** more intermediates */
  readonly chain?: string;
  /** asked only when the key is encrypted */
  readonly passphrase?: () => Promise<string>;
  /** how often it is asked while what it says is wrong (default: once) */
  readonly tries?: number;
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
});

async function loadGiven(files: SigningFiles, at: Date, waiting: SourceOptions): Promise<SigningIdentity> {
  const { key, beside } = await openKey(files, waiting);
  const signer = keySigner(key, files.key);
  const { certificate = files.key } = files;
  const given =
    files.certificate === undefined ? beside : certificatesIn(await readNamed(certificate, waiting));
  // what converts or exports a whole chain writes it in any order; a file that is given without the signer's is another's [pub.24]
  const leaf = given.find(({ publicKey }) => sameKey(publicKey, signer.publicKey));
  if (!leaf) {
    throw new BundleError('KEY_MISMATCH', 'the key does not belong to the certificate', {
      where: { file: files.key },
      why: `${given.length === 1 ? 'the certificate' : 'each certificate'} in ${certificate} is for another key, so every importer would find the signature invalid`,
    });
  }
  const [fault] = judgeCertificateForSigning(leaf, at);
  if (fault) throw unfit(fault, certificate); // [sig.6]
  const chain = files.chain ? certificatesIn(await readNamed(files.chain, waiting)) : [];
  const intermediates = withoutDuplicates([...given, ...beside, ...chain], leaf);
  if (intermediates.length + 1 > DEFAULT_LIMITS.certificates) {
    throw new BundleError('USAGE', `${intermediates.length + 1} certificates are more than importers read`, {
      fix: `give at most ${DEFAULT_LIMITS.certificates}: the signer's and its intermediates`,
    });
  }
  const paths = [files.key, files.certificate, files.chain].flatMap((one) => one || []);
  return {
    signer,
    leaf,
    intermediates,
    warnings: [...readability(leaf, signer), ...missingIssuer(leaf, intermediates)],
    files: paths,
  };
}

/** The key, and the certificates in its own file, which only a PKCS#12 has. [pub.22] [pub.24] */
async function openKey(
  { key: name, certificate, passphrase: ask = noPassphrase(name), tries = 1 }: SigningFiles,
  waiting: SourceOptions,
): Promise<{ readonly key: PrivateKey; readonly beside: readonly Certificate[] }> {
  const given = await readNamed(name, waiting);
  const asked = (): Promise<string> => unlessAborted(ask(), waiting.signal);
  if (kindOfBytes(given.bytes) === 'pkcs12') {
    const { key, certificates } = await openInTries(tries, () => openPkcs12(given, asked, waiting.signal));
    if (certificate === undefined && certificates.length === 0)
      throw alone(name, 'this PKCS#12 file has the key, and no certificate');
    return { key, beside: certificates.flatMap((bytes) => certificatesIn({ name, bytes })) };
  }
  if (certificate === undefined) {
    throw alone(
      name,
      'only a PKCS#12 file (.p12, .pfx) has both; of another key the certificate is a file of its own',
    );
  }
  return { key: await openInTries(tries, () => parsePrivateKey(given, asked)), beside: [] };
}

function alone(file: string, why: string): BundleError {
  return new BundleError('USAGE', 'the key comes without its certificate', {
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

function noPassphrase(file: string): () => Promise<string> {
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
  if (isSelfIssued(leaf) || issuer.attributes.some(({ value }) => value === DEVELOPMENT_CA)) return [];
  if (intermediates.some((one) => isSignedBy(leaf, one))) return [];
  const lack =
    intermediates.length === 0
      ? 'its certificate is not given'
      : 'none of those that are given beside it is its';
  const problem = `if "${shown(issuer.text)}" is not a root that importers have, they find no path to the signer: ${lack}`;
  return [{ text: `${problem}; then give it as chain`, advice: 'give-chain', of: problem }];
}

function readability(leaf: Certificate, signer: Signer): readonly string[] {
  if (leaf.key.type === 'rsa') return [];
  const own = isEdwards(signer.publicKey) ? ', which signs the manifest itself and not its digest' : '';
  return [`the key is ${leaf.key.label}${own}: VMware and VirtualBox read RSA signatures only`];
}
