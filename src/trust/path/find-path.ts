import type { Certificate } from '../../crypto/certificate.ts';
import { keyIdentity } from '../../crypto/key-identity.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Finding } from '../policy.ts';
import { type Budget, LIMITS, openBudget } from './budget.ts';
import { isSelfIssued, judgeIssuer, judgeLeafAlone } from './certificate-rules.ts';
import { divide, nameOf, shown } from './findings.ts';
import type { PathOptions } from './judge-options.ts';
import { validatePath } from './validate-path.ts';

/** The certificates that came with a signature: whose key made it, and what may lead from there to an anchor. */
export interface SignerEvidence {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
}

/** A way that was tried and led nowhere, leaf first, and why. */
export interface Attempt {
  readonly path: readonly Certificate[];
  readonly errors: readonly BundleError[];
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
  readonly warnings: readonly Finding[];
  /** the ways that failed, in the order they were tried, at most 32 */
  readonly attempts: readonly Attempt[];
}

/** Certificates in a path, leaf and anchor included. [path.2] */
const MAX_PATH_LENGTH = 10;
const MAX_ATTEMPTS = 32;

/**
 * A certification path from the leaf over given intermediates to an anchor (RFC 5280 section 6.1, RFC 4158).
 *
 * It decides whether a path holds; whether its anchor may speak for this bundle is the caller's. Errors are values:
 * `SIGNER_UNKNOWN`, `PATH_TOO_LONG` or `PATH_LIMIT` when no anchor is reached, else what is wrong with the path; what is
 * wrong with the leaf itself is always among them. [path.20]
 */
export function findPath({ leaf, intermediates }: SignerEvidence, options: PathOptions): PathResult {
  const search = new Search(leaf, intermediates, options);
  const good = search.walk([leaf]);
  if (good) return { ...good, attempts: search.attempts };
  if (search.exhausted) {
    const limit = `the certificates have too many paths (more than ${LIMITS.signatures} signatures or ${LIMITS.steps} steps)`;
    return unreached([leaf], new BundleError('PATH_LIMIT', limit), search, options);
  }
  if (search.best) return { ...search.best, attempts: search.attempts };
  return unreached(search.longest, search.reason(), search, options);
}

type Outcome = Omit<PathResult, 'attempts'>;

function unreached(
  path: readonly Certificate[],
  reason: BundleError,
  { attempts }: Search,
  options: PathOptions,
): PathResult {
  const { errors, warnings } = divide(path.slice(0, 1).flatMap((leaf) => judgeLeafAlone(leaf, options)));
  return { kind: 'none', path, errors: [...errors, reason], warnings, attempts };
}

/** One search, which follows every path that the budget lets it. */
class Search {
  readonly attempts: Attempt[] = [];
  exhausted = false;
  best: Outcome | undefined;
  longest: readonly Certificate[] = [];
  readonly #leaf: Certificate;
  readonly #options: PathOptions;
  readonly #budget: Budget;
  readonly #anchors: ReadonlySet<string>;
  readonly #issuersOf: (child: Certificate) => readonly Certificate[];
  #tooLong: BundleError | undefined;
  /** why the longest path ended */
  #end: BundleError | undefined;

  constructor(leaf: Certificate, intermediates: readonly Certificate[], options: PathOptions) {
    this.#leaf = leaf;
    this.#options = options;
    this.#budget = options.budget ?? openBudget();
    // [path.5] membership is by digest of the whole certificate: a copy of the name or key is not the anchor
    this.#anchors = new Set(options.anchors.map(({ fingerprint }) => fingerprint));
    this.#issuersOf = indexIssuers([...options.anchors, ...intermediates], this.#anchors, options);
  }

