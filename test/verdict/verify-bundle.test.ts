import { Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { BundleError } from '../../src/kit/errors/errors.ts';
import type { NamedBytes } from '../../src/kit/given-bytes.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { type VerifyBundleOptions, verifyBundle } from '../../src/verdict/verify-bundle.ts';
import type { BundleSink } from '../../src/verdict/walk/member.ts';
import {
  archiveOf,
  DISK,
  descriptorFor,
  JUDGED_AT,
  makeBundle,
  makeMembers,
  noiseFile,
  testAuthority,
  testSigner,
} from '../factory/bundles.ts';
import { makeCrlDer } from '../factory/crls.ts';
import { flipped } from '../factory/damage.ts';
import { codeOfAsync } from '../factory/errors.ts';
import { codesOf, valid } from '../factory/reports.ts';
import { chunked } from '../factory/streams.ts';
import { zipOf } from '../factory/zip.ts';

async function trusting(more: Partial<VerifyBundleOptions> = {}): Promise<VerifyBundleOptions> {
  const { pem } = await testAuthority();
  return {
    trust: { anchors: [{ name: 'ca', bytes: new TextEncoder().encode(pem) }] },
    at: JUDGED_AT,
    ...more,
  };
}

/** Takes everything, and says what became of it. */
function memory(): {
  readonly sink: BundleSink;
  readonly kept: Map<string, Uint8Array>;
  readonly lost: string[];
} {
  const kept = new Map<string, Uint8Array>();
  const lost: string[] = [];
  return {
    kept,
    lost,
    sink: {
      create: async (name) => {
        const parts: Uint8Array[] = [];
        return {
          write: async (chunk) => void parts.push(Uint8Array.from(chunk)),
          finish: async () => void kept.set(name, Uint8Array.from(Buffer.concat(parts))),
          discard: async () => void lost.push(name),
        };
      },
      store: (name, content) => void kept.set(name, content),
    },
  };
}

const BIG = noiseFile('big.img', 3_000_000);
const files = (): readonly NamedBytes[] => [descriptorFor('app.ovf', [DISK, BIG]), DISK, BIG];

describe('[core.2] a bundle that comes as data', () => {
  test('is taken from an array of another realm, and its memory must be there', async () => {
    const bundle = await makeBundle();
    const options = await trusting();
    const foreign = runInNewContext('new Uint8Array(length)', { length: bundle.byteLength }) as Uint8Array;
    foreign.set(bundle);
    expect(foreign).not.toBeInstanceOf(Uint8Array);
    expect((await verifyBundle(foreign, options)).verdict).toBe('trusted');
    const nameless = Object.setPrototypeOf(Uint8Array.from(bundle), null) as Uint8Array;
    expect((await verifyBundle(nameless, options)).verdict).toBe('trusted');
    const gone = Uint8Array.from(bundle);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(await codeOfAsync(verifyBundle(gone, options))).toBe('USAGE');
  });

  test('gets the report of verify, from bytes and from a stream in any pieces', async () => {
    const bundle = await makeBundle({ files: files() });
    const options = await trusting();
    const cases = [
      bundle,
      await makeBundle({ gzip: true }),
      flipped(bundle, 5000),
      bundle.subarray(0, 9000),
      new Uint8Array(0),
    ];
    for (const bytes of cases) {
      const { report: expected } = await verify(chunked(bytes), options);
      for (const size of [513, 1 << 20]) {
        const { report } = await verifyBundle(chunked(bytes, size), options);
        expect(valid(report)).toEqual(expected);
      }
      const { report } = await verifyBundle(bytes, options);
      const inBytes = JSON.stringify(expected).replaceAll('(stream)', '(bytes)');
      expect({ ...report, input: { ...report.input, size: undefined } }).toEqual({
        ...JSON.parse(inBytes),
        input: { ...JSON.parse(inBytes).input, size: undefined },
      });
    }
  });

  test('[stream.1] is taken from a stream of Node and from one of the web', async () => {
    const bundle = await makeBundle({ files: files() });
    const options = await trusting();
    const pieces = Array.from({ length: Math.ceil(bundle.byteLength / 65_536) }, (_, i) =>
      bundle.slice(i * 65_536, (i + 1) * 65_536),
    );
    for (const stream of [Readable.from(pieces), Readable.toWeb(Readable.from(pieces))])
      expect((await verifyBundle(stream as AsyncIterable<Uint8Array>, options)).verdict).toBe('trusted');
  });

  test('[zip.14] may be a zip in bytes, and in a stream not', async () => {
    const zip = await zipOf(await makeMembers());
    const options = await trusting();
    expect((await verifyBundle(zip, options)).verdict).toBe('trusted');
    expect(codesOf((await verifyBundle(chunked(zip), options)).report)).toEqual(['FORMAT_UNSUPPORTED']);
  });

  test('is judged by lists, publishers and a time that are data', async () => {
    const bundle = await makeBundle();
    const revoked = [{ certificate: await testSigner(), reason: 1 }];
    const crl = { name: 'list', bytes: await makeCrlDer({ issuer: await testAuthority(), revoked }) };
    const codes = async (more: Partial<VerifyBundleOptions>): Promise<readonly string[]> =>
      codesOf((await verifyBundle(bundle, await trusting(more))).report);
    expect(await codes({ revocation: { crls: [crl] } })).toEqual(['CERTIFICATE_REVOKED']);
    expect(await codes({ at: new Date('2126-01-01T00:00:00Z') })).toContain('CERTIFICATE_EXPIRED');
    const { anchors = [] } = (await trusting()).trust;
    expect(await codes({ trust: { publishers: [{ name: 'acme', anchors, scopes: ['other/*'] }] } })).toEqual([
      'SCOPE_REFUSED',
    ]);
  });
});

describe('[core.2] a sink', () => {
  test('has the members of a trusted bundle, and ends with the first that is wrong', async () => {
    const bundle = await makeBundle({ files: files() });
    const good = memory();
    const result = await verifyBundle(chunked(bundle), await trusting({ sink: good.sink }));
    expect(result.verdict).toBe('trusted');
    for (const { name, bytes } of files()) expect(good.kept.get(name), name).toEqual(bytes);
    const bad = memory();
    const at = Buffer.from(bundle).indexOf(Buffer.from(DISK.bytes));
    const refused = await verifyBundle(chunked(flipped(bundle, at)), await trusting({ sink: bad.sink }));
    expect(codesOf(refused.report)).toEqual(['DIGEST_MISMATCH']);
    expect([...bad.kept.keys()]).not.toContain(BIG.name);
    const cut = memory();
    await verifyBundle(
      chunked(bundle.subarray(0, bundle.byteLength - 2_000_000)),
      await trusting({ sink: cut.sink }),
    );
    expect(cut.lost).toEqual([BIG.name]);
  });

  test('[api.2] that throws is a slip of its owner, and no fault of the bundle', async () => {
    const bundle = await makeBundle({ files: files() });
    const { sink } = memory();
    const broken = (): never => {
      throw new TypeError('of the caller');
    };
    const own = async (): Promise<never> => {
      throw new BundleError('STORAGE_FULL', 'the store is full');
    };
    const member = await sink.create('x', 1);
    for (const [given, code] of [
      [{ ...sink, store: broken }, 'USAGE'],
      [{ ...sink, create: broken }, 'USAGE'],
      [{ ...sink, create: async () => ({ ...member, write: broken }) }, 'USAGE'],
      [{ ...sink, create: async () => ({}) as never }, 'USAGE'],
      [{ ...sink, create: async () => ({ ...member, finish: own }) }, 'STORAGE_FULL'],
    ] as const) {
      const { report } = await verifyBundle(bundle, await trusting({ sink: given }));
      expect(codesOf(report)).toEqual([code]);
      expect(report.verdict).toBe('error');
    }
  });

  test('[sink.1] [sink.2] is told one end of a member, and what its discarding throws is not what is told', async () => {
    const bundle = await makeBundle({ files: files() });
    const ends: string[] = [];
    const failing = (which: 'write' | 'finish'): BundleSink => {
      const call = (name: string) => async (): Promise<void> => {
        if (name !== 'write') ends.push(name);
        if (name !== 'write' || which === 'write') throw new Error(`${name} fails`);
      };
      const member = { write: call('write'), finish: call('finish'), discard: call('discard') };
      return { create: async () => member, store: () => undefined };
    };
    for (const [which, end] of [
      ['write', 'discard'],
      ['finish', 'finish'],
    ] as const) {
      const { report } = await verifyBundle(bundle, await trusting({ sink: failing(which) }));
      expect([ends.splice(0), report.errors.map(({ message }) => message)]).toEqual([
        [end],
        [`sink.create().${which}() throws: ${which} fails`],
      ]);
    }
  });
});

describe('[sink.3] a sink of members that does not answer', () => {
  type Method = 'create' | 'store' | 'write' | 'finish';

  /** A sink that is silent in one method, and says when it has got there. */
  function silent(
    method: Method,
    onCall: () => void,
  ): { readonly sink: BundleSink; readonly told: string[] } {
    const told: string[] = [];
    const answer = (called: Method | 'discard'): Promise<void> => {
      told.push(called);
      if (called === method) onCall();
      return called === method || called === 'discard' ? new Promise(() => {}) : Promise.resolve();
    };
    const sink: BundleSink = {
      create: async () => {
        await answer('create');
        return {
          write: () => answer('write'),
          finish: () => answer('finish'),
          discard: () => answer('discard'),
        };
      },
      store: () => (method === 'store' ? answer('store') : undefined),
    };
    return { sink, told };
  }

  test.each<Method>(['create', 'store', 'write', 'finish'])('in %s is left at a signal', async (method) => {
    const stop = new AbortController();
    const { sink, told } = silent(method, () => stop.abort());
    const options = await trusting({ sink, signal: stop.signal });
    const { report } = await verifyBundle(await makeBundle({ files: files() }), options);
    expect(codesOf(report)).toEqual(['INTERRUPTED']);
    expect(told.at(-1)).toBe(method === 'write' ? 'discard' : method);
    expect(told.filter((one) => one === 'discard').length).toBe(method === 'write' ? 1 : 0);
  });

  test('is left at a deadline', async () => {
    const options = await trusting({ sink: silent('write', () => {}).sink, deadlineMs: 50 });
    const { report } = await verifyBundle(await makeBundle({ files: files() }), options);
    expect(codesOf(report)).toEqual(['INPUT_STALLED']);
  });

  test('in create is discarded when it comes too late', async () => {
    const told: string[] = [];
    const stop = new AbortController();
    let come = (): void => {};
    const late = new Promise<void>((resolve) => {
      come = resolve;
    });
    const discarded = new Promise<void>((resolve) => {
      const sink: BundleSink = {
        create: async () => {
          stop.abort(); // no deadline: on a busy machine it may pass before this is reached
          await late;
          return {
            write: async () => {},
            finish: async () => void told.push('finish'),
            discard: async () => resolve(),
          };
        },
        store: () => undefined,
      };
      void trusting({ sink, signal: stop.signal })
        .then(async (options) => verifyBundle(await makeBundle({ files: files() }), options))
        .then(come);
    });
    await discarded;
    expect(told).toEqual([]);
  });
});

describe('bytes whose memory goes away', () => {
  const take = ({ buffer }: Uint8Array): void =>
    void structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });

  test.each(['tar', 'zip'])('[stream.7] while a %s is read say nothing about the bundle', async (format) => {
    const members = await makeMembers({ files: files() });
    const packed = await (format === 'zip' ? zipOf(members) : archiveOf(members));
    for (const when of ['at once', 'on the way']) {
      const bundle = Uint8Array.from(packed);
      const onProgress = (): void => {
        if (bundle.byteLength > 0) take(bundle);
      };
      const options = await trusting(when === 'on the way' ? { onProgress } : {});
      const judging = verifyBundle(bundle, options);
      if (when === 'at once') take(bundle);
      expect(codesOf((await judging).report)).toEqual(['FILE_CHANGED']);
    }
  });

  test('[stream.7] do so when they are cut, too', async () => {
    const packed = await makeBundle({ files: files() });
    const memory = Reflect.construct(ArrayBuffer, [
      packed.byteLength,
      { maxByteLength: packed.byteLength },
    ]) as ArrayBuffer & { resize(length: number): void };
    const bundle = new Uint8Array(memory);
    bundle.set(packed);
    const judging = verifyBundle(bundle, await trusting());
    memory.resize(1000);
    expect(codesOf((await judging).report)).toEqual(['FILE_CHANGED']);
  });

  test('[stream.7] are at hand, however short the waiting for others may be', async () => {
    const options = await trusting({ limits: { idleMs: 0 } });
    expect((await verifyBundle(await makeBundle(), options)).verdict).toBe('trusted');
  });

  test.each(['tar', 'zip'])('[sink.1] in the sink of a %s are its own, at once and later', async (format) => {
    const members = await makeMembers({ files: files() });
    const bundle = await (format === 'zip' ? zipOf(members) : archiveOf(members));
    for (const later of [false, true]) {
      const sink: BundleSink = {
        create: async () => ({
          write: async (chunk) => {
            chunk.fill(0);
            if (later) setImmediate(() => take(chunk));
            else take(chunk);
          },
          finish: async () => {},
          discard: async () => {},
        }),
        store: () => undefined,
      };
      expect((await verifyBundle(bundle, await trusting({ sink }))).verdict).toBe('trusted');
    }
  });
});

