import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BundleError } from '../../../src/kit/errors/errors.ts';
import { loadImageSigner } from '../../../src/operations/glance/sign-image.ts';
import type { ImportOptions } from '../../../src/operations/import/import-options.ts';
import type { ImportResult } from '../../../src/operations/import/import-result.ts';
import type { ImportSink } from '../../../src/operations/import/import-sink.ts';
import {
  archiveOf,
  DISK,
  descriptorFor,
  JUDGED_AT,
  makeBundle,
  makeMembers,
  type NamedBytes,
  NOTES,
  noiseFile,
} from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { rsaCertificate, UUID } from '../../factory/images.ts';
import { importHere, left, type RecordingSink, recordingSink } from '../../factory/importing.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { chunked, irregular, sourceOf } from '../../factory/streams.ts';
import { zipOf } from '../../factory/zip.ts';

const LARGE = noiseFile('large.img', 3_000_000);
const FILES = [descriptorFor('app.ovf', [LARGE, DISK, NOTES]), LARGE, DISK, NOTES];

/** Imports into a sink; nothing may be on the disk because of it. */
async function importInto(
  sink: ImportSink,
  bytes: Uint8Array,
  options: Partial<ImportOptions> = {},
): Promise<ImportResult> {
  using sandbox = makeSandbox();
  try {
    return await importHere(sandbox, chunked(bytes, 70_000), { ...options, destination: sink });
  } finally {
    expect(left(sandbox)).toEqual([]);
  }
}

function expectPublished(sink: RecordingSink, members: readonly NamedBytes[]): void {
  expect([...sink.published.keys()]).toEqual(members.map(({ name }) => name));
  for (const { name, bytes } of members) {
    expect(Buffer.compare(sink.published.get(name) ?? new Uint8Array(), bytes), name).toBe(0);
  }
}

