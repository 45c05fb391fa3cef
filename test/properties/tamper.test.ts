import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';
import { loadPolicy } from '../../src/operations/verify/load-policy.ts';
import { openBudget } from '../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import { examine } from '../../src/verdict/bundle/examine.ts';
import {
  archiveOf,
  descriptorFor,
  JUDGED_AT,
  makeMembers,
  type NamedBytes,
  noiseFile,
  testAuthority,
  withMember,
} from '../factory/bundles.ts';
import { flipped, withChecksumAt } from '../factory/damage.ts';
import { importHere, left } from '../factory/importing.ts';
import { mutated } from '../factory/mutation.ts';
import { makeSandbox } from '../factory/sandbox.ts';
import { chunked } from '../factory/streams.ts';

const BLOCK = 512;
const DISK = noiseFile('disk.img', 700);
const NAMES = ['app.cert', 'app.mf', 'app.ovf', 'disk.img'];

/** Tells what a bundle holds when it is trusted, without storing anything. */
type Judge = (bytes: Uint8Array) => Promise<Readonly<Record<string, string>> | undefined>;

let judge: Judge;
const sandbox = makeSandbox();
afterAll(() => sandbox[Symbol.dispose]());
beforeAll(async () => {
  const trust = { anchors: [sandbox.write('ca.pem', (await testAuthority()).pem)] };
  const policy = await loadPolicy({ trust }, { at: JUDGED_AT, allowances: NO_ALLOWANCES, inputs: [] });
  const options = { ...policy, limits: DEFAULT_LIMITS };
  judge = async (bytes) => {
    const stream = chunked(bytes);
    const source = { name: 'x', repeatable: false, stream: () => stream, checkUnchanged: () => {} };
    const { errors, contents } = await examine(
      { ...source, [Symbol.asyncDispose]: async () => {} },
      { ...options, budget: openBudget() },
    );
    if (errors.length > 0) return undefined;
    // The certificate file is vouched for by nobody, its name included; what it is taken for does not hang on the case.
    const spelling = (name: string): string => name.replace(/\.cert$/i, '.cert');
    return Object.fromEntries(contents.files.map(({ name, actual = '' }) => [spelling(name), actual]));
  };
});

interface Bundle {
  readonly members: readonly NamedBytes[];
  readonly bytes: Uint8Array;
  readonly files: Readonly<Record<string, string>>;
}

async function makeBundleIn(order: 'leading' | 'trailing'): Promise<Bundle> {
  const members = await makeMembers({ files: [descriptorFor('app.ovf', [DISK]), DISK], order });
  const bytes = await archiveOf(members);
  const files = await judge(bytes);
  if (!files) throw new Error('the bundle is not trusted to begin with');
  return { members, bytes, files };
}

/** An archive of anything, members of one name too. */
async function looseArchive(members: readonly NamedBytes[]): Promise<Uint8Array> {
  const parts = await Promise.all(
    members.map(async (member) => {
      const blocks = 1 + Math.ceil(member.bytes.byteLength / BLOCK);
      return (await archiveOf([member])).subarray(0, blocks * BLOCK);
    }),
  );
  return Buffer.concat([...parts, new Uint8Array(2 * BLOCK)]);
}

/** Which part of the archive a byte belongs to. */
function partAt({ members }: Bundle, at: number): string {
  let header = 0;
  for (const { name, bytes } of members) {
    const data = header + BLOCK;
    const end = data + bytes.byteLength;
    const next = data + BLOCK * Math.ceil(bytes.byteLength / BLOCK);
    if (at < data) return 'header';
    if (at < end) return name;
    if (at < next) return 'padding';
    header = next;
  }
  return 'end mark';
}

