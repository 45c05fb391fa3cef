import { equalBytes } from '../../kit/bytes.ts';
import { toDefiniteLengths } from '../der/ber.ts';
import { childrenOf, type DerElement, openDer, readOid, readOnly, TAG } from '../der/cursor.ts';
import { derElement, derOid, derSequence, derSetOf, derUnsigned } from '../der/writer.ts';
import { OCSP_RESPONSE } from './signed-data.ts';
import { isTimestamp } from './signer-info.ts';

/** What of a SignedData is carried on. All else is left out. */
export interface CarriedParts {
  /** whether an X.509 certificate, DER, is kept */
  readonly certificate: (der: Uint8Array) => boolean;
  /** how the signer at this index is carried: with the issuer's name as its certificate has it; undefined when it is left out */
  readonly signer: (index: number) => { readonly issuer?: Uint8Array } | undefined;
  /** what stands in place of a timestamp token of a signer */
  readonly token: (der: Uint8Array) => Uint8Array | undefined;
  /** whether a CRL is kept, and what stands in place of an OCSP response */
  readonly crl: (der: Uint8Array) => boolean;
  readonly ocsp: (der: Uint8Array) => Uint8Array | undefined;
}

const VERSIONS = { plain: 1, keyIdOrOtherContent: 3, otherRevocation: 5 } as const;

/**
 * The canonical form of a SignedData with these parts, in DER: one that has nothing else is written as it was.
 *
 * What is signed stays byte for byte: the content and each signer's attributes.
 *
 * @param cms a ContentInfo that `parseSignedData` reads
 * @param what names it in errors
 * @see spec/trust.md, clause cms.11
 */
export function formatCarried(cms: Uint8Array, parts: CarriedParts, what: string): Uint8Array {
  const contentInfo = openDer(readOnly(toDefiniteLengths(cms, what), TAG.sequence, what).value, what);
  const type = contentInfo.next();
  const cursor = openDer(readOnly(contentInfo.next(0xa0).value, TAG.sequence, what).value, what);
  cursor.next();
  cursor.next(TAG.set);
  const content = cursor.next(TAG.sequence);
  const certificates = childrenIn(cursor.optional(0xa0), what)
    .filter(({ tag, raw }) => tag === TAG.sequence && parts.certificate(raw))
    .map(({ raw }) => raw);
  const revocation = childrenIn(cursor.optional(0xa1), what).flatMap((one) =>
    carriedRevocation(one, parts, what),
  );
  const signers = childrenOf(cursor.next(TAG.set), what).flatMap((signer, index) => {
    const kept = parts.signer(index);
    return kept ? [carriedSigner(signer, kept.issuer, parts, what)] : [];
  });
  const version = revocation.some(({ isOther }) => isOther)
    ? VERSIONS.otherRevocation
    : childrenOf(content, what).length > 1 || signers.some(({ byKeyId }) => byKeyId)
      ? VERSIONS.keyIdOrOtherContent
      : VERSIONS.plain;
  const signedData = derSequence(
    derUnsigned(Uint8Array.of(version)),
    derSetOf(...distinct(signers.map(({ digest }) => digest))),
    content.raw,
    ...setOf(0xa0, distinct(certificates), what),
    ...setOf(0xa1, distinct(revocation.map(({ der }) => der)), what),
    derElement(TAG.set, ...signers.map(({ der }) => der)),
  );
  return derSequence(type.raw, derElement(0xa0, signedData));
}

function childrenIn(element: DerElement | undefined, what: string): readonly DerElement[] {
  return element ? childrenOf(element, what) : [];
}

/** An implicit SET OF, when there is anything in it. */
function setOf(tag: number, elements: readonly Uint8Array[], what: string): readonly Uint8Array[] {
  if (elements.length === 0) return [];
  return [derElement(tag, readOnly(derSetOf(...elements), TAG.set, what).value)];
}

function distinct(elements: readonly Uint8Array[]): readonly Uint8Array[] {
  return elements.filter((one, i) => elements.findIndex((other) => equalBytes(other, one)) === i);
}

function carriedRevocation(
  { tag, value, raw }: DerElement,
  parts: CarriedParts,
  what: string,
): readonly { readonly der: Uint8Array; readonly isOther: boolean }[] {
  if (tag === TAG.sequence) return parts.crl(raw) ? [{ der: raw, isOther: false }] : [];
  const cursor = openDer(value, what);
  if (tag !== 0xa1 || readOid(cursor.next(), what) !== OCSP_RESPONSE) return [];
  const response = parts.ocsp(cursor.next().raw);
  return response ? [{ der: derElement(0xa1, derOid(OCSP_RESPONSE), response), isOther: true }] : [];
}

function carriedSigner(
  element: DerElement,
  issuer: Uint8Array | undefined,
  parts: CarriedParts,
  what: string,
): { readonly der: Uint8Array; readonly digest: Uint8Array; readonly byKeyId: boolean } {
  const cursor = openDer(element.value, what);
  const version = cursor.next();
  const sid = cursor.next();
  const digest = cursor.next();
  const signed = cursor.optional(0xa0);
  const algorithm = cursor.next();
  const signature = cursor.next();
  const tokens = childrenIn(cursor.optional(0xa1), what).flatMap((attribute) =>
    carriedTokens(attribute, parts, what),
  );
  const byKeyId = sid.tag !== TAG.sequence;
  const der = derSequence(
    version.raw,
    byKeyId || !issuer ? sid.raw : derSequence(issuer, serialIn(sid, what)),
    digest.raw,
    ...(signed ? [signed.raw] : []),
    algorithm.raw,
    signature.raw,
    ...setOf(0xa1, tokens, what),
  );
  return { der, digest: digest.raw, byKeyId };
}

function serialIn(sid: DerElement, what: string): Uint8Array {
  return childrenOf(sid, what)[1]?.raw ?? new Uint8Array();
}

/** An attribute with timestamps, and those in it that are kept. */
function carriedTokens(attribute: DerElement, parts: CarriedParts, what: string): readonly Uint8Array[] {
  const cursor = openDer(attribute.value, what);
  const oid = cursor.next();
  if (!isTimestamp({ oid: readOid(oid, what) })) return [];
  const kept = childrenOf(cursor.next(TAG.set), what).flatMap(({ raw }) => parts.token(raw) ?? []);
  return kept.length > 0 ? [derSequence(oid.raw, derSetOf(...distinct(kept)))] : [];
}
