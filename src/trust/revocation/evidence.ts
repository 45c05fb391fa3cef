import type { Certificate } from '../../crypto/certificate.ts';
import type { Crl } from '../../formats/crl/crl.ts';
import type { Revocation } from '../../formats/crl/crl-entries.ts';
import type { OcspResponse } from '../../formats/ocsp/response.ts';
import type { Budget } from '../path/budget.ts';
import { showTime } from '../path/certificate-rules.ts';
import type { TimeWindow } from '../path/judge-options.ts';
import type { Allowances, Finding } from '../policy.ts';
import type { RevocationMode } from '../publisher.ts';

/** What tells about revocation, from wherever it came; what the user gave stands first. */
export interface RevocationEvidence {
  readonly crls: readonly Crl[];
  readonly ocsps: readonly OcspResponse[];
  /** how many of both came with what is judged; the user gave all others */
  readonly brought?: number;
  /** what the caller named, file by file: it was meant for what is judged [rev.17] */
  readonly named?: readonly (readonly (Crl | OcspResponse)[])[];
}

/** The newest evidence seen of one kind, by one key. */
export interface Mark {
  readonly thisUpdate: Date;
  /** of a list, when it has one */
  readonly number?: bigint;
  /** whose path it was seen on */
  readonly anchor?: string;
}

/** Of one second, the list with the higher number is the newer. [rev.9] */
export function isNewer(a: Mark, b: Mark): boolean {
  const later = a.thisUpdate.getTime() - b.thisUpdate.getTime();
  return later > 0 || (later === 0 && (a.number ?? 0n) > (b.number ?? 0n));
}

/** The newest evidence seen of an issuer's key and scope, by the keys of `marks.ts`. */
export type HighWaterMarks = ReadonlyMap<string, Mark>;

/** By what revocation is judged. */
export interface RevocationOptions {
  readonly mode: RevocationMode;
  /** now: what evidence must be fresh at */
  readonly at: Date;
  /** when the signature was certainly there */
  readonly proven?: TimeWindow;
  readonly seen: HighWaterMarks;
  readonly allowances: Allowances;
  readonly strict?: boolean;
  /** with `require`: only of certificates whose issuer some evidence is of; who gives lists wants those to be heard */
  readonly onlyWhereHeard?: boolean;
  /** certificates that may have signed lists and responses, or lead from there to an anchor */
  readonly issuers: readonly Certificate[];
  /** those that the user gave */
  readonly anchors: readonly Certificate[];
  readonly budget: Budget;
}

/** What evidence says of a certificate, its signature being good. */
export interface Word {
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly revocation?: Revocation;
  readonly source: string;
  readonly thisUpdate: Date;
  /** why it cannot show that a certificate is good: too old, too new, older than what was seen */
  readonly stale?: string;
}

/** Evidence that the path of the judged certificate answers for: about it, and signed by somebody on it or under its anchor. */
export interface Attested {
  readonly evidence: Crl | OcspResponse;
  /** whose key signed it, and what leads from there to the path */
  readonly signers: readonly Certificate[];
}

/** What revokes a certificate, is signed with a key that may say so, and must not be used as it is. [rev.14] */
export interface Doubt {
  readonly message: string;
  readonly thisUpdate: Date;
}

/** What was found out from evidence of one kind. */
export interface Hearing {
  readonly words: readonly Word[];
  readonly doubts: readonly Doubt[];
  readonly attested: readonly Attested[];
  readonly warnings: readonly Finding[];
  readonly seen: HighWaterMarks;
}

const SKEW_MS = 5 * 60_000;
/** For evidence that does not say when the next comes. [rev.4] */
const MAX_AGE_MS = 30 * 86_400_000;

/** Why evidence of this age shows nothing good; undefined when it is fresh. [rev.4] [rev.9] */
export function staleness(
  what: string,
  { thisUpdate, nextUpdate }: { readonly thisUpdate: Date; readonly nextUpdate?: Date },
  at: Date,
  mark?: Mark,
  number?: bigint,
): string | undefined {
  const now = at.getTime();
  const early = earliness(what, thisUpdate, at);
  if (early !== undefined) return early;
  if (nextUpdate && !(nextUpdate.getTime() >= now))
    return `${what} was to be renewed by ${showTime(nextUpdate)}`;
  if (!nextUpdate && !(thisUpdate.getTime() >= now - MAX_AGE_MS)) {
    return `${what} is of ${showTime(thisUpdate)}, more than 30 days old`;
  }
  return regression(what, thisUpdate, mark, number);
}

/** Why evidence is not of the past; undefined when it is. [rev.4] */
export function earliness(what: string, thisUpdate: Date, at: Date): string | undefined {
  if (thisUpdate.getTime() <= at.getTime() + SKEW_MS) return undefined;
  return `${what} is of ${showTime(thisUpdate)}, which is yet to come`;
}

/** Why evidence is older than what has been seen; undefined when it is not. [rev.9] */
export function regression(what: string, thisUpdate: Date, mark?: Mark, number?: bigint): string | undefined {
  if (mark && mark.thisUpdate > thisUpdate) {
    return `${what} is of ${showTime(thisUpdate)}, and one of ${showTime(mark.thisUpdate)} has been seen already`;
  }
  // of one second, the list with the higher number is the newer
  if (mark && +mark.thisUpdate === +thisUpdate && (mark.number ?? 0n) > (number ?? 0n)) {
    return `${what} has the number ${number ?? 'none'}, and one with ${mark.number} has been seen already`;
  }
  return undefined;
}

/** Why evidence is older than what has been seen of the same issuer in another kind or scope; undefined when it is not. [rev.9] */
export function overtaken(what: string, thisUpdate: Date, newer: Date | undefined): string | undefined {
  if (!newer || thisUpdate >= newer) return undefined;
  return `${what} is of ${showTime(thisUpdate)}, and one of its issuer of another kind, of ${showTime(newer)}, has been seen already`;
}
