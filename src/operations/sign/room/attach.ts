import type { PackFormat } from '../../../archive/open-archive.ts';
import { type Certificate, parseCertificate } from '../../../crypto/certificate.ts';
import { cmsDigestOf } from '../../../crypto/cms-signer.ts';
import { digestBytes } from '../../../crypto/digest.ts';
import { isEdwards } from '../../../crypto/signature.ts';
import { partBeside } from '../../../formats/bundle-part.ts';
import { parseSignedData } from '../../../formats/cms/signed-data.ts';
import { parseCertificateFile } from '../../../formats/ovf/certificate-file.ts';
import { formatDigest, parseResponse, type ResponseDocument } from '../../../formats/signing-room.ts';
import { equalBytes } from '../../../kit/bytes.ts';
import { type Deadline, openDeadline } from '../../../kit/deadline.ts';
import { BundleError, toBundleError } from '../../../kit/errors/errors.ts';
import { fileOrBytes, type NamedBytes } from '../../../kit/given-bytes.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../kit/limits.ts';
import { count, moment, needed, path, shape } from '../../../kit/shape.ts';
import { sourceOptions } from '../../../kit/source.ts';
import { type ByteSink, discardedAtEnd } from '../../../kit/streams/byte-sink.ts';
import { ownPlace } from '../../../storage/own-place.ts';
import { packagePlace } from '../../../storage/sources/open-bundle.ts';
import { judgeCertificateForSigning } from '../../../trust/judge-signer.ts';
import { tellingIn } from '../../../verdict/report/telling.ts';
import type { FoundSignature } from '../../../verdict/signers/found-signature.ts';
import type { NamedMember } from '../../../verdict/walk/member.ts';
import { expectReplaceable, output, packFormat, signingDigest, timestampSource } from '../../option-rules.ts';
import type { Waiting } from '../../waiting.ts';
import { EDITING, type EditOptions } from '../copy-options.ts';
import { type SignPackageReport, signLoose } from '../in-place/sign-package.ts';
import { signCopy } from '../sign.ts';
import type { ManifestSigning, SigningDigest, SignReport, TimestampSource } from '../signing.ts';
import { warningsOn } from '../signing-identity.ts';
import { ownForm, timestampMembers } from '../timestamp.ts';
import { RESPONSES, readDocument } from './documents.ts';
import { givenSigner } from './given-signer.ts';

/** A response as it came; whether it fits a bundle is told when it is attached. */
export interface SigningResponse {
  /** the file that it is in, or what its bytes are called */
  readonly name: string;
  readonly bundle: string;
  readonly manifest: string;
  /** what the signature is made over */
  readonly algorithm: SigningDigest;
}

/** Reads a response. @throws {BundleError} `USAGE` for what is none as it was written, `FILE_*` [room.5] */
export async function readSigningResponse(
  from: string | NamedBytes,
  waiting: Waiting = {},
): Promise<SigningResponse> {
  return await tellingIn('sign', () =>
    readDocument(from, waiting, (bytes, name) => {
      const document = parseResponse(bytes);
      const { bundle, manifest, digest } = document;
      const response: SigningResponse = { name, bundle, manifest, algorithm: digest.algorithm };
      RESPONSES.set(response, document);
      return response;
    }),
  );
}

/** How a response is attached to the bundle that it is for. */
export interface AttachOptions extends EditOptions {
  /** the file to write, `-` for standard output, or a sink; when left out, the bundle gets its signature where it lies */
  readonly output?: string | ByteSink;
  /** of the output; where there is none, it stays as it is */
  readonly format?: PackFormat;
  readonly mtime?: number;
  /** who timestamps the signature; nobody when left out */
  readonly timestamp?: TimestampSource;
  /** what the signature must be made over; what the response says when left out */
  readonly digest?: SigningDigest;
  /** the certificate of whoever must have signed */
  readonly certificate?: string | NamedBytes;
  /** when importers must take the certificate (default: now) */
  readonly at?: Date;
}

/**
 * Completes a bundle with the signature in a response: what is written is what `sign` with that key would have written. The response is held against
 * the manifest, and its signature verified; the bundle is read and judged as `sign` does that.
 *
 * @throws {BundleError} `SIGNATURE_INVALID` for the response of another bundle, signer or digest, what importers have against the certificate, and as `sign` does
 * @see spec/signatures.md, clauses room.5 and room.6
 */
export async function attachSignature(
  input: string,
  response: SigningResponse,
  options: AttachOptions,
): Promise<SignReport | SignPackageReport> {
  path(input, 'input');
  signingResponse(response, 'response');
  const given = attachOptions(options, '');
  if (given.output !== undefined) expectReplaceable(given);
  await using _ = discardedAtEnd(given.output);
  using deadline = openDeadline(given);
  return await tellingIn('sign', () => attachGiven(input, response, { ...given, ...deadline }));
}

const signingResponse = shape<SigningResponse>({
  name: needed(path),
  bundle: needed(path),
  manifest: needed(path),
  algorithm: needed(signingDigest),
});

const attachOptions = shape<AttachOptions>({
  ...EDITING,
  output,
  format: packFormat,
  mtime: count,
  timestamp: timestampSource,
  digest: signingDigest,
  certificate: fileOrBytes,
  at: moment,
});

