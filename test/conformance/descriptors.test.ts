import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDescriptor } from '../../src/formats/ovf/descriptor.ts';
import { memberNames, referenceOf } from '../../src/formats/ovf/file-reference.ts';
import { toBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';

/** Where descriptors of other producers are: the vectors, and any folder more, such as a checkout of somebody's examples. */
const { BULLA_VECTORS: vectors = '', BULLA_DESCRIPTORS: more = '' } = process.env;

/** Why one may be refused; a refusal for any other reason has to be looked at. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /has a \.\. segment|is absolute|has a backslash|href of the file .* is empty/,
    'desc.9: a name that leads out of the bundle',
  ],
  [/VMware draft of OVF 0\.9/, 'desc.5: OVF 0.9 is no OVF'],
  [
    /root element is not an OVF Envelope/,
    'desc.5: oVirt, other versions, HTML, and envelopes without namespace',
  ],
  [
    /^the envelope has no References$|^References is outside of the namespace/,
    'desc.8: no references, or those of a draft',
  ],
  [/^unbound namespace prefix|root element$|^disallowed character/, 'desc.4: not well-formed, or cut off'],
  [
    /is not a plain decimal number: (?:-\d+|\d{17,}|abcd|@@\w+@@|\$\{\w+\})$/,
    'desc.10: no size, or that of a template',
  ],
  [/^two (?:files|disks) |^(?:File|Disk|VirtualSystem) has no /, 'desc.8, desc.13, desc.15: ids and names'],
  [/which is not in References$/, 'desc.13: a disk whose file is missing'],
  [/another OVF namespace than the envelope, and decides about files/, 'desc.6: two lists of files'],
];

interface Found {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function descriptorsBelow(folder: string): readonly Found[] {
  if (folder === '' || !existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => /\.ov[af]$/i.test(name))
    .flatMap((name) => {
      const bytes = readFileSync(join(folder, name));
      if (/\.ovf$/i.test(name)) return [{ name, bytes }];
      return descriptorsInTar(bytes).map((one) => ({ ...one, name: `${name}: ${one.name}` }));
    });
}

/** Those in a tar, as far as it is one; whether it is a good one is of no matter here. */
function descriptorsInTar(bytes: Uint8Array): readonly Found[] {
  const found: Found[] = [];
  const text = (at: number, length: number): string =>
    Buffer.from(bytes.subarray(at, at + length))
      .toString('latin1')
      .replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= bytes.length && text(at + 257, 5) === 'ustar'; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    if (!Number.isSafeInteger(size)) break;
    const name = text(at, 100);
    if (/\.ovf$/i.test(name)) found.push({ name, bytes: bytes.subarray(at + 512, at + 512 + size) });
    at += 512 + 512 * Math.ceil(size / 512);
  }
  return found;
}

const found = [...descriptorsBelow(vectors), ...descriptorsBelow(more)];
if (found.length === 0) {
  console.warn(
    'SKIPPED: set BULLA_VECTORS or BULLA_DESCRIPTORS to folders with descriptors of other producers',
  );
}

/** The reason of a refusal, or what was read. */
function outcomeOf({ bytes }: Found): string {
  try {
    const descriptor = parseDescriptor(bytes, DEFAULT_LIMITS);
    const lookup = referenceOf(descriptor.references);
    const names = memberNames(descriptor.references);
    return names.every((name) => lookup(name) !== undefined) ? 'read' : 'a member that no reference needs';
  } catch (error) {
    const { code, message } = toBundleError(error);
    const reason = REASONS.find(([pattern]) => pattern.test(message))?.[1];
    return code === 'DESCRIPTOR_SYNTAX' && reason ? reason : `${code}: ${message}`;
  }
}

describe.skipIf(found.length === 0)('descriptors of other producers', () => {
  test('[desc.5] each is read, or refused for a reason that is known', () => {
    const known = new Set(['read', ...REASONS.map(([, reason]) => reason)]);
    const outcomes = found.map((one) => [one.name, outcomeOf(one)] as const);
    const others = outcomes.filter(([, outcome]) => !known.has(outcome));
    expect(others).toEqual([]);
    expect(outcomes.filter(([, outcome]) => outcome === 'read').length).toBeGreaterThan(0);
  });
});

/** Real exports that describe a whole machine. */
const machines = found.filter(({ name }) => /^ovf\//.test(name));
describe.skipIf(machines.length === 0)('exports', () => {
  test.each(machines.map((one) => [one.name, one] as const))('[desc.15] %s', (_, { bytes }) => {
    const descriptor = parseDescriptor(bytes, DEFAULT_LIMITS);
    expect(descriptor.systems.length).toBeGreaterThan(0);
    for (const system of descriptor.systems) {
      expect(system.cpus).toBeGreaterThan(0);
      expect(system.memoryMiB).toBeGreaterThan(0);
    }
    for (const disk of descriptor.disks) expect(disk.capacity).toBeGreaterThan(0);
  });
});
