import type { PackFormat } from '../../../archive/open-archive.ts';
import type { Certificate } from '../../../crypto/certificate.ts';
import { digestBytes } from '../../../crypto/digest.ts';
import { isEdwards } from '../../../crypto/signature.ts';
import { partBeside } from '../../../formats/bundle-part.ts';
import { parseCertificateFile } from '../../../formats/ovf/certificate-file.ts';
import { parseResponse, type ResponseDocument } from '../../../formats/signing-room.ts';
import { equalBytes } from '../../../kit/bytes.ts';
import { openDeadline } from '../../../kit/deadline.ts';
import { formatHex } from '../../../kit/encoding.ts';
import { BundleError, toBundleError } from '../../../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../kit/limits.ts';
import { count, moment, needed, path, shape } from '../../../kit/shape.ts';
import { type SourceOptions, sourceOptions } from '../../../kit/source.ts';
import { type ByteSink, discardedAtEnd } from '../../../kit/streams/byte-sink.ts';
import { fileItself } from '../../../storage/absolute.ts';
import { packagePlace } from '../../../storage/sources/open-bundle.ts';
import { readNamed, readSmallFile } from '../../../storage/trust/small-files.ts';
import { certificatesIn } from '../../../trust/given-certificates.ts';
import { judgeCertificateForSigning } from '../../../trust/judge-signer.ts';
import { findSignatures } from '../../../verdict/bundle/judge-signature.ts';
import { tellingIn } from '../../../verdict/report/telling.ts';
import type { NamedMember } from '../../../verdict/walk/member.ts';
import { output, packFormat, signingDigest, timestampSource } from '../../option-rules.ts';
import { EDITING, type EditOptions } from '../copy-options.ts';
import { type SignPackageReport, signLoose } from '../in-place/sign-package.ts';
import { signCopy } from '../sign.ts';
import type { ManifestSigning, SigningDigest, SignReport, TimestampSource } from '../signing.ts';
import { ownForm, timestampMembers } from '../timestamp.ts';
import { DOCUMENT_BYTES } from './answer.ts';

/** How a response is attached to the bundle that it is for. */
export interface AttachOptions extends EditOptions {
  /** the file with the response */
  readonly response: string;
  /** the file to write, `-` for standard output, or a sink; when left out, the bundle gets its signature where it lies */
  readonly output?: string | ByteSink;
  /** of what is written; a package of files that is signed where it lies has none */
  readonly format?: PackFormat;
  readonly mtime?: number;
  /** who timestamps the signature; nobody when left out */
  readonly timestamp?: TimestampSource;
  /** what the signature must be made over; what the response says when left out */
  readonly digest?: SigningDigest;
  /** the file with the certificate of whoever must have signed */
  readonly certificate?: string;
  /** when importers must take the certificate (default: now) */
  readonly at?: Date;
}

/**
 * Completes a bundle with the signature in a response: what is written is what `sign` with that key would have written. The response is held against
 * the manifest, and its signature verified; the bundle is read and judged as `sign` does that.
 *
 * @throws {BundleError} `SIGNATURE_INVALID` for the response of another bundle, key or algorithm, `USAGE` for what is none, and as `sign` does
 * @see spec/signatures.md, clauses room.5 and room.6
 */
export async function attachSignature(
  input: string,
  options: AttachOptions,
): Promise<SignReport | SignPackageReport> {
  path(input, 'input');
  const given = attachOptions(options, '');
  await using _ = discardedAtEnd(given.output);
  using deadline = openDeadline(given);
  return await tellingIn('sign', () => attachGiven(input, { ...given, ...deadline }));
}

const attachOptions = shape<AttachOptions>({
  ...EDITING,
  response: needed(path),
  output,
  format: packFormat,
  mtime: count,
  timestamp: timestampSource,
  digest: signingDigest,
  certificate: path,
  at: moment,
});

async function attachGiven(
  input: string,
  given: AttachOptions & { readonly expectInTime: () => void },
): Promise<SignReport | SignPackageReport> {
  const { response: file, output: to, format, mtime, timestamp, digest, certificate, at, ...common } = given;
  const waiting = sourceOptions(given);
  const limits = { ...DEFAULT_LIMITS, ...given.limits };
  const response = await responseIn(file, waiting);
  const algorithm = response.digest.algorithm;
  if (digest !== undefined && digest !== algorithm)
    throw misfit(`it is made over ${algorithm}, and ${digest} is asked for`, file);
  const [expected] = certificate === undefined ? [] : certificatesIn(await readNamed(certificate, waiting));
  const signing: ManifestSigning = {
    reads: [file, ...(certificate === undefined ? [] : [certificate]), ...(timestamp?.files ?? [])],
    warnings: [],
    digest: algorithm,
    timestamped: timestamp !== undefined,
    sign: async (manifest, signal) => {
      const leaf = signerIn(response, { manifest, limits, file, at: at ?? new Date() });
      if (expected && expected.spkiSha256 !== leaf.spkiSha256)
        throw misfit(`the key sha256:${leaf.spkiSha256} has signed, and not that of ${certificate}`, file);
      const member = memberOf(response, manifest);
      if (!timestamp) return { certificate: member.bytes, leaf };
      const [signed = member, token] = await timestampMembers(member, { source: timestamp, signal, limits });
      return { certificate: signed.bytes, ...(token !== undefined && { timestamp: token.bytes }), leaf };
    },
  };
  if (to === undefined && packagePlace(input)) return signLoose(input, signing, common);
  if (format === undefined) throw new BundleError('USAGE', 'the format of what is written is missing');
  const written = { format, ...(mtime !== undefined && { mtime }) };
  if (to !== undefined) return signCopy(input, signing, { ...common, ...written, output: to });
  return signCopy(input, signing, { ...common, ...written, output: ownPlace(input), inPlace: true });
}

