import { appendFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LateMembers } from '../../../src/archive/tar/late-members.ts';
import type { Signer } from '../../../src/engine/engine.ts';
import { concat, copyBytes } from '../../../src/kit/bytes.ts';
import { isOnePass } from '../../../src/operations/pack/one-reading.ts';
import type { PackOptions } from '../../../src/operations/pack/options.ts';
import { pack } from '../../../src/operations/pack/pack.ts';
import { planPack } from '../../../src/operations/pack/pack-plan.ts';
import { openPacking } from '../../../src/operations/pack/packing.ts';
import type { SigningIdentity } from '../../../src/operations/sign/signing.ts';
import { writeArchive } from '../../../src/storage/output/write-archive.ts';
import { WHOLE_BYTES } from '../../../src/storage/sources/input-file.ts';
import { DISK, descriptorFor, NOTES, noiseFile, signerUnder, testAuthority } from '../../factory/bundles.ts';
import { qcow2 } from '../../factory/disk-images.ts';
import { identityOf, namesIn, verdictOn } from '../../factory/packing.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

const MIB = 1024 * 1024;

/** Files of all sizes that are treated differently, in a sandbox. */
function sizesIn(sandbox: Sandbox): readonly string[] {
  const sizes = [0, 1, 512, 4097, WHOLE_BYTES, WHOLE_BYTES + 1, MIB, 2 * MIB + 13];
  return sizes.map((size) => sandbox.write(`f${size}`, noiseFile(`f${size}`, size).bytes));
}

/** The bundle by two readings, whatever `pack` would do. */
async function byTwoReadings(inputs: readonly string[], options: PackOptions): Promise<Uint8Array> {
  const { name: base, plain = false, appliance = {}, chunkSize, format } = options;
  const plan = await planPack(inputs, { base, plain, appliance, ...(chunkSize && { chunkSize }) });
  const packing = openPacking(plan, options, 'two-readings');
  const parts: Uint8Array[] = [];
  const output = {
    write: async (chunk: Uint8Array) => {
      parts.push(copyBytes(chunk));
    },
    patch: async () => {
      throw new Error('nothing is written twice');
    },
  };
  await writeArchive(format, packing.members(), output, { mtime: 0 });
  expect(await packing.complete(output)).toBe(true);
  return concat(parts);
}

/** Packs in one reading; what was read in it is checked. */
async function byOneReading(inputs: readonly string[], options: PackOptions): Promise<Uint8Array> {
  expect(isOnePass(options)).toBe(true);
  const seen = new Set<string>();
  let last: { bytes: number; total?: number } | undefined;
  const report = await pack(inputs, {
    ...options,
    onProgress: (progress) => {
      seen.add(progress.phase);
      last = progress;
    },
  });
  expect([report.exitCode, [...seen], last?.bytes]).toEqual([0, ['write'], last?.total]);
  return readFileSync(String(options.output));
}

