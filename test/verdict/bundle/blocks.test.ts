import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import { inspect } from '../../../src/operations/verify/inspect.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { FileReport, Report } from '../../../src/verdict/report/report.ts';
import { blocksFor } from '../../factory/blocks.ts';
import { descriptorFor, makeBundle, makeMembers, type NamedBytes, textFile } from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { importHere } from '../../factory/importing.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
let cores = 4;
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => cores,
}));

/** Every member of a MiB is worth a thread here. */
const LIMITS = { laneBytes: MIB };

let sandbox: Sandbox;
let trust: VerifyOptions;
beforeAll(async () => {
  sandbox = makeSandbox();
  trust = { ...(await trusting(sandbox)), limits: LIMITS };
});
afterAll(() => sandbox[Symbol.dispose]());
beforeEach(() => {
  cores = 4;
});

/** A disk of random bytes, the same every time, with some of them changed. */
function disk(size: number, changes: readonly number[] = [], name = 'disk.img'): NamedBytes {
  const bytes = new Uint8Array(size);
  const word = createHash('sha256').update(name).digest();
  for (let at = 0; at < size; at += 4096) bytes.set(word.subarray(0, Math.min(32, size - at)), at);
  return { name, bytes: changes.reduce<Uint8Array>((changed, at) => flipped(changed, at), bytes) };
}

const DISK = disk(6 * MIB + 100);
const BLOCKS = blocksFor(DISK);
const EXTRA = textFile('notes.txt', 'hello');

interface Made {
  /** what is signed */
  readonly files: readonly NamedBytes[];
  /** what stands in the archive in place of a file that was signed */
  readonly instead?: readonly NamedBytes[];
  readonly algorithm?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  readonly order?: 'leading' | 'trailing';
}

async function bundleOf({ files, instead = [], ...options }: Made): Promise<string> {
  const bytes = await makeBundle({
    files,
    ...options,
    members: (members) => members.map((member) => instead.find(({ name }) => name === member.name) ?? member),
  });
  return sandbox.write('bundle.ova', bytes);
}

async function verified(made: Made, options: Partial<VerifyOptions> = {}): Promise<Report> {
  const { report } = await verify(await bundleOf(made), { ...trust, ...options });
  return valid(report);
}

function fileOf(report: Report, name = 'disk.img'): FileReport | undefined {
  return report.files.find((file) => file.name === name);
}

const APPLIANCE = [descriptorFor('app.ovf', [BLOCKS, DISK]), BLOCKS, DISK];

describe('[blocks.7] a member with block digests', () => {
  test('is held against them by several threads, and the report says so', async () => {
    for (const order of ['leading', 'trailing'] as const) {
      const report = await verified({ files: APPLIANCE, order });
      expect([report.verdict, codesOf(report)]).toEqual(['trusted', []]);
      expect(fileOf(report)).toMatchObject({
        algorithm: 'sha256',
        expected: createHash('sha256').update(DISK.bytes).digest('hex'),
        status: 'ok',
        blocks: { file: 'disk.img.blocks', count: 7, blockSize: MIB, damaged: 0, ranges: [] },
      });
      expect(fileOf(report)).not.toHaveProperty('actual');
      expect(fileOf(report, 'disk.img.blocks')).toMatchObject({ role: 'file', status: 'ok' });
      const detail = report.checks.find(({ id }) => id === 'manifest.digests')?.detail;
      expect(detail).toBe('3 of 3 files match the manifest, 1 of them by its blocks');
    }
  });

  test.each(['sha256', 'sha384', 'sha512'] as const)('has them by %s, as the manifest', async (algorithm) => {
    const blocks = blocksFor(DISK, { algorithm });
    const report = await verified({ files: [blocks, DISK], algorithm });
    expect([report.verdict, fileOf(report)?.blocks?.damaged]).toEqual(['trusted', 0]);
  });

  test('is compared whole where there is one core, one thread, no room, a pipe, or too little of it', async () => {
    const whole = async (made: Made, options: Partial<VerifyOptions> = {}): Promise<void> => {
      const report = await verified(made, options);
      const digest = createHash('sha256').update(DISK.bytes).digest('hex');
      expect([report.verdict, fileOf(report)?.actual, fileOf(report)?.blocks]).toEqual([
        'trusted',
        digest,
        undefined,
      ]);
    };
    const made = { files: APPLIANCE };
    cores = 1;
    await whole(made);
    cores = 4;
    await whole(made, { limits: { ...LIMITS, threads: 1 } });
    await whole(made, { limits: { ...LIMITS, blocksBytes: 10 } });
    await whole(made, { limits: { laneBytes: 32 * MIB } });
    await whole({ files: [DISK] });
    const { report } = await verify(chunked(await makeBundle(made)), trust);
    expect([report.verdict, fileOf(report)?.blocks]).toEqual(['trusted', undefined]);
    const gzip = sandbox.write('bundle.tgz', await makeBundle({ ...made, gzip: true }));
    expect(fileOf((await verify(gzip, trust)).report)?.blocks).toBeUndefined();
  });

  test('is compared whole where its digest costs no time, since others take as long', async () => {
    const other = disk(DISK.bytes.byteLength, [], 'other.img');
    cores = 2;
    const report = await verified({ files: [BLOCKS, DISK, blocksFor(other), other] });
    expect(report.verdict).toBe('trusted');
    for (const name of ['disk.img', 'other.img']) expect(fileOf(report, name)).toHaveProperty('actual');
    const small = disk(MIB, [], 'other.img');
    const mixed = await verified({ files: [BLOCKS, DISK, blocksFor(small), small] });
    expect(fileOf(mixed)).not.toHaveProperty('actual');
    expect(fileOf(mixed, 'other.img')).toHaveProperty('actual');
  });
});

