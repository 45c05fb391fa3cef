import { mkdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ByteStream } from '../../src/kit/bytes.ts';
import { importBundle } from '../../src/operations/import/import.ts';
import type { ImportOptions } from '../../src/operations/import/import-options.ts';
import type { ImportResult } from '../../src/operations/import/import-result.ts';
import type { ImportSink } from '../../src/operations/import/import-sink.ts';
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

/** A sink in memory that keeps what it is told. */
export interface RecordingSink extends ImportSink {
  /** members that came whole, and small ones */
  readonly stored: ReadonlyMap<string, Uint8Array>;
  /** members that did not come to their end */
  readonly lost: readonly string[];
  /** what it was told of the whole, in order */
  readonly told: readonly ('publish' | 'discard')[];
  /** what counts in the end, by name, in the bytes that count */
  readonly published: ReadonlyMap<string, Uint8Array>;
}

/** A sink in memory; `faults` do what they do in place of its own methods. */
export function recordingSink(faults: Partial<ImportSink> = {}): RecordingSink {
  const stored = new Map<string, Uint8Array>();
  const lost: string[] = [];
  const told: ('publish' | 'discard')[] = [];
  const published = new Map<string, Uint8Array>();
  const create: ImportSink['create'] = async (name) => {
    const parts: Uint8Array[] = [];
    return {
      write: async (chunk) => void parts.push(Uint8Array.from(chunk)),
      finish: async () => void stored.set(name, Uint8Array.from(Buffer.concat(parts))),
      discard: async () => void lost.push(name),
    };
  };
  return {
    stored,
    lost,
    told,
    published,
    create: faults.create ?? create,
    store: faults.store ?? ((name, content) => void stored.set(name, content)),
    publish: async (members) => {
      told.push('publish');
      await faults.publish?.(members);
      for (const { name, bytes = stored.get(name) } of members) if (bytes) published.set(name, bytes);
    },
    discard: async () => {
      told.push('discard');
      await faults.discard?.();
    },
  };
}
