import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/crypto/certificate.ts';
import { costOf, LIMITS, openBudget } from '../../../src/trust/path/budget.ts';
import { makeAuthority, makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { der, hex, withParts } from '../../factory/der.ts';
import { alternatives, NAME } from '../../factory/extensions.ts';
import { soon } from '../../factory/growth.ts';
import { ownKey } from '../../factory/keys.ts';
import { search, verdict } from '../../factory/paths.ts';

let root: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
});

/** An RSA key that nobody has the private half of. */
function rsaKey(bits: number, exponent: string): KeyObject {
  const n = Buffer.alloc(bits / 8, 0xab);
  n[0] = 0xff;
  const e = Buffer.from(exponent, 'hex').toString('base64url');
  return createPublicKey({ key: { kty: 'RSA', n: n.toString('base64url'), e }, format: 'jwk' });
}

/** The certificate with another key in it; the signature on it does not fit any more. */
function withKey({ der: bytes }: TestCertificate, key: KeyObject): TestCertificate {
  const spki = Uint8Array.from(key.export({ type: 'spki', format: 'der' }));
  const changed = withParts(bytes, (parts) => parts.map((part, i) => (i === 6 ? spki : part)));
  return { ...root, der: changed, certificate: parseCertificate(changed) };
}

describe('the cost of a search', () => {
  test('[path.3] keys that take long to verify with count for more than one check', () => {
    const cost = (key: KeyObject) => costOf(ownKey(key).key);
    const curve = (namedCurve: string) => cost(generateKeyPairSync('ec', { namedCurve }).publicKey);
    expect(cost(rsaKey(3072, '010001'))).toBe(1);
    expect(cost(rsaKey(16_384, '010001'))).toBe(8);
    expect(cost(rsaKey(3072, 'ffffffffffffffff'))).toBe(8);
    expect(curve('P-256')).toBe(1);
    expect(curve('sect571r1')).toBe(4);
  });

  test('[path.3] sixty-four issuers of one name with keys of 16384 bits end soon, by the limit', async () => {
    const leaf = await makeCertificate({ issuer: await makeAuthority({ subject: 'CN=Slow' }) });
    const slow = await makeAuthority({ subject: 'CN=Slow', issuer: root });
    const modulus = (i: number): KeyObject => {
      const n = Buffer.alloc(2048, 0xab);
      n[0] = 0xff;
      n[1000] = i;
      const e = Buffer.from('ffffffffffffffff', 'hex').toString('base64url');
      return createPublicKey({ key: { kty: 'RSA', n: n.toString('base64url'), e }, format: 'jwk' });
    };
    const intermediates = Array.from({ length: 64 }, (_, i) => withKey(slow, modulus(i)));
    expect(soon(() => verdict({ leaf, intermediates, anchors: [root] }))).toBe('PATH_LIMIT');
  });

  test('[path.3] one budget is for all searches that share it', async () => {
    const budget = openBudget();
    const leaf = await makeCertificate({ issuer: root });
    expect(verdict({ leaf, anchors: [root], budget })).toBe('good');
    expect(budget.spend('signatures', LIMITS.signatures)).toBe(false);
    expect(verdict({ leaf, anchors: [root], budget })).toBe('good'); // known already
    const another = await makeCertificate({ issuer: root });
    expect(verdict({ leaf: another, anchors: [root], budget })).toBe('PATH_LIMIT');
  });

  test('[path.3] certificates that all sign each other end soon', async () => {
    const keys = Array.from(
      { length: 8 },
      () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    );
    const own = await Promise.all(keys.map((key, i) => makeAuthority({ subject: `CN=M${i}`, key })));
    const all = await Promise.all(
      own.flatMap((issuer) => keys.map((key, i) => makeAuthority({ subject: `CN=M${i}`, key, issuer }))),
    );
    const leaf = await makeCertificate({ issuer: own[0] ?? root });
    const result = soon(() => search({ leaf, intermediates: all, anchors: [root] }));
    expect(result.errors.at(-1)?.code).toBe('PATH_LIMIT');
  });
});

describe('the size of a certificate', () => {
  test('[x509.14] of more than 128 KiB it is not read, below that many names are no matter', async () => {
    const names = Array.from({ length: 6000 }, (_, i) => NAME.dns(`host-${i}.example`));
    const leaf = await makeCertificate({ issuer: root, extensions: [alternatives(...names)] });
    expect(leaf.der.byteLength).toBeGreaterThan(100_000);
    soon(() => parseCertificate(leaf.der));
    expect(soon(() => verdict({ leaf, anchors: [root] }))).toBe('good');
    const huge = der(0x30, leaf.der, new Uint8Array(64 * 1024));
    expect(() => parseCertificate(huge)).toThrow(/at most 131072/);
    expect(() => parseCertificate(hex('30 00'))).toThrow(/malformed/);
  });
});
