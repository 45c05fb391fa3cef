import type { Certificate } from '../../crypto/certificate.ts';
import { keyIdentity } from '../../crypto/key-identity.ts';
import type { Crl } from '../../formats/crl/crl.ts';
import { findEntry, hasDuplicates, type Revocation } from '../../formats/crl/crl-entries.ts';
import { ALL_REASONS, type Reason } from '../../formats/x509/distribution-point.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { showTime } from '../path/certificate-rules.ts';
import { refused } from '../path/findings.ts';
import type { Finding } from '../policy.ts';
import { crlIssuerOf, type IssuerJudging, keyHolderOf, weaknessOf } from './crl-issuer.ts';
import { reasonsOf, sameScope } from './crl-scope.ts';
import {
  type Attested,
  type Doubt,
  earliness,
  type Hearing,
  type Mark,
  overtaken,
  type RevocationOptions,
  regression,
  staleness,
  type Word,
} from './evidence.ts';
import { listKey, listMarkOf, newestOf, note } from './marks.ts';

/** A list whose signature is good, for one certificate. */
interface Genuine {
  readonly crl: Crl;
  readonly reasons: readonly Reason[];
  readonly key: string;
  /** the same for a list and its changes */
  readonly scope: string;
  readonly stale: string | undefined;
  /** the newest such list that was ever seen, and the newest change to such lists */
  readonly newest: Mark | undefined;
  readonly change: Mark | undefined;
  /** when the issuer has spoken of the certificate in another way */
  readonly newer: Date | undefined;
}

/** One word for each way in which lists together speak of a certificate (RFC 5280 section 6.3.3). [crl.6] to [crl.11] */
export function hearCrls(
  certificate: Certificate,
  above: readonly Certificate[],
  crls: readonly Crl[],
  options: RevocationOptions,
  judging: IssuerJudging,
): Hearing {
  const warnings: Finding[] = [];
  const doubts: Doubt[] = [];
  const seen = new Map<string, Mark>();
  const attested: Attested[] = [];
  const [own] = above;
  const newer = own && newestOf(certificate, own, options.seen).forLists;
  const genuine = crls.flatMap((crl): readonly Genuine[] => {
    const reasons = reasonsOf(crl, certificate);
    if (reasons.length === 0) {
      // [rev.14] a list that is not for such certificates, and names this one all the same
      const { source, thisUpdate } = crl;
      const message = `the revocation list of ${source} is not used: by its scope it is for other certificates`;
      if (isRevoking(entryOf(crl, certificate)) && keyHolderOf(crl, above, options, judging))
        doubts.push({ message, thisUpdate });
      return [];
    }
    const problem = unusable(crl, options);
    const signers = problem === undefined ? crlIssuerOf(crl, above, options, judging) : undefined;
    const [issuer] = signers ?? [];
    if (!signers || !issuer) {
      const reason = problem ?? 'it is not signed by an issuer that may sign it';
      const message = `the revocation list of ${crl.source} is not used: ${reason}`;
      warnings.push({ ...refused('REVOCATION_UNKNOWN', message), allowed: 'lenient' });
      const { thisUpdate } = crl;
      if (isRevoking(entryOf(crl, certificate)) && keyHolderOf(crl, above, options, judging))
        doubts.push({ message, thisUpdate });
      return [];
    }
    attested.push({ evidence: crl, signers });
    const isDelta = crl.extensions.baseNumber !== undefined;
    const kind = isDelta ? 'delta' : 'crl';
    const key = listKey(kind, issuer, crl);
    const what = `the revocation list of ${crl.source}`;
    const { number } = crl.extensions;
    const seenBefore = listMarkOf(options.seen, kind, issuer, crl);
    const stale = staleness(what, crl, options.at, seenBefore, number);
    if (stale === undefined) {
      const mark = { thisUpdate: crl.thisUpdate, ...(number !== undefined && { number }) };
      note(seen, key, mark);
      if (own && !isDelta && keyIdentity(own) !== keyIdentity(issuer))
        note(seen, listKey('crl-for', own, crl), mark); // [rev.13]
    }
    const scope = listKey('crl', issuer, crl);
    const change = listMarkOf(options.seen, 'delta', issuer, crl);
    return [{ crl, reasons, key, scope, stale, newest: seenBefore, change, newer }];
  });
  warnings.push(...genuine.filter((one) => isOrphan(one, genuine)).map(withoutBase));
  return { words: wordsOf(certificate, genuine, options), doubts, attested, warnings, seen };
}

