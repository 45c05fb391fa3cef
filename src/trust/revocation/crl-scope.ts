import type { Certificate } from '../../crypto/certificate.ts';
import type { Crl } from '../../formats/crl/crl.ts';
import {
  ALL_REASONS,
  type DistributionPoint,
  type DistributionPointName,
  type Reason,
} from '../../formats/x509/distribution-point.ts';
import type { GeneralName } from '../../formats/x509/general-name.ts';
import { nameKey, type X509Name } from '../../formats/x509/name.ts';
import { formatHex } from '../../kit/encoding.ts';

/** Where the lists for a certificate are to be found; the last is for lists that it does not point at (RFC 5280 section 6.3.3). */
export function pointsOf({ fields }: Certificate): readonly DistributionPoint[] {
  const own: GeneralName = { kind: 'directory', value: fields.issuer };
  return [...(fields.extensions.crlDistributionPoints ?? []), { name: { full: [own] } }];
}

const known = new WeakMap<Crl, WeakMap<Certificate, readonly Reason[]>>();

/**
 * The reasons for which the list speaks of the certificate, at whatever point; none when it does not. [crl.6] [crl.7]
 *
 * Remembered, since one certificate stands in many paths.
 */
export function reasonsOf(crl: Crl, certificate: Certificate): readonly Reason[] {
  const ofCrl = known.get(crl) ?? new WeakMap<Certificate, readonly Reason[]>();
  known.set(crl, ofCrl);
  const before = ofCrl.get(certificate);
  if (before) return before;
  const scope = crl.extensions.distributionPoint?.name;
  const scopeKeys = new Set(scope ? keysOf(scope, crl.issuer) : []);
  const reasons = new Set<Reason>();
  for (const point of pointsOf(certificate)) {
    for (const reason of reasonsFor(crl, certificate, point, scopeKeys)) reasons.add(reason);
  }
  const all = [...reasons];
  ofCrl.set(certificate, all);
  return all;
}

function reasonsFor(
  crl: Crl,
  certificate: Certificate,
  point: DistributionPoint,
  scopeKeys: ReadonlySet<string | undefined>,
): readonly Reason[] {
  const { distributionPoint: scope } = crl.extensions;
  const { fields } = certificate;
  const issuers = point.crlIssuer?.flatMap((name) =>
    name.kind === 'directory' ? [nameKey(name.value)] : [],
  );
  // [crl.7] another issuer speaks only where the certificate names it, and in a list that says so
  if (
    issuers
      ? !(scope?.indirect && issuers.includes(nameKey(crl.issuer)))
      : nameKey(crl.issuer) !== nameKey(fields.issuer)
  ) {
    return [];
  }
  if (!scope) return point.reasons ? [...point.reasons] : ALL_REASONS;
  const isAuthority = fields.extensions.basicConstraints?.ca === true;
  if (scope.onlyAttributes || (scope.onlyUsers && isAuthority) || (scope.onlyAuthorities && !isAuthority))
    return [];
  if (scope.name && !isAtPoint(scopeKeys, point, fields.issuer)) return [];
  return ALL_REASONS.filter(
    (reason) => (point.reasons?.has(reason) ?? true) && (scope.onlyReasons?.has(reason) ?? true),
  );
}

/** One name in common: RFC 5280 section 6.3.3 (b) (2) (i). */
function isAtPoint(
  scopeKeys: ReadonlySet<string | undefined>,
  point: DistributionPoint,
  issuer: X509Name,
): boolean {
  const relativeTo = point.crlIssuer?.find((name) => name.kind === 'directory');
  const base = relativeTo?.kind === 'directory' ? relativeTo.value : issuer;
  const pointKeys = point.name ? keysOf(point.name, base) : (point.crlIssuer ?? []).map(keyOf);
  return pointKeys.some((key) => key !== undefined && scopeKeys.has(key));
}

function keysOf(
  { full = [], relative }: DistributionPointName,
  base: X509Name,
): readonly (string | undefined)[] {
  if (relative !== undefined) return [`directory ${[...base.rdns, relative].join('\n')}`];
  return full.map(keyOf);
}

/** A text that is equal for equal names; kinds that are not compared have none. */
function keyOf(name: GeneralName): string | undefined {
  if (name.kind === 'directory') return `directory ${nameKey(name.value)}`;
  if (name.kind === 'ip' || name.kind === 'other') return undefined;
  return `${name.kind} ${name.value}`;
}

/** True when both lists speak of the same certificates: same issuer, same issuing distribution point. [crl.8] */
export function sameScope(a: Crl, b: Crl): boolean {
  return nameKey(a.issuer) === nameKey(b.issuer) && scopeKey(a) === scopeKey(b);
}

/** The scope of a list as a text. */
export function scopeKey({ extensions }: Crl): string {
  const { distributionPoint } = extensions;
  return distributionPoint ? formatHex(distributionPoint.raw) : '';
}
