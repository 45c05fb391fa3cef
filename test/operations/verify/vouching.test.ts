import { describe, expect, test } from 'vitest';
import { verify } from '../../../src/operations/verify/verify.ts';
import { makeBundle, testAuthority, textFile } from '../../factory/bundles.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

/** The report on the usual bundle, acme/web, where publishers with one anchor have these settings. */
async function judged(settings: Readonly<Record<string, string>>, bytes?: Uint8Array) {
  using sandbox = makeSandbox();
  for (const [name, more] of Object.entries(settings)) {
    sandbox.write(`trust/publishers/${name}/ca.pem`, (await testAuthority()).pem);
    sandbox.write(`trust/publishers/${name}/publisher.toml`, `name = "${name}"\n${more}\n`);
  }
  const options = { trust: { folders: [sandbox.path('trust')] }, at: new Date('2027-06-01T00:00:00Z') };
  const { report } = await verify(chunked(bytes ?? (await makeBundle())), options);
  valid(report);
  const [{ status, trustedBy, knownBy } = {}] = report.signatures;
  const path = report.checks.find(({ id }) => id === 'certificate.path')?.detail;
  return { codes: codesOf(report), status, trustedBy, knownBy, path };
}

const OWN = 'scopes = ["acme/*"]';
const OTHER = 'scopes = ["zz/*"]';

describe('who vouches for a signer', () => {
  test('[pub.7] only a publisher that may sign this bundle is named as trusting it', async () => {
    const found = await judged({ acme: OWN, exp: OTHER });
    expect(found).toMatchObject({ codes: [], status: 'trusted', trustedBy: 'publisher "acme"' });
    expect(found.knownBy).toBeUndefined();
    expect(found.path).toMatch(/to publisher "acme"$/);
    const both = await judged({ acme: OWN, all: '' });
    expect(both.trustedBy).toBe('publisher "acme", publisher "all"');
    const few = await judged({ acme: OWN, pair: 'threshold = 2' });
    expect(few.trustedBy).toBe('publisher "acme"');
  });

  test.each([
    ['scope', { exp: OTHER }, 'SCOPE_REFUSED', 'publisher "exp"'],
    ['threshold', { pair: 'threshold = 2' }, 'THRESHOLD_NOT_MET', 'publisher "pair"'],
  ])('[pub.7] where the %s refuses, it is known and not trusted', async (_, settings, code, name) => {
    const found = await judged(settings);
    expect(found).toMatchObject({ codes: [code], status: 'untrusted', knownBy: name });
    expect(found.trustedBy).toBeUndefined();
  });

  test('[pub.7] where the bundle is refused before scopes are looked at, none is taken to hold', async () => {
    const more = await makeBundle({ members: (members) => [...members, textFile('more.txt', 'more')] });
    const known = await judged({ acme: OWN, exp: OTHER }, more);
    expect(known).toMatchObject({ codes: ['FILE_UNLISTED'], knownBy: 'publisher "acme", publisher "exp"' });
    expect(known.trustedBy).toBeUndefined();
    expect((await judged({ acme: OWN, all: '' }, more)).trustedBy).toBe('publisher "all"');
  });

  test('[pub.10] where those that accept refuse the bundle, all others say why they do not', async () => {
    const over = `${OWN}\nuntil = 2027-01-01`;
    expect((await judged({ acme: over, exp: OTHER })).codes).toEqual(['SCOPE_REFUSED', 'PUBLISHER_LIFETIME']);
    const late = `${over}\ntimestamp = "require"`; // asked for otherwise, and so judged by itself
    expect((await judged({ acme: late, exp: OTHER })).codes).toContain('PUBLISHER_LIFETIME');
    const pair = 'threshold = 2';
    expect((await judged({ acme: over, pair })).codes).toEqual(['THRESHOLD_NOT_MET', 'PUBLISHER_LIFETIME']);
    expect((await judged({ acme: over, all: '' })).codes).toEqual([]);
  });
});
