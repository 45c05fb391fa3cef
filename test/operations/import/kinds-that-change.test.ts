import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join as joinPath } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { openImage } from '../../../src/operations/verify/open-image.ts';
import { join } from '../../../src/operations/volumes/join.ts';
import { split } from '../../../src/operations/volumes/split.ts';
import { archiveOf, descriptorFor, makeMembers, type NamedBytes, noiseFile } from '../../factory/bundles.ts';
import { expectFiles, importHere } from '../../factory/importing.ts';
import { blocksOf } from '../../factory/resuming.ts';
import { makeSandbox, trusting } from '../../factory/sandbox.ts';
import { zipOf } from '../../factory/zip.ts';

const MIB = 1024 * 1024;

/** A bundle of each kind, with what is in it. */
interface Kind {
  readonly bytes: Uint8Array;
  readonly members: readonly NamedBytes[];
  /** the member that has block digests */
  readonly image: NamedBytes;
}

const kinds = new Map<string, Kind>();

async function membersWith(name: string): Promise<Omit<Kind, 'bytes'>> {
  const image = noiseFile(name, 3 * MIB + 77);
  const blocks = blocksOf(image);
  const members = await makeMembers({ files: [descriptorFor('app.ovf', [image, blocks]), blocks, image] });
  return { image, members };
}

beforeAll(async () => {
  const plain = await membersWith('disk.img');
  const gz = await membersWith('disk.img.gz');
  const chunk = await membersWith('disk.img.000000000');
  kinds.set('a compressed tar', { ...plain, bytes: await archiveOf(plain.members, true) });
  kinds.set('a zip', { ...plain, bytes: await zipOf(plain.members) });
  kinds.set('a tar with a compressed disk', { ...gz, bytes: await archiveOf(gz.members) });
  kinds.set('a tar with a chunk of a disk', { ...chunk, bytes: await archiveOf(chunk.members) });
});

/** Writes other bytes at a place of a file, and puts its modification time back. */
function poke(path: string, at: number): void {
  const { atime, mtime } = statSync(path);
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Buffer.alloc(4096, 7), 0, 4096, at);
  closeSync(descriptor);
  utimesSync(path, atime, mtime);
}

const part = (path: string, of: number): number => Math.floor(statSync(path).size * of);
const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  'written to at its front': (path) => poke(path, 0),
  'written to in the middle': (path) => poke(path, part(path, 0.5)),
  'written to near its end': (path) => poke(path, part(path, 0.9)),
  'cut at nothing': (path) => truncateSync(path, 0),
  'cut in the middle': (path) => truncateSync(path, part(path, 0.5)),
  'made longer': (path) => appendFileSync(path, Buffer.alloc(10_240)),
  'replaced by another': (path) => {
    copyFileSync(path, `${path}.new`);
    poke(`${path}.new`, part(path, 0.5));
    renameSync(`${path}.new`, path);
  },
};

const cases = [
  'a compressed tar',
  'a zip',
  'a tar with a compressed disk',
  'a tar with a chunk of a disk',
].flatMap((kind) => Object.keys(CHANGES).map((change) => [kind, change] as const));

describe.each(cases)('[stamp.1] [stamp.3] %s that is %s at a step of its reading', (name, what) => {
  const kind = (): Kind => kinds.get(name) as Kind;
  const change = CHANGES[what] as (path: string) => void;

  test('[import.1] is imported as it was signed, or not at all', async () => {
    let steps = 0;
    for (let step = 0; step <= steps; step++) {
      using sandbox = makeSandbox();
      const path = sandbox.write('bundle', kind().bytes);
      let count = 0;
      const onProgress = (): void => {
        if (++count === step) change(path);
      };
      const imported = await importHere(sandbox, path, { onProgress }).then(
        (result) => result.imported,
        (error) => {
          expect(isBundleError(error), String(error)).toBe(true);
          return false;
        },
      );
      if (step === 0) {
        steps = Math.min(count, 4);
        expect([imported, steps > 0]).toEqual([true, true]);
      }
      if (imported) expectFiles(sandbox, kind().members);
      else expect(existsSync(sandbox.path('home/here'))).toBe(false);
    }
  });

  test('[blocks.11] gives parts of an image as they were signed, or an error', async () => {
    const { image, bytes } = kind();
    let steps = 0;
    for (let step = 0; step <= steps + 1; step++) {
      using sandbox = makeSandbox();
      const trust = await trusting(sandbox);
      const path = sandbox.write('bundle', bytes);
      let count = 0;
      const onProgress = (): void => {
        if (++count === step) change(path);
      };
      try {
        await using open = await openImage(path, image.name, { ...trust, onProgress });
        if (step === 0) steps = Math.min(count, 4);
        if (step > steps) change(path);
        for (const offset of [0, MIB - 1, 2 * MIB + 17]) {
          const given = await open.read(offset, MIB / 2);
          expect(Buffer.compare(given, image.bytes.subarray(offset, offset + MIB / 2)), `at ${offset}`).toBe(
            0,
          );
        }
      } catch (error) {
        const code = isBundleError(error) ? error.code : String(error);
        if (step === 0) expect([name, code]).toEqual([expect.stringMatching(/compressed tar|zip/), 'USAGE']);
        else expect(code).toMatch(/^(FILE_CHANGED|USAGE|ARCHIVE_[A-Z]+|DIGEST_MISMATCH)$/);
      }
    }
  });
});

describe.each(Object.entries(CHANGES))(
  '[vol.7] [vol.8] a volume that is %s while it is joined',
  (_, change) => {
    test('is joined as it was, or not at all', async () => {
      using sandbox = makeSandbox();
      const { bytes } = kinds.get('a tar with a compressed disk') as Kind;
      const whole = sandbox.write('web.ova', bytes);
      let steps = 1;
      for (let step = 0; step <= steps; step++) {
        const media = sandbox.path(`media${step}`);
        mkdirSync(media);
        await split(whole, { volumeSize: MIB + 5000, folders: [media] });
        const output = sandbox.path(`out${step}`);
        let count = 0;
        const onProgress = (): void => {
          if (++count === step) change(joinPath(media, 'web.ova.002'));
        };
        const done = await join([media], { output, onProgress }).then(
          () => true,
          (error) => {
            expect(isBundleError(error), String(error)).toBe(true);
            return false;
          },
        );
        if (step === 0) steps = Math.min(count, 6);
        if (step === 0) expect(done).toBe(true);
        expect(existsSync(output)).toBe(done);
        if (done) expect(Buffer.compare(readFileSync(output), bytes)).toBe(0);
      }
    });
  },
);
