import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './watch.ts';

/** A finding that was kept: where, and the command that feeds it again. */
export interface Kept {
  readonly file: string;
  readonly text: string;
  readonly again: string;
}

/** Writes the inputs to `folder`, one for each fault: the shortest of those that look alike. */
export function keepFindings(folder: string, target: string, findings: readonly Finding[]): readonly Kept[] {
  const distinct = new Map<string, Finding>();
  for (const finding of findings) {
    const key = lookOf(finding);
    const known = distinct.get(key);
    if (!known || finding.input.byteLength < known.input.byteLength) distinct.set(key, finding);
  }
  if (distinct.size > 0) mkdirSync(folder, { recursive: true });
  return [...distinct.values()].map(({ input, fault }) => {
    const digest = createHash('sha256').update(input).digest('hex').slice(0, 12);
    const file = join(folder, `${target}-${fault.kind}-${digest}.bin`);
    writeFileSync(file, input);
    return { file, text: fault.text, again: `npm run fuzz -- --target ${target} --replay ${file}` };
  });
}

/** The message without its numbers, and the place in our code. */
function lookOf({ fault }: Finding): string {
  const lines = fault.text.split('\n');
  const place = lines.find((line) => line.includes('/src/')) ?? '';
  const code = /^([A-Z_]+) BundleError/.exec(fault.text)?.[1];
  if (code) return `${fault.kind} ${code}`;
  return `${fault.kind} ${(lines[0] ?? '').replace(/[0-9a-f]*\d[0-9a-f]*/g, '#').slice(0, 120)} ${place}`;
}
