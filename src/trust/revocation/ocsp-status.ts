import { type Certificate, isSignedBy, parseCertificate } from '../../crypto/certificate.ts';
import { digestBytes } from '../../crypto/digest.ts';
import { keyIdentity } from '../../crypto/key-identity.ts';
import { isSignedWith } from '../../crypto/signature.ts';
import { childrenOf, readBitString, readOnly, TAG } from '../../formats/der/cursor.ts';
import type { CertificateId, OcspResponse } from '../../formats/ocsp/response.ts';
import { EXTENSION } from '../../formats/x509/extensions.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { equalBytes } from '../../kit/bytes.ts';
import { formatHex } from '../../kit/encoding.ts';
import { isBundleError } from '../../kit/errors/errors.ts';
import { costOf } from '../path/budget.ts';
import { judgeValidity } from '../path/certificate-rules.ts';
import { refused } from '../path/findings.ts';
import { OCSP_SIGNING } from '../path/purposes.ts';
import { type Finding, judgeDigest, judgeKey } from '../policy.ts';
import {
  type Attested,
  type Doubt,
  type Hearing,
  type Mark,
  overtaken,
  type RevocationOptions,
  staleness,
  type Word,
} from './evidence.ts';
import { answerKey, markOf, newestOf, note } from './marks.ts';

/**
 * What is known of a responder's own certificate by what is at hand [ocsp.5]; `doubted`: what revokes it must not be
 * used, and nothing later clears it. [rev.14]
 */
export type ResponderStatus = (responder: Certificate) => 'good' | 'revoked' | 'unknown' | 'doubted';

/** What OCSP responses say of a certificate, each by itself (RFC 6960 section 3.2). [ocsp.3] to [ocsp.6] */
export function hearResponses(
  certificate: Certificate,
  issuer: Certificate,
  responses: readonly OcspResponse[],
  options: RevocationOptions,
  statusOf: ResponderStatus,
): Hearing {
  const warnings: Finding[] = [];
  const doubts: Doubt[] = [];
  const seen = new Map<string, Mark>();
  const attested: Attested[] = [];
  const newer = newestOf(certificate, issuer, options.seen).forAnswers;
  const words = responses.flatMap((response): readonly Word[] => {
    const singles = response.responses.filter(({ id }) => isAbout(id, certificate, issuer));
    const unread = response.responses.filter((single) => mayRevoke(single, certificate));
    if (singles.length + unread.length === 0) return [];
    const { responder, problem, isGenuine, unsure } = responderOf(response, issuer, options, statusOf);
    if (!responder) {
      const message = `the OCSP response of ${response.source} is not used: ${problem}`;
      warnings.push({ ...refused('REVOCATION_UNKNOWN', message), allowed: 'lenient' });
      // [rev.14] two flaws at once are no fewer than one
      const revoking = isGenuine ? [...singles.filter(({ status }) => status === 'revoked'), ...unread] : [];
      doubts.push(...revoking.map(({ thisUpdate }) => ({ message, thisUpdate })));
      return [];
    }
    // [rev.14] for another issuer it may not speak
    for (const { thisUpdate } of unread) {
      const message = `the OCSP response of ${response.source} is not used: it is about an issuer by a digest that is not known`;
      doubts.push({ message, thisUpdate });
    }
    if (singles.length > 0) attested.push({ evidence: response, signers: [responder] });
    const key = answerKey(issuer, certificate);
    const what = `the OCSP response of ${response.source}`;
    return singles.map((single) => {
      const age = staleness(what, single, options.at, markOf(options.seen, key, issuer));
      const stale =
        age ??
        overtaken(what, single.thisUpdate, newer) ??
        (unsure ? `it is not known whether the responder of ${what} is revoked` : undefined);
      const { status, revocation, thisUpdate } = single;
      if (age === undefined) note(seen, key, { thisUpdate });
      return {
        status,
        source: response.source,
        thisUpdate,
        ...(revocation !== undefined && { revocation }),
        ...(stale !== undefined && { stale }),
      };
    });
  });
  const counted = words.filter((one) => !words.some((other) => supersedes(other, one)));
  return { words: counted, doubts, attested, warnings, seen };
}

