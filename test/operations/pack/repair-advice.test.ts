import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat } from '../../../src/kit/bytes.ts';
import { type NormalizeOptions, normalize } from '../../../src/operations/pack/normalize.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { ErrorReport } from '../../../src/verdict/report/report.ts';
import { makeMembers, type NamedBytes } from '../../factory/bundles.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import {
  base256,
  END,
  file,
  type HeaderFields,
  header,
  latin1,
  MAGIC,
  padded,
  pax,
  record,
  tar,
} from '../../factory/tar.ts';
import { type ZipEndFields, type ZipItem, zip } from '../../factory/zip.ts';

type Form = (members: readonly NamedBytes[]) => Uint8Array;

/** A tar whose headers all say this. */
const headers =
  (fields: (member: NamedBytes) => HeaderFields): Form =>
  (members) =>
    tar(...members.map((member) => file(member.name, member.bytes, fields(member))));

/** A tar with something in front, between or behind. */
const around =
  (front: Uint8Array, end: Uint8Array = END): Form =>
  (members) =>
    concat([front, ...members.map(({ name, bytes }) => file(name, bytes)), end]);

const named =
  (rename: (name: string) => string): Form =>
  (members) =>
    tar(...members.map(({ name, bytes }) => file(rename(name), bytes)));

/** A zip whose members all are so. */
const zipped =
  (item: Partial<ZipItem>, end: Partial<ZipEndFields> = {}): Form =>
  (members) =>
    zip(
      members.map(({ name, bytes }) => ({ name, content: bytes, ...item })),
      end,
    );

const plain: Form = around(new Uint8Array(0));

/**
 * What a repair makes of it: it heals, and is advised; it is advised, and then says more than the first refusal did; what is wrong
 * stays, and nobody is sent to it; or it heals what its first bytes do not show, so that nothing could advise it.
 */
type Outcome = 'heals' | 'told' | 'stays' | 'unseen';