/** The field of a tar header that a byte of it belongs to. */
function fieldAt(at: number): string {
  const ends = {
    name: 100,
    mode: 108,
    uid: 116,
    gid: 124,
    size: 136,
    mtime: 148,
    checksum: 156,
    type: 157,
    link: 257,
    magic: 265,
    uname: 297,
    gname: 329,
    devmajor: 337,
    devminor: 345,
    prefix: 500,
    rest: 512,
  };
  return Object.entries(ends).find(([, end]) => at < end)?.[0] ?? '';
}

/** What was tried, and how much of it was accepted, by the part that was changed; each with the files of the original. */
class Tally {
  readonly #files: Readonly<Record<string, string>>;
  readonly accepted: Record<string, number> = {};
  tried = 0;

  constructor({ files }: Bundle) {
    this.#files = files;
  }

  async add(part: string, bytes: Uint8Array): Promise<void> {
    this.tried++;
    const found = await judge(bytes);
    if (!found) return;
    expect(found, part).toEqual(this.#files);
    this.accepted[part] = (this.accepted[part] ?? 0) + 1;
  }
}

describe.each(['leading', 'trailing'] as const)('a bundle in %s order', (order) => {
  let bundle: Bundle;
  beforeAll(async () => {
    bundle = await makeBundleIn(order);
  });

  test('[judge.3] with one bit turned over, in any byte, is refused but for spelling', async () => {
    const tally = new Tally(bundle);
    const line = bundle.bytes.findIndex((_, i) => partAt(bundle, i) === 'app.cert');
    for (let at = 0; at < bundle.bytes.byteLength; at++) {
      const part = partAt(bundle, at);
      if ((part === 'end mark' && at % 13 > 0) || (order === 'trailing' && at % 3 > 0)) continue;
      const inSignature = at >= line && at < line + 528;
      const bit = inSignature ? 5 : (at * 5 + (at >> 3)) % 8;
      await tally.add(
        part === 'header' ? `header: ${fieldAt(at % BLOCK)}` : part,
        flipped(bundle.bytes, at, bit),
      );
    }
    // Hex digits of the signature in the other case, and the blank behind a checksum.
    expect(Object.keys(tally.accepted)).toContain('app.cert');
    expect(
      Object.keys(tally.accepted).filter((part) => !['app.cert', 'header: checksum'].includes(part)),
    ).toEqual([]);
  });

  test('[judge.3] with a header changed and its checksum mended publishes the same, or is refused', async () => {
    const tally = new Tally(bundle);
    const headers = bundle.members.map(({ name }) => {
      const encoded = new TextEncoder().encode(name);
      return bundle.bytes.findIndex(
        (_, i) => i % BLOCK === 0 && encoded.every((byte, j) => bundle.bytes[i + j] === byte),
      );
    });
    for (const header of headers) {
      for (let at = 0; at < BLOCK; at++) {
        const hit = flipped(bundle.bytes, header + at, (at + header / BLOCK) % 8);
        await tally.add(fieldAt(at), withChecksumAt(hit, header));
      }
    }
    // What no file system entry is made of here, a blank for a NUL, and the case of the extension of the certificate file.
    const harmless = [
      'checksum',
      'devmajor',
      'devminor',
      'gid',
      'gname',
      'mode',
      'mtime',
      'name',
      'size',
      'uid',
      'uname',
    ];
    expect(Object.keys(tally.accepted).filter((field) => !harmless.includes(field))).toEqual([]);
  });

  test('[judge.3] cut short is refused, but for zeros behind the end mark', async () => {
    const tally = new Tally(bundle);
    for (let length = 0; length < bundle.bytes.byteLength; length++) {
      if (length % 7 > 0 && length % BLOCK > 0) continue;
      await tally.add(
        length % BLOCK === 0 ? partAt(bundle, length) : 'in a block',
        bundle.bytes.subarray(0, length),
      );
    }
    expect(Object.keys(tally.accepted)).toEqual(['end mark']);
  });

  test('[judge.3] with bytes behind it is refused, but for blocks of zeros', async () => {
    const tally = new Tally(bundle);
    for (const count of [1, 100, 511, 512, 513, 1024, 10_240]) {
      for (const byte of [0, 1, 0x20, 0xff]) {
        const tail = new Uint8Array(count).fill(byte);
        await tally.add(
          `${count % BLOCK === 0 ? 'blocks' : 'bytes'} of ${byte}`,
          Buffer.concat([bundle.bytes, tail]),
        );
      }
    }
    await tally.add('itself again', Buffer.concat([bundle.bytes, bundle.bytes]));
    expect(tally.accepted).toEqual({ 'blocks of 0': 3 });
  });

  test('[judge.3] with members dropped, doubled, renamed or changed for each other is refused; their order is free', async () => {
    const tally = new Tally(bundle);
    const { members } = bundle;
    const contentOf = (name: string) =>
      members.find((member) => member.name === name)?.bytes ?? new Uint8Array(0);
    for (const { name } of members) {
      const change = async (what: string, make: (member: NamedBytes) => readonly NamedBytes[]) =>
        tally.add(what, await looseArchive(withMember(members, name, make)));
      await change('dropped', () => []);
      await change('doubled', (member) => [member, member]);
      await change('emptied', () => [{ name, bytes: new Uint8Array(0) }]);
      await change('longer by a zero', ({ bytes }) => [{ name, bytes: Uint8Array.of(...bytes, 0) }]);
      for (const other of [`x${name}`, name.toUpperCase(), `sub/${name}`, `${name}.bak`]) {
        await change('renamed', ({ bytes }) => [{ name: other, bytes }]);
        await change('added under another name', (member) => [member, { name: other, bytes: member.bytes }]);
      }
      for (const other of members.filter((member) => member.name !== name)) {
        await change('with the content of another', () => [{ name, bytes: other.bytes }]);
        const swapped = members.map((member) => {
          if (member.name === name) return { name, bytes: other.bytes };
          return member === other ? { name: other.name, bytes: contentOf(name) } : member;
        });
        await tally.add('changed for another', await looseArchive(swapped));
      }
    }
    const [a, b, c, d] = members;
    if (!a || !b || !c || !d) throw new Error('four members');
    for (const order of [
      [a, b, c, d],
      [d, c, b, a],
      [b, a, d, c],
      [c, d, a, b],
      [c, a, d, b],
      [b, d, a, c],
    ]) {
      await tally.add('in another order', await archiveOf(order));
    }
    expect(Object.keys(tally.accepted)).toEqual(['in another order']);
    expect(tally.accepted['in another order']).toBe(6);
  });

  test('[judge.3] mutilated anyhow is refused, or has the same files', async () => {
    const tally = new Tally(bundle);
    const property = fc.asyncProperty(mutated(bundle.bytes), (bytes) => tally.add('mutilated', bytes));
    await fc.assert(property, { numRuns: 600 });
  });

  test('[import.3] [import.7] is imported as it was, or leaves nothing', async () => {
    const spot = fc.nat(bundle.bytes.byteLength - 1);
    const tampered = fc.oneof(
      mutated(bundle.bytes),
      fc.tuple(spot, fc.nat(7)).map(([at, bit]) => flipped(bundle.bytes, at, bit)),
      spot.map((length) => bundle.bytes.slice(0, length)),
    );
    let imported = 0;
    const property = fc.asyncProperty(tampered, async (bytes) => {
      using home = makeSandbox();
      const result = await importHere(home, chunked(bytes, 1000));
      if (!result.imported) {
        expect(left(home)).toEqual([]);
        return;
      }
      imported++;
      expect(left(home)).toEqual(['home/here/', ...NAMES.map((name) => `home/here/${name}`)]);
      for (const { name, bytes: expected } of bundle.members.filter((member) => member.name !== 'app.cert')) {
        expect(Buffer.compare(readFileSync(home.path(`home/here/${name}`)), expected), name).toBe(0);
      }
    });
    await fc.assert(property, { numRuns: 75, examples: [[bundle.bytes]] });
    expect(imported).toBeGreaterThan(0);
  });
});
