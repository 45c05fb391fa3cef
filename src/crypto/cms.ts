import type { Hash, Verifying } from '../engine/engine.ts';
import { CONTENT, type SignedData } from '../formats/cms/signed-data.ts';
import type { SignerInfo } from '../formats/cms/signer-info.ts';
import { mlDsaOf } from '../formats/x509/ml-dsa.ts';
import { sameName } from '../formats/x509/name.ts';
import { showDigest } from '../formats/x509/signature-algorithm.ts';
import { concat, copyBytes, equalBytes } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors/errors.ts';
import type { Certificate } from './certificate.ts';
import { digestBytes, openHash } from './digest.ts';
import { isSignedWith, openSignature, takesWhole } from './signature.ts';

/** One signer once the content has gone by. Without `fault` the signature fits; whether the signer may be believed is left open. */
export interface CmsSigner {
  readonly info: SignerInfo;
  /** whose key fits, or else the one that the signer names */
  readonly certificate?: Certificate;
  /** what the signature is made over, as node:crypto names it */
  readonly digest?: string;
  readonly fault?: BundleError;
  readonly notes: readonly string[];
}

/** The content of a CMS going by. */
export interface CmsContent {
  readonly update: (chunk: Uint8Array) => void;
  /** one answer for each signer, in their order */
  readonly finish: () => readonly CmsSigner[];
}

/** Content that Ed25519, Ed448 and ML-DSA sign directly must be in memory at once. [cms.7] */
const MAX_DIRECT_BYTES = 64 * 1024 * 1024;
/** Certificates tried for one signer: a renewed one has the old one's key identifier, and so might any number have. [cms.4] */
const MAX_CANDIDATES = 4;

/**
 * Verifies the signatures of a SignedData over content that goes by in pieces, once, whatever its size.
 *
 * It decides whether each signature fits the content and a certificate; strength of keys and digests, and whom to
 * believe, is decided in `trust/`. Faults are values: `SIGNATURE_INVALID`, `ALGORITHM_UNSUPPORTED`, `DIGEST_WEAK`.
 *
 * @param candidates certificates that may have signed, those inside among them
 * @see spec/trust.md, clauses cms.4 to cms.9
 */
export function openCms(data: SignedData, candidates: readonly Certificate[]): CmsContent {
  const hashes = new Map<string, Hash>();
  const readings = data.signers.map((info) => openSigner(info, data, { candidates, hashes }));
  const direct = readings.some(({ needsAll }) => needsAll) ? new DirectContent() : undefined;
  let firstByte: number | undefined;
  return {
    update: (chunk) => {
      firstByte ??= chunk[0];
      for (const hash of hashes.values()) hash.update(chunk);
      for (const { matching } of readings) for (const one of matching) one.reading?.update(chunk);
      direct?.add(chunk);
    },
    finish: () => {
      const digests = new Map([...hashes].map(([name, hash]) => [name, Uint8Array.from(hash.digest())]));
      return readings.map((reading) => judgeSigner(reading, data, { digests, firstByte, direct }));
    },
  };
}

/** The content itself, as far as it may be kept. */
class DirectContent {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  add(chunk: Uint8Array): void {
    this.#size += chunk.byteLength;
    if (this.#size <= MAX_DIRECT_BYTES) this.#parts.push(copyBytes(chunk));
    else this.#parts.length = 0;
  }

