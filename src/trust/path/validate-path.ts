import type { Certificate } from '../../crypto/certificate.ts';
import type { Finding } from '../policy.ts';
import { type Budget, openBudget } from './budget.ts';
import { isSelfIssued, judgeIssuer, judgeLeaf, judgeSignatureDigest } from './certificate-rules.ts';
import type { PathOptions } from './judge-options.ts';
import { openNameConstraints } from './name-constraints.ts';
import { judgePolicies } from './policies.ts';
import { judgePurposes } from './purposes.ts';

/**
 * What is wrong with a path whose names and signatures fit (RFC 5280 section 6.1), leaf first, anchor last.
 *
 * The anchor's own limits count as well (RFC 5937): validity, path length, key usage, purposes, name constraints.
 */
export function validatePath(
  path: readonly Certificate[],
  options: PathOptions,
  budget: Budget = openBudget(),
): readonly Finding[] {
  const [leaf, ...issuers] = path;
  if (!leaf) return [];
  const findings: Finding[] = [...judgeLeaf(leaf, options)];
  let below = 0; // [path.8] neither the leaf nor self-issued certificates count
  for (const issuer of issuers) {
    findings.push(...judgeIssuer(issuer, below, options));
    if (!isSelfIssued(issuer)) below++;
  }
  // [path.15] the anchor is believed for itself, not for the signature on it
  for (const child of path.slice(0, -1)) findings.push(...judgeSignatureDigest(child, options.allowances));
  findings.push(...judgePurposes(path, options.purpose), ...judgeNames(path, budget));
  findings.push(...judgePolicies(path, options.policies ?? {}, budget));
  return findings;
}

/** From the anchor down; [nc.7] self-issued certificates in between are not held to the constraints, the leaf always is. */
function judgeNames(path: readonly Certificate[], budget: Budget): readonly Finding[] {
  const names = openNameConstraints(budget);
  return path.toReversed().flatMap((certificate, i) => {
    const isLeaf = i === path.length - 1;
    const exempt = i === 0 || (!isLeaf && isSelfIssued(certificate));
    return [...(exempt ? [] : names.check(certificate)), ...(isLeaf ? [] : names.add(certificate))];
  });
}
