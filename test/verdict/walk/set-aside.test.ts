import { appendFileSync, truncateSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BundleError } from '../../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import type { Source, SourceParts } from '../../../src/kit/source.ts';
import { inspect } from '../../../src/operations/verify/inspect.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import type { HashedMember, Member } from '../../../src/verdict/walk/member.ts';
import { SetAside } from '../../../src/verdict/walk/set-aside.ts';
import { makeBundle, makeMembers, type NamedBytes, noiseFile } from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { mutated } from '../../factory/mutation.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { zipOf } from '../../factory/zip.ts';

const MIB = 1024 * 1024;
const APART = { laneBytes: 1, threads: 1 };

let sandbox: Sandbox;
let trust: VerifyOptions;
beforeAll(async () => {
  sandbox = makeSandbox();
  trust = await trusting(sandbox);
});
afterAll(() => sandbox[Symbol.dispose]());

/** The reports of verify and inspect, the members hashed on the way or apart. */
async function reportsOf(path: string, limits: VerifyOptions['limits'] = {}): Promise<readonly Report[]> {
  return [(await verify(path, { ...trust, limits })).report, (await inspect(path, { limits })).report];
}

function zeros(name: string, size: number): NamedBytes {
  return { name, bytes: new Uint8Array(size) };
}

async function expectSame(bytes: Uint8Array): Promise<readonly Report[]> {
  const path = sandbox.write('bundle', bytes);
  const onTheWay = await reportsOf(path, { laneBytes: Number.MAX_SAFE_INTEGER });
  expect(await reportsOf(path, APART)).toEqual(onTheWay);
  return onTheWay;
}

describe('[lane.1] members that are hashed apart from the walk get the report that they would get on the way', () => {
  test('cut off anywhere', async () => {
    const bundle = await makeBundle({});
    const seen = new Set<string>();
    for (let length = 0; length < bundle.byteLength; length += 256) {
      const [report] = await expectSame(bundle.subarray(0, length));
      for (const code of report ? codesOf(report) : []) seen.add(code);
    }
    expect([...seen]).toEqual(expect.arrayContaining(['ARCHIVE_TRUNCATED', 'ARCHIVE_EMPTY']));
  });

  test.each(['leading', 'trailing', 'split', 'first'] as const)('changed anywhere, %s', async (order) => {
    const bundle = await makeBundle({ order });
    await fc.assert(
      fc.asyncProperty(mutated(bundle), async (bytes) => {
        await expectSame(bytes);
      }),
      { numRuns: 60 },
    );
  });

  test('in gzip and in zip, where none can be', async () => {
    const members = await makeMembers({});
    await expectSame(await makeBundle({ gzip: true }));
    await expectSame(await zipOf(members));
  });

  test.each(['sha1', 'sha384', 'sha512'] as const)('by %s, signature first or last', async (algorithm) => {
    for (const order of ['leading', 'trailing'] as const) {
      const [report] = await expectSame(await makeBundle({ order, algorithm }));
      expect(report?.files.find(({ name }) => name === 'disk.img')).toMatchObject({
        algorithm,
        status: 'ok',
      });
    }
  });

  test('with a padding that is not zero behind a disk, and the disk wrong besides', async () => {
    const whole = await makeBundle({ files: [noiseFile('disk.img', 700)] });
    const at = Buffer.from(whole).indexOf(noiseFile('disk.img', 700).bytes);
    const bundle = flipped(whole, at);
    bundle[at + 700] = 1;
    const [report] = await expectSame(bundle);
    expect(report && codesOf(report)).toEqual(['ARCHIVE_PADDING', 'DIGEST_MISMATCH']);
  });

  test('disks of several MiB, by several threads, and what inspect sees in them', async () => {
    const disks = ['a.img', 'b.img', 'c.img'].map((name) => noiseFile(name, 5 * MIB + 1));
    const path = sandbox.write('big.ova', await makeBundle({ files: disks }));
    const onTheWay = await reportsOf(path);
    expect(onTheWay[0]?.verdict).toBe('trusted');
    expect(onTheWay[1]?.result).toHaveProperty(['disks', 'c.img']);
    for (const threads of [1, 2, 4]) {
      expect(await reportsOf(path, { laneBytes: MIB, threads })).toEqual(onTheWay);
    }
  });
});