describe('[blocks.8] a damaged member', () => {
  const places = [5, MIB - 1, 3 * MIB, 4 * MIB + 7, 6 * MIB + 99];
  const damaged = {
    count: 7,
    damaged: 4,
    ranges: [
      { offset: 0, length: MIB },
      { offset: 3 * MIB, length: 2 * MIB },
      { offset: 6 * MIB, length: 100 },
    ],
  };
  const words = '4 of 7 blocks differ, bytes 0 to 1048575, 3145728 to 5242879, 6291456 to 6291555';

  test('is refused with the places, by its blocks', async () => {
    const report = await verified({ files: APPLIANCE, instead: [disk(6 * MIB + 100, places)] });
    expect([report.verdict, report.exitCode, codesOf(report)]).toEqual(['invalid', 11, ['DIGEST_MISMATCH']]);
    expect(fileOf(report)).toMatchObject({ status: 'mismatch', blocks: damaged });
    expect(report.errors[0]).toMatchObject({
      message: `"disk.img" does not match its blocks in "disk.img.blocks": ${words}`,
      where: { member: 'disk.img', offset: fileOf(report)?.offset },
    });
  });

  test('is refused with the places after its digest did not match, where it can be read again', async () => {
    cores = 1;
    const made = { files: APPLIANCE, instead: [disk(6 * MIB + 100, places)] };
    for (const limits of [LIMITS, {}, { laneBytes: 1 }]) {
      const report = await verified(made, { limits });
      expect(codesOf(report)).toEqual(['DIGEST_MISMATCH']);
      expect(fileOf(report)).toMatchObject({ status: 'mismatch', blocks: damaged });
      expect(fileOf(report)).toHaveProperty('actual');
      expect(report.errors[0]?.message).toBe(
        `"disk.img" does not match its sha256 digest in "app.mf" line 3: ${words}`,
      );
    }
    const { report } = await verify(
      chunked(
        await makeBundle({
          files: APPLIANCE,
          members: (all) => all.map((one) => (one.name === 'disk.img' ? disk(6 * MIB + 100, places) : one)),
        }),
      ),
      trust,
    );
    expect(codesOf(report)).toEqual(['DIGEST_MISMATCH']);
    expect(fileOf(report)).not.toHaveProperty('blocks');
  });

  test('all over has its first 16 ranges named, and all blocks counted', async () => {
    const size = 40 * MIB;
    const every = Array.from({ length: 20 }, (_, i) => i * 2 * MIB);
    const good = disk(size);
    const report = await verified({ files: [blocksFor(good), good], instead: [disk(size, every)] });
    const { blocks } = fileOf(report) ?? {};
    expect([blocks?.damaged, blocks?.ranges.length]).toEqual([20, 16]);
    expect(report.errors[0]?.message).toMatch(/20 of 40 blocks differ, bytes 0 to 1048575, .*, …$/);
  });

  test('is not looked into when nobody has signed its blocks', async () => {
    const unlisted = await makeMembers({ files: [DISK] });
    const bytes = await makeBundle({ files: [DISK], members: () => [...unlisted, BLOCKS] });
    const { report } = await verify(sandbox.write('unlisted.ova', bytes), trust);
    expect(codesOf(report)).toEqual(['FILE_UNLISTED']);
    expect(fileOf(report)).not.toHaveProperty('blocks');
  });

  test('of another size is no conflict of those who signed', async () => {
    for (const size of [6 * MIB, 7 * MIB]) {
      const report = await verified({ files: [BLOCKS, DISK], instead: [disk(size)] });
      expect(codesOf(report)).toEqual(['DIGEST_MISMATCH']);
    }
  });
});

