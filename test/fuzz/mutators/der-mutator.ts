import { concat } from '../../../src/kit/bytes.ts';
import type { Random } from '../random.ts';
import { type FixedKey, signedStructure } from '../seeds/pki.ts';
import { mutateBytes } from './byte-mutator.ts';
import {
  branch,
  copyTree,
  type DerNode,
  formatTree,
  leaf,
  type Place,
  parseTree,
  placesIn,
} from './der-tree.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const hex = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'hex'));

/** Values that somebody, somewhere, got wrong; by tag. */
const TELLING: Readonly<Record<number, readonly Uint8Array[]>> = {
  1: ['00', 'ff', '01', '', 'ffff'].map(hex),
  2: [
    '',
    '00',
    '01',
    '02',
    '03',
    '04',
    '7f',
    '80',
    'ff',
    '0080',
    '0001',
    'ff80',
    '00ffffffff',
    `7f${'ff'.repeat(7)}`,
    `00${'ff'.repeat(64)}`,
  ].map(hex),
  3: ['', '00', '07', '0780', '08ff', '0001', `00${'00'.repeat(32)}`, '030304b0'].map(hex),
  4: ['', '00', '0500', '3000', '040100', '30800000'].map(hex),
  5: ['', '00'].map(hex),
  6: [
    '',
    '80',
    '8001',
    '5504',
    '5504ff',
    '551d13',
    '551d0f',
    '551d1e',
    '551d23',
    '551d25',
    '551d20',
    '551d1c',
    '551d1d',
    '551d15',
    '2a864886f70d01010b',
    '2b6570',
    '2a864886f70d010907',
    '551d2500',
    `${'ff'.repeat(127)}7f`,
  ].map(hex),
  12: ['', 'a', 'A', ' a ', 'a\0b', 'é', 'ＡＣＭＥ', '\u202e', 'x'.repeat(300)].map(text),
  23: [
    '500101000000Z',
    '491231235959Z',
    '260101000000Z',
    '990231000000Z',
    '2601010000Z',
    '260101000000+0000',
    '',
  ].map(text),
  24: [
    '20500101000000Z',
    '00000101000000Z',
    '99991231235959Z',
    '20260101000000.5Z',
    '20260101000000.50Z',
    '20261301000000Z',
    '2026010100Z',
  ].map(text),
};
const TAGS = [
  1, 2, 3, 4, 5, 6, 0x0a, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x1e, 0x24, 0x30, 0x31, 0x80, 0x81, 0x82, 0x84, 0x86,
  0x87, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0x1f,
];
const MOST_NODES = 4000;

/** The DER with a few changes to its elements, or now and then to its bytes; `others` lend elements. */
export function mutateDer(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  if (random.chance(1, 10)) return mutateBytes(random, bytes);
  const root = parseTree(bytes);
  mutateTree(random, root, others);
  const result = formatTree(root);
  return random.chance(1, 12) ? mutateBytes(random, result) : result;
}

/** A signed structure (what is signed, algorithm, signature) with changes in what is signed, and signed again. */
export function resigned(
  random: Random,
  seed: Uint8Array,
  others: readonly Uint8Array[],
  key: FixedKey,
): Uint8Array {
  const [tbs] = parseTree(seed).children ?? [];
  if (!tbs) return seed;
  mutateTree(random, tbs, others);
  return signedStructure(formatTree(tbs), key);
}

/** Changes a tree in one to five places. */
export function mutateTree(random: Random, root: DerNode, others: readonly Uint8Array[]): void {
  let rounds = 1;
  while (rounds < 5 && random.chance(1, 2)) rounds++;
  for (; rounds > 0; rounds--) change(random, root, others);
}

function change(random: Random, root: DerNode, others: readonly Uint8Array[]): void {
  const places = placesIn(root);
  const place = random.pick(places);
  const { node } = place;
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
      edit(random, random.pick([place, ...places.filter((one) => !one.node.children)]).node);
      break;
    case 3: // the value of another element of the same type
      replace(place, copyTree(random.pick(places.filter((one) => one.node.tag === node.tag)).node));
      break;
    case 4:
      if (others.length > 0) replace(place, pickAlike(random, parseTree(random.pick(others)), node.tag));
      break;
    case 5:
      swap(random, place);
      break;
    case 6:
      insert(
        place,
        Array.from({ length: timesFor(random, places.length) }, () => copyTree(node)),
      );
      break;
    case 7:
      remove(place);
      break;
    case 8:
      node.tag = random.chance(1, 2) ? random.pick(TAGS) : node.tag ^ (1 << random.below(8));
      break;
    case 9:
      nest(random, place);
      break;
    case 10:
      if (node.children && node.children.length > 0) replace(place, random.pick(node.children));
      break;
    case 11:
      node.children?.reverse();
      break;
    case 12:
      insert(place, [copyTree(random.pick(places).node)]);
      break;
    case 13:
      if (random.chance(1, 2)) node.form = random.pick(['long', 'indefinite', 'more', 'less'] as const);
      break;
    case 14:
      if (node.children) node.children = [];
      else node.value = new Uint8Array();
      break;
    default: {
      const value = TELLING[node.tag];
      if (value && !node.children) node.value = random.pick(value);
      else edit(random, node);
    }
  }
}

/** One for most, hundreds now and then: what is slow shows in numbers. */
function timesFor(random: Random, nodes: number): number {
  if (nodes > MOST_NODES || !random.chance(1, 8)) return 1;
  return random.pick([2, 16, 17, 64, 65, 300]);
}

function edit(random: Random, node: DerNode): void {
  const telling = TELLING[node.tag];
  if (node.children) node.children = node.children.slice(0, random.below(node.children.length + 1));
  else if (telling && random.chance(1, 3)) node.value = random.pick(telling);
  else if (random.chance(1, 6)) node.value = concat([node.value, random.bytes(random.below(200))]);
  else node.value = mutateBytes(random, node.value);
}

function pickAlike(random: Random, root: DerNode, tag: number): DerNode {
  const places = placesIn(root);
  const alike = places.filter(({ node }) => node.tag === tag);
  return random.pick(alike.length > 0 ? alike : places).node;
}

function replace({ node, parent, at }: Place, by: DerNode): void {
  if (parent?.children) parent.children[at] = by;
  else Object.assign(node, by);
}

function swap(random: Random, { parent, at, node }: Place): void {
  if (!parent?.children) return;
  const other = random.below(parent.children.length);
  parent.children[at] = parent.children[other] ?? node;
  parent.children[other] = node;
}

function insert({ parent, at }: Place, nodes: readonly DerNode[]): void {
  parent?.children?.splice(at, 0, ...nodes);
}

function remove({ parent, at }: Place): void {
  parent?.children?.splice(at, 1);
}

function nest(random: Random, place: Place): void {
  const depth = random.chance(1, 10) ? random.pick([31, 33, 100, 2000]) : 1;
  const tag = random.pick([0x30, 0x31, 0xa0, 0xa4, 0x24, 4]);
  let inner = copyTree(place.node);
  for (let i = 0; i < depth; i++) {
    // a string that holds the bytes would make a deep tree cost the square of its depth
    inner = depth > 100 ? leaf(tag, formatTree(inner)) : branch(tag, [inner]);
    if (depth > 100 && inner.value.byteLength > 20_000) break;
  }
  replace(place, inner);
}
