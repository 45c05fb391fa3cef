import type { Certificate } from '../crypto/certificate.ts';
import { parseNamePattern } from '../formats/x509/name.ts';
import { BundleError } from '../kit/errors/errors.ts';
import { openBudget } from './path/budget.ts';
import { judgeLeaf, judgeLeafAlone } from './path/certificate-rules.ts';
import { type Attempt, findPath, type PathResult, type SignerEvidence } from './path/find-path.ts';
import { divide, nameOf, refused, shown } from './path/findings.ts';
import type { JudgeOptions, PathOptions } from './path/judge-options.ts';
import { judgePurposes } from './path/purposes.ts';
import { type Finding, NO_ALLOWANCES } from './policy.ts';
import type { Publisher } from './publisher.ts';
import { givenIssuersOf } from './revocation/claims.ts';
import { matchesScope } from './scope.ts';

/** A certificate that is believed, where it came from, and for whom it speaks; without a publisher, for any bundle. */
export interface Anchor {
  readonly certificate: Certificate;
  /** a file, or the option that named it */
  readonly source: string;
  readonly publisher?: Publisher;
}

/** All that is trusted in one run. */
export interface TrustStore {
  readonly anchors: readonly Anchor[];
  /** lower hex SHA-256 of certificates that are believed, or of the SubjectPublicKeyInfo of leaves that are without a path [path.17] [path.26] */
  readonly pins: readonly string[];
}

/** Why a signer is believed: through an anchor or by a pin; the publishers whose scopes apply, none when no scope does. */
interface TrustedBy {
  readonly anchor?: Anchor;
  readonly pin?: string;
  /** nobody whom the user trusts has signed the certificate of the pinned key: what else it says proves nothing [path.17] */
  readonly unproven?: true;
  readonly publishers: readonly Publisher[];
}

/** The answer about a signer; it is trusted exactly when `errors` is empty, and then `trustedBy` is there. */
export interface SignerJudgement {
  /** leaf first; to the anchor when one was reached */
  readonly path: readonly Certificate[];
  /** every path that vouches: one for each anchor that does; none when the signer is not trusted */
  readonly paths: readonly (readonly Certificate[])[];
  readonly trustedBy?: TrustedBy;
  /** why other publishers whose anchor is reached refuse a signer that is trusted */
  readonly others: readonly BundleError[];
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Finding[];
  readonly attempts: readonly Attempt[];
}

/** When a signer is judged and how. Publishers are believed at `at`, certificates over `window`. */
export interface SignerOptions
  extends Omit<JudgeOptions, 'purpose'>,
    Pick<PathOptions, 'judgeMore' | 'budget'> {
  readonly at: Date;
  /** all certificates that the user gave, beside the anchors that may end the path */
  readonly given?: readonly Certificate[];
}

/** Stands for a vendor that the descriptor does not name. */
const NO_VENDOR = '_';

/**
 * Whether the signer of a bundle may be believed: a pin, or a path to an anchor whose publisher accepts this leaf.
 *
 * Scopes are left to `judgeScope`, which needs the descriptor; thresholds to `judgeClaims`, which knows the other
 * signers; the signature itself to `crypto/`. Nothing is thrown but `CONFIG_INVALID` for a publisher that
 * `parsePublisher` would have refused.
 */
export function judgeSigner(
  evidence: SignerEvidence,
  store: TrustStore,
  signerOptions: SignerOptions,
): SignerJudgement {
  const { leaf } = evidence;
  const options: Options = { ...signerOptions, purpose: 'code-signing' };
  const pin = store.pins.find((candidate) => candidate === leaf.spkiSha256);
  if (pin !== undefined) return judgePinned(leaf, pin, store, options);
  if (store.anchors.length === 0) return judgeWithoutAnchors(evidence, store, options);

  // an anchor that cannot end the path may still stand in its middle, where it proves no more than any other certificate
  const intermediates = [...evidence.intermediates, ...store.anchors.map(({ certificate }) => certificate)];
  const { budget = openBudget() } = options;
  const search = (anchors: readonly Anchor[]): PathResult =>
    findPath(
      { leaf, intermediates },
      { ...options, budget, anchors: anchors.map(({ certificate }) => certificate) },
    );
  const refusals = new Map(store.anchors.map((anchor) => [anchor, refusalsOf(anchor, leaf, options.at)]));
  const accepts = (anchor: Anchor): boolean => refusals.get(anchor)?.length === 0;

  // [path.18] only anchors that accept the leaf at first: a path to one that refuses must not hide one that accepts
  const reached = reachAll(store.anchors.filter(accepts), search);
  const result = reached[0] ?? search(store.anchors);
  const ends = store.anchors.filter((anchor) => [result, ...reached].some((found) => endsAt(found, anchor)));
  const accepted = ends.filter(accepts);
  const { path, warnings, attempts } = result;
  const refused = ends.flatMap((anchor) => refusals.get(anchor) ?? []);
  // [pub.10] one that accepts is enough
  if (result.kind === 'good' && accepted.length > 0) {
    const paths = [result, ...reached.slice(1)].map((found) => found.path);
    return { path, paths, trustedBy: trustedBy(accepted), errors: [], others: refused, warnings, attempts };
  }
  return { path, paths: [], errors: [...result.errors, ...refused], others: [], warnings, attempts };
}

