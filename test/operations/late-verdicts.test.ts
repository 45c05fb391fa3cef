import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openDeadline } from '../../src/kit/deadline.ts';
import { importBundle } from '../../src/operations/import.ts';
import { verify } from '../../src/operations/verify.ts';
import { JUDGED_AT, makeBundle, testAuthority } from '../factory/bundles.ts';
import { codeOf } from '../factory/errors.ts';
import { makeSandbox } from '../factory/sandbox.ts';

const DEADLINE_MS = 100;

/** Works until the time is over, without letting a timer have its turn. */
function work(): void {
  for (const end = performance.now() + DEADLINE_MS + 1; performance.now() < end; );
}

test('[cli.21] a deadline is looked at though its timer has had no turn', () => {
  using deadline = openDeadline({ deadlineMs: DEADLINE_MS });
  work();
  expect(deadline.signal?.aborted).toBe(false);
  expect(codeOf(() => deadline.expectInTime())).toBe('INPUT_STALLED');
  expect(deadline.signal?.aborted).toBe(true);
  using none = openDeadline({});
  expect(() => none.expectInTime()).not.toThrow();
});

test('[cli.21] a verdict that comes too late is not given, and nothing is published', async () => {
  using sandbox = makeSandbox();
  const bundle = sandbox.write('web.ova', await makeBundle());
  const anchors = [sandbox.write('ca.pem', (await testAuthority()).pem)];
  const options = { trust: { anchors }, at: JUDGED_AT, deadlineMs: DEADLINE_MS };
  let worked = 0;
  const onProgress = (): void => {
    worked++;
    work();
  };
  const codeFrom = async (run: Promise<{ report: { errors: readonly { code: string }[] } }>) =>
    run.then(
      ({ report }) => report.errors[0]?.code,
      (error: unknown) => (error as { code?: string }).code,
    );
  expect(await codeFrom(verify(bundle, { ...options, onProgress }))).toBe('INPUT_STALLED');
  const destination = sandbox.path('new');
  expect(await codeFrom(importBundle(bundle, { ...options, onProgress, destination }))).toBe('INPUT_STALLED');
  expect(existsSync(destination)).toBe(false);
  expect(worked).toBeGreaterThan(0);
});