/** Forms that a signed package may come in. */
const FORMS: readonly (readonly [form: string, outcome: Outcome, make: Form])[] = [
  ['v7', 'heals', headers(() => ({ magic: MAGIC.v7 }))],
  [
    'numbers that end in a blank',
    'heals',
    headers(({ bytes }) => ({ size: `${bytes.byteLength.toString(8).padStart(11, '0')} ` })),
  ],
  ['small sizes in base-256', 'heals', headers(({ bytes }) => ({ size: base256(BigInt(bytes.byteLength)) }))],
  ['setuid', 'heals', headers(() => ({ mode: '0004755\0' }))],
  ['a mode that is no number', 'heals', headers(() => ({ mode: 'rw-r--r-' }))],
  ['contiguous files', 'heals', headers(() => ({ type: '7' }))],
  ['link targets', 'heals', headers(() => ({ link: 'other' }))],
  ['a wrong checksum', 'stays', headers(() => ({ checksum: '0000000\0' }))],
  ['no checksum', 'stays', headers(() => ({ checksum: '\0\0\0\0\0\0\0\0' }))],
  ['a size that is no number', 'stays', headers(() => ({ size: 'a lot' }))],
  ['a negative size', 'stays', headers(() => ({ size: base256(5n, 0xff) }))],
  ['./', 'heals', named((name) => `./${name}`)],
  ['././', 'heals', named((name) => `././${name}`)],
  ['names from the root', 'stays', named((name) => `/${name}`)],
  ['names above', 'stays', named((name) => `../${name}`)],
  ['a folder', 'heals', around(header({ name: './', type: '5' }))],
  ['a folder of v7', 'heals', around(header({ name: 'b/', type: '\0', magic: MAGIC.v7 }))],
  ['a folder by its name', 'heals', around(header({ name: 'b/' }))],
  ['a label', 'heals', around(header({ name: 'Backup', type: 'V', magic: MAGIC.gnu }))],
  ['a pax global header', 'heals', around(pax([record('comment', 'x')], { type: 'g' }))],
  ['a global header with a key', 'heals', around(pax([record('ACME.x', 'x')], { type: 'g' }))],
  ['a global header with a path', 'told', around(pax([record('path', 'x')], { type: 'g' }))],
  ['an unknown pax key', 'heals', around(pax([record('ACME.x', '1')]))],
  ['pax without a frame', 'stays', around(pax('no records'))],
  ['a path twice', 'stays', around(pax([record('path', 'a'), record('path', 'b')]))],
  ['two pax headers', 'stays', around(concat([pax([record('mtime', '1')]), pax([record('mtime', '2')])]))],
  [
    'a pax header without a member',
    'stays',
    around(new Uint8Array(0), concat([pax([record('mtime', '1')]), END])),
  ],
  ['a pax header of no byte', 'stays', around(pax(''))],
  ['a pax header without an end', 'stays', around(pax([record('comment', 'x'.repeat(2 ** 17))]))],
  ['a NUL in a pax key', 'stays', around(pax([record('a\0b', '1')]))],
  ['a pax size that is no number', 'stays', around(pax([record('size', '1e3')]))],
  ['a NUL in a pax path', 'stays', around(pax([record('path', 'a\0b')]))],
  ['a pax path that is not UTF-8', 'stays', around(pax([record('path', Uint8Array.of(0xff))]))],
  ['a NUL in a pax comment', 'heals', around(pax([record('comment', 'a\0b')]))],
  [
    'an unknown key before a broken record',
    'stays',
    around(pax(concat([record('ACME.x', '1'), latin1('broken')]))),
  ],
  [
    'a global header with a key and a path',
    'told',
    around(pax([record('ACME.x', '1'), record('path', 'x')], { type: 'g' })),
  ],
  [
    'a long name without a member',
    'told',
    around(
      new Uint8Array(0),
      concat([header({ name: 'L', type: 'L', magic: MAGIC.gnu, size: 2 }), padded('a\0'), END]),
    ),
  ],
  [
    'two long names',
    'told',
    around(
      concat([
        header({ name: 'L', type: 'L', magic: MAGIC.gnu, size: 2 }),
        padded('a\0'),
        header({ name: 'L', type: 'L', magic: MAGIC.gnu, size: 2 }),
        padded('b\0'),
      ]),
    ),
  ],
  ['back slashes in a tar', 'stays', named((name) => `a\\${name}`)],
  ['a link', 'stays', around(header({ name: 'a', type: '2', link: '/etc' }))],
  ['a hard link', 'stays', around(header({ name: 'a', type: '1', link: 'b' }))],
  ['a device', 'stays', around(header({ name: 'a', type: '3' }))],
  ['an unknown type', 'stays', around(header({ name: 'a', type: 'Q' }))],
  ['a folder listing', 'stays', around(header({ name: 'a', type: 'D', magic: MAGIC.gnu }))],
  ['a folder with content', 'stays', around(file('a/', 'aa'))],
  ['a file of macOS', 'heals', around(file('._app.ovf', 'x'))],
  ['no end mark', 'heals', around(new Uint8Array(0), new Uint8Array(0))],
  ['half an end mark', 'heals', around(new Uint8Array(0), END.subarray(512))],
  ['bytes behind the end', 'heals', around(new Uint8Array(0), concat([END, latin1('junk')]))],
  ['blocks behind the end', 'heals', around(new Uint8Array(0), concat([END, new Uint8Array(512).fill(1)]))],
  ['a cut', 'stays', (members) => plain(members).subarray(0, 2000)],
  [
    'long names',
    'heals',
    (members) =>
      tar(
        ...members.flatMap(({ name, bytes }) => [
          header({ name: '././@LongLink', type: 'L', magic: MAGIC.gnu, size: name.length + 1 }),
          padded(`${name}\0`),
          file(name, bytes, { magic: MAGIC.gnu }),
        ]),
      ),
  ],
  [
    'long names and folders',
    'heals',
    (members) =>
      tar(
        header({ name: './', type: '5', magic: MAGIC.gnu }),
        ...members.flatMap(({ name, bytes }) => [
          header({ name: '././@LongLink', type: 'L', magic: MAGIC.gnu, size: name.length + 3 }),
          padded(`./${name}\0`),
          file(name, bytes, { magic: MAGIC.gnu }),
        ]),
      ),
  ],
  [
    'filling that is not zero',
    'heals',
    (members) =>
      tar(
        ...members.flatMap(({ name, bytes }) => [header({ name, size: bytes.byteLength }), padded(bytes, 7)]),
      ),
  ],
  [
    'sparse members, pax 0.1',
    'heals',
    (members) =>
      tar(
        ...members.flatMap(({ name, bytes }) => [
          pax([
            record('GNU.sparse.size', `${bytes.byteLength}`),
            record('GNU.sparse.name', name),
            record('GNU.sparse.map', `0,${bytes.byteLength}`),
          ]),
          file('x', bytes),
        ]),
      ),
  ],
  [
    'sizes in pax alone',
    'heals',
    (members) =>
      tar(
        ...members.flatMap(({ name, bytes }) => [
          pax([record('size', `${bytes.byteLength}`)]),
          header({ name }),
          padded(bytes),
        ]),
      ),
  ],
  [
    'two sizes',
    'stays',
    (members) =>
      tar(
        ...members.flatMap(({ name, bytes }) => [
          pax([record('size', `${bytes.byteLength + 1}`)]),
          file(name, bytes),
        ]),
      ),
  ],
  [
    'a member twice',
    'stays',
    (members) => tar(...[...members, ...members].map(({ name, bytes }) => file(name, bytes))),
  ],
  [
    'several gzips',
    'heals',
    (members) => concat([gzipSync(plain(members).subarray(0, 700)), gzipSync(plain(members).subarray(700))]),
  ],
  ['bytes behind a gzip', 'heals', (members) => concat([gzipSync(plain(members)), latin1('junk')])],
  ['a gzip that is cut', 'stays', (members) => gzipSync(plain(members)).subarray(0, 900)],
  ['a zip with data descriptors', 'heals', zipped({ both: { flags: 0x808 } })],
  ['a zip with a comment', 'heals', zipped({}, { commentLength: 4, after: latin1('made') })],
  ['a zip with bytes behind', 'heals', zipped({}, { after: latin1('junk') })],
  [
    'a zip with bytes before',
    'unseen',
    (members) => concat([new Uint8Array(100).fill(1), zipped({})(members)]),
  ],
  ['a zip that unpacks itself', 'heals', (members) => concat([latin1('#!/bin/sh\n'), zipped({})(members)])],
  [
    'a zip behind a program of Windows',
    'heals',
    (members) => concat([latin1('MZ'), new Uint8Array(200), zipped({})(members)]),
  ],
  [
    'a zip behind a program of Linux',
    'heals',
    (members) => concat([latin1('\x7fELF\x02\x01\x01'), new Uint8Array(200), zipped({})(members)]),
  ],
  ['a zip with gaps', 'unseen', zipped({ before: new Uint8Array(7) })],
  ['a zip with an odd extra field', 'heals', zipped({ both: { extra: Uint8Array.of(1, 2, 3) } })],
  [
    'a zip with ./',
    'heals',
    (members) => zip(members.map(({ name, bytes }) => ({ name: `./${name}`, content: bytes }))),
  ],
  [
    'a zip with back slashes',
    'heals',
    (members) =>
      zip([
        { name: 'a\\', content: '', central: { attributes: 0x10 } },
        ...members.map(({ name, bytes }) => ({ name, content: bytes })),
      ]),
  ],
  [
    'a zip with a folder',
    'heals',
    (members) => zip([{ name: 'a/' }, ...members.map(({ name, bytes }) => ({ name, content: bytes }))]),
  ],
  ['an encrypted zip', 'stays', zipped({ both: { flags: 1 } })],
  ['a zip by another method', 'stays', zipped({ both: { method: 12 } })],
  ['a zip of a later version', 'heals', zipped({ both: { needed: 63 } })],
  ['a zip of links', 'stays', zipped({ central: { attributes: 0xa1ff0000 } })],
  ['a zip with other checksums', 'stays', zipped({ local: { crc: 1 } })],
  ['a zip with wrong checksums', 'stays', zipped({ both: { crc: 1 } })],
  ['a zip with other names before the data', 'heals', zipped({ local: { name: 'x' } })],
  ['a zip without its end', 'stays', (members) => zipped({})(members).subarray(0, -30)],
  ['a zip that counts one less', 'told', zipped({}, { count: 3 })],
  ['a zip that counts one more', 'stays', zipped({}, { count: 99 })],
  ['a zip whose member is a folder', 'stays', zipped({ central: { attributes: 0x41ed0000 } })],
  ['a zip whose member is a folder of DOS', 'stays', zipped({ central: { attributes: 0x10 } })],
  ['a zip whose member is a volume label', 'stays', zipped({ central: { attributes: 0x08 } })],
  ['a zip on two disks', 'stays', zipped({}, { disk: 1 })],
  ['a zip of zip64 without need', 'stays', zipped({}, { offset: 0xffffffff })],
];