describe('[import.11] a sink', () => {
  test('is told what counts of a trusted bundle, once, however it comes', async () => {
    const members = await makeMembers({ files: FILES });
    const bytes = await archiveOf(members);
    for (const sizes of [() => 512, irregular(1, 100_000), () => Number.POSITIVE_INFINITY]) {
      using sandbox = makeSandbox();
      const sink = recordingSink();
      const source = sourceOf(bytes, { sizes, hostile: true });
      const { kind, files, report } = await importHere(sandbox, source, { destination: sink });
      expect([kind, report.verdict, sink.told, sink.lost]).toEqual(['imported', 'trusted', ['publish'], []]);
      expectPublished(sink, members);
      expect(files?.map(({ name }) => name)).toEqual(members.map(({ name }) => name));
      expect(report.result).toEqual({ published: true, files: members.map(({ name }) => name) });
      expect(left(sandbox)).toEqual([]);
    }
  });

  test('is given members before the verdict, and asked to publish behind it', async () => {
    const whole = recordingSink();
    let before = 0;
    const sink = recordingSink({
      publish: async () => {
        before = sink.stored.size;
      },
    });
    await importInto(whole, await makeBundle({ files: FILES }));
    await importInto(sink, await makeBundle({ files: FILES }));
    expect(before).toBe(whole.stored.size);
  });

  test('is told the disk images alone where only they are asked for', async () => {
    const sink = recordingSink();
    await importInto(sink, await makeBundle({ files: FILES }), { imagesOnly: true });
    expectPublished(sink, [LARGE]);
    expect(sink.stored.has(NOTES.name)).toBe(true); // it has come, and does not count
  });

  test('publishes what is allowed by name', async () => {
    const sink = recordingSink();
    const bundle = await makeBundle({ files: FILES, signed: false });
    const { report } = await importInto(sink, bundle, { allow: { unsigned: true } });
    expect([report.verdict, sink.told]).toEqual(['unsigned', ['publish']]);
  });

  test('[zip.14] gets the members of a zip from a pipe', async () => {
    const members = await makeMembers({ files: FILES });
    const sink = recordingSink();
    const { report } = await importInto(sink, await zipOf(members));
    expect([report.verdict, sink.told]).toEqual(['trusted', ['publish']]);
    expectPublished(sink, members);
  });

  test('is neither told nor given anything in a dry run', async () => {
    const touched = (): never => {
      throw new Error('it was asked');
    };
    const sink = recordingSink({ create: touched, store: touched });
    const { kind, files } = await importInto(sink, await makeBundle({ files: FILES }), { dryRun: true });
    expect([kind, files?.length, sink.told]).toEqual(['would-be-imported', FILES.length + 2, []]);
  });

  test('may be an object of a class', async () => {
    class Counting implements ImportSink {
      #calls: string[] = [];
      async create(): ReturnType<ImportSink['create']> {
        this.#calls.push('create');
        return { write: async () => {}, finish: async () => {}, discard: async () => {} };
      }
      store(): undefined {
        this.#calls.push('store');
      }
      async publish(): Promise<void> {
        this.#calls.push('publish');
      }
      async discard(): Promise<void> {
        this.#calls.push('discard');
      }
      get calls(): readonly string[] {
        return this.#calls;
      }
    }
    const sink = new Counting();
    await importInto(sink, await makeBundle({ files: FILES }));
    expect(new Set(sink.calls)).toEqual(new Set(['create', 'store', 'publish']));
    expect(sink.calls.at(-1)).toBe('publish');
  });

  test('[glance.35] gets the properties of images that are signed on the way', async () => {
    using sandbox = makeSandbox();
    const key = sandbox.write('.keys/glance.pem', (await rsaCertificate()).privateKeyPem);
    const imageSigner = await loadImageSigner({ key }, { certificateUuid: UUID, at: JUDGED_AT });
    const members = await makeMembers({ files: FILES });
    const sink = recordingSink();
    const { images, report } = await importInto(sink, await archiveOf(members), { imageSigner });
    const added = images?.map(({ propertiesFile }) => propertiesFile) ?? [];
    expect(added).toEqual([`${LARGE.name}.site.glance.json`]);
    expect([...sink.published.keys()]).toEqual([...members.map(({ name }) => name), ...added]);
    expect(report.result?.images).toEqual(images);
    const refused = recordingSink();
    await importInto(refused, await archiveOf(members), { imageSigner, trust: {} });
    expect([refused.told, [...refused.stored.keys()].filter((name) => added.includes(name))]).toEqual([
      ['discard'],
      [],
    ]);
  });
});

