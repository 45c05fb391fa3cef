import type { Certificate } from '../../crypto/certificate.ts';
import type { Crl } from '../../formats/crl/crl.ts';
import type { OcspResponse } from '../../formats/ocsp/response.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { counted } from '../../kit/encoding.ts';
import { isSelfIssued } from '../path/certificate-rules.ts';
import { nameOf, refused, shown } from '../path/findings.ts';
import type { Finding } from '../policy.ts';
import { claimsAbout } from './claims.ts';
import type { RevocationEvidence } from './evidence.ts';
import { isOfIssuer, respondersIn } from './ocsp-status.ts';

type Evidence = Crl | OcspResponse;
type Path = readonly Certificate[];

/** What revocation was asked about. */
export interface LookedAt {
  /** leaf first */
  readonly paths: readonly Path[];
  /** certificates that the user gave */
  readonly given: readonly Certificate[];
  /** others at hand, which may have signed evidence */
  readonly beside?: readonly Certificate[];
}

/**
 * [rev.17] A warning for each file of lists or answers that the user named, none of which speaks of a certificate that was
 * looked at: whoever gave it meant something by it, and it counts for nothing.
 */
export function unrelatedIn(evidence: RevocationEvidence, looked: LookedAt): readonly Finding[] {
  const { named = [] } = evidence;
  if (looked.paths.length === 0 || named.length === 0) return []; // nobody asks about anything
  const distinct = new Set(looked.paths.map((path) => path.map(({ fingerprint }) => fingerprint).join(' ')));
  const where = distinct.size === 1 ? 'this path' : 'these paths';
  // evidence about those who sign evidence is not for nothing
  const onPaths = new Set(looked.paths.flat().map(({ fingerprint }) => fingerprint));
  const signers = [...evidence.ocsps.flatMap(respondersIn), ...signersOfLists(evidence, looked)].filter(
    (one) => !onPaths.has(one.fingerprint) && !isSelfIssued(one),
  );
  const all: LookedAt = { ...looked, beside: signers };
  return named.flatMap((file): readonly Finding[] => {
    const reasons = file.map((one) => whyUnrelated(one, all, where));
    const [first] = file;
    const [reason] = reasons;
    if (!first || reason === undefined || reasons.includes(undefined)) return [];
    const kind = 'issuer' in first ? 'revocation list' : 'OCSP response';
    const message =
      file.length === 1
        ? `the ${kind} of ${first.source} counts for nothing here: ${reason}`
        : `the ${counted(file.length, kind)} of ${first.source} count for nothing here; of the first: ${reason}`;
    return [{ ...refused('REVOCATION_UNKNOWN', message), allowed: 'lenient' }];
  });
}

/** Certificates at hand that have the name of a list's issuer. */
function signersOfLists(
  { crls }: RevocationEvidence,
  { given, beside = [] }: LookedAt,
): readonly Certificate[] {
  const names = new Set(crls.map(({ issuer }) => nameKey(issuer)));
  return [...given, ...beside].filter(({ fields }) => names.has(nameKey(fields.subject)));
}

/**
 * Why evidence has nothing to do with any of the paths, in words: whose it is, and whom it is not about. Undefined when it has,
 * by the names in it; whether it is genuine is not asked.
 */
export function whyUnrelated(
  evidence: Evidence,
  { paths, given, beside = [] }: LookedAt,
  where: string,
): string | undefined {
  const isList = 'issuer' in evidence;
  const one: RevocationEvidence = isList ? { crls: [evidence], ocsps: [] } : { crls: [], ocsps: [evidence] };
  if (!isList && evidence.responses.some(({ id }) => id.digest === undefined)) return undefined; // whom it is about cannot be read
  let above: Certificate | undefined;
  for (const path of [...paths, ...beside.map((signer) => [signer])]) {
    for (const [i, certificate] of path.entries()) {
      const isEnd = i > 0 && i === path.length - 1;
      if (isEnd && isSelfIssued(certificate)) continue; // nobody asks about a root [rev.10]
      const { sources, revoking } = claimsAbout(certificate, one);
      if (sources.length === 0 && !isAnswered(evidence, certificate, path[i + 1])) continue;
      if (!isEnd || revoking !== undefined || given.some((issuer) => isNamedIssuer(issuer, certificate)))
        return undefined;
      above = certificate;
    }
  }
  const it = whose(evidence);
  if (above)
    return `${it}, who issued ${nameOf(above)}; that is trusted as it is, and the certificate of its issuer is not among those given`;
  if (!isList) return `${it}, and about no certificate on ${where}`;
  const key = nameKey(evidence.issuer);
  const hasIssued = paths.flat().some(({ fields }) => nameKey(fields.issuer) === key);
  return hasIssued
    ? `${it}, and by its scope for other certificates than those on ${where}`
    : `${it}, who issued no certificate on ${where}`;
}

/** The issuer may be named as its own certificate spells it. [ocsp.3] */
function isAnswered(evidence: Evidence, certificate: Certificate, issuer: Certificate | undefined): boolean {
  if ('issuer' in evidence || !issuer) return false;
  const { serial } = certificate.fields;
  return evidence.responses.some(({ id }) => id.serial === serial && isOfIssuer(id, certificate, issuer));
}

function isNamedIssuer(issuer: Certificate, { fields, fingerprint }: Certificate): boolean {
  return issuer.fingerprint !== fingerprint && nameKey(issuer.fields.subject) === nameKey(fields.issuer);
}

function whose(evidence: Evidence): string {
  if ('issuer' in evidence) return `it is by "${shown(evidence.issuer.text)}"`;
  const { responder } = evidence;
  return 'name' in responder
    ? `it is by "${shown(responder.name.text)}"`
    : 'it is by a responder without a name';
}
