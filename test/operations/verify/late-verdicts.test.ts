import { existsSync, rmSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { openDeadline } from '../../../src/kit/deadline.ts';
import { importBundle } from '../../../src/operations/import/import.ts';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import { pack } from '../../../src/operations/pack/pack.ts';
import { type SignOptions, sign } from '../../../src/operations/sign/sign.ts';
import { signFile } from '../../../src/operations/sign/sign-file.ts';
import { timestamp } from '../../../src/operations/sign/timestamp.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { JUDGED_AT, makeBundle, testAuthority } from '../../factory/bundles.ts';
import { makeAuthority } from '../../factory/certificates.ts';
import { codeOf } from '../../factory/errors.ts';
import { identityOf } from '../../factory/packing.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { makeTimestampAuthority, makeTokenDer } from '../../factory/timestamps.ts';

const DEADLINE_MS = 100;
const DISTANT_MS = 1e9;

/** Works until the time is over, without letting a timer have its turn. */
function work(): void {
  for (const end = performance.now() + DEADLINE_MS + 1; performance.now() < end; );
}

/** The code of what an operation ends with. */
async function codeFrom(run: Promise<Report>): Promise<string | undefined> {
  return run.then(
    ({ errors }) => errors[0]?.code,
    (error: unknown) => (error as { code?: string }).code,
  );
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

test('[cli.15] what is made too late, or after the word to stop, gets no name', async () => {
  using sandbox = makeSandbox();
  const bundle = sandbox.write('web.ova', await makeBundle());
  const anchors = [sandbox.write('ca.pem', (await testAuthority()).pem)];
  const identity = await identityOf(sandbox);
  const authority = await makeTimestampAuthority(await makeAuthority({ subject: 'CN=Time Root' }));
  const source = async (over: Uint8Array): Promise<Uint8Array> =>
    makeTokenDer({ over, authority, time: JUDGED_AT });
  const output = sandbox.path('made');
  const common = { output, format: 'tar', overwrite: true } as const;
  type Options = Pick<SignOptions, 'signal' | 'deadlineMs' | 'onProgress'>;
  const ways: Record<string, (options: Options) => Promise<Report>> = {
    sign: (options) => sign(bundle, { ...common, identity, ...options }),
    signFile: (options) => signFile(bundle, { output, overwrite: true, identity, ...options }),
    timestamp: (options) => timestamp(bundle, { ...common, source, ...options }),
    normalize: (options) => normalize(bundle, { ...common, trust: { anchors }, at: JUDGED_AT, ...options }),
    pack: ({ deadlineMs: _, ...options }) =>
      pack([bundle], { ...common, name: 'web', plain: true, identity, ...options }),
  };
  for (const [name, way] of Object.entries(ways)) {
    let last = 0;
    await way({ onProgress: () => last++ });
    expect(existsSync(output), name).toBe(true);
    rmSync(output);
    const atLast = (act: () => void): (() => void) => {
      let count = 0;
      return () => ++count === last && act();
    };
    const stop = new AbortController();
    const stopped = { signal: stop.signal, onProgress: atLast(() => stop.abort()) };
    expect([name, await codeFrom(way(stopped))]).toEqual([name, 'INTERRUPTED']);
    const clock = vi.spyOn(performance, 'now');
    const late = { deadlineMs: DISTANT_MS, onProgress: atLast(() => clock.mockReturnValue(2 * DISTANT_MS)) };
    if (name !== 'pack') expect([name, await codeFrom(way(late))]).toEqual([name, 'INPUT_STALLED']);
    clock.mockRestore();
    expect(existsSync(output), name).toBe(false);
  }
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
  const reportOf = async (run: Promise<{ readonly report: Report }>) => (await run).report;
  expect(await codeFrom(reportOf(verify(bundle, { ...options, onProgress })))).toBe('INPUT_STALLED');
  const destination = sandbox.path('new');
  const imported = importBundle(bundle, { ...options, onProgress, destination });
  expect(await codeFrom(reportOf(imported))).toBe('INPUT_STALLED');
  expect(existsSync(destination)).toBe(false);
  expect(worked).toBeGreaterThan(0);
});
