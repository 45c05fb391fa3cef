import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { makeReport, type Report } from '../../../src/verdict/report/report.ts';
import { formatReportSchema, REPORT_SCHEMA } from '../../../src/verdict/report/report-schema.ts';

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile when the schema and the type say different things; of what an operation gives the schema knows nothing. */
const SAME: Same<
  Frozen<z.infer<typeof REPORT_SCHEMA>>,
  Frozen<Report<string, Record<string, unknown>>>
> = true;

describe('the schema of the report', () => {
  const report = makeReport({ operation: 'verify', errors: [] });

  test('[rep.1] says what the type says', () => expect(SAME).toBe(true));

  test('[rep.1] is on the disk as it is in the program', () => {
    const path = join(import.meta.dirname, '../../../spec/report.schema.json');
    expect(readFileSync(path, 'utf8'), 'npm run docs writes it').toBe(formatReportSchema());
  });

  test.each([
    ['more', { ...report, extra: 1 }],
    ['less', { ...report, verdict: undefined }],
    ['another schema', { ...report, schema: 'bulla.report/2' }],
    ['a verdict that is none', { ...report, verdict: 'fine' }],
    ['a check that is none', { ...report, checks: [{ id: 'nothing', status: 'pass', detail: '' }] }],
    [
      'a digest that is none',
      { ...report, files: [{ name: 'x', role: 'file', actual: 'AB', status: 'ok' }] },
    ],
    ['a line 0', { ...report, errors: [{ code: 'X', message: '', where: { line: 0 }, why: '', fix: '' }] }],
  ])('[rep.1] has no room for %s', (_, other) => {
    expect(REPORT_SCHEMA.safeParse(report).success).toBe(true);
    expect(REPORT_SCHEMA.safeParse(other).success).toBe(false);
  });
});
