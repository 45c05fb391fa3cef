import { constants, createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ByteStream } from '../../../src/kit/bytes.ts';
import type { ImageReport, VerifyImageOptions } from '../../../src/operations/glance/image-options.ts';
import { verifyImage } from '../../../src/operations/glance/verify-image.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { makeAuthority, makeCertificate, NOON, type TestCertificate } from '../../factory/certificates.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import {
  curveCertificate,
  IMAGE,
  keeping,
  md5,
  propertiesFor,
  rsaCertificate,
  signLike,
  UUID,
} from '../../factory/images.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

type Difference = Partial<VerifyImageOptions> & { readonly bytes?: Uint8Array };

/** The report about the image of `IMAGE`, its certificate being trusted. */
async function verified(
  certificate: TestCertificate,
  options: Pick<VerifyImageOptions, 'properties'> & Difference,
): Promise<ImageReport> {
  const { bytes = IMAGE, ...rest } = options;
  using sandbox = makeSandbox();
  const anchor = join(sandbox.folder, 'signer.pem');
  writeFileSync(anchor, certificate.pem);
  return await verifyImage(inPieces(bytes), {
    certificates: keeping(certificate),
    ...(rest.compat ? {} : { trust: { anchors: [anchor] } }),
    at: NOON,
    ...rest,
  });
}

async function* inPieces(bytes: Uint8Array, size = 7): ByteStream & AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const said = ({ errors }: Report): string =>
  errors.map(({ code, message }) => `${code}: ${message}`).join('\n');

test('[cli.15] a deadline ends it: while the certificate is asked for, and while the image comes', async () => {
  const certificate = await rsaCertificate();
  const properties = propertiesFor(signLike(certificate.privateKey, IMAGE));
  const never = { find: () => new Promise<never>(() => {}) };
  async function* dripping(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      yield Uint8Array.of(1);
      await setTimeout(5);
    }
  }
  const given = { properties, certificates: keeping(certificate), at: NOON, deadlineMs: 100 };
  for (const compat of [false, true]) {
    const asking = verifyImage(inPieces(IMAGE), { ...given, compat, certificates: never });
    await expect(asking).rejects.toMatchObject({ code: 'INPUT_STALLED' });
    const coming = verifyImage(dripping(), { ...given, compat }).then(said, (error: unknown) =>
      String(error),
    );
    expect(await coming).toMatch(/not done within 0\.1 seconds/);
  }
});