type Options = SignerOptions & JudgeOptions;

/**
 * [path.17] A pin replaces the path, not the leaf's own say. Anybody can put the pinned key into a certificate of his own, with whatever name and
 * dates: these are believed only where the key itself has signed them, or an issuer that the user gave.
 */
function judgePinned(
  leaf: Certificate,
  pin: string,
  { anchors }: TrustStore,
  options: Options,
): SignerJudgement {
  const { given = [], budget = openBudget() } = options;
  const all = [...given, ...anchors.map(({ certificate }) => certificate)];
  const isProven =
    all.some(({ fingerprint }) => fingerprint === leaf.fingerprint) ||
    givenIssuersOf(leaf, all, budget).length > 0 ||
    budget.isSigned(leaf, leaf) === true;
  const problem = `nobody whom you trust has signed ${nameOf(leaf)}: the pinned key has made the signature, and the name, dates and serial number beside it prove nothing`;
  const { errors, warnings } = divide([
    ...judgeLeaf(leaf, options),
    ...judgePurposes([leaf], options.purpose),
    ...(options.judgeMore?.([leaf]) ?? []), // [rev.10]
    ...(isProven ? [] : [{ ...refused('SIGNER_UNKNOWN', problem), allowed: 'lenient' } as const]),
  ]);
  const unproven = isProven ? {} : ({ unproven: true } as const);
  const trusted = errors.length === 0 && { trustedBy: { pin, ...unproven, publishers: [] } };
  const path = [leaf];
  return { path, paths: trusted ? [path] : [], ...trusted, errors, others: [], warnings, attempts: [] };
}

/** [path.19] Nothing is trusted at all, or pins are and none is of this key, nor of a certificate that is there. */
function judgeWithoutAnchors(
  { leaf, intermediates }: SignerEvidence,
  { pins }: TrustStore,
  options: Options,
): SignerJudgement {
  const { errors, warnings } = divide(judgeLeafAlone(leaf, options));
  const reason =
    pins.length === 0
      ? new BundleError('TRUST_EMPTY', 'no publisher is trusted')
      : unpinned(
          leaf,
          intermediates.find(({ spkiSha256 }) => pins.includes(spkiSha256)),
        );
  return { path: [leaf], paths: [], errors: [...errors, reason], others: [], warnings, attempts: [] };
}

/** Anybody can put an issuer's key into a certificate that limits nothing: a certificate is what is pinned of an issuer. [path.26] */
function unpinned(leaf: Certificate, keyed: Certificate | undefined): BundleError {
  if (keyed)
    return new BundleError('SIGNER_UNKNOWN', `a pin is of the key of an issuer, ${nameOf(keyed)}`, {
      why: 'the fingerprint of a key stands for a signer alone; of an issuer the certificate counts, with the limits that are in it',
      fix: 'ask the publisher, by a way you trust, for the SHA-256 fingerprint of the certificate of that issuer',
    });
  const problem = `no pin is of the key of ${nameOf(leaf)}, of its certificate, or of one of an issuer that came with it`;
  return new BundleError('SIGNER_UNKNOWN', problem, {
    fix: {
      text: `ask the publisher, by a way you trust, for the SHA-256 of its public key; this one has ${leaf.spkiSha256}; of an issuer whose certificate did not come along, give that certificate beside the pin`,
      advice: 'pin-and-certificate',
      of: leaf.spkiSha256,
    },
  });
}

/** One good path to each anchor that has one: scopes are judged later, and any of the publishers may have the right one. */
function reachAll(
  accepting: readonly Anchor[],
  search: (anchors: readonly Anchor[]) => PathResult,
): readonly PathResult[] {
  const good: PathResult[] = [];
  let left = accepting;
  while (left.length > 0) {
    const result = search(left);
    if (result.kind !== 'good') break;
    good.push(result);
    left = left.filter((anchor) => !endsAt(result, anchor));
  }
  return good;
}