async function responseIn(file: string, waiting: SourceOptions): Promise<ResponseDocument> {
  const bytes = await readSmallFile(file, waiting, DOCUMENT_BYTES);
  try {
    return parseResponse(bytes);
  } catch (error) {
    throw toBundleError(error).at({ file });
  }
}

function memberOf({ certificateFile }: ResponseDocument, manifest: NamedMember): NamedMember {
  return { name: partBeside(manifest.name, 'cert'), bytes: certificateFile };
}

/** What a response is held against. */
interface Checking {
  readonly manifest: NamedMember;
  readonly limits: Limits;
  readonly file: string;
  readonly at: Date;
}

/** Who has signed this manifest, and nothing else. @throws {BundleError} `SIGNATURE_INVALID` [room.5] */
function signerIn(response: ResponseDocument, { manifest, limits, file, at }: Checking): Certificate {
  const { digest, manifest: name, bundle, cms } = response;
  const own = digestBytes(digest.algorithm, manifest.bytes);
  if (name !== manifest.name || !equalBytes(own, digest.value)) {
    const [theirs, ours] = [digest.value, own].map((value) => `${digest.algorithm}:${formatHex(value)}`);
    throw misfit(`it is for ${bundle}: ${name} with ${theirs}; here is ${manifest.name} with ${ours}`, file);
  }
  const { leaf, algorithm, hasCms } = signatureIn(memberOf(response, manifest), { manifest, limits, file });
  const signed = isEdwards(leaf.publicKey) ? 'sha512' : digest.algorithm;
  if (algorithm !== signed) throw misfit(`its signature is over ${algorithm}, and not ${signed}`, file);
  if (cms !== undefined && cms !== hasCms)
    throw misfit(`it has ${hasCms ? 'a' : 'no'} CMS signature, against what it says`, file);
  const [fault] = judgeCertificateForSigning(leaf, at);
  if (fault) throw fault.at({ file });
  return leaf;
}

/** The one key that has signed a manifest, and how. @throws {BundleError} `SIGNATURE_INVALID`, `CERTIFICATE_FILE_SYNTAX`, … */
function signatureIn(
  member: NamedMember,
  { manifest, limits, file }: Omit<Checking, 'at'>,
): { readonly leaf: Certificate; readonly algorithm: string; readonly hasCms: boolean } {
  const { bytes, found, certificateFile } = read(() => {
    const { found } = findSignatures(
      { manifest, certificate: member, sidecars: [], evidence: [] },
      NOBODY(limits),
    );
    const { bytes } = ownForm(member, manifest, limits);
    return { bytes, found, certificateFile: parseCertificateFile(member.bytes, limits) };
  }, file);
  const [leaf, ...others] = found.flatMap(({ signer }) => signer ?? []);
  if (!leaf || !equalBytes(bytes, member.bytes)) throw misfit('it is not as bulla writes it', file);
  if (others.some(({ spkiSha256 }) => spkiSha256 !== leaf.spkiSha256))
    throw misfit('it has signatures of several keys', file);
  return { leaf, algorithm: certificateFile.algorithm, hasCms: certificateFile.cms !== undefined };
}

function read<T>(work: () => T, file: string): T {
  try {
    return work();
  } catch (error) {
    const fault = toBundleError(error);
    throw fault.code === 'SIGNATURE_INVALID' ? misfit(fault.message, file) : fault.at({ file });
  }
}

/** Nobody is trusted, and nothing is known of anybody. */
const NOBODY = (limits: Limits) => ({
  limits,
  trust: { anchors: [], pins: [] },
  evidence: { crls: [], ocsps: [] },
});

function misfit(why: string, file: string): BundleError {
  return new BundleError('SIGNATURE_INVALID', 'the response does not fit', {
    where: { file },
    why,
    fix: 'give the response to the request of this bundle, or have a new request answered; nothing has been written',
  });
}

/** The file itself, where its name is a link. @throws {BundleError} `USAGE` for what has no place of its own */
function ownPlace(input: string): string {
  const place = fileItself(input);
  if (place !== undefined) return place;
  throw new BundleError('USAGE', 'the signed bundle needs a name', {
    where: { file: input },
    why: 'only a file on this machine can be completed where it lies',
    fix: { text: 'give a name for the copy', advice: 'name-copy' },
  });
}
