import { addTimestamp, cmsDigestOf, signCms } from '../../crypto/cms-signer.ts';
import { digestBytes } from '../../crypto/digest.ts';
import { isEdwards, isSignatureValid } from '../../crypto/signature.ts';
import { expectUse, falseSignature, signBytes, signerUntil } from '../../crypto/signer.ts';
import { parseSignedData } from '../../formats/cms/signed-data.ts';
import { formatCertificateFile } from '../../formats/ovf/certificate-file.ts';
import { mlDsaOfKey } from '../../formats/x509/ml-dsa.ts';
import { unlessAborted } from '../../kit/deadline.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type {
  MadeSignature,
  ManifestSigning,
  SigningDigest,
  SigningIdentity,
  TimestampSource,
} from './signing.ts';

/** How a signature is made. */
export interface SignatureOptions {
  readonly digest: SigningDigest;
  /** whether a CMS signature is added; when left out, it is when there are intermediates [cert.9] */
  readonly cms?: boolean;
  /** who timestamps the signature; nobody when left out */
  readonly timestamp?: TimestampSource;
  /** ends the waiting for whoever signs or timestamps [stream.6] */
  readonly signal: AbortSignal | undefined;
}

/** Signing with a key that is here. @throws {BundleError} `USAGE` for a key that cannot sign bundles, or not over this digest [key.7] */
export function signingWith(
  identity: SigningIdentity,
  { digest = 'sha256', cms, timestamp }: Partial<SignatureOptions>,
): ManifestSigning {
  expectUse(identity.signer, { digest, use: 'bundle' });
  return {
    reads: [...identity.files, ...(timestamp?.files ?? [])],
    warnings: identity.warnings,
    digest,
    timestamped: timestamp !== undefined,
    sign: async (manifest, signal) => ({
      ...(await makeSignature(manifest, identity, {
        digest,
        ...(cms !== undefined && { cms }),
        ...(timestamp !== undefined && { timestamp }),
        signal,
      })),
      leaf: identity.leaf,
    }),
  };
}

/** Signs the raw bytes of a manifest. @throws {BundleError} `USAGE`, `REMOTE_*`, `TIMESTAMP_*` [cert.8] [cert.9] [pack.9] [pack.13] */
export async function makeSignature(
  manifest: { readonly name: string; readonly bytes: Uint8Array },
  identity: SigningIdentity,
  options: SignatureOptions,
): Promise<MadeSignature> {
  const { leaf, intermediates } = identity;
  const { timestamp, signal } = options;
  if (mlDsaOfKey(leaf.key))
    throw new BundleError('USAGE', `a bundle is not signed with ${leaf.key.label} alone`, {
      why: 'ML-DSA has no place in a certificate file, which VMware, VirtualBox and others read', // [pq.5]
      fix: 'sign the bundle with an RSA key',
    });
  const signer = signerUntil(identity.signer, signal);
  // Ed25519 and Ed448 bring their own digest; the name in front is then only what the grammar asks for.
  const algorithm = isEdwards(signer.publicKey) ? 'sha512' : options.digest;
  const signature = await signBytes(signer, algorithm, manifest.bytes);
  if (!isSignatureValid(algorithm, manifest.bytes, leaf.publicKey, signature)) throw falseSignature(signer);
  const line = { algorithm, manifestName: manifest.name, signature };
  if (!(options.cms ?? intermediates.length > 0)) {
    const certificates = [leaf, ...intermediates].map(({ raw }) => raw);
    return timestamped(formatCertificateFile({ ...line, certificates }), timestamp, signal);
  }
  const digest = cmsDigestOf(signer.publicKey, options.digest);
  const contentDigest = digestBytes(digest, manifest.bytes);
  const plain = await signCms({ signer, leaf, intermediates, digest: options.digest, contentDigest });
  const cms = timestamp ? await timestampCms(plain, timestamp, signal) : plain;
  return { certificate: formatCertificateFile({ ...line, certificates: [leaf.raw], cms }) };
}

/** The certificate file with a timestamp beside it. [bundle.7] */
export async function timestamped(
  certificate: Uint8Array,
  source: TimestampSource | undefined,
  signal: AbortSignal | undefined,
): Promise<MadeSignature> {
  if (!source) return { certificate };
  return { certificate, timestamp: await tokenOver(certificate, source, signal) };
}

/** The CMS signature with a timestamp of its first signer inside. @throws {BundleError} `CMS_SYNTAX`, what the source throws */
export async function timestampCms(
  cms: Uint8Array,
  source: TimestampSource,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const [signer] = parseSignedData(cms, 'the CMS signature').signers;
  if (!signer) throw new BundleError('CMS_SYNTAX', 'the CMS signature has no signer');
  return addTimestamp(cms, 0, await tokenOver(signer.signature, source, signal));
}

/** [tst.15] Whoever gives it: the form in which it is written. */
async function tokenOver(
  over: Uint8Array,
  source: TimestampSource,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const given = await unlessAborted(source(over), signal);
  const { soundToken } = await import('../../verdict/signers/sound-token.ts'); // most signatures have none
  return soundToken(given, over);
}
