import type { Certificate } from '../../crypto/certificate.ts';
import { digestBytes } from '../../crypto/digest.ts';
import { keyIdentity } from '../../crypto/key-identity.ts';
import type { Crl } from '../../formats/crl/crl.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { encodeUtf8, formatHex } from '../../kit/encoding.ts';
import { showTime } from '../path/certificate-rules.ts';
import { nameOf } from '../path/findings.ts';
import { scopeKey } from './crl-scope.ts';
import { type HighWaterMarks, isNewer, type Mark } from './evidence.ts';

/** What is said of the certificates of an issuer: complete lists, changes to them, and lists that another key has signed. */
type ListKind = 'crl' | 'delta' | 'crl-for';

/** What a list speaks of, as a digest: it is of any length, and to be remembered. */
const scopes = new WeakMap<Crl, { readonly named: string; readonly unnamed: string }>();

function scopeOf(crl: Crl): { readonly named: string; readonly unnamed: string } {
  const known = scopes.get(crl);
  if (known) return known;
  const made = digestsOf(scopeKey(crl), nameKey(crl.issuer));
  scopes.set(crl, made);
  return made;
}

function digestsOf(scope: string, issuer: string): { readonly named: string; readonly unnamed: string } {
  const digest = (text: string): string => formatHex(digestBytes('sha256', encodeUtf8(text)));
  return { named: digest(`${scope} ${issuer}`), unnamed: scope === '' ? '' : digest(scope) };
}

/** By what a list is remembered: the key that is meant, the issuer's name, which may be one of several of this key, and the scope. [rev.9] */
export function listKey(kind: ListKind, holder: Certificate, crl: Crl): string {
  return `${kind} ${keyIdentity(holder)} ${scopeOf(crl).named}`;
}

/** The mark of such lists; records from before names counted are without them, and go for whatever the key is called. */
export function listMarkOf(
  seen: HighWaterMarks,
  kind: ListKind,
  holder: Certificate,
  crl: Crl,
): Mark | undefined {
  if (seen.size === 0) return undefined;
  const named = markOf(seen, listKey(kind, holder, crl), holder);
  const unnamed = markOf(seen, `${kind} ${keyIdentity(holder)} ${scopeOf(crl).unnamed}`, holder);
  return named && unnamed && isNewer(unnamed, named) ? unnamed : (named ?? unnamed);
}

/** By what an answer about a certificate is remembered. [rev.9] */
export function answerKey(issuer: Certificate, certificate: Certificate): string {
  return `ocsp ${keyIdentity(issuer)} ${certificate.fields.serial}`;
}

const REVOKED = 'revoked ';

/** By what is remembered that something revoked a certificate which ends a path. [rev.13] */
export function revokedKey({ fingerprint }: Certificate): string {
  return `${REVOKED}${fingerprint}`;
}

/** The mark of a key of this holder; records from before keys had one identity have the digest of its SubjectPublicKeyInfo. */
export function markOf(seen: HighWaterMarks, key: string, holder: Certificate): Mark | undefined {
  if (seen.size === 0) return undefined;
  const [mark, before] = [seen.get(key), seen.get(key.replace(keyIdentity(holder), holder.spkiSha256))];
  return mark && before && before.thisUpdate > mark.thisUpdate ? before : (mark ?? before);
}

/** Adds a mark unless a newer one is there. */
export function note(seen: Map<string, Mark>, key: string, { thisUpdate, number }: Mark): void {
  const before = seen.get(key);
  if (before && !isNewer({ thisUpdate, ...(number !== undefined && { number }) }, before)) return;
  seen.set(key, { thisUpdate, ...(number !== undefined && { number }) });
}

/** [rev.9] The room for marks is shared out between anchors; for a pinned key anybody can have a certificate revoked, which gets its own. */
export function ofAnchor(seen: HighWaterMarks, path: readonly Certificate[]): HighWaterMarks {
  const end = path.at(-1);
  if (!end) return new Map();
  const anchor = keyIdentity(end);
  return new Map(
    [...seen].map(([key, mark]) => [
      key,
      { ...mark, anchor: key.startsWith(REVOKED) ? `${REVOKED}${anchor}` : anchor },
    ]),
  );
}