  /** Follows every path that begins so; returns the first good one. */
  walk(path: readonly Certificate[]): Outcome | undefined {
    const last = path.at(-1) ?? this.#leaf;
    if (this.#anchors.has(last.fingerprint)) return this.#judge(path); // [path.1] [path.16] nothing above it is needed
    const tooLong = this.#lengthProblem(path);
    if (tooLong) {
      this.#tooLong = tooLong;
      this.#note(path, tooLong);
      return undefined;
    }
    let namesake: Certificate | undefined;
    let deadEnd = true;
    for (const issuer of this.#issuersOf(last)) {
      if (isRepeated(issuer, path)) continue;
      const signed = this.#budget.isSigned(last, issuer);
      // [path.3] without a bound, a few certificates that sign each other keep the verifier busy for ever
      if (signed === undefined || !this.#budget.spend('steps')) this.exhausted = true;
      if (this.exhausted) return undefined;
      if (!signed) {
        namesake ??= issuer;
        continue;
      }
      deadEnd = false;
      const good = this.walk([...path, issuer]);
      if (good || this.exhausted) return good;
    }
    if (deadEnd) this.#stop(path, namesake);
    return undefined;
  }

  /** What to say when nothing was reached. */
  reason(): BundleError {
    return this.#tooLong ?? this.#end ?? missingIssuer(this.#leaf, undefined, this.#budget);
  }

  #judge(path: readonly Certificate[]): Outcome | undefined {
    const findings = [...validatePath(path, this.#options, this.#budget)];
    const before = divide(findings);
    if (before.errors.length === 0 && this.#options.judgeMore)
      findings.push(...this.#options.judgeMore(path));
    const { errors, warnings } = divide(findings);
    const kind = errors.length === 0 ? 'good' : 'refused';
    const outcome: Outcome = { kind, path, errors, warnings };
    if (kind === 'good') return outcome;
    this.#note(path, ...errors);
    if (!this.best || errors.length < this.best.errors.length) this.best = outcome;
    return undefined;
  }

  /** [path.2] Self-issued certificates do not count against the limit of the caller. */
  #lengthProblem(path: readonly Certificate[]): BundleError | undefined {
    if (path.length >= MAX_PATH_LENGTH) {
      return new BundleError('PATH_TOO_LONG', `the path is longer than ${MAX_PATH_LENGTH} certificates`);
    }
    const { maxIntermediates = MAX_PATH_LENGTH } = this.#options;
    const count = path.slice(1).filter((certificate) => !isSelfIssued(certificate)).length;
    if (count <= maxIntermediates) return undefined;
    const problem = `the path has more than ${maxIntermediates} certificates between the leaf and the anchor`;
    return new BundleError('PATH_TOO_LONG', problem);
  }

  #stop(path: readonly Certificate[], namesake: Certificate | undefined): void {
    const reason = missingIssuer(path.at(-1) ?? this.#leaf, namesake, this.#budget);
    this.#note(path, reason);
    if (path.length <= this.longest.length) return;
    this.longest = path;
    this.#end = reason;
  }

  #note(path: readonly Certificate[], ...errors: readonly BundleError[]): void {
    if (this.attempts.length < MAX_ATTEMPTS) this.attempts.push({ path, errors });
  }
}

/** [path.2] A name with its key again, and so a certificate again: such a loop adds nothing to a path but length. */
function isRepeated(certificate: Certificate, path: readonly Certificate[]): boolean {
  const name = nameKey(certificate.fields.subject);
  return path.some(
    (other) => nameKey(other.fields.subject) === name && keyIdentity(other) === keyIdentity(certificate),
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
    const name = nameKey(certificate.fields.subject);
    const sameName = bySubject.get(name) ?? [];
    sameName.push({ certificate, rank });
    bySubject.set(name, sameName);
  }
  return (child) => {
    // [path.4] the name decides who may be the issuer; key identifiers only say who to try first
    const keyId = child.fields.extensions.authorityKeyId;
    const ranked = (bySubject.get(nameKey(child.fields.issuer)) ?? []).map(({ certificate, rank }) => {
      const { subjectKeyId } = certificate.fields.extensions;
      return { certificate, rank: rank + (keyId !== undefined && subjectKeyId === keyId ? 0 : 2) };
    });
    return ranked.sort((a, b) => a.rank - b.rank).map(({ certificate }) => certificate);
  };
}

/** Why the search ended at `last`: `namesake` has the issuer's name but did not sign. */
function missingIssuer(last: Certificate, namesake: Certificate | undefined, budget: Budget): BundleError {
  const hint = namesake ? '; one of this name is there, but its key did not sign' : '';
  if (isSelfIssued(last) && budget.isSigned(last, last)) {
    return new BundleError('SIGNER_UNKNOWN', `${nameOf(last)} is self-signed and not trusted${hint}`);
  }
  const issuer = shown(last.fields.issuer.text);
  const problem = `nothing that you trust vouches for the signer: no certificate of its issuer "${issuer}" is known`;
  return new BundleError('SIGNER_UNKNOWN', problem + hint, {
    fix: {
      text: 'get the CA certificate from the publisher by a way you trust, and add it to what you trust; if you trust that CA already, an intermediate is missing: give it as untrusted, or ask the publisher of a bundle to add it when it is signed',
      advice: 'trust-or-complete',
    },
  });
}
