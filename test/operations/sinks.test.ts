import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as library from '../../src/index.ts';
import { concat, copyBytes } from '../../src/kit/bytes.ts';
import { BundleError } from '../../src/kit/errors/errors.ts';
import { JUDGED_AT, makeBundle, noiseFile, testAuthority } from '../factory/bundles.ts';
import { flipped } from '../factory/damage.ts';
import { codeOfAsync } from '../factory/errors.ts';
import { identityOf, placeBundle } from '../factory/packing.ts';
import { makeSandbox, type Sandbox, trusting } from '../factory/sandbox.ts';
import { makeTimestampAuthority, makeTokenDer } from '../factory/timestamps.ts';

const MIB = 1024 * 1024;

let sandbox: Sandbox;
let works: Readonly<Record<string, Work>>;

beforeAll(async () => {
  sandbox = makeSandbox();
  works = await worksIn(sandbox);
}, 120_000);
afterAll(() => sandbox[Symbol.dispose]());

/** What a program may give for where and how long. */
interface Given {
  readonly output: string | library.ByteSink;
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/** An operation that writes one file: its report, or the error that it throws. */
type Work = (given: Given) => Promise<library.Report>;

async function worksIn(box: Sandbox): Promise<Readonly<Record<string, Work>>> {
  const identity = await identityOf(box);
  const bundle = await placeBundle(box, { files: [noiseFile('disk.img', 6 * MIB + 5)] });
  const inputs = [box.write('a.bin', noiseFile('a', 3 * MIB).bytes), box.write('b.txt', 'text'.repeat(9999))];
  const trust = await trusting(box);
  const tsa = await makeTimestampAuthority(await testAuthority());
  const tokens = new Map<string, Uint8Array>();
  const source = async (over: Uint8Array): Promise<Uint8Array> => {
    const key = Buffer.from(over).toString('hex');
    const token = tokens.get(key) ?? makeTokenDer({ over, authority: tsa, time: JUDGED_AT });
    tokens.set(key, token);
    return token;
  };
  await library.split(bundle, { volumeSize: MIB, folders: [box.folder] });
  const volumes = box.list().filter((name) => name.startsWith('in.ova.'));
  const imageSigner = {
    signer: identity.signer,
    keyType: 'RSA-PSS',
    hash: 'SHA-256',
    certificateUuid: '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d',
    files: [],
    warnings: [],
  } as const;
  const packed =
    (more: Partial<library.PackOptions>): Work =>
    (given) =>
      library.pack(inputs, { format: 'tar', name: 'app', plain: true, identity, ...more, ...given });
  const copied = { format: 'tar', identity } as const;
  return {
    pack: packed({}),
    'pack, gzip': packed({ format: 'tgz' }),
    'pack, zip': packed({ format: 'zip' }),
    'pack, trailing': packed({ order: 'trailing' }),
    sign: (given) => library.sign(bundle, { ...copied, ...given }),
    'sign, zip': (given) => library.sign(bundle, { ...copied, format: 'zip', ...given }),
    signFile: (given) => library.signFile(bundle, { identity, ...given }),
    timestamp: (given) => library.timestamp(bundle, { format: 'tar', source, ...given }),
    normalize: (given) => library.normalize(bundle, { ...trust, format: 'tar', ...given }),
    'normalize, gzip': (given) => library.normalize(bundle, { ...trust, format: 'tgz', ...given }),
    join: (given) => library.join(volumes.map(box.path), given),
    signImage: async (given) =>
      (await library.signImage(bundle, { signer: { ...imageSigner }, ...given })).report,
  };
}

/** What a sink has been told, and what it has. */
interface Told {
  readonly calls: string[];
  readonly parts: Uint8Array[];
}

/** A sink of a class, which finds itself by `this`, and fails where it is told to. */
class Keeping implements library.ByteSink, Told {
  readonly calls: string[] = [];
  readonly parts: Uint8Array[] = [];
  readonly #fail: (call: 'write' | 'finish' | 'discard', nth: number) => void;

  constructor(fail: (call: 'write' | 'finish' | 'discard', nth: number) => void = () => {}) {
    this.#fail = fail;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.calls.at(-1) !== 'write') this.calls.push('write');
    this.#fail('write', this.parts.length);
    this.parts.push(chunk);
  }

