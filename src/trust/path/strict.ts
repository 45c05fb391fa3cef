import type { Certificate } from '../../crypto/certificate.ts';
import type { DistributionPoint } from '../../formats/x509/distribution-point.ts';
import { EXTENSION } from '../../formats/x509/extensions.ts';
import { nameKey } from '../../formats/x509/name.ts';
import type { Finding } from '../policy.ts';
import { constraint } from './findings.ts';

/** Extensions that RFC 5280 wants critical in a certification authority, and those that it never wants critical. */
const ALWAYS_CRITICAL: readonly (readonly [oid: string, name: string])[] = [
  [EXTENSION.nameConstraints, 'name constraints'],
  [EXTENSION.policyConstraints, 'policy constraints'],
  [EXTENSION.inhibitAnyPolicy, 'inhibit anyPolicy'],
];
const NEVER_CRITICAL: readonly (readonly [oid: string, name: string])[] = [
  [EXTENSION.subjectKeyIdentifier, 'subject key identifier'],
  [EXTENSION.authorityKeyIdentifier, 'authority key identifier'],
  [EXTENSION.authorityInfoAccess, 'authority information access'],
  [EXTENSION.subjectInfoAccess, 'subject information access'],
  [EXTENSION.freshestCrl, 'freshest CRL'],
];
const MAX_SERIAL_BYTES = 20;

/**
 * What RFC 5280 demands of those who issue certificates and no decision hangs on: refused only on request.
 *
 * @see spec/trust.md, clause path.22
 */
export function judgeConformance(certificate: Certificate): readonly Finding[] {
  const { fields } = certificate;
  const { byOid, basicConstraints, keyUsage, subjectKeyId, authorityKeyId, subjectAltName } =
    fields.extensions;
  const { crlDistributionPoints } = fields.extensions;
  const ca = basicConstraints?.ca === true;
  const selfSigned = nameKey(fields.issuer) === nameKey(fields.subject);
  const problems: (string | false | undefined)[] = [
    ...ALWAYS_CRITICAL.map(
      ([oid, name]) => byOid.get(oid)?.critical === false && `has ${name} that are not critical`,
    ),
    ...NEVER_CRITICAL.map(([oid, name]) => byOid.get(oid)?.critical === true && `has a critical ${name}`),
    fields.version === 3 && !selfSigned && authorityKeyId === undefined && 'has no authority key identifier',
    ca && subjectKeyId === undefined && 'is a certification authority without a subject key identifier',
    ca && fields.subject.rdns.length === 0 && 'is a certification authority without a name',
    !ca &&
      (keyUsage?.has('keyCertSign') ?? false) &&
      'may sign certificates by its key usage and is no certification authority',
    !ca && byOid.has(EXTENSION.nameConstraints) && 'has name constraints and is no certification authority',
    !ca && basicConstraints?.pathLen !== undefined && 'has a path length and is no certification authority',
    basicConstraints?.pathLen !== undefined &&
      keyUsage !== undefined &&
      !keyUsage.has('keyCertSign') &&
      'has a path length and may not sign certificates',
    ca &&
      keyUsage !== undefined &&
      !keyUsage.has('keyCertSign') &&
      'is a certification authority that may not sign certificates',
    keyUsage?.size === 0 && 'has a key usage that allows nothing',
    /^[89a-f]/.test(fields.serial) && 'has a negative serial number',
    // roots in use have such numbers, and nothing tells a root by its number
    !(ca && selfSigned) && /^0*$/.test(fields.serial) && 'has the serial number zero',
    !(ca && selfSigned) &&
      fields.serial.replace(/^00/, '').length > 2 * MAX_SERIAL_BYTES &&
      'has a serial number of more than 20 octets',
    crlDistributionPoints?.some(isNowhere) &&
      'has a distribution point that is neither a URI nor a directory',
    fields.subject.rdns.length === 0 && subjectAltName === undefined && 'has no name at all',
    fields.subject.rdns.length === 0 &&
      byOid.get(EXTENSION.subjectAltName)?.critical === false &&
      'has no subject, and alternative names that are not critical',
  ];
  return problems.flatMap((problem) => (problem ? [constraint(certificate, problem)] : []));
}

/** No list can be fetched from, or looked up under, a name of another kind. */
function isNowhere({ name }: DistributionPoint): boolean {
  return name?.full?.some(({ kind }) => kind !== 'uri' && kind !== 'directory') ?? false;
}
