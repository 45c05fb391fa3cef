import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyIdentity } from '../../../src/crypto/key-identity.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { loadPolicy } from '../../../src/operations/verify/load-policy.ts';
import { openImage } from '../../../src/operations/verify/open-image.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { openSource } from '../../../src/storage/sources/open-source.ts';
import { allowancesOf } from '../../../src/trust/policy.ts';
import { examine } from '../../../src/verdict/bundle/examine.ts';
import { archiveOf, makeBundle, type NamedBytes, testAuthority, withMember } from '../../factory/bundles.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { flipped } from '../../factory/damage.ts';
import { codeOfAsync } from '../../factory/errors.ts';
import { resumable } from '../../factory/resuming.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';

const MIB = 1024 * 1024;
const IMAGE = 'disk.img';

let sandbox: Sandbox;
let options: VerifyOptions;
let disk: NamedBytes;
let bundle: Uint8Array;
/** where the image begins in the bundle */
let start: number;

beforeAll(async () => {
  sandbox = makeSandbox();
  options = { ...(await trusting(sandbox)), limits: { laneBytes: MIB } };
  const made = await resumable(4 * MIB + 321);
  disk = made.disk;
  bundle = await archiveOf(made.members);
  start = Buffer.from(bundle).indexOf(disk.bytes.subarray(0, 64));
  sandbox.write('app.ova', bundle);
});
afterAll(() => sandbox[Symbol.dispose]());

/** The bundle with a bit of the image changed. */
function changed(at: number): Uint8Array {
  return flipped(bundle, start + at);
}

test('[blocks.11] [judge.2] nothing good is said of a member that is left for later, and one without blocks that count is not left', async () => {
  const statusOf = async (path: string): Promise<readonly unknown[]> => {
    await using source = await openSource(path, { idleMs: DEFAULT_LIMITS.idleMs });
    const { at = new Date() } = options;
    const policy = await loadPolicy(options, { allowances: allowancesOf(options), at, inputs: [] });
    const limits = { ...DEFAULT_LIMITS, laneBytes: MIB };
    const { members, contents, errors } = await examine(source, { ...policy, limits, later: true });
    const kind = members.find(({ name }) => name === IMAGE)?.kind;
    const file = contents.files.find(({ name }) => name === IMAGE);
    return [kind, file?.status, file?.blocks, errors.map(({ code }) => code)];
  };
  expect(await statusOf(sandbox.path('app.ova'))).toEqual(['unread', 'unchecked', undefined, []]);
  const without = await makeBundle({ files: [disk] });
  expect(await statusOf(sandbox.write('without.ova', without))).toEqual(['hashed', 'ok', undefined, []]);
});

test('[rev.9] what an image warns of is what verify does, marks that have no room included', async () => {
  using folder = makeSandbox();
  const root = await testAuthority();
  const at = '2026-01-01T00:00:00.000Z';
  const full = Array.from({ length: 4096 }, (_, i) => [
    `crl ${i} other`,
    { thisUpdate: at, anchor: keyIdentity(root.certificate) },
  ]);
  folder.write(
    'revocation/seen/1.json',
    JSON.stringify({ format: 'bulla.seen/1', marks: Object.fromEntries(full) }),
  );
  const crl = { name: 'revocation/a.crl', bytes: makeCrlDer({ issuer: root }) };
  const path = sandbox.write('listed.ova', await archiveOf([...(await resumable(MIB)).members, crl]));
  const given = { ...options, trust: { ...options.trust, folders: [folder.folder] } };
  const { warnings } = (await verify(path, given)).report;
  await using image = await openImage(path, IMAGE, given);
  expect([image.warnings, image.warnings.join()]).toEqual([warnings, expect.stringContaining('is full')]);
});

