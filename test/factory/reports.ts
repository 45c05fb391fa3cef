import { expect } from 'vitest';
import { REPORT_SCHEMA } from '../../src/operations/report/any-report-schema.ts';
import type { Report } from '../../src/verdict/report/report.ts';

/** The report as it is printed and read again, once it is known to be valid. [rep.1] */
export function valid(report: Report): Report {
  const printed: unknown = JSON.parse(JSON.stringify(report));
  expect(REPORT_SCHEMA.safeParse(printed).error?.issues).toBeUndefined();
  expect(report.trusted, 'trusted says the same as the verdict').toBe(report.verdict === 'trusted');
  if (report.trusted) expect([report.exitCode, report.errors]).toEqual([0, []]);
  return report;
}

/** The codes of the errors, in their order. */
export function codesOf(report: Report): readonly string[] {
  return report.errors.map(({ code }) => code);
}
