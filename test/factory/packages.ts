import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Report } from '../../src/verdict/report/report.ts';
import type { NamedBytes } from './bundles.ts';

/** Writes members as files of a new folder, in place of what was there. */
export function writePackage(folder: string, members: readonly NamedBytes[]): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of members) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return folder;
}

/** A report without what depends on the form of the bundle: its place and format, and where in it the members lie. */
export function withoutForm({ input: _, ...report }: Report): unknown {
  const plain = JSON.parse(JSON.stringify(report)) as Report;
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  return {
    ...plain,
    files: plain.files.map(({ offset: _, ...file }) => file).sort(byName),
    errors: plain.errors
      .map(({ where: { file: _, offset: __, ...where }, ...error }) => JSON.stringify({ ...error, where }))
      .sort(),
    warnings: plain.warnings.filter((text) => !text.startsWith('the descriptor is not the first member')),
  };
}