describe('[import.11] a sink is told to discard, once,', () => {
  test('when the bundle is refused', async () => {
    const bundle = await makeBundle({ files: FILES });
    const at = Buffer.from(bundle).indexOf(Buffer.from(DISK.bytes));
    for (const [bytes, options, code] of [
      [flipped(bundle, at), {}, 'DIGEST_MISMATCH'],
      [await makeBundle({ files: FILES, signed: false }), {}, 'SIGNATURE_MISSING'],
      [bundle, { trust: {} }, 'TRUST_EMPTY'],
      [bundle.subarray(0, bundle.byteLength - 3000), {}, 'ARCHIVE_TRUNCATED'],
      [await makeBundle({ files: [NOTES] }), { imagesOnly: true }, 'USAGE'],
    ] as const) {
      const sink = recordingSink();
      const { kind, report } = await importInto(sink, bytes, options);
      expect([kind, codesOf(report), sink.told, sink.published.size]).toEqual([
        'refused',
        expect.arrayContaining([code]),
        ['discard'],
        0,
      ]);
    }
  });

  test('when the archive is cut anywhere', async () => {
    const bytes = await makeBundle({ files: FILES });
    for (let at = 0; at < bytes.byteLength; at += 250_000) {
      const sink = recordingSink();
      const { imported } = await importInto(sink, bytes.subarray(0, at));
      expect([imported, sink.told], `cut at ${at}`).toEqual([false, ['discard']]);
    }
  });

  test('when a signal or the deadline ends it in the middle of a member', async () => {
    const bundle = await makeBundle({ files: FILES });
    const stop = new AbortController();
    async function* stalling(): AsyncGenerator<Uint8Array, void> {
      yield bundle.subarray(0, 1_000_000);
      await new Promise(() => {});
    }
    const stopping = (): void => stop.abort();
    for (const [options, code] of [
      [{ signal: stop.signal, onProgress: stopping }, 'INTERRUPTED'],
      [{ deadlineMs: 2000 }, 'INPUT_STALLED'],
      [{ limits: { idleMs: 50 } }, 'INPUT_STALLED'],
    ] as const) {
      using sandbox = makeSandbox();
      const sink = recordingSink();
      const { report } = await importHere(sandbox, stalling(), { ...options, destination: sink });
      expect([codesOf(report), sink.told]).toEqual([[code], ['discard']]);
    }
  });

  test('[sink.3] when it does not answer itself, and a signal ends the waiting', async () => {
    let stop = new AbortController();
    const silent = (): Promise<never> => {
      setImmediate(() => stop.abort());
      return new Promise(() => {});
    };
    const member = { write: async () => {}, finish: async () => {}, discard: async () => {} };
    for (const faults of [
      { create: silent },
      { store: silent },
      { create: async () => ({ ...member, write: silent }) },
      { create: async () => ({ ...member, finish: silent }) },
    ]) {
      stop = new AbortController();
      const sink = recordingSink(faults);
      const { report } = await importInto(sink, await makeBundle({ files: FILES }), { signal: stop.signal });
      expect([codesOf(report), sink.told]).toEqual([['INTERRUPTED'], ['discard']]);
    }
  });

  test('when a signal comes between the last byte and the verdict', async () => {
    const bundle = await makeBundle({ files: FILES });
    const stop = new AbortController();
    const sink = recordingSink();
    const onProgress = ({ bytes }: { bytes: number }): void => {
      if (bytes === bundle.byteLength) stop.abort();
    };
    const { report } = await importInto(sink, bundle, { signal: stop.signal, onProgress });
    expect([codesOf(report), sink.told]).toEqual([['INTERRUPTED'], ['discard']]);
  });

  test('when nothing could be judged', async () => {
    for (const options of [{ trust: { anchors: ['nowhere.pem'] } }, { onProgress: broken }]) {
      const sink = recordingSink();
      const outcome = await importInto(sink, await makeBundle({ files: FILES }), options).catch(
        (error: unknown) => error,
      );
      expect(outcome).not.toMatchObject({ kind: 'imported' });
      expect(sink.told).toEqual(['discard']);
    }
    using sandbox = makeSandbox();
    const sink = recordingSink();
    const importing = importHere(sandbox, sandbox.path('nowhere.ova'), { destination: sink });
    await expect(importing).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(sink.told).toEqual(['discard']);
  });
});

function broken(): never {
  throw new TypeError('of the caller');
}

