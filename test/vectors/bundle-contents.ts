import { archiveOf, DISK, makeBundle, makeMembers, NOTES, textFile, withMember } from '../factory/bundles.ts';
import { flipped } from '../factory/damage.ts';
import type { BundleVector } from './bundles.ts';

const GOOD = { exitCode: 0, codes: [] } as const;

/** The usual bundle with a bit turned over in one of its files. */
function changed(file: string, at = 100): () => Promise<Uint8Array> {
  return () =>
    makeBundle({
      members: (members) =>
        withMember(members, file, ({ name, bytes }) => [{ name, bytes: flipped(bytes, at % bytes.length) }]),
    });
}

/** The usual bundle with the lines of its manifest changed before it is signed. */
function withLines(change: (text: string) => string): () => Promise<Uint8Array> {
  return () =>
    makeBundle({ manifest: (bytes) => textFile('', change(new TextDecoder().decode(bytes))).bytes });
}

const EXTRA = textFile('extra.txt', 'what am I doing here\n');
const SHA1 = { algorithm: 'sha1' } as const;

/** Vectors about manifest, members and descriptor. */
export const CONTENT_VECTORS: readonly BundleVector[] = [
  {
    name: 'a changed descriptor',
    clause: '[cover.6]',
    build: changed('app.ovf'),
    exitCode: 11,
    codes: ['DIGEST_MISMATCH'],
    where: { member: 'app.ovf' },
  },
  {
    name: 'a changed disk',
    clause: '[cover.6]',
    build: changed('disk.img', 2999),
    exitCode: 11,
    codes: ['DIGEST_MISMATCH'],
    where: { member: 'disk.img' },
  },
  {
    name: 'another changed file',
    clause: '[cover.6]',
    build: changed('notes.txt'),
    exitCode: 11,
    codes: ['DIGEST_MISMATCH'],
    where: { member: 'notes.txt' },
  },
  {
    name: 'a file that the manifest does not list',
    clause: '[cover.1]',
    build: () => makeBundle({ members: (members) => [...members, EXTRA] }),
    exitCode: 16,
    codes: ['FILE_UNLISTED'],
    where: { member: 'extra.txt' },
  },
  {
    name: 'a file that is listed and missing',
    clause: '[cover.2]',
    build: () => makeBundle({ members: (members) => withMember(members, 'notes.txt', () => []) }),
    exitCode: 16,
    codes: ['FILE_MISSING'],
    where: { member: 'app.mf', line: 3 },
  },
  {
    name: 'a descriptor that is listed and missing',
    clause: '[cover.2]',
    build: () => makeBundle({ members: (members) => withMember(members, 'app.ovf', () => []) }),
    exitCode: 16,
    codes: ['FILE_MISSING'],
  },
  {
    name: 'a descriptor that the manifest does not list',
    clause: '[cover.3]',
    build: () => makeBundle({ lines: (entries) => entries.slice(1) }),
    exitCode: 16,
    codes: ['DESCRIPTOR_UNLISTED'],
    where: { member: 'app.ovf' },
  },
  {
    name: 'the same, allowed',
    clause: '[cover.3] [rep.4]',
    build: () => makeBundle({ lines: (entries) => entries.slice(1) }),
    options: { allow: { unlistedDescriptor: true } },
    ...GOOD,
    warning: 'allowed: unlistedDescriptor',
  },
  {
    name: 'the allowance is for the descriptor alone',
    clause: '[cover.3]',
    build: () => makeBundle({ lines: (entries) => entries.slice(0, 2) }),
    options: { allow: { unlistedDescriptor: true } },
    exitCode: 16,
    codes: ['FILE_UNLISTED'],
  },
  {
    name: 'a manifest that lists itself',
    clause: '[cover.4]',
    build: withLines((text) => `${text}SHA256(app.mf)= ${'a'.repeat(64)}\n`),
    exitCode: 16,
    codes: ['MANIFEST_SYNTAX'],
    where: { member: 'app.mf', line: 4 },
  },
  {
    name: 'a manifest that lists its certificate file, which is missing',
    clause: '[cover.4]',
    build: () =>
      makeBundle({
        signed: false,
        lines: (entries) => [
          ...entries,
          { name: 'app.cert', algorithm: 'sha256', digest: 'a'.repeat(64), line: 4 },
        ],
      }),
    options: { allow: { unsigned: true } },
    exitCode: 16,
    codes: ['MANIFEST_SYNTAX', 'FILE_MISSING'],
    where: { member: 'app.mf', line: 4 },
  },
  {
    name: 'an empty manifest, signed',
    clause: '[cover.4]',
    build: withLines(() => ''),
    exitCode: 16,
    codes: ['MANIFEST_MISSING', 'DESCRIPTOR_UNLISTED', 'FILE_UNLISTED', 'FILE_UNLISTED'],
  },
  {
    name: 'a manifest of blanks, and nothing beside it',
    clause: '[cover.4]',
    build: () => makeBundle({ files: [], manifest: () => textFile('', '   \n\n').bytes }),
    exitCode: 16,
    codes: ['MANIFEST_MISSING'],
  },
  {
    name: 'two lines for one file',
    clause: '[judge.3]',
    build: withLines((text) => `${text}${text.split('\n')[1]}\n`),
    exitCode: 16,
    codes: ['MANIFEST_DUPLICATE'],
    where: { member: 'app.mf', line: 4 },
  },
  {
    name: 'a line that is not understood',
    clause: '[judge.3]',
    build: withLines((text) => `${text}\nsha256sum notes.txt\n`),
    exitCode: 16,
    codes: ['MANIFEST_SYNTAX'],
    where: { member: 'app.mf', line: 5 },
  },
  {
    name: 'a digest that bulla does not know',
    clause: '[judge.3]',
    build: withLines((text) =>
      text.replace(/SHA256\(notes.txt\)= .{64}/, `MD5(notes.txt)= ${'a'.repeat(32)}`),
    ),
    exitCode: 17,
    codes: ['ALGORITHM_UNSUPPORTED'],
    where: { member: 'app.mf', line: 3 },
  },
  { name: 'SHA-384', clause: '[cover.6]', build: () => makeBundle({ algorithm: 'sha384' }), ...GOOD },
  {
    name: 'SHA-512, files first',
    clause: '[cover.6]',
    build: () => makeBundle({ algorithm: 'sha512', order: 'trailing' }),
    ...GOOD,
  },
  {
    name: 'a digest for each file',
    clause: '[cover.6]',
    build: async () => {
      const [descriptor, ...others] = await makeMembers();
      const lines = await Promise.all([
        makeMembers({ algorithm: 'sha512' }),
        makeMembers({ algorithm: 'sha384' }),
      ]);
      const [sha512 = [], sha384 = []] = lines.map((set) =>
        new TextDecoder().decode(set[1]?.bytes).split('\n'),
      );
      const text = `${new TextDecoder().decode(others[0]?.bytes).split('\n')[0]}\n${sha512[1]}\n${sha384[2]}\n`;
      return makeBundle({
        files: [...(descriptor ? [descriptor] : []), DISK, NOTES],
        manifest: () => textFile('', text).bytes,
        order: 'trailing',
      });
    },
    ...GOOD,
  },
  {
    name: 'SHA-1 digests, signed',
    clause: '[cover.5]',
    build: () => makeBundle(SHA1),
    exitCode: 14,
    codes: ['DIGEST_WEAK'],
    where: { member: 'app.mf', line: 1 },
  },
  {
    name: 'SHA-1 digests, signed and allowed',
    clause: '[cover.5] [rep.4]',
    build: () => makeBundle(SHA1),
    options: { allow: { sha1: true } },
    ...GOOD,
    warning: 'allowed: sha1',
  },
  {
    name: 'SHA-1 digests, accepted without a signature',
    clause: '[cover.5]',
    build: () => makeBundle({ ...SHA1, signed: false }),
    options: { allow: { unsigned: true } },
    exitCode: 14,
    codes: ['DIGEST_WEAK'],
  },
  {
    name: 'SHA-1 digests, unsigned, both allowed',
    clause: '[cover.5] [judge.5]',
    build: () => makeBundle({ ...SHA1, signed: false }),
    options: { allow: { unsigned: true, sha1: true } },
    ...GOOD,
    warning: 'allowed: sha1',
  },
  {
    name: 'cut in the middle of a disk',
    clause: '[judge.3] [judge.4]',
    build: async () => (await makeBundle()).subarray(0, 9000),
    exitCode: 15,
    codes: ['ARCHIVE_TRUNCATED'],
  },
  {
    name: 'without the end mark',
    clause: '[judge.3]',
    build: async () => {
      const members = await makeMembers();
      const blocks = members.reduce((sum, { bytes }) => sum + 1 + Math.ceil(bytes.byteLength / 512), 0);
      return (await archiveOf(members)).subarray(0, 512 * blocks);
    },
    exitCode: 15,
    codes: ['ARCHIVE_TRUNCATED'],
  },
];
