import { mkdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ByteStream } from '../../src/kit/bytes.ts';
import { importBundle } from '../../src/operations/import/import.ts';
import type { ImportOptions } from '../../src/operations/import/import-options.ts';
import type { ImportResult } from '../../src/operations/import/import-result.ts';
import type { NamedBytes } from './bundles.ts';
import { valid } from './reports.ts';
import { type Sandbox, trusting } from './sandbox.ts';

/** Imports into `home/here` of the sandbox; `home` holds nothing else. */
export async function importHere(
  sandbox: Sandbox,
  input: ByteStream | string,
  options: Partial<ImportOptions> = {},
): Promise<ImportResult> {
  const trust = await trusting(sandbox);
  mkdirSync(sandbox.path('home'), { recursive: true });
  const result = await importBundle(input, { ...trust, destination: sandbox.path('home/here'), ...options });
  valid(result.report);
  return result;
}

/** What is in `home`, and so what an import has left. */
export function left(sandbox: Sandbox): readonly string[] {
  return sandbox.list().filter((name) => name.startsWith('home/') && name !== 'home/');
}

/** The members are published, and nothing else. */
export function expectFiles(sandbox: Sandbox, members: readonly NamedBytes[]): void {
  const found = left(sandbox).filter((name) => !name.endsWith('/'));
  expect(found).toEqual(members.map(({ name }) => `home/here/${name}`).sort());
  for (const { name, bytes } of members) {
    expect(Buffer.compare(readFileSync(sandbox.path(`home/here/${name}`)), bytes), name).toBe(0);
  }
}
