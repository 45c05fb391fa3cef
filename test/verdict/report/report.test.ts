import { describe, expect, test } from 'vitest';
import { EXIT_MEANINGS } from '../../../src/cli/exit-meanings.ts';
import { BundleError, type ErrorCode } from '../../../src/kit/errors/errors.ts';
import { EXIT_CODES, exitCodeOf } from '../../../src/verdict/report/exit-codes.ts';
import { CHECK_IDS, makeReport } from '../../../src/verdict/report/report.ts';
import { codesOf, valid } from '../../factory/reports.ts';

function errors(...codes: readonly ErrorCode[]): readonly BundleError[] {
  return codes.map((code) => new BundleError(code, `something about ${code}`));
}

/** One code for each exit code that a bundle can lead to, those that decide first. */
const IN_ORDER: readonly (readonly [ErrorCode, number])[] = [
  ['INTERRUPTED', 130],
  ['TERMINATED', 143],
  ['INTERNAL', 1],
  ['USAGE', 2],
  ['FILE_UNREADABLE', 3],
  ['REMOTE_FAILED', 4],
  ['REMOTE_UNAUTHORISED', 5],
  ['ARCHIVE_TRUNCATED', 15],
  ['DIGEST_MISMATCH', 11],
  ['SIGNATURE_INVALID', 12],
  ['FILE_UNLISTED', 16],
  ['ALGORITHM_UNSUPPORTED', 17],
  ['CERTIFICATE_EXPIRED', 13],
  ['KEY_WEAK', 14],
  ['SIGNER_UNKNOWN', 18],
  ['SIGNATURE_MISSING', 10],
  ['TRUST_EMPTY', 20],
];
const CODES = IN_ORDER.map(([code]) => code);

describe('the exit code', () => {
  test.each(IN_ORDER)('[judge.4] of %s is %i, whatever weighs less comes with it', (code, exitCode) => {
    const rest = CODES.slice(CODES.indexOf(code));
    expect(exitCodeOf(errors(code))).toBe(exitCode);
    expect(exitCodeOf(errors(...rest.toReversed()))).toBe(exitCode);
  });

  test('has a meaning for every kind of fault', () => {
    const meanings = new Set(EXIT_MEANINGS.map(([code]) => code));
    expect([...new Set([0, ...Object.values(EXIT_CODES)])].sort((a, b) => a - b)).toEqual(
      [...meanings].sort((a, b) => a - b),
    );
  });
});

describe('the report', () => {
  test('[rep.3] has everything found, first what decided', () => {
    const report = makeReport({
      operation: 'verify',
      errors: errors(...CODES.toReversed()),
      judged: 'trusted',
    });
    expect(codesOf(valid(report))).toEqual(CODES);
    expect(report.errors[0]).toMatchObject({ message: 'something about INTERRUPTED', where: {} });
    const same = errors('FILE_UNLISTED', 'DESCRIPTOR_UNLISTED', 'FILE_MISSING');
    expect(codesOf(makeReport({ operation: 'verify', errors: same }))).toEqual(same.map(({ code }) => code));
  });

  test.each<[ErrorCode, string]>([
    ['SIGNATURE_MISSING', 'unsigned'],
    ['DIGEST_MISMATCH', 'invalid'],
    ['SIGNATURE_INVALID', 'invalid'],
    ['ARCHIVE_TRUNCATED', 'malformed'],
    ['FILE_UNLISTED', 'malformed'],
    ['FORMAT_UNSUPPORTED', 'malformed'],
    ['CERTIFICATE_EXPIRED', 'untrusted'],
    ['KEY_WEAK', 'untrusted'],
    ['SIGNER_UNKNOWN', 'untrusted'],
    ['TRUST_EMPTY', 'untrusted'],
    ['FILE_CHANGED', 'error'],
    ['INTERNAL', 'error'],
    ['REMOTE_FAILED', 'error'],
    ['INTERRUPTED', 'error'],
  ])('[rep.2] of %s is "%s", and never trusted', (code, verdict) => {
    for (const judged of ['trusted', 'unsigned'] as const) {
      expect(valid(makeReport({ operation: 'verify', errors: errors(code), judged }))).toMatchObject({
        verdict,
        trusted: false,
      });
    }
  });

  test('[rep.2] is trusted when a bundle was judged so, and nothing speaks against it', () => {
    const verdictOf = (judged?: 'trusted' | 'unsigned') => {
      const { verdict, trusted, exitCode } = valid(
        makeReport({ operation: 'verify', errors: [], ...(judged ? { judged } : {}) }),
      );
      return { verdict, trusted, exitCode };
    };
    expect(verdictOf('trusted')).toEqual({ verdict: 'trusted', trusted: true, exitCode: 0 });
    expect(verdictOf('unsigned')).toEqual({ verdict: 'unsigned', trusted: false, exitCode: 0 });
    expect(verdictOf()).toEqual({ verdict: 'none', trusted: false, exitCode: 0 });
  });

  test('[rep.1] is valid with all that it may have', () => {
    const certificate = {
      subject: 'CN=a',
      issuer: 'CN=b',
      notBefore: '2026-01-01T00:00:00.000Z',
      notAfter: '2027-01-01T00:00:00.000Z',
      key: 'RSA-2048',
      fingerprint: 'ab'.repeat(32),
      spkiSha256: 'cd'.repeat(32),
    };
    const report = makeReport({
      operation: 'import',
      input: { name: 'x', size: 1, format: 'tar' },
      at: new Date(0),
      checks: CHECK_IDS.toReversed().map((id) => ({ id, status: 'pass', detail: 'fine' })),
      signatures: [
        {
          format: 'ovf-cert',
          file: 'x.cert',
          algorithm: 'RSA-2048 sha256',
          status: 'trusted',
          signer: certificate,
          path: [{ ...certificate, revocation: { status: 'good', detail: 'fine' } }],
          timestamps: [],
          trustedBy: 'ca.pem',
        },
      ],
      files: [
        {
          name: 'x',
          role: 'file',
          size: 1,
          offset: 0,
          algorithm: 'sha256',
          expected: 'ab',
          actual: 'ab',
          status: 'ok',
        },
      ],
      errors: [
        new BundleError('FILE_MISSING', 'gone', { where: { file: 'a', member: 'b', offset: 0, line: 1 } }),
      ],
      warnings: ['twice', 'twice'],
      allowances: ['sha1'],
      result: { destination: 'web', published: true, files: ['web.ovf'] },
    });
    valid(report);
    expect(report.checks.map(({ id }) => id)).toEqual(CHECK_IDS);
    expect(report.warnings).toEqual(['twice']);
  });
});
