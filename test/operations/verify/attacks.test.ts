import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { signBytes } from '../../../src/crypto/signer.ts';
import { keySigner } from '../../../src/engine/node/key-signer.ts';
import { parseManifest } from '../../../src/formats/ovf/manifest.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { DISK, descriptorFor, makeBundle, textFile } from '../../factory/bundles.ts';
import { codeOf } from '../../factory/errors.ts';
import { importHere, left } from '../../factory/importing.ts';
import { verdictOn } from '../../factory/packing.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

describe('a signed bundle that means something else', () => {
  it.each(['app.cert', 'app.CERT', 'app.mf', 'app.ovf'])(
    '[cover.8] refers to %s, a part of the bundle, as its disk',
    async (href) => {
      using sandbox = makeSandbox();
      const bundle = await makeBundle({ files: [descriptorFor('app.ovf', [href])] });
      expect(await verdictOn(sandbox, bundle)).toContain('DESCRIPTOR_SYNTAX');
      const { imported } = await importHere(sandbox, chunked(bundle), { imagesOnly: true });
      expect([imported, left(sandbox)]).toEqual([false, []]);
    },
  );

  it('[bundle.4] has its descriptor elsewhere than first: read, and said', async () => {
    using sandbox = makeSandbox();
    const bundle = await makeBundle({ order: 'first' });
    const { report } = await verify(chunked(bundle), await trusting(sandbox));
    expect([report.verdict, report.warnings]).toEqual([
      'trusted',
      ['the descriptor is not the first member, which VMware refuses'],
    ]);
  });
});

describe('a bundle that wants to keep the verifier busy', () => {
  it('[judge.1] has hundreds of members that could be parts: each pair is judged once', async () => {
    using sandbox = makeSandbox();
    const decoys = Array.from({ length: 240 }, (_, i) => textFile(`x${i}.cert`, ''));
    const padding = encodeUtf8(' \n'.repeat(1024 * 1024));
    const bundle = await makeBundle({
      files: [descriptorFor('app.ovf', [DISK]), DISK],
      manifest: (bytes) => Buffer.concat([bytes, padding]),
      members: (all) => [...all, ...decoys],
    });
    const decoded = vi.spyOn(TextDecoder.prototype, 'decode');
    const { report } = await verify(chunked(bundle), await trusting(sandbox));
    const large = decoded.mock.calls.filter(
      ([bytes]) => (bytes?.byteLength ?? 0) > padding.byteLength,
    ).length;
    decoded.mockRestore();
    expect(new Set(codesOf(report))).toEqual(new Set(['FILE_UNLISTED']));
    expect(large).toBeLessThanOrEqual(4);
  });

  it('[mf.1] lists more files than a bundle may have', () => {
    const line = (i: number): string => `SHA256(f${i})= ${'0'.repeat(64)}\n`;
    const lines = (count: number): Uint8Array =>
      encodeUtf8(Array.from({ length: count }, (_, i) => line(i)).join(''));
    expect(parseManifest(lines(256)).entries.length).toBe(256);
    expect(codeOf(() => parseManifest(lines(257)))).toBe('MANIFEST_SYNTAX');
    expect(parseManifest(encodeUtf8('\n'.repeat(4_000_000))).entries).toEqual([]);
  });
});

describe('a key that is bound to a digest', () => {
  it('[pack.5] signs with that digest, and says so of another', async () => {
    const { privateKey } = generateKeyPairSync('rsa-pss', {
      modulusLength: 2048,
      hashAlgorithm: 'sha512',
      mgf1HashAlgorithm: 'sha512',
    });
    const signer = keySigner(privateKey, 'key.pem');
    await expect(signBytes(signer, 'sha512', encodeUtf8('x'))).resolves.toBeInstanceOf(Uint8Array);
    expect(() => signer.open({ digest: 'sha256' })).toThrow(
      'this key signs with sha512 only, not with sha256',
    );
    expect(codeOf(() => signer.open({ digest: 'sha256' }))).toBe('USAGE');
  });
});