/** [rev.5] Only a fresh answer takes back an older one; not to know a certificate is no answer to its revocation. */
function supersedes(newer: Word, older: Word): boolean {
  if (newer.status === 'unknown' && older.status === 'revoked') return false;
  return newer.stale === undefined && newer.thisUpdate > older.thisUpdate;
}

/** [ocsp.3] All three must match: the serial number alone is another certificate's at another issuer. */
function isAbout(id: CertificateId, certificate: Certificate, issuer: Certificate): boolean {
  return id.serial === certificate.fields.serial && isOfIssuer(id, certificate, issuer);
}

/** Whom it is about cannot be read, but for the serial number. */
function mayRevoke({ id, status }: OcspResponse['responses'][number], { fields }: Certificate): boolean {
  return id.digest === undefined && id.serial === fields.serial && status === 'revoked';
}

/** Whether an answer is about a certificate of this issuer, whose name may be spelled in either way. */
export function isOfIssuer(
  { digest, issuerNameHash, issuerKeyHash }: CertificateId,
  certificate: Certificate,
  issuer: Certificate,
): boolean {
  if (digest === undefined) return false;
  const names = [certificate.fields.issuer.raw, issuer.fields.subject.raw];
  return (
    names.some((name) => equalBytes(issuerNameHash, digestBytes(digest, name))) &&
    equalBytes(issuerKeyHash, digestBytes(digest, keyBits(issuer)))
  );
}

/** The key without its algorithm, as OCSP and key identifiers digest it. */
function keyBits({ fields }: Certificate): Uint8Array {
  const [, bits] = childrenOf(readOnly(fields.spki, TAG.sequence, 'a key'), 'a key');
  return bits ? readBitString(bits, 'a key').bytes : new Uint8Array();
}

/** Whoever has signed a response, as far as it may. */
interface Answering {
  /** who may answer for the issuer */
  readonly responder?: Certificate;
  /** it must be shown not to be revoked, and is not, or is in doubt */
  readonly unsure?: boolean;
  /** why there is none */
  readonly problem?: string;
  /** the issuer, or one that the issuer has named for it, has signed it all the same [rev.14] */
  readonly isGenuine?: boolean;
}

function responderOf(
  response: OcspResponse,
  issuer: Certificate,
  options: RevocationOptions,
  statusOf: ResponderStatus,
): Answering {
  const flaw = flawOf(response, options);
  let refusal: Answering = {
    problem: 'it is not signed by the issuer, nor by a responder that the issuer has named',
  };
  for (const responder of [issuer, ...respondersIn(response), ...options.issuers]) {
    if (!isNamed(response, responder)) continue;
    const signed = hasSigned(response, responder, options);
    if (signed === undefined) return { problem: 'too many signatures would have to be verified' };
    if (!signed) {
      if (!refusal.isGenuine) refusal = { problem: 'its signature does not fit' };
      continue;
    }
    const answering: Answering =
      keyIdentity(responder) === keyIdentity(issuer)
        ? { responder, isGenuine: true }
        : judgeDelegate(responder, issuer, options, statusOf);
    if (answering.responder && flaw === undefined) return answering;
    const { isGenuine = false, problem = '' } = answering;
    if (!refusal.isGenuine) refusal = { problem: flaw ?? problem, isGenuine };
  }
  return refusal;
}

/** Why a response says nothing, whoever signed it. [ocsp.6] */
function flawOf(
  { unknownCritical, algorithm }: OcspResponse,
  { allowances }: RevocationOptions,
): string | undefined {
  const [oid] = unknownCritical;
  if (oid !== undefined) return `it has the critical extension ${oid}, which is not known`;
  const weak = judgeDigest(algorithm.digest, 'it', allowances);
  return weak && weak.allowed === undefined ? weak.error.message : undefined;
}

