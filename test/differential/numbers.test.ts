import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { concat } from '../../src/kit/bytes.ts';
import { asArchive, read } from '../factory/archives.ts';
import { chunked } from '../factory/streams.ts';
import { END, file, type HeaderFields, header, latin1 } from '../factory/tar.ts';
import { hasPeer } from '../interop/peer.ts';
import { HEADER_PEERS, type NamedPeer, type Seen, TAR_PEERS } from './peers.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulla-numbers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
/** Where the field ends in a blank, cpio takes the number eight times, and says so. */
const BLANK_BEHIND = /\d\0* /;

const CONTENT = 'content'.repeat(1000);
/** What a reader comes to that takes the size eight times, or passes over it. */
const HIDDEN = file('hidden', 'unseen');

/** An archive with a number of this form in this field of its first member. */
function archive(field: Field, form: (digits: string, length: number) => string): Uint8Array {
  const value = { size: CONTENT.length + HIDDEN.byteLength, mtime: 5, mode: 0o644, uid: 5, gid: 5 };
  const length = FIELDS[field];
  const named = { name: 'first', size: value.size } satisfies HeaderFields;
  const plain: HeaderFields =
    field === 'checksum' ? named : { ...named, [field]: form(value[field].toString(8), length) };
  const sum = header({ ...plain, checksum: ' '.repeat(8) }).reduce((all, byte) => all + byte, 0);
  const first =
    field === 'checksum' ? header({ ...plain, checksum: form(sum.toString(8), length) }) : header(plain);
  const body = new Uint8Array(Math.ceil(value.size / 512) * 512);
  body.set(latin1(CONTENT));
  body.set(HIDDEN, CONTENT.length);
  return concat([first, body, file('second', 'more'), END]);
}

async function ours(bytes: Uint8Array): Promise<readonly Seen[] | undefined> {
  const { members, error } = await read(chunked(bytes), asArchive);
  if (error) return undefined;
  return members.map(({ name, size, sha256 }) => ({ name, size, sha256 }));
}

const isThere = ({ name, probe }: NamedPeer): boolean => hasPeer(probe, `${name} on numbers in tars`);
const PEERS = [...TAR_PEERS, ...HEADER_PEERS].filter(isThere);

test.each(Object.keys(FIELDS) as Field[])(
  '[arc.5] [tar.3] numbers in every form: %s',
  { timeout: 600_000 },
  async (field) => {
    const accepted: { form: string; path: string; members: readonly Seen[]; blank: boolean }[] = [];
    for (const [form, make] of Object.entries(FORMS)) {
      const bytes = archive(field, make);
      const members = await ours(bytes);
      if (!members) continue;
      const path = join(folder, `${field}-${accepted.length}.tar`);
      writeFileSync(path, bytes);
      accepted.push({ form, path, members, blank: BLANK_BEHIND.test(make('1', FIELDS[field])) });
    }
    expect(accepted.map(({ form }) => form)).toEqual(
      Object.keys(FORMS).filter((form) => !ODD.has(form) && (ONLY_OF.get(form)?.(field) ?? true)),
    );
    const whole = createHash('sha256').update(CONTENT).update(HIDDEN).digest('hex');
    for (const { members } of accepted) expect(members.map(({ sha256 }) => sha256)).toContain(whole);
    const different: unknown[] = [];
    for (const peer of PEERS) {
      const readings = await peer.read(accepted.map(({ path }) => path));
      accepted.forEach(({ form, members, blank }, i) => {
        const theirs = readings[i];
        if (JSON.stringify(theirs) === JSON.stringify(members)) return;
        if (
          peer.name === 'cpio' &&
          blank &&
          typeof theirs === 'string' &&
          theirs.includes('Malformed number')
        )
          return;
        different.push({ form, reader: peer.name, theirs });
      });
    }
    expect(different).toEqual([]);
  },
);

/** What is refused in any field. */
const ODD: ReadonlySet<string> = new Set([
  'NUL in front',
  'a plus',
  'a minus',
  'a tab in front',
  '0x in front',
  'another number behind a blank',
  'a nine',
  'nothing but blanks',
]);
/** What is refused but in some fields. */
const ONLY_OF: ReadonlyMap<string, (field: Field) => boolean> = new Map([
  ['nothing but NULs', (field) => field === 'uid' || field === 'gid'],
  ['zeros to the end', (field) => field !== 'checksum'],
  ['blanks to the end', (field) => field !== 'checksum'],
]);
