import {
  childrenOf,
  type DerElement,
  malformed,
  openDer,
  readBitString,
  readOnly,
  TAG,
} from '../der/cursor.ts';
import { type GeneralName, parseGeneralNames } from './general-name.ts';
import { canonicalRdn } from './name.ts';

/** Reasons for revocation as bits of ReasonFlags, in their order; the first bit is not used (RFC 5280 section 4.2.1.13). */
const REASON_FLAGS = [
  'unused',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

/** Each point is compared with each list. [x509.11] */
const MAX_POINTS = 64;
const MAX_NAMES = 64;

/** A reason that a list may be limited to. */
export type Reason = Exclude<(typeof REASON_FLAGS)[number], 'unused'>;

/** All of them. */
export const ALL_REASONS: readonly Reason[] = REASON_FLAGS.filter((flag) => flag !== 'unused');

/** Where a list is to be found, which says which list speaks for a certificate: full names, or one RDN below the issuer. */
export interface DistributionPointName {
  readonly full?: readonly GeneralName[];
  /** canonical text of the RDN, to stand behind the issuer's */
  readonly relative?: string;
}

/** One entry of CRLDistributionPoints or FreshestCRL. */
export interface DistributionPoint {
  readonly name?: DistributionPointName;
  readonly reasons?: ReadonlySet<Reason>;
  readonly crlIssuer?: readonly GeneralName[];
}

/** The value of a cRLDistributionPoints or freshestCRL extension. @throws `CERTIFICATE_MALFORMED` [x509.11] */
export function parseDistributionPoints(value: Uint8Array, what: string): readonly DistributionPoint[] {
  const points = childrenOf(readOnly(value, TAG.sequence, what), what, MAX_POINTS);
  if (points.length === 0) throw malformed(what, 'an empty list of distribution points');
  return points.map((point) => parseDistributionPoint(point, what));
}

function parseDistributionPoint(element: DerElement, what: string): DistributionPoint {
  if (element.tag !== TAG.sequence) throw malformed(what, 'a distribution point that is not a SEQUENCE');
  const cursor = openDer(element.value, what);
  const name = cursor.optional(0xa0);
  const reasons = cursor.optional(0x81);
  const crlIssuer = cursor.optional(0xa2);
  cursor.end();
  if (!name && !crlIssuer) throw malformed(what, 'a distribution point without name and issuer');
  return {
    ...(name !== undefined && { name: parseDistributionPointName(name.value, what) }),
    ...(reasons !== undefined && { reasons: parseReasons(reasons, what) }),
    ...(crlIssuer !== undefined && { crlIssuer: parseGeneralNames(crlIssuer.value, what, MAX_NAMES) }),
  };
}

/** The contents of a DistributionPointName field, shared with the list's issuingDistributionPoint. @throws `CERTIFICATE_MALFORMED` */
export function parseDistributionPointName(contents: Uint8Array, what: string): DistributionPointName {
  const cursor = openDer(contents, what);
  const choice = cursor.next();
  cursor.end();
  if (choice.tag === 0xa0) return { full: parseGeneralNames(choice.value, what, MAX_NAMES) };
  if (choice.tag === 0xa1) return { relative: canonicalRdn(choice.value, what) };
  throw malformed(what, 'a distribution point name of a kind that does not exist');
}

/** ReasonFlags, implicitly tagged. @throws `CERTIFICATE_MALFORMED` */
export function parseReasons({ value, raw }: DerElement, what: string): ReadonlySet<Reason> {
  const { bytes } = readBitString({ tag: TAG.bitString, value, raw }, what);
  const set = REASON_FLAGS.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
  return new Set(set.filter((reason) => reason !== 'unused'));
}
