import { parseNamePattern } from '../formats/x509/name.ts';
import { isBundleError } from '../kit/errors/errors.ts';

/** Who may sign what, and until when; its anchors lie beside it. */
export interface Publisher {
  /** a slug, and the name of its folder */
  readonly name: string;
  /** `vendor/name` patterns of the bundles it may sign; `*` alone is all */
  readonly scopes: readonly string[];
  /** RFC 4514 texts, one of which the leaf's subject must satisfy; empty: any subject */
  readonly subjects: readonly string[];
  /** how many signers a bundle must have */
  readonly threshold: number;
  /** the first and the last moment at which it is trusted */
  readonly from?: Date;
  readonly until?: Date;
  /** what it asks of its signers beyond what the caller asks */
  readonly revocation?: RevocationMode;
  readonly timestamp?: TimestampMode;
  /** kinds of signatures of which a bundle must have one each [pq.9] */
  readonly require?: readonly RequiredKind[];
}

/** Whether every certificate must be shown not to be revoked, or only none revoked by what is at hand, or nobody asks. [rev.1] */
export type RevocationMode = 'require' | 'if-present' | 'off';

/** Whether a timestamp must prove when the signature was made, may, or counts for nothing. [tst.1] */
export type TimestampMode = 'require' | 'prefer' | 'ignore';

/** What a publisher may require of the signatures of a bundle. [pq.9] */
export type RequiredKind = 'post-quantum';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** True for what a publisher, and so its folder, may be called: lower-case ASCII letters, digits, `.`, `_`, `-`. [pub.2] */
export function isPublisherName(text: string): boolean {
  return NAME.test(text);
}

/** True for what a publisher's subject may be: an RFC 4514 text with at least one attribute. [pub.3] */
export function isSubjectPattern(text: string): boolean {
  try {
    return parseNamePattern(text).length > 0;
  } catch (error) {
    if (isBundleError(error)) return false;
    throw error;
  }
}
