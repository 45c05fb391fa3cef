import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDescriptor } from '../../src/formats/ovf/descriptor.ts';
import { memberNames, referenceOf } from '../../src/formats/ovf/file-reference.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';

const { BULLA_VECTORS: vectors } = process.env;
const folder = vectors ? join(vectors, 'ovf') : '';
const found = folder && existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ovf')) : [];
if (found.length === 0) {
  console.warn(
    'SKIPPED: set BULLA_VECTORS to a folder with ovf/*.ovf to read descriptors of other producers',
  );
}

describe.skipIf(found.length === 0)('descriptors of other producers', () => {
  test.each(found)('[desc.5] %s', (name) => {
    const descriptor = parseDescriptor(readFileSync(join(folder, name)), DEFAULT_LIMITS);
    expect(descriptor.systems.length).toBeGreaterThan(0);
    for (const system of descriptor.systems) {
      expect(system.cpus).toBeGreaterThan(0);
      expect(system.memoryMiB).toBeGreaterThan(0);
    }
    for (const disk of descriptor.disks) expect(disk.capacity).toBeGreaterThan(0);
    const lookup = referenceOf(descriptor.references);
    for (const name of memberNames(descriptor.references)) expect(lookup(name)).toBeDefined();
  });
});