describe('one reading', () => {
  test.each<[string, 'rsa' | 'ed25519' | undefined, Partial<PackOptions>]>([
    ['RSA', 'rsa', {}],
    ['RSA, SHA-512', 'rsa', { digest: 'sha512' }],
    ['RSA, CMS', 'rsa', { cms: true }],
    ['Ed25519', 'ed25519', { digest: 'sha384' }],
    ['Ed25519, CMS', 'ed25519', { cms: true }],
    ['nobody', undefined, {}],
  ])('[pack.3] makes the same bytes as two: signed by %s', async (_, key, more) => {
    using sandbox = makeSandbox();
    const signer = key === 'ed25519' ? await signerUnder(await testAuthority(), { key }) : undefined;
    const identity = key ? await identityOf(sandbox, signer) : undefined;
    const inputs = sizesIn(sandbox);
    const options: PackOptions = {
      output: sandbox.path('out.ova'),
      format: 'tar',
      name: 'app',
      plain: true,
      ...(identity && { identity }),
      ...more,
    };
    const once = await byOneReading(inputs, options);
    expect(Buffer.compare(once, await byTwoReadings(inputs, options))).toBe(0);
    expect(await verdictOn(sandbox, once)).toEqual([key ? 'trusted' : 'SIGNATURE_MISSING']);
  });

  test('[pack.3] makes the same bytes as two: a descriptor, images, chunks of them', async () => {
    using sandbox = makeSandbox();
    const identity = await identityOf(sandbox);
    const base = { output: sandbox.path('out.ova'), format: 'tar', name: 'app', identity } as const;
    for (const { name, bytes } of [descriptorFor('web.ovf', [DISK, NOTES]), DISK, NOTES]) {
      sandbox.write(name, bytes);
    }
    sandbox.write('a.qcow2', qcow2());
    sandbox.write('b.img', noiseFile('b', 3 * MIB).bytes);
    for (const [names, more] of [
      [['web.ovf'], {}],
      [['a.qcow2', 'b.img'], {}],
      [['a.qcow2', 'b.img'], { chunkSize: MIB - 512 }],
    ] as const) {
      const inputs = names.map((name) => sandbox.path(name));
      const options: PackOptions = { ...base, ...more, overwrite: true };
      const once = await byOneReading(inputs, options);
      expect(Buffer.compare(once, await byTwoReadings(inputs, options))).toBe(0);
      expect(await verdictOn(sandbox, once)).toEqual(['trusted']);
    }
  });

  test.each(['p256', 'p384'] as const)(
    '[pack.3] leaves room for signatures that differ in length: %s',
    async (key) => {
      using sandbox = makeSandbox();
      const identity = await identityOf(sandbox, await signerUnder(await testAuthority(), { key }));
      const inputs = [sandbox.write('a', 'content')];
      for (let i = 0; i < 20; i++) {
        const options: PackOptions = {
          output: sandbox.path('out.ova'),
          format: 'tar',
          name: 'app',
          plain: true,
          identity,
          cms: i % 2 === 0,
          overwrite: true,
        };
        const bytes = await byOneReading(inputs, options);
        expect(await namesIn(bytes)).toEqual(['app.mf', 'app.cert', 'a']);
        if (i < 2) expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
      }
    },
  );

  test('[pack.3] becomes two when no signature fits', async () => {
    using sandbox = makeSandbox();
    const identity = await identityOf(sandbox, await signerUnder(await testAuthority(), { key: 'p256' }));
    const inputs = [sandbox.write('a', 'content')];
    const phases: string[] = [];
    await pack(inputs, {
      output: sandbox.path('out.ova'),
      format: 'tar',
      name: 'app',
      plain: true,
      identity: { ...identity, signer: unfitting(identity) },
      onProgress: ({ phase }) => phases.push(phase),
    });
    expect(phases).toEqual(['write', 'hash', 'write']);
    expect(await verdictOn(sandbox, readFileSync(sandbox.path('out.ova')))).toEqual(['trusted']);
    expect(sandbox.list().filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('[pack.3] is for what can be written again, and no authority has a say in', async () => {
    const options: PackOptions = { output: 'out.ova', format: 'tar', name: 'app' };
    expect(isOnePass(options)).toBe(true);
    const source = async (): Promise<Uint8Array> => new Uint8Array(0);
    const nothing = async (): Promise<void> => {};
    for (const other of [
      { format: 'tgz' },
      { format: 'zip' },
      { output: '-' },
      { output: { write: nothing, finish: nothing, discard: nothing } },
      { order: 'trailing' },
      { timestamp: source },
    ] as const) {
      expect(isOnePass({ ...options, ...other })).toBe(false);
    }
  });
});

/** Signs so that a signature has another length from the moment on when room has been left for it. */
function unfitting({ signer }: SigningIdentity): Signer {
  let signatures = 0;
  let length = 0;
  return {
    publicKey: signer.publicKey,
    open: (form) => {
      const parts: Uint8Array[] = [];
      const again = async (): Promise<Uint8Array> => {
        const signing = signer.open(form);
        for (const part of parts) signing.update(part);
        return signing.finish();
      };
      return {
        update: (chunk) => {
          parts.push(chunk.slice());
        },
        finish: async () => {
          for (signatures++; ; ) {
            const signature = await again();
            if (length === 0) length = signature.byteLength;
            if (signatures > 9 !== (signature.byteLength === length)) return signature;
          }
        },
      };
    },
  };
}

describe('a file that changes while it is read once', () => {
  test.each<[string, number, (path: string) => void]>([
    ['is written to', 3 * MIB, (path) => writeFileSync(path, new Uint8Array(3 * MIB))],
    ['is touched', 3 * MIB, (path) => utimesSync(path, 1, 2)],
    ['grows', 3 * MIB, (path) => appendFileSync(path, 'x')],
    ['is small and written to', 10, (path) => writeFileSync(path, new Uint8Array(10))],
    ['is small and grows', 10, (path) => appendFileSync(path, 'x')],
  ])('[pack.3] ends the packing, and nothing is left: it %s', async (_, size, change) => {
    using sandbox = makeSandbox();
    const first = sandbox.write('first', 'content');
    const path = sandbox.write('second', noiseFile('second', size).bytes);
    let done = false;
    const packing = pack([first, path], {
      output: sandbox.path('out.ova'),
      format: 'tar',
      name: 'app',
      plain: true,
      onProgress: () => {
        if (!done) change(path);
        done = true;
      },
    });
    await expect(packing).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(sandbox.list()).toEqual(['first', 'second']);
  });
});

describe('members whose bytes come later', () => {
  test('[pack.3] are put where room was left for them', async () => {
    const late = new LateMembers();
    const large = noiseFile('large', 2 * MIB + 5).bytes;
    const members = [late.reserve('a', 3), late.reserve('b', large.byteLength), late.reserve('c', 0)];
    let offset = 0;
    for (const { size, body, onPlaced } of members) {
      onPlaced?.(offset);
      for await (const chunk of body) {
        expect(chunk.every((byte) => byte === 0)).toBe(true);
        offset += chunk.byteLength;
      }
      expect(size).toBeGreaterThanOrEqual(0);
    }
    late.fill('a', Uint8Array.of(1, 2, 3));
    late.fill('b', large);
    late.fill('c', new Uint8Array(0));
    const written: [number, number][] = [];
    await late.write({
      patch: async (at, bytes) => {
        written.push([at, bytes.byteLength]);
      },
    });
    expect([offset, written]).toEqual([
      3 + large.byteLength,
      [
        [0, 3],
        [3, large.byteLength],
        [3 + large.byteLength, 0],
      ],
    ]);
  });

  test('[pack.3] fit exactly, and are all there', async () => {
    const late = new LateMembers();
    late.reserve('a', 3).onPlaced?.(0);
    expect(() => late.fill('a', Uint8Array.of(1))).toThrow(/does not fit/);
    expect([late.fits('a', Uint8Array.of(1)), late.fits('a', Uint8Array.of(1, 2, 3))]).toEqual([false, true]);
    expect(() => late.fill('b', Uint8Array.of(1, 2, 3))).toThrow(/does not fit/);
    await expect(late.write({ patch: async () => {} })).rejects.toMatchObject({ code: 'INTERNAL' });
    late.fill('a', Uint8Array.of(1, 2, 3));
    expect(() => late.fill('a', Uint8Array.of(1, 2, 3))).toThrow(/does not fit/);
    late.reserve('c', 1);
    expect(() => late.fill('c', Uint8Array.of(1))).toThrow(/does not fit/); // it does not stand in the archive yet
    await expect(late.write({ patch: async () => {} })).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});