  all(): Uint8Array | undefined {
    return this.#size <= MAX_DIRECT_BYTES ? concat([new Uint8Array(), ...this.#parts]) : undefined;
  }
}

interface OpenSigner {
  readonly info: SignerInfo;
  readonly matching: readonly {
    readonly certificate: Certificate;
    readonly reading?: Verifying | undefined;
  }[];
  /** the content is signed directly by a key that takes it in one piece */
  readonly needsAll: boolean;
}

function openSigner(
  info: SignerInfo,
  data: SignedData,
  { candidates, hashes }: { readonly candidates: readonly Certificate[]; readonly hashes: Map<string, Hash> },
): OpenSigner {
  const distinct = new Map(candidates.map((one) => [one.fingerprint, one]));
  const meant = [...distinct.values()].filter((certificate) => isMeant(certificate, info));
  const found = meant.slice(0, MAX_CANDIDATES);
  const { name } = info.digest;
  if (info.signedAttributes) {
    if (name !== undefined && !hashes.has(name)) hashes.set(name, openHash(name));
    return { info, matching: found.map((certificate) => ({ certificate })), needsAll: false };
  }
  if (data.contentType !== CONTENT.data) return { info, matching: [], needsAll: false };
  const matching = found.map((certificate) => ({
    certificate,
    reading: openSignature(carried(info), certificate.publicKey),
  }));
  return { info, matching, needsAll: takesWhole(info.signatureAlgorithm) };
}

/** Whether a signer names the certificate with these fields as its own. [cms.4] */
export function isMeant({ fields }: Pick<Certificate, 'fields'>, { sid }: Pick<SignerInfo, 'sid'>): boolean {
  if (sid.kind === 'keyId') return fields.extensions.subjectKeyId === sid.keyId;
  return fields.serial === sid.serial && sameName(fields.issuer, sid.issuer);
}

function carried({ signatureAlgorithm: algorithm, signature, digest }: SignerInfo): {
  algorithm: SignerInfo['signatureAlgorithm'];
  signature: Uint8Array;
  digest?: string;
} {
  return { algorithm, signature, ...(digest.name !== undefined && { digest: digest.name }) };
}

/** What is known when the content has gone by. */
interface Seen {
  readonly digests: ReadonlyMap<string, Uint8Array>;
  readonly firstByte: number | undefined;
  readonly direct: DirectContent | undefined;
}

function judgeSigner({ info, matching }: OpenSigner, data: SignedData, seen: Seen): CmsSigner {
  const used = signedDigest(info);
  const answer = (certificate: Certificate | undefined, fault?: BundleError): CmsSigner => ({
    info,
    ...(certificate !== undefined && { certificate }),
    ...(used !== undefined && { digest: used }),
    ...(fault !== undefined && { fault }),
    notes: info.signedAttributes || fault ? [] : ['the CMS signature has no signed attributes'],
  });
  const problem = formProblem(info, data, seen);
  const [first] = matching;
  if (problem) return answer(first?.certificate, problem);
  if (!first)
    return answer(undefined, invalid(`the certificate of the CMS signer ${showId(info)} is not there`));
  const fitting = matching.filter((one) => fits(info, one, seen)).map(({ certificate }) => certificate);
  const meant = info.signedAttributes?.signingCertificates ?? [];
  // [cms.8] another certificate for the same key may promise another name or purpose
  const signer = fitting.find((certificate) => meant.every((one) => isSigningCertificate(certificate, one)));
  if (signer) return answer(signer);
  const misfit = fitting[0]
    ? 'the CMS signature was made for another certificate than the one that is there'
    : `the CMS signature does not fit the key of "${first.certificate.fields.subject.text}"`;
  return answer(fitting[0] ?? first.certificate, invalid(misfit));
}

/** What decides how strong the signature is: Ed25519, Ed448 and ML-DSA bring a digest of their own, but the content goes through the other. */
function signedDigest({ signatureAlgorithm, digest, signedAttributes }: SignerInfo): string | undefined {
  const { digest: own } = signatureAlgorithm;
  return takesWhole(signatureAlgorithm) && signedAttributes ? digest.name : (own ?? digest.name);
}

/** What is wrong with a signer before any key is tried. [cms.5] [cms.6] */
function formProblem(info: SignerInfo, data: SignedData, seen: Seen): BundleError | undefined {
  const { signedAttributes: attributes, digest, signatureAlgorithm } = info;
  if (signatureAlgorithm.scheme === undefined || digest.name === undefined) {
    const oid = digest.name === undefined ? digest.oid : signatureAlgorithm.oid;
    return new BundleError(
      'ALGORITHM_UNSUPPORTED',
      `the CMS signature uses the algorithm ${oid}, which is not known`,
    );
  }
  const own = signatureAlgorithm.digest;
  if (own !== undefined && own !== digest.name && !takesWhole(signatureAlgorithm)) {
    return invalid(`the CMS signature names two digests, ${digest.name} and ${own}`); // [cms.6]
  }
  if (!attributes) {
    if (data.contentType !== CONTENT.data)
      return invalid('the CMS signature has no signed attributes, which its content needs');
    // [cms.7] whoever has a signature over attributes could pass the attributes off as content
    if (seen.firstByte === 0x31)
      return invalid('the content looks like the attributes of another CMS signature');
    return seen.direct && !seen.direct.all()
      ? new BundleError(
          'ALGORITHM_UNSUPPORTED',
          `a file of more than ${MAX_DIRECT_BYTES} bytes is signed directly with ${signatureAlgorithm.name}`,
          {
            fix: 'ask the publisher for a CMS signature with signed attributes',
          },
        )
      : undefined;
  }
  if (attributes.contentType !== data.contentType)
    return invalid('the CMS signature is for another type of content');
  const computed = seen.digests.get(digest.name);
  if (!computed || !equalBytes(computed, attributes.messageDigest)) {
    return invalid('the content does not match the message digest of the CMS signature');
  }
  const mlDsa = mlDsaOf(signatureAlgorithm.oid);
  if (mlDsa && computed.byteLength < mlDsa.digestBytes)
    // [pq.4]
    return new BundleError(
      'DIGEST_WEAK',
      `the CMS signature of ${mlDsa.label} is over ${showDigest(digest.name)}, which is weaker than the key`,
    );
  return undefined;
}

function fits(
  info: SignerInfo,
  { certificate, reading }: OpenSigner['matching'][number],
  seen: Seen,
): boolean {
  if (reading) return reading.finish(info.signature);
  const data = info.signedAttributes?.der ?? seen.direct?.all();
  return data !== undefined && isSignedWith(carried(info), data, certificate.publicKey);
}

/** [cms.8] */
function isSigningCertificate(
  certificate: Certificate,
  {
    digest,
    value,
    serial,
  }: { readonly digest: string | undefined; readonly value: Uint8Array; readonly serial?: string },
): boolean {
  if (digest === undefined || (serial !== undefined && serial !== certificate.fields.serial)) return false;
  return equalBytes(digestBytes(digest, certificate.raw), value);
}

function showId({ sid }: SignerInfo): string {
  return sid.kind === 'keyId'
    ? `with the key identifier ${sid.keyId}`
    : `with the serial number ${sid.serial} of "${sid.issuer.text}"`;
}

function invalid(message: string): BundleError {
  return new BundleError('SIGNATURE_INVALID', message);
}