  async finish(): Promise<void> {
    this.calls.push('finish');
    this.#fail('finish', 0);
  }

  async discard(): Promise<void> {
    this.calls.push('discard');
    this.#fail('discard', 0);
  }
}

/** What the same work gives on standard output. */
async function onStandardOutput(work: Work): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk, done) => {
    parts.push(copyBytes(chunk as Uint8Array));
    (done as unknown as () => void)();
    return true;
  });
  try {
    await work({ output: '-' });
  } finally {
    write.mockRestore();
  }
  return concat(parts);
}

const NAMES = [
  'pack',
  'pack, gzip',
  'pack, zip',
  'pack, trailing',
  'sign',
  'sign, zip',
  'signFile',
  'timestamp',
  'normalize',
  'normalize, gzip',
  'join',
  'signImage',
] as const;

const workOf = (name: string): Work => works[name] ?? (() => Promise.reject(new Error(name)));

describe('a sink in the place of a file', () => {
  test.each(NAMES)(
    '[sink.1] gets what standard output and a file get, and is finished once: %s',
    async (name) => {
      const sink = new Keeping();
      const before = sandbox.list();
      const report = await workOf(name)({ output: sink });
      expect([report.exitCode, sink.calls, sandbox.list()]).toEqual([0, ['write', 'finish'], before]);
      expect(report.result).toBeDefined();
      expect(report.result).not.toHaveProperty('output');
      const got = concat(sink.parts);
      const file = sandbox.path(`out-${name}`);
      const named = await workOf(name)({ output: file });
      expect(named.result).toMatchObject({ output: file });
      // The salt of a PSS signature is drawn anew each time.
      if (name === 'signImage')
        expect(JSON.parse(Buffer.from(got).toString())).toHaveProperty('img_signature');
      else {
        // [pack.6] where it cannot be taken back, the signature stands behind all files
        expect(Buffer.compare(got, readFileSync(file)) === 0).toBe(name !== 'sign');
        expect(Buffer.compare(got, await onStandardOutput(workOf(name)))).toBe(0);
      }
    },
  );

  test.each(NAMES)(
    '[sink.1] [sink.2] is finished or discarded, never both, whatever fails and when: %s',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('write', 'finish', 'discard', 'signal', 'before'),
          fc.nat({ max: 4 }),
          fc.boolean(),
          async (where, nth, isOurs) => {
            const stop = new AbortController();
            if (where === 'before') stop.abort();
            const sink = new Keeping((call, n) => {
              if (where === 'signal' && call === 'write' && n >= nth) stop.abort();
              if (call === where && (call !== 'write' || n >= nth))
                throw isOurs
                  ? new BundleError('STORAGE_FULL', 'the store is full')
                  : new TypeError('of the caller');
            });
            const code = await codeOfAsync(workOf(name)({ output: sink, signal: stop.signal }));
            const ends = sink.calls.filter((call) => call !== 'write');
            expect(ends).toHaveLength(1);
            expect(sink.calls.at(-1)).toBe(ends[0]);
            const isBad = where === 'finish' ? 'finish' : 'discard';
            if (code === undefined) expect(ends).toEqual(['finish']);
            else {
              expect(ends).toEqual([isBad]);
              const isSignal = where === 'signal' || where === 'before';
              expect(code).toBe(isSignal ? 'INTERRUPTED' : isOurs ? 'STORAGE_FULL' : 'USAGE');
            }
            if (where === 'finish' || where === 'before') expect(code).toBeDefined();
          },
        ),
        { numRuns: 12 },
      );
    },
    120_000,
  );

  test.each(NAMES)('[sink.2] that fails is named, and what it says told: %s', async (name) => {
    const fail = (which: string) => (call: string) => {
      if (call === which) throw new Error('no room');
    };
    for (const which of ['write', 'finish']) {
      const work = workOf(name)({ output: new Keeping(fail(which)) });
      await expect(work).rejects.toMatchObject({
        code: 'USAGE',
        message: `output.${which}() throws: no room`,
      });
    }
  });

  test.each(NAMES)('[api.3] replaces nothing, and is not touched where it is told to: %s', async (name) => {
    const sink = new Keeping();
    const work = workOf(name)({ output: sink, overwrite: true });
    await expect(work).rejects.toMatchObject({ code: 'USAGE', message: /overwrite .* sink/ });
    expect(sink.calls).toEqual([]);
    const half = { write: async () => {}, finish: async () => {} } as unknown as library.ByteSink;
    expect(await codeOfAsync(workOf(name)({ output: half }))).toBe('USAGE');
  });

  test('[sink.1] is discarded when the input is refused, is not there or is damaged, and what its discarding throws is not told', async () => {
    const good = await makeBundle();
    const bad = flipped(good, good.byteLength - 3000);
    const damaged = sandbox.write('bad.ova', bad);
    const identity = await identityOf(sandbox);
    const { pem } = await testAuthority();
    const refusing = (): never => {
      throw new Error('cannot be taken back');
    };
    const trust = { trust: { anchors: [sandbox.write('other.pem', pem)] }, at: new Date('2199-01-01') };
    const discarded: Readonly<Record<string, (output: Keeping) => Promise<library.Report>>> = {
      'sign, damaged': (output) => library.sign(damaged, { output, format: 'tar', identity }),
      'sign, zip of what is damaged': (output) => library.sign(damaged, { output, format: 'zip', identity }),
      'sign, not there': (output) => library.sign(sandbox.path('none'), { output, format: 'tar', identity }),
      'normalize, not trusted': (output) =>
        library.normalize(sandbox.path('in.ova'), { ...trust, output, format: 'tar' }),
      'pack, not there': (output) =>
        library.pack([sandbox.path('none')], { output, format: 'tar', name: 'app', plain: true }),
      'join, not there': (output) => library.join([sandbox.path('none')], { output }),
    };
    for (const [name, work] of Object.entries(discarded)) {
      const sink = new Keeping((call) => (call === 'discard' ? refusing() : undefined));
      const end = await work(sink).then(
        ({ exitCode }) => exitCode,
        (error: BundleError) => error.code,
      );
      expect([name, sink.calls.at(-1)]).toEqual([name, 'discard']);
      expect(sink.calls).not.toContain('finish');
      expect(end, name).not.toBe(0);
      expect(end, name).not.toBe('USAGE');
    }
  });

  test.each(['pack', 'join'])(
    '[sink.3] is waited for: no more is read than it has taken, and a little: %s',
    async (name) => {
      let [taken, ahead, running, most] = [0, 0, 0, 0];
      const sink: library.ByteSink = {
        write: async (chunk) => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          taken += chunk.byteLength;
          running--;
        },
        finish: async () => {},
        discard: async () => {},
      };
      const big = sandbox.write('big.bin', new Uint8Array(32 * MIB));
      const onProgress = ({ phase, bytes }: library.ProgressEvent): void => {
        if (phase === 'write') ahead = Math.max(ahead, bytes - 32 * MIB - taken);
        if (phase === 'read') ahead = Math.max(ahead, bytes - taken);
      };
      if (name === 'pack')
        await library.pack([big], { output: sink, format: 'tar', name: 'app', plain: true, onProgress });
      else {
        using parts = makeSandbox();
        await library.split(big, { volumeSize: 20 * MIB, folders: [parts.folder] });
        await library.join([parts.folder], { output: sink, onProgress });
      }
      expect([taken >= 32 * MIB, most]).toEqual([true, 1]);
      expect(ahead).toBeLessThanOrEqual(3 * MIB);
    },
  );

  test.each(NAMES)('[sink.3] that takes nothing is left when the work is interrupted: %s', async (name) => {
    const stop = new AbortController();
    const calls: string[] = [];
    const sink: library.ByteSink = {
      write: () => {
        calls.push('write');
        stop.abort();
        return new Promise(() => {});
      },
      finish: async () => void calls.push('finish'),
      discard: async () => void calls.push('discard'),
    };
    expect(await codeOfAsync(workOf(name)({ output: sink, signal: stop.signal }))).toBe('INTERRUPTED');
    expect(calls).toEqual(['write', 'discard']);
  });
});
