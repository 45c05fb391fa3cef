import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openArchive } from '../../src/archive/open-archive.ts';
import { Relaxed } from '../../src/archive/relaxed.ts';
import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';
import { spoolable } from '../../src/storage/sources/private-file.ts';
import { sha256 } from '../factory/archives.ts';
import { folderForTests } from '../factory/sandbox.ts';
import { chunked } from '../factory/streams.ts';
import { file, header, MAGIC, padded, pax, record, tar } from '../factory/tar.ts';
import { extra, packed, zip } from '../factory/zip.ts';
import { hasPeer } from '../interop/peer.ts';
import { HEADER_PEERS, type NamedPeer, type Seen, TAR_PEERS, ZIP_PEERS } from './peers.ts';

const folder = folderForTests();

const LONG = `${'n'.repeat(105)}.img`;
/** Names that are near to each other: every pair of them is tried, and each with itself. */
const SPELLINGS = [
  'system.img',
  'System.img',
  'data.img',
  'd/system.img',
  'system.img;1',
  'data.img;',
  './system.img',
  'system.img/',
  'größe.img',
  'gro\u0308ße.img',
  'gr??e.img',
  'system\u3164.img',
  'revocation/y.crl',
  'p.mf',
  '',
  LONG,
  LONG.slice(0, 100),
  LONG.slice(0, 98),
  `d/${LONG}`,
] as const;

/** One member with two names, each in a field of its own; and others beside it. */
type Form = readonly [field: string, kind: 'tar' | 'zip', make: (a: string, b: string) => Uint8Array];

const first = file('first', '1');
const last = file('data.img', '9');
const splitAt = (name: string): { name: Uint8Array; prefix: Uint8Array } => {
  const slash = name.lastIndexOf('/');
  return {
    name: encodeUtf8(name.slice(slash + 1)).subarray(0, 100),
    prefix: encodeUtf8(name.slice(0, Math.max(0, slash))),
  };
};
const member = (name: string, fields: Parameters<typeof file>[2] = {}): Uint8Array =>
  file('', 'content', { name: encodeUtf8(name).subarray(0, 100), ...fields });
const entry = (type: string, body: string, fields: Parameters<typeof header>[0]): Uint8Array =>
  concat([header({ type, size: encodeUtf8(body).byteLength, ...fields }), padded(body)]);
const own = (name: string): Uint8Array => encodeUtf8(name).subarray(0, 100);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const TAR_FORMS: readonly Form[] = [
  ['pax path', 'tar', (a, b) => tar(first, pax([record('path', a)]), member(b), last)],
  ['pax path, with a prefix', 'tar', (a, b) => tar(first, pax([record('path', a)]), member(b, splitAt(b)), last)],
  ['pax path before a GNU header', 'tar', (a, b) => tar(first, pax([record('path', a)]), member(b, { magic: MAGIC.gnu }), last)],
  ['pax path in front of a GNU long name', 'tar', (a, b) => tar(first, pax([record('path', a)]), entry('L', `${b}\0`, { name: '././@LongLink', magic: MAGIC.gnu }), member(b), last)],
  ['two pax headers', 'tar', (a, b) => tar(first, pax([record('path', a)]), pax([record('path', b)]), member(b), last)],
  ['pax path, twice', 'tar', (a, b) => tar(first, pax([record('path', a), record('path', b)]), member(b), last)],
  ['GNU long name', 'tar', (a, b) => tar(first, entry('L', `${a}\0`, { name: '././@LongLink', magic: MAGIC.gnu }), member(b, { magic: MAGIC.gnu }), last)],
  ['own name of a pax header', 'tar', (a, b) => tar(first, pax([record('mtime', '1')], { name: own(a) }), member(b), last)],
  ['own name of a pax header, marked', 'tar', (a, b) => tar(first, pax([record('mtime', '1')], { name: own(`PaxHeaders/${a}`) }), member(b), last)],
  ['own name of a pax header, with a prefix', 'tar', (a, b) => tar(first, pax([record('mtime', '1')], { name: own(a), prefix: 'PaxHeaders' }), member(b), last)],
  ['own name of a pax global header', 'tar', (a, b) => tar(pax([record('comment', 'x')], { type: 'g', name: own(a) }), first, member(b), last)],
  ['global pax path', 'tar', (a, b) => tar(pax([record('path', a)], { type: 'g', name: 'pax_global_header' }), first, member(b), last)],
  ['own name of a GNU long name', 'tar', (a, b) => tar(first, entry('L', `${b}\0`, { name: own(a), magic: MAGIC.gnu }), member(b, { magic: MAGIC.gnu }), last)],
  ['GNU.sparse.name', 'tar', (a, b) => tar(first, pax([record('GNU.sparse.name', a)]), member(b), last)],
  ['pax linkpath', 'tar', (a, b) => tar(first, pax([record('linkpath', a)]), member(b), last)],
  ['Solaris header', 'tar', (a, b) => tar(first, entry('X', text(record('path', a)), { name: 'PaxHeaders/x' }), member(b), last)],
  ['link target', 'tar', (a, b) => tar(first, member(b, { link: own(a) }), last)],
  ['prefix', 'tar', (a, b) => tar(first, member(b, { prefix: own(a) }), last)],
  ['behind a NUL', 'tar', (a, b) => tar(first, member(b, { name: own(`${b}\0${a}`) }), last)],
  ['two members', 'tar', (a, b) => tar(first, member(a), member(b), last)],
]; // biome-ignore format: a table of archives reads better in lines

const unicode = (name: string, other: string): Uint8Array =>
  extra(
    0x7075,
    concat([
      packed([
        [1, 1],
        [4, crcOf(name)],
      ]),
      encodeUtf8(other),
    ]),
  );
