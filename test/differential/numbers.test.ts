import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openArchive } from '../../src/archive/open-archive.ts';
import { Relaxed } from '../../src/archive/relaxed.ts';
import { concat } from '../../src/kit/bytes.ts';
import type { Relaxation } from '../../src/kit/relaxation.ts';
import { spoolable } from '../../src/storage/sources/private-file.ts';
import { type Opener, read } from '../factory/archives.ts';
import { folderForTests } from '../factory/sandbox.ts';
import { chunked } from '../factory/streams.ts';
import { END, file, type HeaderFields, header, latin1, record } from '../factory/tar.ts';
import { hasPeer } from '../interop/peer.ts';
import { HEADER_PEERS, type NamedPeer, type Seen, TAR_PEERS } from './peers.ts';

const folder = folderForTests();

/** Fields of a header with numbers in them, and how long each is. */
const FIELDS = {
  size: 12,
  mtime: 12,
  mode: 8,
  uid: 8,
  gid: 8,
  checksum: 8,
} as const;
type Field = keyof typeof FIELDS;

/** How a number may stand in a field of so many bytes. */
const FORMS: Readonly<Record<string, (digits: string, length: number) => string>> = {
  'zeros, NUL': (digits, length) => `${digits.padStart(length - 1, '0')}\0`,
  'zeros, blank': (digits, length) => `${digits.padStart(length - 1, '0')} `,
  'zeros, blank, NUL': (digits, length) => `${digits.padStart(length - 2, '0')} \0`,
  'zeros, NUL, blank': (digits, length) => `${digits.padStart(length - 2, '0')}\0 `,
  'zeros to the end': (digits, length) => digits.padStart(length, '0'),
  'blanks, NUL': (digits, length) => `${digits.padStart(length - 1, ' ')}\0`,
  'blanks, blank': (digits, length) => `${digits.padStart(length - 1, ' ')} `,
  'blanks, blank, NUL': (digits, length) => `${digits.padStart(length - 2, ' ')} \0`,
  'blanks to the end': (digits, length) => digits.padStart(length, ' '),
  'blanks behind': (digits, length) => digits.padEnd(length, ' '),
  'NULs behind': (digits, length) => digits.padEnd(length, '\0'),
  'NULs and blanks behind': (digits, length) => `${digits}\0 \0`.padEnd(length, ' '),
  'a blank and NULs behind': (digits, length) => `${digits} `.padEnd(length, '\0'),
  'another number behind a NUL': (digits, length) => `${digits}\x007`.padEnd(length, '\0'),
  'NUL in front': (digits, length) => `\0${digits.padStart(length - 2, '0')}\0`,
  'a plus': (digits, length) => `+${digits.padStart(length - 2, '0')}\0`,
  'a minus': (digits, length) => `-${digits.padStart(length - 2, '0')}\0`,
  'a tab in front': (digits, length) => `\t${digits.padStart(length - 2, '0')}\0`,
  '0x in front': (digits, length) => `0x${digits.padStart(length - 3, '0')}\0`,
  'another number behind a blank': (digits, length) => `${digits} 7`.padEnd(length, '\0'),
  'a nine': (_, length) => `${'9'.padStart(length - 1, '0')}\0`,
  'nothing but NULs': (_, length) => '\0'.repeat(length),
  'nothing but blanks': (_, length) => ' '.repeat(length),
};
const CONTENT = 'content'.repeat(1000);
/** What a reader comes to that takes the size eight times, or passes over it. */
const HIDDEN = file('hidden', 'unseen');

/** Whose header it is: that of a member, or of a pax header, which speaks about the member behind it. */
type Owner = 'a member' | 'a pax header';

/** An archive with a number of this form in this field of its first header. */
function archive(owner: Owner, field: Field, form: (digits: string, length: number) => string): Uint8Array {
  const content = concat([latin1(CONTENT), HIDDEN]);
  const body = owner === 'a member' ? content : record('mtime', '5');
  const named: HeaderFields =
    owner === 'a member' ? { name: 'first' } : { name: 'PaxHeaders/first', type: 'x' };
  const value = { size: body.byteLength, mtime: 5, mode: 0o644, uid: 5, gid: 5 };
  const length = FIELDS[field];
  const plain: HeaderFields = {
    ...{ ...named, size: value.size },
    ...(field === 'checksum' ? {} : { [field]: form(value[field].toString(8), length) }),
  };
  const sum = header({ ...plain, checksum: ' '.repeat(8) }).reduce((all, byte) => all + byte, 0);
  const first =
    field === 'checksum' ? header({ ...plain, checksum: form(sum.toString(8), length) }) : header(plain);
  const filled = new Uint8Array(Math.ceil(body.byteLength / 512) * 512);
  filled.set(body);
  return concat([
    ...[first, filled],
    ...(owner === 'a member' ? [] : [file('first', new TextDecoder('latin1').decode(content))]),
    ...[file('second', 'more'), END],
  ]);
}