describe('[blocks.5] block digests that were changed', () => {
  test('are refused, and nothing is held against them', async () => {
    const report = await verified({
      files: [BLOCKS, DISK],
      instead: [blocksFor(DISK, { of: disk(6 * MIB + 100, [1]).bytes })],
    });
    expect(codesOf(report)).toEqual(['DIGEST_MISMATCH']);
    expect(fileOf(report)).toMatchObject({ status: 'ok', actual: expect.any(String) });
    expect(fileOf(report)).not.toHaveProperty('blocks');
  });

  test('together with the disk do not make it good', async () => {
    const other = disk(6 * MIB + 100, [1]);
    const header = { digest: createHash('sha256').update(DISK.bytes).digest('hex') };
    const report = await verified({ files: [BLOCKS, DISK], instead: [blocksFor(other, header), other] });
    expect(codesOf(report)).toEqual(['DIGEST_MISMATCH', 'DIGEST_MISMATCH']);
    expect(report.verdict).toBe('invalid');
  });
});

describe('[blocks.6] block digests that contradict the manifest are refused, by every way in', () => {
  const HEX = 'ab'.repeat(32);
  const named = (name: string, from: NamedBytes): NamedBytes => ({ ...from, name });

  test.each<[string, readonly NamedBytes[], string]>([
    [
      'another digest',
      [blocksFor(DISK, { digest: HEX }), DISK],
      'gives "disk.img" another digest than the manifest',
    ],
    ['another name', [blocksFor(DISK, { name: 'other.img' }), DISK], 'speaks of another file: "other.img"'],
    [
      'another algorithm',
      [blocksFor(DISK, { algorithm: 'sha512' }), DISK],
      'has sha512 digests, and the manifest a sha256 digest',
    ],
    [
      'another size',
      [blocksFor(DISK, { of: DISK.bytes.subarray(1) }), DISK],
      `gives "disk.img" ${6 * MIB + 99} bytes, and it has ${6 * MIB + 100}`,
    ],
    [
      'a subject that is not there',
      [named('gone.img.blocks', blocksFor(DISK, { name: 'gone.img' })), DISK],
      'speaks of "gone.img", which the manifest does not list',
    ],
    [
      'the manifest',
      [named('app.mf.blocks', blocksFor(DISK, { name: 'app.mf' })), DISK],
      'speaks of "app.mf", which the manifest does not list',
    ],
  ])('%s', async (_, files, message) => {
    for (const count of [1, 4]) {
      cores = count;
      const report = await verified({ files });
      expect([report.exitCode, codesOf(report)]).toEqual([16, ['BLOCKS_CONFLICT']]);
      expect(report.errors[0]?.message).toBe(`"${files[0]?.name}" ${message}`);
      expect(report.errors[0]?.where.member).toBe(files[0]?.name);
    }
    const { report } = await verify(chunked(await makeBundle({ files })), trust);
    expect(codesOf(report)).toEqual(['BLOCKS_CONFLICT']);
    using other = makeSandbox();
    expect((await importHere(other, chunked(await makeBundle({ files })))).imported).toBe(false);
  });

  test('[blocks.3] what is damaged, and signed as that', async () => {
    const broken = { ...BLOCKS, bytes: BLOCKS.bytes.subarray(0, -1) };
    for (const count of [1, 4]) {
      cores = count;
      const report = await verified({ files: [broken, DISK] });
      expect([report.exitCode, codesOf(report)]).toEqual([16, ['BLOCKS_SYNTAX']]);
      expect(report.errors[0]?.where).toMatchObject({ member: 'disk.img.blocks', line: 9 });
    }
  });

  test('[pack.5] and are not signed again', async () => {
    const path = await bundleOf({ files: [blocksFor(DISK, { digest: HEX }), DISK] });
    const identity = await identityOf(sandbox);
    const report = await sign(path, { output: sandbox.path('again.ova'), identity, format: 'tar' });
    expect([report.exitCode, codesOf(report)]).toEqual([16, ['BLOCKS_CONFLICT']]);
    expect(existsSync(sandbox.path('again.ova'))).toBe(false);
  });

  test('[blocks.1] of a version that is not known, or of another program, are ordinary files', async () => {
    for (const text of ['bulla-blocks/2\n{}\n', 'blocks of another kind', '']) {
      const report = await verified({ files: [textFile('disk.img.blocks', text), DISK] });
      expect([report.verdict, fileOf(report)?.blocks]).toEqual(['trusted', undefined]);
    }
  });

  test('of block digests, and of a descriptor, are right or wrong like others', async () => {
    const descriptor = descriptorFor('app.ovf', [DISK]);
    const files = [descriptor, blocksFor(descriptor), BLOCKS, blocksFor(BLOCKS), DISK];
    const report = await verified({ files });
    expect(codesOf(report)).toEqual(['FILE_UNREFERENCED', 'FILE_UNREFERENCED']);
    const stray = report.errors.map(({ where }) => where.member);
    expect(stray).toEqual(['app.ovf.blocks', 'disk.img.blocks.blocks']);
  });
});

