import type { Certificate } from '../../crypto/certificate.ts';
import { keyIdentity } from '../../crypto/key-identity.ts';
import type { Revocation } from '../../formats/crl/crl-entries.ts';
import { showTime } from '../path/certificate-rules.ts';
import { strictestOf } from './decide.ts';
import type { Hearing, HighWaterMarks, Mark, Word } from './evidence.ts';
import { note } from './marks.ts';
import { isClearing, isRevoking } from './verdict.ts';

/** That an issuer has revoked a certificate; and that later it has said otherwise. */
const REVOCATION = 'revocation';
const TAKEN_BACK = 'taken-back';
const NONE = '-';

/** A revocation that was seen. */
interface Remembered {
  readonly revocation: Revocation;
  readonly thisUpdate: Date;
}

/**
 * What is remembered of a certificate, beside what evidence at hand says: that its issuer has revoked it counts until the issuer says
 * otherwise at a later time, whoever leaves out what says so, and whatever older evidence of another kind or scope is at hand. [rev.16]
 */
export function recall(
  hearing: Hearing,
  certificate: Certificate,
  issuer: Certificate,
  marks: HighWaterMarks,
): Hearing {
  return recallBy(`${keyIdentity(issuer)} ${certificate.fields.serial}`, hearing, marks);
}

/**
 * The same for a key that is believed by itself, in whatever certificate: another is made in no time. `hearing` is of issuers that the
 * user gave; of strangers anybody is one.
 */
export function recallKey(hearing: Hearing, certificate: Certificate, marks: HighWaterMarks): Hearing {
  return recallBy(`${keyIdentity(certificate)} itself`, hearing, marks);
}

function recallBy(id: string, hearing: Hearing, marks: HighWaterMarks): Hearing {
  const { words } = hearing;
  const known = byCertificate(marks).get(id) ?? [];
  const last = words.filter(isClearing).reduce((newest, { thisUpdate }) => Math.max(newest, +thisUpdate), 0);
  const back = Math.max(last, +(marks.get(`${TAKEN_BACK} ${id}`)?.thisUpdate ?? 0));
  const standing = known.filter(({ thisUpdate }) => +thisUpdate >= back);
  const seen = new Map<string, Mark>(hearing.seen);
  const revoking = words.filter(isRevoking);
  // [rev.9] one for each certificate is enough, and many would take the room of others
  const strictest = strictestOf(revoking.flatMap(({ revocation }) => revocation ?? []));
  for (const one of revoking) if (strictest) note(seen, `${REVOCATION} ${id} ${textOf(strictest)}`, one);
  if (revoking.length === 0 && known.length > standing.length && last === back)
    note(seen, `${TAKEN_BACK} ${id}`, { thisUpdate: new Date(last) });
  return { ...hearing, words: [...words, ...standing.map(wordOf)], seen };
}

function wordOf({ revocation, thisUpdate }: Remembered): Word {
  const source = `what an issuer said on ${showTime(thisUpdate)}, which has been seen before`;
  return { status: 'revoked', revocation, source, thisUpdate };
}

/** All of it: of several revocations of one certificate the strictest counts. [rev.3] */
function textOf({ at, reason = NONE, invalidSince }: Revocation): string {
  return `${at.toISOString()} ${reason} ${invalidSince?.toISOString() ?? NONE}`;
}

const read = new WeakMap<HighWaterMarks, ReadonlyMap<string, readonly Remembered[]>>();

/** By issuer and serial number; found out once, since there may be many marks. */
function byCertificate(marks: HighWaterMarks): ReadonlyMap<string, readonly Remembered[]> {
  const before = read.get(marks);
  if (before) return before;
  const all = new Map<string, Remembered[]>();
  for (const [key, { thisUpdate }] of marks) {
    const [kind, holder, serial, at = '', reason = NONE, since = NONE] = key.split(' ');
    if (kind !== REVOCATION) continue;
    const revocation = {
      at: new Date(at),
      ...(reason !== NONE && { reason }),
      ...(since !== NONE && { invalidSince: new Date(since) }),
    };
    const id = `${holder} ${serial}`;
    all.set(id, [...(all.get(id) ?? []), { revocation, thisUpdate }]);
  }
  read.set(marks, all);
  return all;
}