describe('[glance.16] two findings', () => {
  test('both good', async () => {
    const certificate = await rsaCertificate();
    const report = await verified(certificate, {
      properties: propertiesFor(signLike(certificate.privateKey, IMAGE)),
    });
    expect(report).toMatchObject({ exitCode: 0, verdict: 'trusted', operation: 'glance verify' });
    expect(report.result).toEqual({
      signature: 'valid',
      certificate: 'trusted',
      certificateUuid: UUID,
      certificateSource: 'test',
    });
    expect(report.signatures[0]).toMatchObject({
      format: 'glance',
      status: 'trusted',
      algorithm: 'RSA-2048 SHA-256',
    });
  });

  test('a valid signature by nobody who is trusted', async () => {
    const certificate = await rsaCertificate();
    const properties = propertiesFor(signLike(certificate.privateKey, IMAGE));
    const report = await verified(certificate, { properties, trust: {} });
    expect(report).toMatchObject({ exitCode: 20, verdict: 'untrusted' });
    expect(report.result).toMatchObject({ signature: 'valid', certificate: 'untrusted' });
  });

  test('an invalid signature by somebody who is', async () => {
    const certificate = await rsaCertificate();
    const properties = propertiesFor(signLike(certificate.privateKey, IMAGE));
    const report = await verified(certificate, { properties, bytes: Buffer.from('another') });
    expect(report).toMatchObject({ exitCode: 12, verdict: 'invalid' });
    expect(report.result).toMatchObject({ signature: 'invalid', certificate: 'trusted' });
  });

  test('a certificate that has expired, or is too short', async () => {
    const expired = await rsaCertificate(2048, { notAfter: new Date('2026-06-01') });
    const properties = propertiesFor(signLike(expired.privateKey, IMAGE));
    expect(await verified(expired, { properties })).toMatchObject({
      exitCode: 13,
      result: { signature: 'valid' },
    });
    const short = await rsaCertificate(1024);
    const weak = { properties: propertiesFor(signLike(short.privateKey, IMAGE)) };
    expect(await verified(short, weak)).toMatchObject({ exitCode: 14, result: { signature: 'valid' } });
    expect(await verified(short, { ...weak, allow: { weakKeys: true } })).toMatchObject({ exitCode: 0 });
  });

  test('a publisher needs the scope of everything [glance.19]', async () => {
    using sandbox = makeSandbox();
    const certificate = await rsaCertificate();
    const { trustAdd } = await import('../../../src/operations/trust/trust.ts');
    writeFileSync(join(sandbox.folder, 'signer.pem'), certificate.pem);
    const home = join(sandbox.folder, 'home');
    await trustAdd(home, 'acme', [join(sandbox.folder, 'signer.pem')], { scopes: ['acme/*'] });
    const properties = propertiesFor(signLike(certificate.privateKey, IMAGE));
    const trust = { folders: [home] };
    expect(said(await verified(certificate, { properties, trust }))).toMatch(/^SCOPE_REFUSED/);
    await trustAdd(home, 'wide', [join(sandbox.folder, 'signer.pem')]);
    expect((await verified(certificate, { properties, trust })).exitCode).toBe(0);
  });

  test('[glance.19] with --trust beside trusted UUIDs, both must accept', async () => {
    const root = await makeAuthority({ subject: 'CN=Root' });
    const certificate = await rsaCertificate(2048, { issuer: root });
    const other = { ...keeping(certificate) };
    const ROOT = '11111111-2222-3333-4444-555555555555';
    const certificates = {
      find: async (uuid: string) =>
        uuid === ROOT
          ? ({
              kind: 'found',
              certificate: root.certificate,
              others: [],
              source: 'root',
              warnings: [],
            } as const)
          : other.find(uuid),
    };
    const properties = propertiesFor(signLike(certificate.privateKey, IMAGE));
    const both = { properties, certificates, trustedIds: [ROOT] };
    expect((await verified(certificate, both)).exitCode).toBe(0);
    expect((await verified(certificate, { ...both, trust: {} })).signatures[0]?.trustedBy).toBe(
      `certificate ${ROOT}`,
    );
    const nobody = { pins: [`sha256:${'0'.repeat(64)}`] };
    expect((await verified(certificate, { ...both, trust: nobody })).exitCode).toBe(18);
    // [rev.9] what was seen of a path by UUIDs is remembered like any
    using sandbox = makeSandbox();
    const seeing = {
      ...both,
      trust: { folders: [sandbox.folder] },
      revocation: { crls: [sandbox.write('root.crl', makeCrlDer({ issuer: root }))] },
    };
    expect((await verified(certificate, seeing)).remembered?.count).toBe(1);
    expect((await verified(certificate, seeing)).remembered).toBeUndefined();
    await expect(
      verified(certificate, { ...both, trustedIds: [ROOT, ROOT.toUpperCase()] }),
    ).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('[glance.13] what is wrong, by name', () => {
  test.each([
    [32, /salt has 32 bytes, and Glance demands 222/],
    [0, /salt has 0 bytes/],
    [221, /salt has 221 bytes/],
  ])(
    '[glance.22] a salt of %i bytes, unless that is allowed by name; then it is told',
    async (salt, words) => {
      const certificate = await rsaCertificate();
      const properties = propertiesFor(signLike(certificate.privateKey, IMAGE, { salt }));
      const report = await verified(certificate, { properties });
      expect(said(report)).toMatch(words);
      expect(report.errors[0]?.fix).toContain('rsa_pss_saltlen:max');
      const allowed = await verified(certificate, { properties, allowImage: { anySalt: true } });
      expect(allowed).toMatchObject({ exitCode: 0, allowances: ['anySalt'] });
      expect(allowed.warnings.join()).toMatch(/Glance and Nova would refuse/);
      const tampered = { properties, allowImage: { anySalt: true }, bytes: Buffer.from('x') };
      expect((await verified(certificate, tampered)).exitCode).toBe(12);
    },
  );

  test('PKCS #1 v1.5, another hash, another key, a signature cut short, another image', async () => {
    const certificate = await rsaCertificate();
    const key = certificate.privateKey;
    const verdict = async (signature: Uint8Array, hashMethod = 'SHA-256'): Promise<string> =>
      said(await verified(certificate, { properties: propertiesFor(signature, { hashMethod }) }));
    expect(await verdict(signLike(key, IMAGE, { padding: constants.RSA_PKCS1_PADDING }))).toMatch(
      /PKCS #1 v1\.5/,
    );
    expect(await verdict(signLike(key, IMAGE), 'SHA-512')).toMatch(
      /made with SHA-256, and the property says SHA-512/,
    );
    const other = await rsaCertificate(3072);
    expect(await verdict(signLike(other.privateKey, IMAGE))).toMatch(/not made with the key of certificate/);
    expect(await verdict(signLike(key, IMAGE).subarray(1))).toMatch(/or is damaged/);
    expect(await verdict(signLike(key, Buffer.from('another')))).toMatch(
      /made with the key .* but over other bytes/,
    );
    expect(await verdict(new Uint8Array(256).fill(0xff))).toMatch(/not made with the key/);
  });

  test('a signature over the MD5 checksum under the new names', async () => {
    const certificate = await rsaCertificate();
    const signature = signLike(certificate.privateKey, Buffer.from(md5(IMAGE)));
    const properties = { ...propertiesFor(signature), checksum: md5(IMAGE) };
    expect(said(await verified(certificate, { properties }))).toMatch(
      /over the MD5 checksum of the image, as in Liberty/,
    );
  });

  test('the raw pair r||s', async () => {
    const certificate = await curveCertificate('secp384r1');
    const keyType = 'ECC_SECP384R1';
    const raw = signLike(certificate.privateKey, IMAGE, { raw: true });
    expect(said(await verified(certificate, { properties: propertiesFor(raw, { keyType }) }))).toMatch(
      /raw pair r\|\|s/,
    );
    const der = signLike(certificate.privateKey, IMAGE);
    expect((await verified(certificate, { properties: propertiesFor(der, { keyType }) })).exitCode).toBe(0);
    const changed = { properties: propertiesFor(der, { keyType }), bytes: Buffer.from('x') };
    expect(said(await verified(certificate, changed))).toMatch(/does not fit the image/);
  });

  test('[glance.11] a curve under another name, a key of another kind', async () => {
    const certificate = await curveCertificate('prime256v1');
    const properties = propertiesFor(signLike(certificate.privateKey, IMAGE), { keyType: 'ECC_SECP384R1' });
    const report = await verified(certificate, { properties });
    expect(said(report)).toMatch(/SIGNATURE_INVALID: .* P-256, and the key type is ECC_SECP384R1/);
    expect((await verified(certificate, { properties, compat: true })).result?.cursive).toEqual({
      verdict: 'accept',
    });
    const dsa = { properties: propertiesFor(signLike(certificate.privateKey, IMAGE), { keyType: 'DSA' }) };
    expect((await verified(certificate, dsa)).exitCode).toBe(12);
  });

  test('[glance.14] signature_verified, which Cinder writes', async () => {
    const certificate = await rsaCertificate();
    const properties = {
      ...propertiesFor(signLike(certificate.privateKey, IMAGE)),
      signatureVerified: 'True',
    };
    expect((await verified(certificate, { properties })).warnings.join()).toMatch(
      /signature_verified .* converted/,
    );
  });
});

describe('digests and reading', () => {
  test('[glance.23] however the bytes come, the verdict is the same', async () => {
    const certificate = await rsaCertificate();
    const big = Buffer.alloc(300_000, 'image');
    const properties = propertiesFor(signLike(certificate.privateKey, big));
    const options = { certificates: keeping(certificate), properties, at: NOON };
    for (const size of [1000, 65_536, 300_000]) {
      const report = await verifyImage(inPieces(big, size), options);
      expect(report.result).toMatchObject({ signature: 'valid' });
      expect(report.input?.size).toBe(big.length);
    }
  });

  test('[glance.24] the digests that Glance states must match', async () => {
    const certificate = await rsaCertificate();
    const signed = propertiesFor(signLike(certificate.privateKey, IMAGE));
    const sha512 = createHash('sha512').update(IMAGE).digest('hex');
    const good = {
      ...signed,
      checksum: md5(IMAGE),
      hashAlgorithm: 'sha512',
      hashValue: sha512.toUpperCase(),
    };
    const report = await verified(certificate, { properties: good });
    expect(report.exitCode).toBe(0);
    expect(report.checks.find(({ id }) => id === 'image.digests')?.status).toBe('pass');
    const bad = {
      ...good,
      checksum: md5(Buffer.from('x')),
      hashValue: sha512.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    };
    const mismatch = await verified(certificate, { properties: bad });
    expect(mismatch).toMatchObject({
      exitCode: 11,
      verdict: 'invalid',
      result: { signature: 'valid', certificate: 'trusted' },
    });
    expect(mismatch.errors.map(({ where }) => where.member)).toEqual(['checksum', 'os_hash_value']);
  });

  test.each([
    [{ checksum: 'xyz' }, 16],
    [{ hashAlgorithm: 'sha512' }, 16],
    [{ hashAlgorithm: 'crc32', hashValue: '00' }, 17],
  ])('[glance.24] digests that make no sense: %j', async (difference, exitCode) => {
    const certificate = await rsaCertificate();
    const properties = { ...propertiesFor(signLike(certificate.privateKey, IMAGE)), ...difference };
    expect((await verified(certificate, { properties })).exitCode).toBe(exitCode);
  });
});

describe('[glance.20] the legacy signature over the MD5 checksum', () => {
  const legacyFor = (signature: Uint8Array, more: object = {}): VerifyImageOptions['properties'] => ({
    image: {},
    legacy: { ...propertiesFor(signature).image, ...more },
  });
  const allowed = { allowImage: { legacyMd5: true } } as const;

  test('counts only when that is allowed, and with a warning', async () => {
    const certificate = await rsaCertificate();
    const properties = legacyFor(signLike(certificate.privateKey, Buffer.from(md5(IMAGE))));
    expect(said(await verified(certificate, { properties }))).toMatch(/^DIGEST_WEAK/);
    const report = await verified(certificate, { properties, ...allowed });
    expect(report).toMatchObject({ exitCode: 0, allowances: ['legacyMd5'] });
    expect(report.warnings.join()).toMatch(/two images with one checksum/);
    expect(report.signatures[0]?.format).toBe('glance-md5');
    expect((await verified(certificate, { properties, ...allowed, bytes: Buffer.from('x') })).exitCode).toBe(
      12,
    );
    expect((await verified(certificate, { properties, compat: true })).exitCode).toBe(10);
    expect((await verified(certificate, { properties, compat: true, ...allowed })).exitCode).toBe(0);
  });

  test('[glance.21] with the salt that is stated', async () => {
    const certificate = await rsaCertificate();
    const signature = signLike(certificate.privateKey, Buffer.from(md5(IMAGE)), { salt: 32 });
    const verdict = async (more: object): Promise<number> =>
      (await verified(certificate, { properties: legacyFor(signature, more), ...allowed })).exitCode;
    expect(await verdict({ pssSaltLength: '32', maskGenAlgorithm: 'MGF1' })).toBe(0);
    expect(await verdict({})).toBe(12);
    expect(await verdict({ pssSaltLength: '33' })).toBe(12);
    expect(await verdict({ pssSaltLength: '99999' })).toBe(12);
    expect(await verdict({ pssSaltLength: '-2' })).toBe(16);
    expect(await verdict({ pssSaltLength: '32', maskGenAlgorithm: 'MGF2' })).toBe(17);
  });

  test.each([
    ['the 16 bytes', createHash('md5').update(IMAGE).digest()],
    ['in upper case', Buffer.from(md5(IMAGE).toUpperCase())],
    ['with a line end', Buffer.from(`${md5(IMAGE)}\n`)],
  ])('[glance.13] made over the wrong form of the checksum: %s', async (words, message) => {
    const certificate = await rsaCertificate();
    const properties = legacyFor(signLike(certificate.privateKey, message));
    expect(said(await verified(certificate, { properties, ...allowed }))).toContain(words);
  });

  test('[glance.25] beside a newer one, both must be good when both count', async () => {
    const certificate = await rsaCertificate();
    const image = propertiesFor(signLike(certificate.privateKey, IMAGE)).image;
    const good = propertiesFor(signLike(certificate.privateKey, Buffer.from(md5(IMAGE)))).image;
    const bad = propertiesFor(signLike(certificate.privateKey, Buffer.from('x'))).image;
    const verdict = async (legacy: object, options: Difference): Promise<ImageReport> =>
      verified(certificate, { properties: { image, legacy }, ...options });
    expect((await verdict(good, allowed)).signatures).toHaveLength(2);
    expect((await verdict(good, allowed)).exitCode).toBe(0);
    expect((await verdict(bad, allowed)).exitCode).toBe(12);
    const ignored = await verdict(bad, {});
    expect(ignored.exitCode).toBe(0);
    expect(ignored.warnings.join()).toMatch(/not looked at/);
    expect((await verdict({ signature: good.signature }, allowed)).exitCode).toBe(16);
  });
});

describe('[glance.15] compatible mode', () => {
  test('accepts without trust, says so, and is never trusted', async () => {
    const certificate = await makeCertificate({
      key: (await rsaCertificate()).privateKey,
      notAfter: new Date('2026-06-01'),
    });
    const signature = signLike(certificate.privateKey, IMAGE).toString('base64');
    const properties = propertiesFor(`!${signature}=junk`);
    const report = await verified(certificate, { properties, compat: true, trust: {} });
    expect(report).toMatchObject({ exitCode: 0, verdict: 'untrusted', trusted: false });
    expect(report.allowances).toContain('compat');
    expect(report.warnings.join()).toMatch(/bulla itself refuses: img_signature/);
    expect((await verified(certificate, { properties })).exitCode).toBe(16);
  });

  test('[glance.17] with trusted UUIDs, the certificate is judged before the bytes', async () => {
    const certificate = await rsaCertificate();
    const properties = propertiesFor(signLike(certificate.privateKey, IMAGE));
    const report = await verified(certificate, { properties, compat: true, trustedIds: [UUID] });
    expect(report).toMatchObject({ exitCode: 18, result: { certificate: 'untrusted' } });
    expect(report.result?.cursive).toMatchObject({
      error: 'cursive.exception.SignatureVerificationError',
    });
  });
});
