import { type Certificate, isSignedBy } from '../crypto/certificate.ts';
import { equalBytes } from '../kit/bytes.ts';
import { formatHex } from '../kit/encoding.ts';
import { BundleError } from '../kit/errors.ts';
import {
  isSelfIssued,
  type JudgeOptions,
  judgeIssuer,
  judgeLeaf,
  judgeLeafAlone,
  judgePurposes,
  judgeSignatureDigest,
  nameOf,
  shown,
} from './certificate-facts.ts';
import { type Finding, MAX_PATH_LENGTH, MAX_SEARCH_STEPS, MAX_SIGNATURE_CHECKS } from './policy.ts';

/** The certificates that came with a signature: whose key made it, and what may lead from there to an anchor. */
export interface SignerEvidence {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
}

/** What a path may end at, when it is judged, and a memory to share between searches over the same evidence. */
export interface PathOptions extends JudgeOptions {
  readonly anchors: readonly Certificate[];
  readonly signatures?: SignatureMemory;
}

/**
 * The answer of a search, leaf first.
 *
 * `good`: the path ends at an anchor and nothing is wrong with it. `refused`: it ends at an anchor, with errors;
 * of several the one with the fewest. `none`: no anchor was reached, the path is the longest found.
 */
export interface PathResult {
  readonly kind: 'good' | 'refused' | 'none';
  readonly path: readonly Certificate[];
  /** empty exactly when `good` */
  readonly errors: readonly BundleError[];
  /** what an allowance, or leniency that the specification names, let pass */
  readonly warnings: readonly string[];
}

/** Remembers which certificate signed which; undefined when that is not known and its budget is used up. */
export type SignatureMemory = (child: Certificate, issuer: Certificate) => boolean | undefined;

/** A memory that verifies at most 128 signatures, each pair once. [path.3] */
export function rememberSignatures(): SignatureMemory {
  const known = new Map<string, boolean>();
  return (child, issuer) => {
    const pair = `${child.fingerprint} ${issuer.fingerprint}`;
    let signed = known.get(pair);
    if (signed === undefined && known.size < MAX_SIGNATURE_CHECKS) {
      signed = isSignedBy(child, issuer);
      known.set(pair, signed);
    }
    return signed;
  };
}

/**
 * A certification path from the leaf over given intermediates to an anchor (RFC 5280 section 6.1, as `spec/trust.md` limits it).
 *
 * It decides whether a path holds at `at`; whether its anchor may speak for this bundle is the caller's.
 * Errors are values: `SIGNER_UNKNOWN` or `PATH_LIMIT` when no anchor is reached, else what is wrong with the path;
 * what is wrong with the leaf itself is always among them. [path.20]
 */
export function findPath(evidence: SignerEvidence, options: PathOptions): PathResult {
  const { leaf } = evidence;
  const search = openSearch(evidence, options);
  const good = search.walk([leaf]);
  if (good) return good;
  if (search.exhausted()) {
    const limit = `the certificates have too many paths (more than ${MAX_SIGNATURE_CHECKS} signatures or ${MAX_SEARCH_STEPS} steps)`;
    return unreached([leaf], new BundleError('PATH_LIMIT', limit), options);
  }
  return search.best() ?? unreached(search.longest(), search.reason(), options);
}

function unreached(path: readonly Certificate[], reason: BundleError, options: PathOptions): PathResult {
  const facts = path.slice(0, 1).flatMap((leaf) => judgeLeafAlone(leaf, options));
  const { errors, warnings } = divide(facts);
  return { kind: 'none', path, errors: [...errors, reason], warnings };
}

/** Findings as errors, and as the texts of warnings. */
export function divide(findings: readonly Finding[]): { errors: BundleError[]; warnings: string[] } {
  return {
    errors: findings.filter(({ allowed }) => !allowed).map(({ error }) => error),
    warnings: findings.filter(({ allowed }) => allowed).map(({ error }) => error.message),
  };
}

interface Search {
  /** Follows every path that begins so; returns the first good one. */
  readonly walk: (path: readonly Certificate[]) => PathResult | undefined;
  readonly exhausted: () => boolean;
  readonly best: () => PathResult | undefined;
  readonly longest: () => readonly Certificate[];
  readonly reason: () => BundleError;
}