/** Why a list says nothing, whoever signed it. [crl.3] [crl.11] */
function unusable(crl: Crl, options: RevocationOptions): string | undefined {
  const { extensions, unknownCriticalEntry, entries } = crl;
  const { strict } = options;
  const [oid] = extensions.unknownCritical;
  if (oid !== undefined) return `it has the critical extension ${oid}, which is not known`;
  if (unknownCriticalEntry) return 'it has an entry with a critical extension that is not known';
  if (strict && extensions.number === undefined) return 'it has no number';
  if (strict && extensions.numberCritical) return 'its number is critical';
  if (strict && !extensions.distributionPoint?.indirect && hasDuplicates(entries))
    return 'it names a certificate twice';
  return weaknessOf(crl, options);
}

/** What a complete list says of the certificate, with the changes to it. */
interface Heard {
  readonly base: Genuine;
  readonly revocation: Revocation | undefined;
  readonly stale: string | undefined;
  /** when all of it was said: by the list, or by a fresh change to it */
  readonly saidAt: Date;
}

/** Of each scope the newest list that is fresh counts, and those that it does not supersede. [crl.8] [rev.5] */
function wordsOf(
  certificate: Certificate,
  genuine: readonly Genuine[],
  options: RevocationOptions,
): readonly Word[] {
  const deltas = genuine.filter(({ crl }) => crl.extensions.baseNumber !== undefined);
  const all = genuine
    .filter(({ crl }) => crl.extensions.baseNumber === undefined)
    .map((base) => hear(certificate, base, deltas, options));
  const heard = all.filter((one) => !all.some((other) => supersedes(other, one)));
  const revoked = [
    ...heard.flatMap((one): readonly Word[] =>
      one.revocation ? [word(one, 'revoked', one.stale, one.revocation)] : [],
    ),
    ...deltas.filter((one) => isOrphan(one, genuine)).flatMap((one) => orphaned(certificate, one, genuine)),
  ];
  if (revoked.length > 0) return revoked;
  // [crl.6] what lists for some reasons each do not say, they may say together
  const fresh = heard.filter(({ stale }) => stale === undefined).sort((a, b) => +b.saidAt - +a.saidAt);
  const covered = new Set<Reason>();
  for (const one of fresh) {
    for (const reason of one.base.reasons) covered.add(reason);
    // [rev.14] together they are as new as the oldest that is needed
    if (ALL_REASONS.every((reason) => covered.has(reason))) return [word(one, 'good', undefined)];
  }
  const old = heard.find(({ stale }) => stale !== undefined) ?? heard[0];
  if (!old) return [];
  const partly = `the revocation list of ${old.base.crl.source} speaks of some reasons only`;
  return [word(old, 'good', old.stale ?? partly)];
}

/** A change to a list that is not at hand. */
function isOrphan({ crl }: Genuine, genuine: readonly Genuine[]): boolean {
  const isComplete = ({ extensions }: Crl): boolean => extensions.baseNumber === undefined;
  return !isComplete(crl) && !genuine.some((one) => isComplete(one.crl) && changes(crl, one.crl));
}

function withoutBase({ crl: { source } }: Genuine): Finding {
  const message = `the revocation list of ${source} holds changes only, and the list that it changes is not at hand`;
  return { ...refused('REVOCATION_UNKNOWN', message), allowed: 'lenient' };
}

/** [crl.13] Without its list a change clears nothing, and what it revokes is revoked, unless something newer takes it back. */
function orphaned(certificate: Certificate, delta: Genuine, genuine: readonly Genuine[]): readonly Word[] {
  const revocation = entryOf(delta.crl, certificate);
  if (!revocation || !isRevoking(revocation)) return [];
  const takenBack = genuine.some(({ crl, scope, stale }) => {
    if (stale !== undefined || scope !== delta.scope || !(crl.thisUpdate > delta.crl.thisUpdate))
      return false;
    return crl.extensions.baseNumber === undefined || entryOf(crl, certificate)?.reason === 'removeFromCRL';
  });
  if (takenBack) return [];
  const heard = { base: delta, saidAt: delta.crl.thisUpdate };
  return [word(heard, 'revoked', delta.stale, revocation)];
}

