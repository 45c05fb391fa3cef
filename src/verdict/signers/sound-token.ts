import { type Certificate, parseCertificate } from '../../crypto/certificate.ts';
import { parseTimestampToken, type TimestampToken } from '../../formats/tsp/token.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { NO_ALLOWANCES } from '../../trust/policy.ts';
import { judgeTimestamp, type TimestampJudgement } from '../../trust/timestamp.ts';
import { UNVOUCHED_BYTES } from './carried.ts';
import { carriedToken } from './carried-cms.ts';

/** [pack.9] All that an importer would look at, but for whom it trusts: that is the importer's. Given is what may be written [tst.14]. */
export function expectSound(token: TimestampToken, over: Uint8Array, at: Date): Uint8Array {
  const certificates = token.signedData.certificates.map(parseCertificate);
  const judge = (anchors: readonly Certificate[]): TimestampJudgement =>
    judgeTimestamp(token, over, { anchors, intermediates: certificates, at, allowances: NO_ALLOWANCES });
  const { proven, errors, path } = judge(certificates);
  if (proven) {
    // which of them an importer trusts is not known here: all ways up are kept
    const others = certificates.map((anchor) => judge([anchor])).filter((one) => one.proven);
    const kept = new Set([path, ...others.map((one) => one.path)].flat());
    const issuers = [...kept].slice(1).reduce((sum, { raw }) => sum + raw.byteLength, 0);
    if (issuers <= UNVOUCHED_BYTES) return carriedToken(token, [...kept]);
    throw new BundleError(
      'TIMESTAMP_REFUSED',
      `the timestamp brings ${issuers} bytes of certificates of issuers`,
      {
        why: `an importer would refuse what it does not need of them over ${UNVOUCHED_BYTES} bytes`,
      },
    );
  }
  const [fault] = errors;
  throw new BundleError(
    'TIMESTAMP_REFUSED',
    `the timestamp would not be believed: ${fault?.message ?? 'no reason'}`,
    {
      cause: fault,
    },
  );
}

/**
 * [tst.15] What may be written of a token, whoever gave it, a program's own source too; judged at the time that it says, since
 * nobody is there who would know another.
 *
 * @throws {BundleError} `TIMESTAMP_REFUSED`
 */
export function soundToken(given: Uint8Array, over: Uint8Array): Uint8Array {
  const token = readToken(given);
  return expectSound(token, over, token.info.time);
}

function readToken(given: Uint8Array): TimestampToken {
  try {
    return parseTimestampToken(given);
  } catch (error) {
    const cause = toBundleError(error);
    const message = `what was given as a timestamp cannot be read: ${cause.message}`;
    throw new BundleError('TIMESTAMP_REFUSED', message, {
      fix: 'give the token alone, in DER: of a reply (RFC 3161) it is the second part',
      cause,
    });
  }
}