function openSearch({ leaf, intermediates }: SignerEvidence, options: PathOptions): Search {
  // [path.5] membership is by digest of the whole certificate: a copy of the name or key is not the anchor
  const anchors = new Set(options.anchors.map(({ fingerprint }) => fingerprint));
  const issuersOf = indexIssuers([...options.anchors, ...intermediates], anchors, options);
  const isSigned = options.signatures ?? rememberSignatures();
  let steps = 0;
  let exhausted = false;
  let tooLong = false;
  let best: PathResult | undefined;
  let longest: readonly Certificate[] = [];
  let namesake: Certificate | undefined;

  const walk = (path: readonly Certificate[]): PathResult | undefined => {
    const last = path.at(-1) ?? leaf;
    if (anchors.has(last.fingerprint)) {
      const result = judgePath(path, options); // [path.1] [path.16] nothing above it is needed
      if (result.kind === 'good') return result;
      if (!best || result.errors.length < best.errors.length) best = result;
      return undefined;
    }
    if (path.length > longest.length) {
      longest = path;
      namesake = undefined;
    }
    for (const issuer of issuersOf(last)) {
      if (isRepeated(issuer, path)) continue;
      if (path.length === MAX_PATH_LENGTH) {
        tooLong = true;
        break;
      }
      const signed = isSigned(last, issuer);
      // [path.3] without a bound, a few certificates that sign each other keep the verifier busy for ever
      if (signed === undefined || ++steps > MAX_SEARCH_STEPS) exhausted = true;
      if (exhausted) return undefined;
      if (signed) {
        const good = walk([...path, issuer]);
        if (good || exhausted) return good;
      } else if (path === longest) namesake ??= issuer;
    }
    return undefined;
  };

  return {
    walk,
    exhausted: () => exhausted,
    best: () => best,
    longest: () => longest,
    reason: () => {
      if (!tooLong) return missingIssuer(longest.at(-1) ?? leaf, namesake, isSigned);
      return new BundleError('PATH_LIMIT', `the path is longer than ${MAX_PATH_LENGTH} certificates`);
    },
  };
}

/** [path.2] A name with its key again, and so a certificate again: such a loop adds nothing to a path but length. */
function isRepeated({ fields, spkiSha256 }: Certificate, path: readonly Certificate[]): boolean {
  return path.some(
    (other) => other.spkiSha256 === spkiSha256 && equalBytes(other.fields.subject.raw, fields.subject.raw),
  );
}

/** The certificates by name, for one certificate at a time in the order of promise: sound, of the key it names, anchor. */
function indexIssuers(
  certificates: readonly Certificate[],
  anchors: ReadonlySet<string>,
  options: PathOptions,
): (child: Certificate) => readonly Certificate[] {
  const distinct = new Map(certificates.map((certificate) => [certificate.fingerprint, certificate]));
  const bySubject = new Map<string, { certificate: Certificate; rank: number }[]>();
  for (const certificate of distinct.values()) {
    const { errors } = divide(judgeIssuer(certificate, 0, options));
    const rank = (errors.length > 0 ? 4 : 0) + (anchors.has(certificate.fingerprint) ? 0 : 1);
    const name = formatHex(certificate.fields.subject.raw);
    bySubject.set(name, [...(bySubject.get(name) ?? []), { certificate, rank }]);
  }
  return (child) => {
    // [path.4] the name decides who may be the issuer; key identifiers only say who to try first
    const keyId = child.fields.extensions.authorityKeyId;
    const ranked = (bySubject.get(formatHex(child.fields.issuer.raw)) ?? []).map(({ certificate, rank }) => {
      const { subjectKeyId } = certificate.fields.extensions;
      return { certificate, rank: rank + (keyId !== undefined && subjectKeyId === keyId ? 0 : 2) };
    });
    return ranked.sort((a, b) => a.rank - b.rank).map(({ certificate }) => certificate);
  };
}

function judgePath(path: readonly Certificate[], options: PathOptions): PathResult {
  const [leaf, ...issuers] = path;
  const findings: Finding[] = leaf ? [...judgeLeaf(leaf, options)] : [];
  let below = 0; // [path.8] neither the leaf nor self-issued certificates count
  for (const issuer of issuers) {
    findings.push(...judgeIssuer(issuer, below, options));
    if (!isSelfIssued(issuer)) below++;
  }
  // [path.15] the anchor is believed for itself, not for the signature on it
  for (const child of path.slice(0, -1)) findings.push(...judgeSignatureDigest(child, options.allowances));
  findings.push(...judgePurposes(path));
  const { errors, warnings } = divide(findings);
  return { kind: errors.length === 0 ? 'good' : 'refused', path, errors, warnings };
}

/** Why the search ended at `last`: `namesake` has the issuer's name but did not sign. */
function missingIssuer(
  last: Certificate,
  namesake: Certificate | undefined,
  isSigned: SignatureMemory,
): BundleError {
  const hint = namesake ? '; one of this name is there, but its key did not sign' : '';
  if (isSelfIssued(last) && isSigned(last, last)) {
    return new BundleError('SIGNER_UNKNOWN', `${nameOf(last)} is self-signed and not trusted${hint}`);
  }
  const issuer = shown(last.fields.issuer.text);
  const problem = `nothing that you trust vouches for the signer: no certificate of its issuer "${issuer}" is known`;
  return new BundleError('SIGNER_UNKNOWN', problem + hint);
}
