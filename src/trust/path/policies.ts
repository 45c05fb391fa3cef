import type { Certificate } from '../../crypto/certificate.ts';
import { ANY_POLICY } from '../../formats/x509/policy-extensions.ts';
import type { Finding } from '../policy.ts';
import type { Budget } from './budget.ts';
import { isSelfIssued } from './certificate-rules.ts';
import { constraint, refused } from './findings.ts';
import type { PolicyInputs } from './judge-options.ts';

/** A policy at one depth of the graph: what it is called by the certificates below, and which policies above lead to it. */
interface PolicyNode {
  /** the policies of the issuer's domain that led here; the root's is anyPolicy */
  readonly parents: Set<string>;
  /** under which names the next certificate may continue it */
  readonly expected: ReadonlySet<string>;
}

/** Policies at one depth, by the OID in the issuer's domain: RFC 9618 section 3 keeps one node for each, where a tree would have many. */
type PolicyLevel = Map<string, PolicyNode>;

/**
 * Whether the path is issued under an acceptable policy (RFC 5280 section 6.1, on the graph of RFC 9618 section 5).
 *
 * Without `inputs` and without a certificate that demands it, any path is. [pol.1] to [pol.6]
 *
 * @param path leaf first, anchor last; what the anchor says of policies is not looked at
 */
export function judgePolicies(
  path: readonly Certificate[],
  inputs: PolicyInputs,
  budget: Budget,
): readonly Finding[] {
  const chain = path.slice(0, -1).toReversed();
  const n = chain.length;
  let explicit = inputs.explicit ? 0 : n + 1;
  let mapping = inputs.inhibitMapping ? 0 : n + 1;
  let any = inputs.inhibitAny ? 0 : n + 1;
  let levels: PolicyLevel[] = [
    new Map([[ANY_POLICY, { parents: new Set<string>(), expected: new Set([ANY_POLICY]) }]]),
  ];

  for (const [i, certificate] of chain.entries()) {
    const last = i === n - 1;
    const selfIssued = isSelfIssued(certificate);
    const { extensions } = certificate.fields;
    const level = nextLevel(levels.at(-1), extensions.certificatePolicies, any > 0 || (!last && selfIssued));
    levels = level.size > 0 && levels.length > 0 ? [...levels, level] : [];
    if (!budget.spend('policies', level.size + (extensions.policyMappings?.length ?? 0) + 1)) {
      return [refused('POLICY_LIMIT', 'the certificates have too many policies')];
    }
    // [pol.4]
    if (explicit === 0 && levels.length === 0) return [unacceptable(certificate)];
    if (last) {
      if (extensions.policyConstraints?.requireExplicitPolicy === 0) explicit = 0;
      else explicit--; // 6.1.5 (a) does not ask who issued it
      break;
    }
    const mappings = extensions.policyMappings ?? [];
    // [pol.3] anyPolicy must not become, or be made of, a policy
    if (mappings.some(({ issuer, subject }) => issuer === ANY_POLICY || subject === ANY_POLICY)) {
      return [constraint(certificate, 'maps the policy that stands for all')];
    }
    if (levels.length > 0 && mappings.length > 0) {
      const mapped = mapLevel(level, mappings, mapping > 0);
      levels = mapped.size > 0 ? [...levels.slice(0, -1), mapped] : [];
    }
    if (!selfIssued) {
      if (explicit > 0) explicit--;
      if (mapping > 0) mapping--;
      if (any > 0) any--;
    }
    const { requireExplicitPolicy, inhibitPolicyMapping } = extensions.policyConstraints ?? {};
    explicit = Math.min(explicit, requireExplicitPolicy ?? explicit);
    mapping = Math.min(mapping, inhibitPolicyMapping ?? mapping);
    any = Math.min(any, extensions.inhibitAnyPolicy ?? any);
  }
  const leaf = chain.at(-1);
  if (explicit > 0 || !leaf) return [];
  return isAcceptable(levels, inputs.initial) ? [] : [unacceptable(leaf)];
}

function unacceptable(certificate: Certificate): Finding {
  return constraint(
    certificate,
    'is not issued under a certificate policy that is acceptable here, and one is demanded',
  );
}

/** RFC 5280 section 6.1.3 (d): the policies of a certificate that some policy above it leads to. [pol.2] */
function nextLevel(
  above: PolicyLevel | undefined,
  policies: readonly string[] | undefined,
  anyCounts: boolean,
): PolicyLevel {
  const level: PolicyLevel = new Map();
  if (!above || !policies) return level;
  const expecting = new Map<string, string[]>();
  for (const [oid, { expected }] of above) {
    for (const policy of expected) {
      const parents = expecting.get(policy);
      if (parents) parents.push(oid);
      else expecting.set(policy, [oid]);
    }
  }
  const add = (policy: string, parents: readonly string[]): void => {
    const known = level.get(policy);
    if (known) for (const parent of parents) known.parents.add(parent);
    else level.set(policy, { parents: new Set(parents), expected: new Set([policy]) });
  };
  for (const policy of policies) {
    const parents = policy === ANY_POLICY ? undefined : (expecting.get(policy) ?? expecting.get(ANY_POLICY));
    if (parents) add(policy, parents);
  }
  if (policies.includes(ANY_POLICY) && anyCounts)
    for (const [policy, parents] of expecting) add(policy, parents);
  return level;
}

/** RFC 5280 section 6.1.4 (b): what the issuer's policies are called below it. [pol.3] */
function mapLevel(
  level: PolicyLevel,
  mappings: readonly { readonly issuer: string; readonly subject: string }[],
  allowed: boolean,
): PolicyLevel {
  const mapped: PolicyLevel = new Map(level);
  const byIssuer = new Map<string, Set<string>>();
  for (const { issuer, subject } of mappings) {
    byIssuer.set(issuer, (byIssuer.get(issuer) ?? new Set()).add(subject));
  }
  for (const [issuer, subjects] of byIssuer) {
    const node = mapped.get(issuer);
    if (!allowed) mapped.delete(issuer);
    else if (node) mapped.set(issuer, { parents: node.parents, expected: subjects });
    else if (mapped.has(ANY_POLICY))
      mapped.set(issuer, { parents: new Set([ANY_POLICY]), expected: subjects });
  }
  return mapped;
}

/** RFC 5280 section 6.1.5 (g): whether a policy that the relying party accepts leads down to the leaf. [pol.5] */
function isAcceptable(levels: readonly PolicyLevel[], initial: readonly string[] | undefined): boolean {
  if (levels.length === 0) return false;
  if (!initial || initial.includes(ANY_POLICY)) return true;
  // from the leaf up: which nodes lead to a policy at the leaf, and under what policy of the anchor's domain
  let reaching = new Set(levels.at(-1)?.keys() ?? []);
  for (let depth = levels.length - 1; depth > 0; depth--) {
    const level = levels[depth] ?? new Map<string, PolicyNode>();
    const above = new Set<string>();
    for (const oid of reaching) {
      const parents = level.get(oid)?.parents ?? new Set<string>();
      // [pol.5] below anyPolicy alone, a policy is one of the anchor's own domain
      if (parents.has(ANY_POLICY) && (oid === ANY_POLICY || initial.includes(oid))) return true;
      for (const parent of parents) if (parent !== ANY_POLICY) above.add(parent);
    }
    reaching = above;
  }
  return false;
}