async function ours(
  bytes: Uint8Array,
  relaxations: readonly Relaxation[],
): Promise<readonly Seen[] | undefined> {
  const open: Opener = async (source, limits) =>
    (await openArchive(spoolable(source, {}), limits, new Relaxed(relaxations))).entries;
  const { members, error } = await read(chunked(bytes), open);
  if (error) return undefined;
  return members.map(({ name, size, sha256 }) => ({ name, size, sha256 }));
}

const isThere = ({ name, probe }: NamedPeer): boolean => hasPeer(probe, `${name} on numbers in tars`);
const PEERS = [...TAR_PEERS, ...HEADER_PEERS].filter(isThere);
const OWNERS: readonly Owner[] = ['a member', 'a pax header'];

/** What a reader sees but the pax header, which is a file to some. */
function members(theirs: readonly Seen[] | string | undefined): unknown {
  return Array.isArray(theirs) ? theirs.filter(({ name }) => !name.startsWith('PaxHeaders/')) : theirs;
}

test.each(
  OWNERS.flatMap((owner) => (Object.keys(FIELDS) as Field[]).map((field) => [owner, field] as const)),
)(
  '[arc.5] [tar.3] [tar.11] [relax.9] numbers in every form: of %s, %s',
  { timeout: 600_000 },
  async (owner, field) => {
    const accepted: { form: string; path: string; seen: readonly Seen[]; relaxed: boolean }[] = [];
    for (const [form, make] of Object.entries(FORMS)) {
      const bytes = archive(owner, field, make);
      const strict = await ours(bytes, []);
      const seen = strict ?? (await ours(bytes, ['blank-ended-numbers']));
      if (!seen) continue;
      const path = join(folder, `${owner.replaceAll(' ', '-')}-${field}-${accepted.length}.tar`);
      writeFileSync(path, bytes);
      accepted.push({ form, path, seen, relaxed: !strict });
    }
    const readable = Object.keys(FORMS).filter(
      (form) => !ODD.has(form) && (ONLY_OF.get(form)?.(field) ?? true),
    );
    expect(accepted.map(({ form }) => form)).toEqual(readable);
    expect(accepted.filter(({ relaxed }) => relaxed).map(({ form }) => form)).toEqual(
      OBEYED.has(field) ? readable.filter((form) => BLANK_ENDED.has(form)) : [],
    );
    const whole = createHash('sha256').update(CONTENT).update(HIDDEN).digest('hex');
    for (const { seen } of accepted) expect(seen.map(({ sha256 }) => sha256)).toContain(whole);
    const different: unknown[] = [];
    for (const peer of PEERS) {
      const asked = accepted.filter(({ relaxed }) => !relaxed || peer.name !== 'cpio');
      const readings = await peer.read(asked.map(({ path }) => path));
      asked.forEach(({ form, seen }, i) => {
        const theirs = members(readings[i]);
        if (JSON.stringify(theirs) !== JSON.stringify(seen))
          different.push({ form, reader: peer.name, theirs });
      });
    }
    expect(different).toEqual([]);
  },
);

/** Fields whose number decides what a reader comes to. */
const OBEYED: ReadonlySet<Field> = new Set(['size', 'mode', 'checksum']);
/** Forms that cpio takes eight times. */
const BLANK_ENDED: ReadonlySet<string> = new Set([
  'zeros, blank',
  'zeros, blank, NUL',
  'blanks, blank',
  'blanks, blank, NUL',
  'blanks behind',
  'a blank and NULs behind',
]);
/** What is refused in any field. */
const ODD: ReadonlySet<string> = new Set([
  'NUL in front',
  'a plus',
  'a minus',
  'a tab in front',
  '0x in front',
  'another number behind a blank',
  'another number behind a NUL',
  'a nine',
  'nothing but blanks',
]);
/** What is refused but in some fields. */
const ONLY_OF: ReadonlyMap<string, (field: Field) => boolean> = new Map([
  ['nothing but NULs', (field) => field === 'uid' || field === 'gid'],
  ['zeros to the end', (field) => field !== 'checksum'],
  ['blanks to the end', (field) => field !== 'checksum'],
]);