describe('what goes wrong while they are hashed', () => {
  const events = (act: () => void): Pick<VerifyOptions, 'onProgress'> => {
    let done = false;
    return {
      onProgress: () => {
        if (done) return;
        done = true;
        act();
      },
    };
  };

  test.each([
    ['shorter', (path: string) => truncateSync(path, 2 * MIB)],
    ['longer', (path: string) => appendFileSync(path, new Uint8Array(512))],
  ])('[judge.6] a file that becomes %s is said to have changed', async (_, change) => {
    for (const limits of [{}, APART]) {
      const bytes = await makeBundle({ files: [noiseFile('disk.img', 4 * MIB)] });
      const path = sandbox.write('changing.ova', bytes);
      const options = { ...trust, limits, ...events(() => change(path)) };
      expect(codesOf((await verify(path, options)).report)[0]).toBe('FILE_CHANGED');
    }
  });

  test('[lane.3] an interruption: what is not hashed is not judged', async () => {
    const bytes = await makeBundle({ files: [noiseFile('disk.img', 4 * MIB), noiseFile('notes', 10)] });
    const path = sandbox.write('stopped.ova', bytes);
    for (const limits of [{}, { ...APART, laneBytes: MIB }]) {
      const stop = new AbortController();
      const options = { limits, signal: stop.signal, ...events(() => stop.abort()) };
      const { report } = await verify(path, { ...trust, ...options });
      expect([report.verdict, codesOf(report)[0]]).toEqual(['error', 'INTERRUPTED']);
      expect(codesOf(report)).not.toContain('PACKAGE_AMBIGUOUS');
      expect(report.files.map(({ name }) => name)).not.toContain('disk.img');
      const { report: seen, inspection } = await inspect(path, options);
      expect(codesOf(seen)).toEqual(['INTERRUPTED']);
      expect(inspection.disks).toEqual({});
    }
  });

  test('[lane.3] a deadline ends it', async () => {
    const path = sandbox.write('slow.ova', await makeBundle({ files: [zeros('disk.img', 70 * MIB)] }));
    const wait = (): void => {
      const end = performance.now() + 50;
      while (performance.now() < end);
    };
    const options = { ...trust, limits: APART, deadlineMs: 20, ...events(wait) };
    expect(codesOf((await verify(path, options)).report)[0]).toBe('INPUT_STALLED');
  });
});

describe('finishing', () => {
  const place = { size: 10, offset: 0, dataOffset: 512 };
  const read: HashedMember = { kind: 'hashed', name: 'read', ...place, digests: { sha256: 'aa' } };
  const entry = (name: string) => ({
    ...{ name, ...place },
    body: (async function* () {})(),
    takeAll: () => undefined,
  });
  const apart = (hash: SourceParts['hash']): SetAside => {
    const parts = { readAt: async () => new Uint8Array(0), lanes: () => 1, hash };
    const source: Pick<Source, 'parts' | 'size'> = { parts, size: MIB };
    const made = SetAside.of(source as Source, 'tar', { ...DEFAULT_LIMITS, laneBytes: 1 });
    if (!made) throw new Error('nothing can wait');
    return made;
  };
  const walked = (aside: SetAside): readonly Member[] =>
    Object.freeze([
      read,
      ...['first', 'second'].map((name) => Object.freeze(aside.take(entry(name), ['sha256']) ?? read)),
      { ...read, name: 'behind' },
    ]);
  const options = { onBytes: () => {} };

  test('[lane.1] gives the members in their order, and changes none that it was given', async () => {
    const aside = apart(async (ranges) => ranges.map(() => ({ pieces: 1, digest: () => 'bb' })));
    const members = walked(aside);
    expect(members.map(({ kind }) => kind)).toEqual(['hashed', 'unread', 'unread', 'hashed']);
    const { members: finished, error } = await aside.finish(members, options);
    expect(error).toBeUndefined();
    expect(finished.map(({ name, kind }) => [name, kind])).toEqual(
      ['read', 'first', 'second', 'behind'].map((name) => [name, 'hashed']),
    );
    expect(finished[1]).toEqual({ ...read, name: 'first', digests: { sha256: 'bb' } });
    expect(members[1]).toMatchObject({ kind: 'unread', algorithms: ['sha256'] });
  });

  test('[lane.3] with a fault leaves out the first that waits, and all behind it', async () => {
    const fault = new BundleError('INTERRUPTED', 'interrupted');
    const aside = apart(async () => {
      throw fault;
    });
    expect(await aside.finish(walked(aside), options)).toEqual({ members: [read], error: fault });
  });
});

test('progress counts every byte once, forwards', async () => {
  const path = sandbox.write(
    'told.ova',
    await makeBundle({ files: [zeros('a.img', 40 * MIB), noiseFile('b.img', MIB)] }),
  );
  const told: (readonly [number, number | undefined])[] = [];
  const onProgress: VerifyOptions['onProgress'] = ({ bytes, total }) => told.push([bytes, total]);
  await verify(path, { ...trust, limits: APART, onProgress });
  const size = told[0]?.[1] ?? 0;
  expect(told.at(-1)).toEqual([size, size]);
  const bytes = told.map(([count]) => count);
  expect(bytes).toEqual([...new Set(bytes)].sort((a, b) => a - b));
});
