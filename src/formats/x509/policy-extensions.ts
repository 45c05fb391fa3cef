import {
  childrenOf,
  type DerElement,
  malformed,
  openDer,
  readInteger,
  readOid,
  readOnly,
  TAG,
} from '../der/cursor.ts';

/** A policy of the issuer's domain that counts as one of the subject's (RFC 5280 section 4.2.1.5). */
export interface PolicyMapping {
  readonly issuer: string;
  readonly subject: string;
}

/** After how many more certificates a policy is needed, or mapping forbidden (RFC 5280 section 4.2.1.11). */
export interface PolicyConstraints {
  readonly requireExplicitPolicy?: number;
  readonly inhibitPolicyMapping?: number;
}

/** The policy that stands for all. */
export const ANY_POLICY = '2.5.29.32.0';
/** More certificates than any path has: counting beyond changes no decision. */
const MAX_SKIP = 1000n;

/** The OIDs of a certificatePolicies extension, each once; qualifiers are left out. @throws `CERTIFICATE_MALFORMED` [x509.12] */
export function parseCertificatePolicies(value: Uint8Array, what: string): readonly string[] {
  const policies = childrenOf(readOnly(value, TAG.sequence, what), what).map((information) => {
    if (information.tag !== TAG.sequence)
      throw malformed(what, 'a certificate policy that is not a SEQUENCE');
    const cursor = openDer(information.value, what);
    const oid = readOid(cursor.next(), what);
    cursor.optional(TAG.sequence); // qualifiers are texts for people
    cursor.end();
    return oid;
  });
  if (policies.length === 0) throw malformed(what, 'an empty list of certificate policies');
  if (new Set(policies).size < policies.length)
    throw malformed(what, 'a certificate policy that occurs twice');
  return policies;
}

/** The pairs of a policyMappings extension. @throws `CERTIFICATE_MALFORMED` also when anyPolicy is mapped [x509.12] */
export function parsePolicyMappings(value: Uint8Array, what: string): readonly PolicyMapping[] {
  const mappings = childrenOf(readOnly(value, TAG.sequence, what), what).map((pair) => {
    if (pair.tag !== TAG.sequence) throw malformed(what, 'a policy mapping that is not a SEQUENCE');
    const cursor = openDer(pair.value, what);
    const issuer = readOid(cursor.next(), what);
    const subject = readOid(cursor.next(), what);
    cursor.end();
    return { issuer, subject };
  });
  if (mappings.length === 0) throw malformed(what, 'an empty list of policy mappings');
  return mappings;
}

/** The value of a policyConstraints extension. @throws `CERTIFICATE_MALFORMED` [x509.12] */
export function parsePolicyConstraints(value: Uint8Array, what: string): PolicyConstraints {
  const cursor = openDer(readOnly(value, TAG.sequence, what).value, what);
  const explicit = cursor.optional(0x80);
  const mapping = cursor.optional(0x81);
  cursor.end();
  if (!explicit && !mapping) throw malformed(what, 'policy constraints that constrain nothing');
  return {
    ...(explicit !== undefined && { requireExplicitPolicy: readSkip(explicit, what) }),
    ...(mapping !== undefined && { inhibitPolicyMapping: readSkip(mapping, what) }),
  };
}

/** The value of an inhibitAnyPolicy extension. @throws `CERTIFICATE_MALFORMED` [x509.12] */
export function parseInhibitAnyPolicy(value: Uint8Array, what: string): number {
  return readSkip(readOnly(value, TAG.integer, what), what);
}

/** A count of certificates, whatever tag it carries. */
function readSkip({ value, raw }: DerElement, what: string): number {
  const count = readInteger({ tag: TAG.integer, value, raw }, what);
  if (count < 0n) throw malformed(what, 'a negative number of certificates');
  return Number(count > MAX_SKIP ? MAX_SKIP : count);
}