/** A checksum as zip has it. */
function crcOf(name: string): number {
  const bytes = zip([{ name: 'x', content: name }]);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(14, true);
}
const others = [{ name: 'data.img', content: '9' }];

const ZIP_FORMS: readonly Form[] = [
  ['header and directory', 'zip', (a, b) => zip([...others, { name: a, content: 'content', central: { name: b } }])],
  ['unicode field in both', 'zip', (a, b) => zip([...others, { name: b, content: 'content', both: { extra: unicode(b, a) } }])],
  ['unicode field in the directory', 'zip', (a, b) => zip([...others, { name: b, content: 'content', central: { extra: unicode(b, a) } }])],
  ['unicode field in the header', 'zip', (a, b) => zip([...others, { name: b, content: 'content', local: { extra: unicode(b, a) } }])],
  ['comment', 'zip', (a, b) => zip([...others, { name: b, content: 'content', central: { comment: a } }])],
  ['no flag for UTF-8, header and directory', 'zip', (a, b) => zip([...others, { name: a, content: 'content', both: { flags: 0 }, central: { name: b } }])],
  ['two members', 'zip', (a, b) => zip([...others, { name: a, content: 'content' }, { name: b, content: 'content' }])],
]; // biome-ignore format: as above

/** What we see, with the habits allowed that make a second name; undefined when we refuse it. */
async function ours(bytes: Uint8Array): Promise<readonly Seen[] | undefined> {
  const seen: Seen[] = [];
  try {
    const relaxed = new Relaxed(['gnu-long-names', 'pax-global']);
    const { entries } = await openArchive(spoolable(chunked(bytes), {}), DEFAULT_LIMITS, relaxed);
    for await (const { name, size, body } of entries) {
      const parts: Uint8Array[] = [];
      for await (const chunk of body) parts.push(chunk.slice());
      seen.push({ name, size, sha256: sha256(concat(parts)) });
    }
    return seen.sort(byName);
  } catch (error) {
    if (isBundleError(error)) return undefined;
    throw error;
  }
}

function byName(a: Seen, b: Seen): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

/** The same members, by names that are cut in the header where they are long; pax headers left out. */
function byHeaders(theirs: readonly Seen[] | string, expected: readonly Seen[]): unknown {
  if (typeof theirs === 'string') return theirs;
  const members = theirs.filter(
    ({ name }) => !/(^|\/)(@?PaxHeaders?(\/|$)|@LongLink$|pax_global_header$)/.test(name),
  );
  return members
    .map((seen) => {
      const cut = encodeUtf8(seen.name).byteLength >= 98;
      const whole = expected.find(({ name }) => name === seen.name || (cut && name.startsWith(seen.name)));
      return whole ? { ...seen, name: whole.name } : seen;
    })
    .sort(byName);
}

/** Archives of a form that the readers are asked about; all of them in a long run. */
const MOST = process.env['DIFFERENTIAL_COUNT'] ? Number.POSITIVE_INFINITY : 24;

/** The forms of which we read any: the second name is the same there, or there is none. */
const READ: ReadonlySet<string> = new Set([
  ...[
    'pax path',
    'pax path, with a prefix',
    'pax path before a GNU header',
    'GNU long name',
    'link target',
    'prefix',
    'behind a NUL',
  ],
  ...['own name of a pax header, marked', 'own name of a pax header, with a prefix', 'two members'],
  ...['header and directory', 'comment', 'no flag for UTF-8, header and directory'],
]);

const present = (peers: readonly NamedPeer[], of: string): readonly NamedPeer[] =>
  peers.filter(({ name, probe }) => hasPeer(probe, `${name} on ${of} with two names for a member`));
const KNOWING = { tar: present(TAR_PEERS, 'tars'), zip: present(ZIP_PEERS, 'zips') };
const BY_HEADERS = present(HEADER_PEERS, 'tars');

describe('a member with two names, of every pair of spellings', () => {
  test.each([...TAR_FORMS, ...ZIP_FORMS])(
    '[arc.5] [name.4] %s (%s)',
    { timeout: 600_000 },
    async (field, kind, make) => {
      const accepted: { title: string; path: string; members: readonly Seen[] }[] = [];
      for (const a of SPELLINGS) {
        for (const b of SPELLINGS) {
          const bytes = make(a, b);
          const members = await ours(bytes);
          if (!members) continue;
          const path = join(folder, `${field.replace(/\W/g, '-')}-${accepted.length}.${kind}`);
          writeFileSync(path, bytes);
          accepted.push({ title: `${JSON.stringify(a)} ${JSON.stringify(b)}`, path, members });
        }
      }
      expect(accepted.length > 0, 'whether any is accepted').toBe(READ.has(field));
      if (accepted.length === 0) return;
      const step = Math.ceil(accepted.length / MOST);
      const asked = accepted.filter((_, i) => i % step === 0);
      const different: unknown[] = [];
      const ask = async (
        peer: NamedPeer,
        seen: (theirs: readonly Seen[] | string, members: readonly Seen[]) => unknown,
      ) => {
        const readings = await peer.read(asked.map(({ path }) => path));
        asked.forEach(({ title, members }, i) => {
          const theirs = seen(readings[i] ?? 'nothing', members);
          if (JSON.stringify(theirs) !== JSON.stringify(members))
            different.push({ title, reader: peer.name, theirs, members });
        });
      };
      for (const peer of KNOWING[kind]) await ask(peer, (theirs) => theirs);
      if (kind === 'tar') for (const peer of BY_HEADERS) await ask(peer, byHeaders);
      expect(different).toEqual([]);
    },
  );
});