test('[api.1] [pub.20] what is given is data, all of it, and nothing else', async () => {
  const bundle = await makeBundle();
  const options = await trusting();
  const { at: _, ...timeless } = options;
  for (const wrong of [
    undefined,
    {},
    timeless,
    { ...options, trust: undefined },
    { ...options, trust: { anchors: ['ca.pem'] } },
    { ...options, trust: { folders: ['trust'] } },
    { ...options, revocation: { crls: ['a.crl'] } },
    { ...options, remember: false },
    { ...options, sink: {} },
    { ...options, deadlineMs: 0 },
  ]) {
    expect(await codeOfAsync(verifyBundle(bundle, wrong as VerifyBundleOptions)), JSON.stringify(wrong)).toBe(
      'USAGE',
    );
  }
  for (const wrong of [undefined, 'app.ova', [bundle], new ArrayBuffer(3)]) {
    expect(await codeOfAsync(verifyBundle(wrong as unknown as Uint8Array, options))).toBe('USAGE');
  }
  expect(codesOf((await verifyBundle(await archiveOf([]), options)).report).length).toBeGreaterThan(0);
});

test('[cli.21] a signal ends the reading', async () => {
  const stop = new AbortController();
  const bundle = await makeBundle({ files: files() });
  async function* stopped(): AsyncGenerator<Uint8Array> {
    yield bundle.subarray(0, 10_000);
    stop.abort();
    yield bundle.subarray(10_000);
  }
  const { report } = await verifyBundle(stopped(), await trusting({ signal: stop.signal }));
  expect(codesOf(report)).toEqual(['INTERRUPTED']);
});