function isRevoking(entry: Revocation | undefined): boolean {
  return entry !== undefined && entry.reason !== 'removeFromCRL';
}

function word(
  { base, saidAt }: Pick<Heard, 'base' | 'saidAt'>,
  status: Word['status'],
  stale: string | undefined,
  revocation?: Revocation,
): Word {
  return {
    status,
    source: base.crl.source,
    thisUpdate: saidAt,
    ...(revocation !== undefined && { revocation }),
    ...(stale !== undefined && { stale }),
  };
}

/**
 * [crl.8] A fresh change counts whole, and renews an old list, which with it is as new as the change; one that is not may revoke and
 * not take back.
 */
function hear(
  certificate: Certificate,
  base: Genuine,
  deltas: readonly Genuine[],
  options: RevocationOptions,
): Heard {
  const changed = deltas
    .filter(({ crl }) => changes(crl, base.crl))
    .sort((a, b) => b.crl.thisUpdate.getTime() - a.crl.thisUpdate.getTime())
    .map(({ crl, stale }) => ({ stale, crl, entry: entryOf(crl, certificate) }));
  const change = changed.find(({ stale }) => stale === undefined)?.crl;
  const { thisUpdate, extensions } = change && change.thisUpdate > base.crl.thisUpdate ? change : base.crl;
  let revocation = entryOf(base.crl, certificate);
  for (const { stale, entry } of changed) {
    const removes = entry?.reason === 'removeFromCRL';
    if (stale !== undefined && (!entry || removes)) continue;
    if (entry) revocation = removes ? undefined : entry;
    break; // what is older than this is in it
  }
  // [rev.13] who leaves a change out would have the list speak as before it
  const missed =
    base.change && base.change.thisUpdate > thisUpdate
      ? `a change to the revocation list of ${base.crl.source}, of ${showTime(base.change.thisUpdate)}, has been seen before and is not here`
      : undefined;
  const what = `the revocation list of ${base.crl.source}`;
  // [rev.9] a change makes up for a list that is over, and not for one that is newer
  const renewed =
    earliness(what, base.crl.thisUpdate, options.at) ??
    regression(what, thisUpdate, base.newest, extensions.number);
  return {
    base,
    revocation,
    stale: missed ?? (change ? renewed : base.stale) ?? overtaken(what, thisUpdate, base.newer),
    saidAt: thisUpdate,
  };
}

/** [rev.5] Only what is fresh takes back what an older list says: else a list from before, or from later, could hide it. */
function supersedes({ base: newer, stale }: Heard, { base: older }: Heard): boolean {
  return stale === undefined && newer.key === older.key && newer.crl.thisUpdate > older.crl.thisUpdate;
}

/** [crl.8] A change counts for lists of its scope, from its base on up to its own number. */
function changes(delta: Crl, base: Crl): boolean {
  const { baseNumber, number } = delta.extensions;
  const { number: baseOwn } = base.extensions;
  return (
    sameScope(delta, base) &&
    delta.extensions.authorityKeyId === base.extensions.authorityKeyId &&
    baseNumber !== undefined &&
    number !== undefined &&
    baseOwn !== undefined &&
    baseOwn >= baseNumber &&
    baseOwn <= number
  );
}

const entries = new WeakMap<Crl, WeakMap<Certificate, { readonly entry: Revocation | undefined }>>();

/** What the list says of the certificate; remembered, since a list is long and a certificate stands in many paths. */
export function entryOf(crl: Crl, certificate: Certificate): Revocation | undefined {
  const known = entries.get(crl) ?? new WeakMap<Certificate, { readonly entry: Revocation | undefined }>();
  entries.set(crl, known);
  const found = known.get(certificate) ?? { entry: findEntryOf(crl, certificate) };
  known.set(certificate, found);
  return found.entry;
}

/** [crl.5] In an indirect list an entry is of the issuer that was named last. */
function findEntryOf(crl: Crl, certificate: Certificate): Revocation | undefined {
  const indirect = crl.extensions.distributionPoint?.indirect ?? false;
  const wanted = nameKey(certificate.fields.issuer);
  return findEntry(
    crl.entries,
    certificate.fields.serial,
    (names) => {
      if (!names) return nameKey(crl.issuer) === wanted;
      return names.some((name) => name.kind === 'directory' && nameKey(name.value) === wanted);
    },
    indirect,
  );
}