/** Whose keys made the signature of a response; remembered, since it is asked about every certificate of every path. */
const signers = new WeakMap<OcspResponse, Map<string, boolean>>();

/** Whether the responder's key signed it; undefined when verifying that would cost too much. */
function hasSigned(
  response: OcspResponse,
  { key, publicKey, spkiSha256 }: Certificate,
  { budget }: RevocationOptions,
): boolean | undefined {
  const known = signers.get(response) ?? new Map<string, boolean>();
  signers.set(response, known);
  let signed = known.get(spkiSha256);
  if (signed !== undefined) return signed;
  if (!budget.spend('evidence', costOf(key))) return undefined;
  signed = isSignedWith(response, response.tbs, publicKey);
  known.set(spkiSha256, signed);
  return signed;
}

/** The certificates in a response, read once: it is asked about every certificate of every path. */
const responders = new WeakMap<OcspResponse, readonly Certificate[]>();

/** The certificates in a response that can be read. */
export function respondersIn(response: OcspResponse): readonly Certificate[] {
  const known = responders.get(response);
  if (known) return known;
  const read = response.certificates.flatMap((der) => {
    try {
      return [parseCertificate(der)];
    } catch (error) {
      if (isBundleError(error)) return []; // one that cannot be read has signed nothing
      throw error;
    }
  });
  responders.set(response, read);
  return read;
}

function isNamed({ responder }: OcspResponse, certificate: Certificate): boolean {
  if ('name' in responder) return nameKey(responder.name) === nameKey(certificate.fields.subject);
  return responder.keyHash === formatHex(digestBytes('sha1', keyBits(certificate)));
}

/** [ocsp.4] [ocsp.5] Whether a certificate other than the issuer's may answer for it (RFC 6960 section 4.2.2.2). */
function judgeDelegate(
  responder: Certificate,
  issuer: Certificate,
  options: RevocationOptions,
  statusOf: ResponderStatus,
): Answering {
  const { extensions } = responder.fields;
  if (!extensions.extendedKeyUsage?.includes(OCSP_SIGNING))
    return { problem: 'its responder has no certificate for signing OCSP responses' };
  if (
    nameKey(responder.fields.issuer) !== nameKey(issuer.fields.subject) ||
    !options.budget.spend('evidence', costOf(issuer.key)) ||
    !isSignedBy(responder, issuer)
  ) {
    return { problem: 'its responder is named by another issuer' };
  }
  const noCheck = extensions.byOid.has(EXTENSION.ocspNoCheck);
  const status = noCheck ? 'good' : statusOf(responder);
  if (status === 'revoked') return { problem: 'the certificate of its responder is revoked' };
  const problem = delegateProblem(responder, options);
  if (problem !== undefined) return { problem, isGenuine: true };
  // [ocsp.5] [rev.14] what it revokes is revoked all the same; it clears nobody
  const unsure = status === 'doubted' || (status === 'unknown' && options.mode === 'require');
  return { responder, isGenuine: true, unsure };
}

function delegateProblem(responder: Certificate, { at, allowances }: RevocationOptions): string | undefined {
  const { keyUsage, unknownCritical } = responder.fields.extensions;
  if (keyUsage && !keyUsage.has('digitalSignature')) return 'its responder may not sign data';
  if (unknownCritical.length > 0)
    return 'the certificate of its responder has a critical extension that is not known';
  const [untimely] = judgeValidity(responder, { from: at, to: at });
  if (untimely) return untimely.error.message;
  const weak = judgeKey(responder.key, 'its responder', allowances);
  if (weak && weak.allowed === undefined) return weak.error.message;
  const digest = judgeDigest(
    responder.fields.signature.digest,
    'the certificate of its responder',
    allowances,
  );
  return digest && digest.allowed === undefined ? digest.error.message : undefined;
}
