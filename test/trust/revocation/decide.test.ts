import { beforeAll, describe, expect, test } from 'vitest';
import type { Revocation } from '../../../src/formats/crl/crl-entries.ts';
import { judgeRevoked } from '../../../src/trust/revocation/decide.ts';
import { makeCertificate, NOON, type TestCertificate } from '../../factory/certificates.ts';

const DAY = 86_400_000;
const day = (days: number) => new Date(+NOON + days * DAY);
let leaf: TestCertificate;

beforeAll(async () => {
  leaf = await makeCertificate();
});

/** Whether a signature that was there ten days ago counts after this revocation. */
function counts(revocation: Revocation, proven: Date | undefined = day(-10)): boolean {
  const window = proven && { from: new Date(+proven - 1000), to: proven };
  return judgeRevoked(leaf.certificate, revocation, 'the list', window).allowed === 'lenient';
}

describe('a signature of a certificate that is revoked now', () => {
  test('[rev.6] counts when it was certainly there before', () => {
    for (const reason of ['superseded', 'cessationOfOperation', 'affiliationChanged', 'privilegeWithdrawn']) {
      expect(counts({ at: day(-5), reason })).toBe(true);
      expect(counts({ at: day(-15), reason })).toBe(false);
      expect(counts({ at: day(-10), reason })).toBe(false);
      expect(counts({ at: day(-5), reason, invalidSince: day(-12) })).toBe(false);
    }
    expect(counts({ at: day(-5) })).toBe(true);
    expect(counts({ at: day(-5), reason: 'unspecified' })).toBe(true);
  });

  test('[rev.6] does not count without proof of its time', () => {
    const window = undefined;
    expect(judgeRevoked(leaf.certificate, { at: day(-5) }, 'the list', window).allowed).toBeUndefined();
  });

  test('[rev.7] after a compromise counts only before the date that the authority gives for it', () => {
    for (const reason of ['keyCompromise', 'cACompromise', 'aACompromise']) {
      expect(counts({ at: day(-5), reason })).toBe(false);
      expect(counts({ at: day(-5), reason, invalidSince: day(-7) })).toBe(true);
      expect(counts({ at: day(-5), reason, invalidSince: day(-12) })).toBe(false);
      // revoked before the signature is revoked before it, whatever date is given beside
      expect(counts({ at: day(-15), reason, invalidSince: day(-5) })).toBe(false);
    }
  });

  test('[rev.7] on hold never counts', () => {
    expect(counts({ at: day(-5), reason: 'certificateHold' })).toBe(false);
  });
});
