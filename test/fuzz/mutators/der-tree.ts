import { concat } from '../../../src/kit/bytes.ts';

/**
 * A DER element that can be changed: with children, or with bytes.
 *
 * Strings that hold DER (extensions, keys, contents of a CMS) are opened too: `lead` is what stands before it.
 */
export interface DerNode {
  tag: number;
  lead: Uint8Array;
  children: DerNode[] | undefined;
  value: Uint8Array;
  /** how its length is written; in the one way of DER unless told otherwise */
  form: 'minimal' | 'long' | 'indefinite' | 'more' | 'less';
}

const NOTHING = new Uint8Array();
const MAX_DEPTH = 40;
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;

/** The element at the beginning of `bytes` as a tree; what follows it, or cannot be read, is left out. */
export function parseTree(bytes: Uint8Array): DerNode {
  return readAll(bytes, 0)?.[0] ?? leaf(OCTET_STRING, bytes);
}

/** A node with bytes. */
export function leaf(tag: number, value: Uint8Array): DerNode {
  return { tag, lead: NOTHING, children: undefined, value, form: 'minimal' };
}

/** A node with children. */
export function branch(tag: number, children: DerNode[]): DerNode {
  return { tag, lead: NOTHING, children, value: NOTHING, form: 'minimal' };
}

/** All elements of `bytes`, or undefined when they are not elements one behind the other to the end. */
function readAll(bytes: Uint8Array, depth: number): DerNode[] | undefined {
  const nodes: DerNode[] = [];
  if (depth > MAX_DEPTH) return undefined;
  for (let at = 0; at < bytes.byteLength; ) {
    const found = headerAt(bytes, at);
    if (!found) return undefined;
    nodes.push(nodeOf(found.tag, bytes.subarray(found.body, found.end), depth));
    at = found.end;
  }
  return nodes;
}

function nodeOf(tag: number, value: Uint8Array, depth: number): DerNode {
  const lead = tag === BIT_STRING ? value.subarray(0, 1) : NOTHING;
  const isOpen = (tag & 0x20) !== 0 || ((tag === OCTET_STRING || tag === BIT_STRING) && value.byteLength > 4);
  const children = isOpen ? readAll(value.subarray(lead.byteLength), depth + 1) : undefined;
  if (!children || (children.length === 0 && (tag & 0x20) === 0)) return leaf(tag, value);
  return { tag, lead, children, value: NOTHING, form: 'minimal' };
}

function headerAt(bytes: Uint8Array, at: number): { tag: number; body: number; end: number } | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  const count = first > 0x80 ? first - 0x80 : 0;
  if (first === 0x80 || count > 4) return undefined;
  let length = count === 0 ? first : 0;
  for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
  const body = at + 2 + count;
  return body + length <= bytes.byteLength ? { tag, body, end: body + length } : undefined;
}

/** The bytes of a tree, with lengths that fit it. */
export function formatTree(node: DerNode): Uint8Array {
  return concat([NOTHING, ...partsOf(node)]);
}

function partsOf(node: DerNode): Uint8Array[] {
  const contents = node.children ? [node.lead, ...node.children.flatMap(partsOf)] : [node.value];
  const length = contents.reduce((sum, { byteLength }) => sum + byteLength, 0);
  switch (node.form) {
    case 'minimal':
      return [Uint8Array.of(node.tag, ...minimal(length)), ...contents];
    case 'long':
      return [Uint8Array.of(node.tag, 0x84, ...bigEndian(length)), ...contents];
    case 'indefinite':
      return [Uint8Array.of(node.tag | 0x20, 0x80), ...contents, Uint8Array.of(0, 0)];
    case 'more':
      return [Uint8Array.of(node.tag, ...minimal(length + 1)), ...contents];
    case 'less':
      return [Uint8Array.of(node.tag, ...minimal(Math.max(0, length - 1))), ...contents];
  }
}

function minimal(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes = bigEndian(length);
  const digits = bytes.slice(bytes.findIndex((byte) => byte !== 0));
  return [0x80 + digits.length, ...digits];
}

function bigEndian(length: number): number[] {
  return [length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
}

/** A tree that shares nothing with this one but bytes, which are never changed in place. */
export function copyTree(node: DerNode): DerNode {
  return { ...node, children: node.children?.map(copyTree) };
}

/** A node, and where it hangs; the root hangs nowhere. */
export interface Place {
  readonly node: DerNode;
  readonly parent: DerNode | undefined;
  readonly at: number;
}

/** Every node of the tree. */
export function placesIn(root: DerNode): readonly Place[] {
  const places: Place[] = [{ node: root, parent: undefined, at: 0 }];
  const walk = (parent: DerNode): void => {
    parent.children?.forEach((node, at) => {
      places.push({ node, parent, at });
      walk(node);
    });
  };
  walk(root);
  return places;
}
