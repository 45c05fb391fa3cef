import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import type { AnyReport } from '../../../src/operations/report/any-report.ts';
import { formatReportSchema, REPORT_SCHEMA } from '../../../src/operations/report/any-report-schema.ts';
import { makeReport, type Report } from '../../../src/verdict/report/report.ts';

/** A type in one form: read-only, intersections as one object, fields that are never there left out. */
type Plain<T> = T extends readonly (infer Item)[]
  ? readonly Plain<Item>[]
  : T extends object
    ? {
        readonly [Key in keyof T as [Exclude<T[Key], undefined>] extends [never] ? never : Key]: Plain<
          T[Key]
        >;
      }
    : T;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

type Operation = AnyReport['operation'];
type Described = z.infer<typeof REPORT_SCHEMA>;

/** What a report of the operation has as its result, of a union of reports. */
type ResultOf<All, Wanted extends string> = All extends { readonly operation: infer Own }
  ? Wanted extends Own
    ? 'result' extends keyof All
      ? Plain<Exclude<All['result'], undefined>>
      : never
    : never
  : never;

/** The operations whose result the schema and the type describe otherwise. */
type Differing = {
  [Wanted in Operation]: Same<ResultOf<Described, Wanted>, ResultOf<AnyReport, Wanted>> extends true
    ? never
    : Wanted;
}[Operation];

/** These do not compile when the schema and the types say different things. */
const SAME_RESULTS: Same<Differing, never> = true;
const SAME_OPERATIONS: Same<Described['operation'], Operation> = true;
const SAME_REST: Same<
  Plain<Omit<Described, 'operation' | 'result'>>,
  Plain<Omit<Report, 'operation' | 'result'>>
> = true;

/** The first volume of a set, as the operation says which result there is. */
function firstFile(report: AnyReport): string | undefined {
  switch (report.operation) {
    case 'join':
    case 'split':
      return report.result?.volumes[0]?.file;
    case 'import':
    case 'normalize':
      return report.result?.files[0];
    default:
      return undefined;
  }
}

describe('the schema of the reports', () => {
  const report = makeReport({ operation: 'verify', errors: [] });

  test('[rep.1] says what the types say', () => {
    expect([SAME_RESULTS, SAME_OPERATIONS, SAME_REST]).toEqual([true, true, true]);
  });

  test('the operation says what the result is', () => {
    const result = { destination: 'web', published: true, files: ['web.ovf'] };
    expect(firstFile(makeReport({ operation: 'import', errors: [], result }))).toBe('web.ovf');
    expect(firstFile(report)).toBeUndefined();
  });

  test('[rep.1] is on the disk as it is in the program', () => {
    const path = join(import.meta.dirname, '../../../spec/report.schema.json');
    expect(readFileSync(path, 'utf8'), 'npm run docs writes it').toBe(formatReportSchema());
  });

  test.each([
    ['more', { ...report, extra: 1 }],
    ['less', { ...report, verdict: undefined }],
    ['another schema', { ...report, schema: 'bulla.report/2' }],
    ['an operation that is none', { ...report, operation: 'varify' }],
    ['a verdict that is none', { ...report, verdict: 'fine' }],
    ['a check that is none', { ...report, checks: [{ id: 'nothing', status: 'pass', detail: '' }] }],
    [
      'a digest that is none',
      { ...report, files: [{ name: 'x', role: 'file', actual: 'AB', status: 'ok' }] },
    ],
    ['a line 0', { ...report, errors: [{ code: 'X', message: '', where: { line: 0 }, why: '', fix: '' }] }],
    ['a result where nothing is made', { ...report, result: {} }],
    ['the result of another operation', { ...report, operation: 'import', result: { removed: 'x' } }],
  ])('[rep.1] has no room for %s', (_, other) => {
    expect(REPORT_SCHEMA.safeParse(report).success).toBe(true);
    expect(REPORT_SCHEMA.safeParse(other).success).toBe(false);
  });
});