/** All together, of each mark the newest. */
export function joinSeen(all: readonly HighWaterMarks[]): HighWaterMarks {
  const [first = new Map(), ...others] = all;
  const joined = new Map(first);
  for (const [key, mark] of others.flatMap((one) => [...one])) {
    const known = joined.get(key);
    if (!known || isNewer(mark, known)) joined.set(key, mark);
  }
  return joined;
}

const lists = new WeakMap<HighWaterMarks, ReadonlyMap<string, Date>>();

/** The newest complete list seen of each issuer's key, of whatever scope; found out once, since there may be many marks. */
function newestLists(seen: HighWaterMarks): ReadonlyMap<string, Date> {
  const known = lists.get(seen);
  if (known) return known;
  const newest = new Map<string, Date>();
  for (const [key, { thisUpdate }] of seen) {
    const [kind, holder = ''] = key.split(' ');
    if (kind !== 'crl' && kind !== 'crl-for') continue;
    const before = newest.get(holder);
    if (!before || before < thisUpdate) newest.set(holder, thisUpdate);
  }
  lists.set(seen, newest);
  return newest;
}

/** Scopes that tell by themselves of which certificates a list speaks: of all, of those of users, of those of authorities. */
const ALL = '';
const USERS = '30038101ff';
const AUTHORITIES = '30038201ff';
const LIST_KINDS: readonly ListKind[] = ['crl', 'crl-for', 'delta'];

/**
 * The newest that was seen and speaks of a certificate, in another way than evidence of this kind does: for lists the answers, and lists
 * whose scope has the certificate for sure; for answers all lists of the issuer. [rev.9]
 */
export function newestOf(
  certificate: Certificate,
  issuer: Certificate,
  seen: HighWaterMarks,
): { readonly forLists?: Date; readonly forAnswers?: Date } {
  if (seen.size === 0) return {};
  const name = nameKey(certificate.fields.issuer);
  const own = certificate.fields.extensions.basicConstraints?.ca === true ? AUTHORITIES : USERS;
  const answer = markOf(seen, answerKey(issuer, certificate), issuer);
  const marks = [ALL, own].flatMap((scope) => {
    const { named, unnamed } = digestsOf(scope, name);
    const keys = LIST_KINDS.flatMap((kind) =>
      [named, unnamed].map((digest) => `${kind} ${keyIdentity(issuer)} ${digest}`),
    );
    return keys.flatMap((key) => markOf(seen, key, issuer) ?? []);
  });
  const list = newestLists(seen).get(keyIdentity(issuer)) ?? newestLists(seen).get(issuer.spkiSha256);
  const forLists = newestDate([answer, ...marks].flatMap((mark) => mark?.thisUpdate ?? []));
  const forAnswers = newestDate([...marks.map(({ thisUpdate }) => thisUpdate), ...(list ? [list] : [])]);
  return { ...(forLists !== undefined && { forLists }), ...(forAnswers !== undefined && { forAnswers }) };
}

function newestDate(dates: readonly Date[]): Date | undefined {
  return dates.reduce<Date | undefined>(
    (newest, date) => (newest && newest >= date ? newest : date),
    undefined,
  );
}

/** What is known to exist about a certificate; to be asked when nothing is at hand. [rev.13] */
export function missedOf(
  certificate: Certificate,
  issuers: readonly Certificate[],
  seen: HighWaterMarks,
): string | undefined {
  if (seen.size === 0) return undefined;
  for (const issuer of issuers) {
    const answer = markOf(seen, answerKey(issuer, certificate), issuer)?.thisUpdate;
    const list = newestLists(seen).get(keyIdentity(issuer)) ?? newestLists(seen).get(issuer.spkiSha256);
    const what = answer
      ? `an OCSP response about ${nameOf(certificate)}`
      : `a revocation list of the issuer of ${nameOf(certificate)}`;
    const time = answer ?? list;
    if (time) return `${what}, of ${showTime(time)}, has been seen before and is not here`;
  }
  return undefined;
}
