import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, slowest first. It is known here, since a clean clone has not been timed. */
const SLOWEST: readonly string[] = [
  'faults/kill',
  'fuzz/fuzz',
  'conformance/archives',
  'faults/signals',
  'transcripts',
  'faults/sources',
  'faults/injected',
  'faults/exchange',
  'faults/stops',
  'operations/verify/verify',
  'differential/names',
  'properties/tamper',
  'conformance/attacks',
  'differential/numbers',
];

/**
 * Begins with the files that have a process of their own, then with those that take longest, so that in the end no core
 * waits for another.
 */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...(await super.sort(files))].sort((a, b) => rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId, project }: TestSpecification): number {
  const place = SLOWEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  if (place >= 0) return place;
  return SLOWEST.length + (project.config.isolate ? 0 : 1);
}
