import { expect, test } from 'vitest';
import { stdoutOutput } from '../../../src/storage/output/standard-output.ts';

test('[cli.14] a program that writes many bundles to standard output listens for its failure once', async () => {
  await using _ = stdoutOutput(undefined);
  const before = process.stdout.listenerCount('error');
  for (let i = 0; i < 20; i++) await stdoutOutput(undefined).discard();
  expect(process.stdout.listenerCount('error')).toBe(before);
});