let members: readonly NamedBytes[];
let trust: VerifyOptions;
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = makeSandbox();
  members = await makeMembers();
  trust = await trusting(sandbox);
});

afterAll(() => sandbox[Symbol.dispose]());

const isSent = ({ advice = [] }: ErrorReport): boolean =>
  advice.some((told) => typeof told === 'object' && told.advice === 'repair');

describe('an archive of an odd form', () => {
  test.each(FORMS)('[relax.8] [repair.5] %s', async (_, outcome, make) => {
    const bytes = make(members);
    const strict = (await verify(chunked(bytes), trust)).report.errors;
    const sink = { write: async () => {}, finish: async () => {}, discard: async () => {} };
    const options: NormalizeOptions = { ...trust, output: sink, format: 'tar', repair: true };
    const left = (await normalize(chunked(bytes), options)).errors;
    const codes = left.map(({ code }) => code);
    expect(strict.length).toBeGreaterThan(0);
    expect(codes.length === 0, `${left[0]?.message}`).toBe(outcome === 'heals' || outcome === 'unseen');
    expect(strict.some(isSent), `${strict[0]?.message}`).toBe(outcome === 'heals' || outcome === 'told');
    if (outcome === 'told') expect(left[0]?.message).not.toBe(strict[0]?.message);
    expect(left.some(isSent)).toBe(false);
  });
});
