import type { Certificate } from '../../crypto/certificate.ts';
import type { Told } from '../../kit/errors/advice.ts';
import type { BundleError } from '../../kit/errors/errors.ts';
import type { ClaimJudgement, TimestampClaim } from '../../trust/judge-claim.ts';
import type { Finding } from '../../trust/policy.ts';
import type { Publisher } from '../../trust/publisher.ts';
import type { HighWaterMarks } from '../../trust/revocation/evidence.ts';
import type { Vouched } from '../../trust/vouched.ts';
import type { Check, SignatureReport } from '../report/report.ts';

/** The entries of the report, where these of the publishers may sign the thing: others are known, and nothing is trusted by them. [pub.7] */
export type Telling = (accepting: readonly Publisher[]) => {
  readonly signatures: readonly SignatureReport[];
  readonly checks: readonly Check[];
};

/** A signature that was found: who is said to have made it, and whether the key fits. Nothing says yet that the signer may be believed. */
export interface FoundSignature {
  readonly format: 'ovf-cert' | 'cms' | 'glance' | 'glance-md5';
  /** such as `RSA-3072 sha256` */
  readonly algorithm: string;
  /** as node:crypto names it; undefined when it is not known */
  readonly digest: string | undefined;
  /** absent when no certificate of the signer is there */
  readonly signer?: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly timestamps: readonly TimestampClaim[];
  /** why the signature does not count; absent when it fits */
  readonly fault?: BundleError;
  readonly warnings: readonly Told[];
  /** the member that it is in, where that is not the one in which most are */
  readonly member?: string;
  /** the part that its signer plays, by the name of that member [side.1] */
  readonly role?: string;
  /** why it counts for nothing, as a clause: its type or algorithm is not known; nothing else is said of such [side.4] */
  readonly unknown?: string;
}

/** What is to be said about the signatures of one thing: a manifest, or a file. */
export interface SignersJudgement {
  readonly publishers: readonly Publisher[];
  readonly vouched: Vouched;
  /** revocation information that is newer than any seen before */
  readonly seen: HighWaterMarks;
  readonly told: Telling;
  /** empty exactly when the signers are trusted */
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Told[];
  /** why others who know the signers refuse them; to be told when those that accept refuse the whole [pub.10] [pub.15] */
  readonly held: readonly BundleError[];
}

/** A signature with what was found out about its signer, when there is one to judge. */
export interface JudgedSignature {
  readonly found: FoundSignature;
  readonly weakness: Finding | undefined;
  readonly judgement: ClaimJudgement | undefined;
}
