import { formatHex } from '../../kit/encoding.ts';
import {
  childrenOf,
  type DerElement,
  malformed,
  openDer,
  readBoolean,
  readInteger,
  readOid,
  readOnly,
  TAG,
} from '../der/cursor.ts';
import {
  type DistributionPoint,
  type DistributionPointName,
  parseDistributionPointName,
  parseDistributionPoints,
  parseReasons,
  type Reason,
} from '../x509/distribution-point.ts';

/** What a list says about itself that limits whom it speaks of (RFC 5280 section 5.2.5). */
interface IssuingDistributionPoint {
  readonly name?: DistributionPointName;
  readonly onlyUsers: boolean;
  readonly onlyAuthorities: boolean;
  readonly onlyAttributes: boolean;
  readonly onlyReasons?: ReadonlySet<Reason>;
  /** whether entries may be of other issuers' certificates */
  readonly indirect: boolean;
  /** the DER, to compare the scopes of two lists */
  readonly raw: Uint8Array;
}

/** The extensions of a CRL. */
export interface CrlExtensions {
  /** lower hex */
  readonly authorityKeyId?: string;
  readonly number?: bigint;
  readonly numberCritical: boolean;
  /** number of the complete list that this one changes: then this is a delta */
  readonly baseNumber?: bigint;
  readonly distributionPoint?: IssuingDistributionPoint;
  readonly freshestCrl?: readonly DistributionPoint[];
  /** OIDs of critical ones that are not known */
  readonly unknownCritical: readonly string[];
}

/** What a list without extensions has. */
export const NO_CRL_EXTENSIONS: CrlExtensions = { numberCritical: false, unknownCritical: [] };

const AUTHORITY_KEY = '2.5.29.35';
const CRL_NUMBER = '2.5.29.20';
const DELTA = '2.5.29.27';
const DISTRIBUTION_POINT = '2.5.29.28';
const FRESHEST = '2.5.29.46';
const ISSUER_ALT_NAME = '2.5.29.18';
const KNOWN: readonly string[] = [
  AUTHORITY_KEY,
  CRL_NUMBER,
  DELTA,
  DISTRIBUTION_POINT,
  FRESHEST,
  ISSUER_ALT_NAME,
];

/** One extension, of a list or of an entry. */
export interface RawExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Extensions as they stand, each once. @throws `CERTIFICATE_MALFORMED` */
export function readExtensions(list: DerElement, what: string): ReadonlyMap<string, RawExtension> {
  const byOid = new Map<string, RawExtension>();
  for (const child of childrenOf(list, what)) {
    if (child.tag !== TAG.sequence) throw malformed(what, 'an extension that is not a SEQUENCE');
    const cursor = openDer(child.value, what);
    const oid = readOid(cursor.next(), what);
    const flag = cursor.optional(TAG.boolean);
    const { value } = cursor.next(TAG.octetString);
    cursor.end();
    if (byOid.has(oid)) throw malformed(what, `its extension ${oid} occurs twice`);
    byOid.set(oid, { oid, critical: flag !== undefined && readBoolean(flag, what), value });
  }
  return byOid;
}

/** The extensions of a CRL. @throws `CERTIFICATE_MALFORMED` [crl.3] */
export function parseCrlExtensions(list: DerElement, what: string): CrlExtensions {
  const byOid = readExtensions(list, what);
  const integer = (oid: string): bigint | undefined => {
    const extension = byOid.get(oid);
    return extension && readInteger(readOnly(extension.value, TAG.integer, what), what);
  };
  const number = integer(CRL_NUMBER);
  const baseNumber = integer(DELTA);
  const authorityKey = byOid.get(AUTHORITY_KEY);
  const keyId =
    authorityKey && openDer(readOnly(authorityKey.value, TAG.sequence, what).value, what).optional(0x80);
  const point = byOid.get(DISTRIBUTION_POINT);
  const freshest = byOid.get(FRESHEST);
  return {
    ...(keyId !== undefined && { authorityKeyId: formatHex(keyId.value) }),
    ...(number !== undefined && { number }),
    numberCritical: byOid.get(CRL_NUMBER)?.critical ?? false,
    ...(baseNumber !== undefined && { baseNumber }),
    ...(point !== undefined && { distributionPoint: parseIssuingPoint(point.value, what) }),
    ...(freshest !== undefined && { freshestCrl: parseDistributionPoints(freshest.value, what) }),
    unknownCritical: [...byOid.values()]
      .filter((e) => e.critical && !KNOWN.includes(e.oid))
      .map((e) => e.oid),
  };
}

function parseIssuingPoint(value: Uint8Array, what: string): IssuingDistributionPoint {
  const sequence = readOnly(value, TAG.sequence, what);
  const cursor = openDer(sequence.value, what);
  const flag = (tag: number): boolean => {
    const element = cursor.optional(tag);
    return element !== undefined && readBoolean({ ...element, tag: TAG.boolean }, what);
  };
  const name = cursor.optional(0xa0);
  const onlyUsers = flag(0x81);
  const onlyAuthorities = flag(0x82);
  const reasons = cursor.optional(0x83);
  const indirect = flag(0x84);
  const onlyAttributes = flag(0x85);
  cursor.end();
  return {
    ...(name !== undefined && { name: parseDistributionPointName(name.value, what) }),
    onlyUsers,
    onlyAuthorities,
    onlyAttributes,
    ...(reasons !== undefined && { onlyReasons: parseReasons(reasons, what) }),
    indirect,
    raw: sequence.raw,
  };
}