async function attachGiven(
  input: string,
  response: SigningResponse,
  given: AttachOptions & Pick<Deadline, 'expectInTime'>,
): Promise<SignReport | SignPackageReport> {
  const { output: to, format, mtime, timestamp, digest, certificate, at = new Date(), ...common } = given;
  const { name: file, algorithm } = response;
  const document = RESPONSES.get(response);
  if (!document) throw new BundleError('USAGE', 'this response was not read by readSigningResponse');
  if (digest !== undefined && digest !== algorithm)
    throw misfit(`it is made over ${algorithm}, and ${digest} is asked for`, file);
  const expected =
    certificate === undefined ? undefined : await givenSigner(certificate, sourceOptions(given));
  const limits = { ...DEFAULT_LIMITS, ...given.limits };
  const [claimed, ...others] = withName(file, () => certificatesOf(document, limits));
  const signing: ManifestSigning = {
    reads: [file, ...(typeof certificate === 'string' ? [certificate] : []), ...(timestamp?.files ?? [])],
    warnings: claimed ? warningsOn(claimed, others) : [],
    digest: algorithm,
    timestamped: timestamp !== undefined,
    sign: async (manifest, signal) => {
      const member = memberOf(document, manifest);
      const leaf = signerIn(document, manifest, { limits, file, at });
      if (expected && expected.fingerprint !== leaf.fingerprint)
        throw misfit(`"${leaf.fields.subject.text}" has signed, by another certificate than is given`, file);
      if (!timestamp) return { certificate: member.bytes, leaf };
      const [signed = member, token] = await timestampMembers(member, { source: timestamp, signal, limits });
      return {
        certificate: signed.bytes,
        ...(token !== undefined && { timestamp: token.bytes }),
        leaf,
      };
    },
  };
  if (to === undefined && packagePlace(input)) return signLoose(input, signing, common);
  const written = { ...common, ...(mtime !== undefined && { mtime }) };
  if (to !== undefined)
    return signCopy(input, signing, { ...written, format: neededFormat(format), output: to });
  const place = ownPlace(input);
  if (!place) throw noPlace(input);
  return signCopy(place.path, signing, { ...written, format: 'as read', output: place.path, inPlace: place });
}

/** The certificates in a response, the signer's first; nothing shows yet that they are what they say. */
function certificatesOf({ certificateFile }: ResponseDocument, limits: Limits): readonly Certificate[] {
  const { certificates, cms } = parseCertificateFile(certificateFile, limits);
  const inCms = cms ? parseSignedData(cms, 'the CMS signature').certificates : [];
  return [...certificates, ...inCms].map((der) => parseCertificate(der));
}

function memberOf({ certificateFile }: ResponseDocument, manifest: NamedMember): NamedMember {
  return { name: partBeside(manifest.name, 'cert'), bytes: certificateFile };
}

/** How a response is held against a bundle. */
interface Checking {
  readonly limits: Limits;
  readonly file: string;
  readonly at: Date;
}

/** Whose certificate has signed this manifest, and nobody else's. @throws {BundleError} `SIGNATURE_INVALID`, what importers have against it [room.5] */
function signerIn(
  document: ResponseDocument,
  manifest: NamedMember,
  { limits, file, at }: Checking,
): Certificate {
  const { digest, manifest: name, bundle, cms, signer } = document;
  const own = { ...digest, value: digestBytes(digest.algorithm, manifest.bytes) };
  if (name !== manifest.name || !equalBytes(own.value, digest.value)) {
    const [theirs, ours] = [formatDigest(digest), formatDigest(own)];
    throw misfit(`it is for ${bundle}: ${name} with ${theirs}; here is ${manifest.name} with ${ours}`, file);
  }
  const member = memberOf(document, manifest);
  const { bytes, found } = withName(file, () => ownForm(member, manifest, limits));
  const [leaf, ...others] = found.flatMap((one) => one.signer ?? []);
  if (!leaf || !equalBytes(bytes, member.bytes)) throw misfit('it is not as bulla writes it', file);
  if (others.some(({ fingerprint }) => fingerprint !== leaf.fingerprint))
    throw misfit('it has signatures of several certificates', file);
  if (signer !== undefined && signer !== leaf.fingerprint)
    throw misfit(`it is to be signed by the certificate sha256:${signer}`, file);
  if (cms !== undefined && cms !== found.length > 1)
    throw misfit(`it has ${cms ? 'no' : 'a'} CMS signature, against what it says`, file);
  for (const one of found) expectDigest(one, { leaf, algorithm: digest.algorithm, file });
  const [fault] = judgeCertificateForSigning(leaf, at);
  if (fault) throw fault.at({ file });
  return leaf;
}

/** As `sign` makes it: the line and the CMS signature are over the same. */
function expectDigest(
  { format, digest }: FoundSignature,
  { leaf, algorithm, file }: { leaf: Certificate; algorithm: SigningDigest; file: string },
): void {
  const inLine = isEdwards(leaf.publicKey) ? 'sha512' : algorithm;
  const wanted = format === 'cms' ? cmsDigestOf(leaf.publicKey, algorithm) : inLine;
  if (digest !== wanted) throw misfit(`a signature in it is over ${digest}, and not over ${wanted}`, file);
}

function withName<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const fault = toBundleError(error);
    throw fault.code === 'SIGNATURE_INVALID' ? misfit(fault.message, file) : fault.at({ file });
  }
}

function misfit(why: string, file: string): BundleError {
  return new BundleError('SIGNATURE_INVALID', 'the response does not fit', {
    where: { file },
    why,
    fix: 'give the response to the request of this bundle, or have a new request answered; nothing has been written',
  });
}

function neededFormat(format: PackFormat | undefined): PackFormat {
  if (format !== undefined) return format;
  throw new BundleError('USAGE', '"format" is missing', {
    fix: 'say in which container the output is written',
  });
}

function noPlace(input: string): BundleError {
  return new BundleError('USAGE', 'the signed bundle needs a name', {
    where: { file: input },
    why: 'only a file of your own on this machine can be completed where it lies',
    fix: { text: 'give a name for the copy', advice: 'name-copy' },
  });
}
