import { randomBytes } from 'node:crypto';
import {
  chownSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ByteStream } from '../../../src/kit/bytes.ts';
import { archiveOf, type NamedBytes } from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { importHere, left } from '../../factory/importing.ts';
import { resumable } from '../../factory/resuming.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { sourceOf as streamOf } from '../../factory/streams.ts';

const MIB = 1024 * 1024;
const resume = true;
const sourceOf = (bytes: Uint8Array): ByteStream => streamOf(bytes, { sizes: () => 300_000, hostile: true });

let disk: NamedBytes;
let members: readonly NamedBytes[];
let bundle: Uint8Array;

beforeAll(async () => {
  ({ disk, members } = await resumable(2 * MIB + 123));
  bundle = await archiveOf(members);
});

/** Where an import that came to its end too early has left what it had. */
async function interrupted(sandbox: Sandbox): Promise<string> {
  const { report } = await importHere(
    sandbox,
    sourceOf(bundle.subarray(0, bundle.byteLength - MIB + 600_000)),
    {
      resume,
    },
  );
  expect(report.warnings.join()).toContain('the same import goes on with it');
  const [name = ''] = readdirSync(sandbox.path('home'));
  return sandbox.path(`home/${name}`);
}

/** What is published is what was signed, by files of this user's own and of nobody else's. */
async function expectTruth(sandbox: Sandbox, aside: string): Promise<void> {
  const { imported, report } = await importHere(sandbox, sourceOf(bundle), { resume });
  expect([imported, report.verdict]).toEqual([true, 'trusted']);
  const found = left(sandbox).filter((name) => name.startsWith('home/here/') && !name.endsWith('/'));
  expect(found).toEqual(members.map(({ name }) => `home/here/${name}`).sort());
  for (const { name, bytes } of members) {
    const path = sandbox.path(`home/here/${name}`);
    expect(Buffer.compare(readFileSync(path), bytes), `${name} after ${aside}`).toBe(0);
    const { uid, mode, nlink } = statSync(path);
    expect([uid, mode & 0o7777, nlink]).toEqual([process.geteuid?.(), 0o600, 1]);
  }
}

type Change = [string, (file: string) => void];

describe('what an interrupted import has left, and somebody has changed since', () => {
  const root = process.geteuid?.() === 0;
  test.each<Change>([
    ['other bytes, of another time', (file) => writeFileSync(file, randomBytes(MIB + 5))],
    [
      'other bytes of the same length and time',
      (file) => rewritten(file, (bytes) => randomBytes(bytes.byteLength)),
    ],
    ['one bit', (file) => rewritten(file, (bytes) => flipped(bytes, 77))],
    [
      'more than the member has',
      (file) => writeFileSync(file, Buffer.concat([disk.bytes, randomBytes(MIB)])),
    ],
    [
      'a hole of its whole length',
      (file) => {
        truncateSync(file, 0);
        truncateSync(file, disk.bytes.byteLength);
      },
    ],
    ['the end before the start', (file) => writeFileSync(file, disk.bytes.subarray(MIB))],
    ...(root ? [['another owner', (file: string) => chownSync(file, 65_534, 65_534)] satisfies Change] : []),
  ])('[resume.2] [resume.3] %s: never published', async (what, change) => {
    using sandbox = makeSandbox();
    change(join(await interrupted(sandbox), 'content', disk.name));
    await expectTruth(sandbox, what);
  });

  test.skipIf(!root)('[resume.2] the folder in it is another user’s: nothing is taken', async () => {
    using sandbox = makeSandbox();
    chownSync(join(await interrupted(sandbox), 'content'), 65_534, 65_534);
    await expectTruth(sandbox, 'another owner of the folder');
  });
});

/** Changes a file in place, and puts its modification time back. */
function rewritten(file: string, change: (bytes: Buffer) => Uint8Array): void {
  const { atime, mtime } = statSync(file);
  writeFileSync(file, change(readFileSync(file)));
  utimesSync(file, atime, mtime);
}

test('[import.8] [resume.1] a marker with any field changed proves something or nothing: what is published is true', {
  timeout: 600_000,
}, async () => {
  using first = makeSandbox();
  const fields = JSON.parse(readFileSync(join(await interrupted(first), 'bulla.partial'), 'utf8')) as Marker;
  const names = Object.keys(fields);
  expect(names).toEqual(
    expect.arrayContaining(['kind', 'for', 'place', 'pid', 'began', 'left', 'device', 'inodes']),
  );
  const words = [
    'import',
    'output',
    'volumes',
    'scratch',
    'here',
    '../here',
    '/',
    '',
    '0',
    '.',
    '\u0000',
    'here/../x',
  ];
  const value = fc.oneof(
    fc.constantFrom(...words, true, false, null, 0, -1, 1, 2 ** 53, ['1', '2', '3']),
    fc.jsonValue(),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), value, fc.boolean(), async (name, other, adds) => {
      using sandbox = makeSandbox();
      const marker = join(await interrupted(sandbox), 'bulla.partial');
      const own = JSON.parse(readFileSync(marker, 'utf8')) as Marker;
      writeFileSync(marker, `${JSON.stringify({ ...own, [name]: other, ...(adds && { more: other }) })}\n`);
      await expectTruth(sandbox, `${name}: ${JSON.stringify(other)}`);
    }),
    { numRuns: 40 },
  );
});

type Marker = Readonly<Record<string, unknown>>;