describe('a part of an image', () => {
  test('[blocks.11] is what it is in the image, wherever it begins and ends', async () => {
    await using image = await openImage(sandbox.path('app.ova'), IMAGE, options);
    expect(image).toMatchObject({ name: IMAGE, size: disk.bytes.byteLength, blockSize: MIB });
    const offsets = fc.nat({ max: disk.bytes.byteLength + 10 });
    await fc.assert(
      fc.asyncProperty(offsets, offsets, async (offset, length) => {
        const part = await image.read(offset, length);
        expect(Buffer.compare(part, disk.bytes.subarray(offset, offset + length))).toBe(0);
      }),
      {
        numRuns: 60,
        examples: [
          [0, 0],
          [MIB, MIB],
          [MIB - 1, 2],
          [disk.bytes.byteLength, 5],
        ],
      },
    );
  });

  test('[blocks.11] is given only when every block of it is right', async () => {
    const path = sandbox.write('damaged.ova', changed(2 * MIB + 5));
    await using image = await openImage(path, IMAGE, options);
    expect(Buffer.compare(await image.read(0, 2 * MIB), disk.bytes.subarray(0, 2 * MIB))).toBe(0);
    const where = { member: IMAGE, memberOffset: 2 * MIB, offset: start + 2 * MIB };
    await expect(image.read(2 * MIB - 10, 20)).rejects.toMatchObject({ where });
    await expect(image.read(2 * MIB - 10, 20)).rejects.toThrow(/bytes 2097152 to 3145727/);
    expect(await codeOfAsync(image.read(3 * MIB - 1, 1))).toBe('DIGEST_MISMATCH');
    expect((await image.read(3 * MIB, 9)).byteLength).toBe(9);
  });

  test('[blocks.11] is looked at whenever it is read: a file that is written to, or cut, shows', async () => {
    const path = sandbox.write('later.ova', bundle);
    await using image = await openImage(path, IMAGE, options);
    expect((await image.read(MIB, 10)).byteLength).toBe(10);
    writeFileSync(path, changed(MIB + 1));
    expect((await image.read(0, 10)).byteLength).toBe(10);
    expect(await codeOfAsync(image.read(MIB, 10))).toBe('FILE_CHANGED');
    truncateSync(path, start + 100);
    expect(await codeOfAsync(image.read(2 * MIB, 10))).toBe('FILE_CHANGED');
  });

  test('the caller gets bytes of his own', async () => {
    await using image = await openImage(sandbox.path('app.ova'), IMAGE, options);
    (await image.read(0, 100)).fill(0);
    expect(Buffer.compare(await image.read(0, 100), disk.bytes.subarray(0, 100))).toBe(0);
  });

  test.each([
    [-1, 1],
    [0, 1.5],
    [Number.NaN, 1],
  ])('of %d, %d is USAGE', async (offset, length) => {
    await using image = await openImage(sandbox.path('app.ova'), IMAGE, options);
    expect(await codeOfAsync(image.read(offset, length))).toBe('USAGE');
  });
});

describe('an image is opened', () => {
  test('[blocks.11] only in a bundle that is trusted', async () => {
    const path = sandbox.path('app.ova');
    expect(await codeOfAsync(openImage(path, IMAGE, { limits: { laneBytes: MIB } }))).toBe('TRUST_EMPTY');
    const { members } = await resumable(2 * MIB);
    const forged = withMember(members, 'app.ovf', ({ name, bytes }) => [
      { name, bytes: concat([bytes, Uint8Array.of(0x0a)]) },
    ]);
    const broken = sandbox.write('forged.ova', await archiveOf(forged));
    expect(await codeOfAsync(openImage(broken, IMAGE, options))).toBe('DIGEST_MISMATCH');
  });

  test('only when it is there, with its block digests', async () => {
    expect(await codeOfAsync(openImage(sandbox.path('app.ova'), 'other.img', options))).toBe('USAGE');
    const plain = sandbox.write('plain.ova', await makeBundle());
    expect(await codeOfAsync(openImage(plain, 'disk.img', options))).toBe('USAGE');
    const zipped = sandbox.write('app.tgz', await archiveOf((await resumable(MIB)).members, true));
    expect(await codeOfAsync(openImage(zipped, IMAGE, options))).toBe('USAGE');
    expect(readFileSync(sandbox.path('app.ova')).byteLength).toBe(bundle.byteLength);
  });
});