function endsAt({ kind, path }: PathResult, { certificate }: Anchor): boolean {
  return kind !== 'none' && path.at(-1)?.fingerprint === certificate.fingerprint;
}

/** [pub.7] An anchor that speaks for no publisher has no scope, whatever else vouches for the leaf. */
function trustedBy(anchors: readonly Anchor[]): TrustedBy {
  const unbound = anchors.find(({ publisher }) => publisher === undefined);
  const anchor = unbound ?? anchors[0];
  const publishers = unbound ? [] : anchors.flatMap(({ publisher }) => publisher ?? []);
  return { ...(anchor !== undefined && { anchor }), publishers: [...new Set(publishers)] };
}

/** Why the anchor's publisher does not accept this leaf at this time; nothing when it does. */
function refusalsOf({ publisher }: Anchor, leaf: Certificate, at: Date): readonly BundleError[] {
  if (!publisher) return [];
  const { name, subjects, from, until } = publisher;
  const errors: BundleError[] = [];
  if (subjects.length > 0 && !subjects.some((subject) => hasSubject(leaf, subject))) {
    const problem = `${nameOf(leaf)} is not a subject that may sign for publisher "${name}"`;
    errors.push(new BundleError('SUBJECT_REFUSED', problem)); // [pub.4]
  }
  if (from && !(at >= from)) {
    const problem = `publisher "${name}" is not trusted before ${from.toISOString()}`;
    errors.push(new BundleError('PUBLISHER_LIFETIME', problem)); // [pub.9]
  }
  if (until && !(at <= until)) {
    const problem = `publisher "${name}" is not trusted after ${until.toISOString()}`;
    errors.push(new BundleError('PUBLISHER_LIFETIME', problem));
  }
  return errors;
}

/** Every attribute of the pattern is in the leaf's subject, value for value. */
function hasSubject(leaf: Certificate, pattern: string): boolean {
  return parseNamePattern(pattern).every(({ type, value }) =>
    leaf.fields.subject.attributes.some((attribute) => attribute.type === type && attribute.value === value),
  );
}

/**
 * What an importer with no allowances would refuse in the leaf itself; the packer refuses it before it signs.
 *
 * Whether the importer trusts the issuer is not known here. Codes: those of the leaf, `CERTIFICATE_EXPIRED` among them. [path.21]
 */
export function judgeCertificateForSigning(leaf: Certificate, at: Date): readonly BundleError[] {
  const options = {
    window: { from: at, to: at },
    allowances: NO_ALLOWANCES,
    purpose: 'code-signing',
  } as const;
  return divide(judgeLeafAlone(leaf, options)).errors;
}

/**
 * The name that scopes are compared with: `vendor/name`, both as slugs, `_` for a vendor that is missing. [pub.6]
 *
 * Both texts come from the signed descriptor, so whoever signs chooses them: a scope limits an honest publisher's
 * key, and says nothing about the signer of a bundle whose publisher has the scope `*`.
 */
export function scopeNameOf(vendor: string | undefined, name: string): string {
  return `${slug(vendor ?? '')}/${slug(name)}`;
}

function slug(text: string): string {
  const lower = text.normalize('NFKC').toLowerCase().normalize('NFKC');
  return lower.replace(/[^\p{L}\p{M}\p{N}._]+/gu, '-').replace(/^-|-$/g, '') || NO_VENDOR;
}

/**
 * `SCOPE_REFUSED` when none of the publishers that vouch for the signer may sign a bundle of this name.
 *
 * An empty list means trust without a publisher (`--trust`, a pin), which has no scope: call it for a trusted signer only.
 * [pub.7]
 */
export function judgeScope(publishers: readonly Publisher[], scopeName: string): BundleError | undefined {
  if (publishers.length === 0) return undefined;
  if (withinScope(publishers, scopeName).length > 0) return undefined;
  return new BundleError(
    'SCOPE_REFUSED',
    `"${shown(scopeName)}" is outside of the publisher's scopes: ${scopesOf(publishers)}`,
  );
}

/** What publishers may sign, in words. */
export function scopesOf(publishers: readonly Publisher[]): string {
  return publishers.map(({ name, scopes }) => `${name} may sign ${scopes.join(', ')}`).join('; ');
}

/** Those of the publishers that may sign a bundle of this name; of one whose name is not known, those that may sign all. [pub.7] */
export function withinScope(
  publishers: readonly Publisher[],
  scopeName: string | undefined,
): readonly Publisher[] {
  return publishers.filter(({ scopes }) =>
    scopes.some((scope) => (scopeName === undefined ? scope === '*' : matchesScope(scope, scopeName))),
  );
}