describe('[blocks.10] a signer who lies', () => {
  const other = disk(6 * MIB + 100, [2 * MIB]);
  const lying = blocksFor(DISK, { of: other.bytes }); // the digest of one content, the blocks of another

  test('is believed about either content by one way of checking, and found out by the other', async () => {
    const first = await verified({ files: [lying, DISK] });
    expect(codesOf(first)).toEqual(['DIGEST_MISMATCH']);
    const second = await verified({ files: [lying, DISK], instead: [other] });
    expect(second.verdict).toBe('trusted');
    expect(fileOf(second)).not.toHaveProperty('actual');
    cores = 1;
    expect((await verified({ files: [lying, DISK] })).verdict).toBe('trusted');
    const whole = await verified({ files: [lying, DISK], instead: [other] });
    expect(codesOf(whole)).toEqual(['DIGEST_MISMATCH']);
    expect(whole.errors[0]?.message).toContain(
      'matches every block in "disk.img.blocks": they were signed of different contents',
    );
  });

  test('gets nothing imported but what the digest of the whole is of', async () => {
    for (const [content, imported] of [
      [DISK, true],
      [other, false],
    ] as const) {
      using place = makeSandbox();
      const path = await bundleOf({ files: [lying, DISK], instead: [content] });
      expect((await importHere(place, chunked(readFileSync(path)), { limits: LIMITS })).imported).toBe(
        imported,
      );
    }
  });
});

describe('[blocks.9] importers and tools', () => {
  test('accept block digests that the descriptor does not refer to, beside what it does', async () => {
    const report = await verified({ files: [descriptorFor('app.ovf', [DISK]), BLOCKS, DISK] });
    expect([report.verdict, codesOf(report)]).toEqual(['trusted', []]);
    const stray = await verified({
      files: [descriptorFor('app.ovf', [DISK]), DISK, EXTRA, blocksFor(EXTRA)],
    });
    expect(codesOf(stray)).toEqual(['FILE_UNREFERENCED', 'FILE_UNREFERENCED']);
  });

  test('store them like any file, and keep them', async () => {
    using place = makeSandbox();
    const result = await importHere(place, chunked(await makeBundle({ files: APPLIANCE })));
    expect(result.files?.map(({ name }) => name)).toContain('disk.img.blocks');
    const output = sandbox.path('normal.ova');
    const report = await normalize(await bundleOf({ files: APPLIANCE, order: 'trailing' }), {
      ...trust,
      output,
      format: 'tar',
      overwrite: true,
    });
    expect(report.exitCode).toBe(0);
    const again = await verify(output, trust);
    expect(fileOf(again.report)?.blocks?.damaged).toBe(0);
    expect(fileOf((await inspect(output, { limits: LIMITS })).report)).toHaveProperty('actual');
  });
});