describe('[api.2] a sink that throws', () => {
  const member = { write: async () => {}, finish: async () => {}, discard: async () => {} };
  const full = async (): Promise<never> => {
    throw new BundleError('STORAGE_FULL', 'the store is full');
  };

  test.each<[string, Partial<ImportSink>, string]>([
    ['in create', { create: broken }, 'USAGE'],
    ['in store', { store: broken }, 'USAGE'],
    ['later, in store', { store: full }, 'STORAGE_FULL'],
    ['in write', { create: async () => ({ ...member, write: broken }) }, 'USAGE'],
    ['in finish', { create: async () => ({ ...member, finish: full }) }, 'STORAGE_FULL'],
    ['by giving nothing to write to', { create: async () => ({}) as never }, 'USAGE'],
  ])('%s, is told to discard, and the report says why', async (_, faults, code) => {
    const sink = recordingSink(faults);
    const { kind, report } = await importInto(sink, await makeBundle({ files: FILES }));
    expect([kind, codesOf(report), report.verdict, sink.told]).toEqual([
      'refused',
      [code],
      'error',
      ['discard'],
    ]);
  });

  test('in publish, ends the import with that, and is told nothing more', async () => {
    for (const [publish, code] of [
      [broken, 'USAGE'],
      [full, 'STORAGE_FULL'],
    ] as const) {
      const sink = recordingSink({ publish });
      const importing = importInto(sink, await makeBundle({ files: FILES }));
      await expect(importing).rejects.toMatchObject({ code });
      expect(sink.told).toEqual(['publish']);
    }
    const importing = importInto(recordingSink({ publish: broken }), await makeBundle({ files: FILES }));
    await expect(importing).rejects.toMatchObject({
      message: 'destination.publish() throws: of the caller',
      fix: expect.stringContaining('nothing undoes that'),
    });
  });

  test('in discard, takes the place of no verdict, and is said beside it', async () => {
    const said = /^what has come could not be discarded, and may still be there: .*of the caller/;
    const sink = recordingSink({ discard: broken });
    const unsigned = await makeBundle({ files: FILES, signed: false });
    const { report } = await importInto(sink, unsigned);
    expect([codesOf(report), sink.told]).toEqual([['SIGNATURE_MISSING'], ['discard']]);
    expect(report.warnings).toEqual([expect.stringMatching(said)]);
    const other = recordingSink({ discard: broken });
    const importing = importInto(other, unsigned, { trust: { anchors: ['nowhere.pem'] } });
    await expect(importing).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      fix: expect.stringContaining('may still be there'),
    });
    expect(other.told).toEqual(['discard']);
  });
});

describe('[import.12] what a sink cannot do', () => {
  test.each<[Partial<ImportOptions>]>([[{ resume: true }], [{ decompress: true }]])(
    '[api.3] is refused before anything is read: %o',
    async (options) => {
      using sandbox = makeSandbox();
      const sink = recordingSink();
      const importing = importHere(sandbox, sandbox.path('nowhere.ova'), { ...options, destination: sink });
      await expect(importing).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('beside a sink'),
      });
      expect(sink.told).toEqual([]);
    },
  );

  test('[api.1] nor is anything else one', async () => {
    const { create, store, publish, discard } = recordingSink();
    for (const destination of [
      {},
      { create, store },
      { create, store, publish },
      { create, store, discard },
      { create, publish, discard },
      { create, store, publish, discard: true },
      [create, store, publish, discard],
      null,
      1,
    ]) {
      const importing = importInto(destination as ImportSink, new Uint8Array(1));
      await expect(importing).rejects.toMatchObject({ code: 'USAGE' });
    }
    expect(existsSync('[object Object]')).toBe(false);
  });

  test('is joining: chunks are refused, unless they are asked for as they are stored', async () => {
    const name = (chunk: number): string => `disk.img.00000000${chunk}`;
    const parts = [0, 1, 2].map((chunk) => ({
      name: name(chunk),
      bytes: DISK.bytes.subarray(chunk * 400, Math.min((chunk + 1) * 400, 1000)),
    }));
    const attributes = 'ovf:size="1000" ovf:chunkSize="400"';
    const bundle = await makeBundle({
      files: [descriptorFor('app.ovf', ['disk.img'], { attributes }), ...parts],
    });
    for (const dryRun of [false, true]) {
      const sink = recordingSink();
      const { kind, report } = await importInto(sink, bundle, { dryRun });
      expect([kind, codesOf(report), sink.told]).toEqual(['refused', ['USAGE'], dryRun ? [] : ['discard']]);
      expect(report.errors[0]).toMatchObject({ where: { member: 'disk.img' } });
    }
    const sink = recordingSink();
    const { kind } = await importInto(sink, bundle, { keepChunks: true, imagesOnly: true });
    expect([kind, sink.told]).toEqual(['imported', ['publish']]);
    expectPublished(sink, parts);
  });
});
