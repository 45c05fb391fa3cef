import { availableParallelism } from 'node:os';
import { checkAborted } from '../../kit/bytes.ts';
import { openDeadline } from '../../kit/deadline.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import type { OnProgress } from '../../kit/progress.ts';
import { inOrder } from '../../kit/streams/in-order.ts';
import { makeReport } from '../../verdict/report/report.ts';
import type { Context } from '../context.ts';
import { type OutputFlags, progressOf } from '../options/options.ts';
import { type ReadFlags, readOptionsOf } from '../options/read-options.ts';
import { type TrustFlags, verifyOptionsOf } from '../options/trust-options.ts';
import { type OneOfMany, renderMany } from '../render/render-many.ts';
import { unexpected } from '../unexpected.ts';

/** What `verify` takes besides its bundles. */
export interface VerifyFlags extends TrustFlags, ReadFlags, OutputFlags {
  readonly signature?: string;
  readonly jobs?: number;
}

/** So many at a time where nothing else is asked for: as there are cores, within these. */
const FEWEST_JOBS = 2;
const USUAL_JOBS = 4;

/**
 * Verifies several bundles, each by itself and all by the same, and prints each as its turn comes. [many.1]
 *
 * @returns the exit code
 * @throws {BundleError} `USAGE`, and what keeps it from knowing whom to trust: before anything of a bundle is read
 */
export async function verifyMany(
  inputs: readonly string[],
  flags: VerifyFlags,
  context: Context,
): Promise<number> {
  expectForMany(inputs, flags);
  const { jobs = Math.max(FEWEST_JOBS, Math.min(availableParallelism(), USUAL_JOBS)) } = flags;
  const { deadlineMs, limits, ...given } = { ...verifyOptionsOf(flags, context), ...readOptionsOf(flags) };
  using deadline = openDeadline({ ...given, ...(deadlineMs !== undefined && { deadlineMs }) });
  const { at = new Date() } = given;
  const options = { ...given, ...deadline, at, limits: { ...limits, threads: threadsOf(jobs) } };
  const [{ loadRules }, { examineAndReport }, { showAddress }] = await operations();
  const rules = await loadRules(options);
  const progress = progressOf(flags, context);
  const onProgress = progressOfMany(progress.onProgress);
  // As the report of one that could be opened calls it: what of an address may let somebody in is not shown. [cli.13]
  const nameOf = (input: string): string =>
    /^[a-z][a-z0-9+.-]*:\/\//i.test(input) ? showAddress(input) : input;
  const one = async (input: string, turn: Promise<unknown>): Promise<OneOfMany> => {
    let begun = false;
    try {
      checkAborted(options.signal);
      begun = true;
      const own = { ...options, rules, turn, onProgress: onProgress(nameOf(input)) };
      const { report } = await examineAndReport('verify', input, own);
      if (report.errors.length === 0) deadline.expectInTime(); // [cli.21]
      return { report, begun };
    } catch (error) {
      const report = makeReport({
        operation: 'verify',
        input: { name: nameOf(input) },
        errors: [unexpected(error)],
      });
      return { report, begun };
    }
  };
  const renderer = renderMany(context, { json: flags.json ?? false, quiet: flags.quiet ?? false });
  try {
    for await (const done of inOrder(inputs, jobs, one)) {
      progress.end();
      renderer.add(done);
    }
  } finally {
    progress.end();
  }
  return renderer.end();
}

/** [many.6] */
function expectForMany(inputs: readonly string[], { signature }: VerifyFlags): void {
  if (signature !== undefined)
    throw new BundleError('USAGE', '--signature is the signature of one file, and several are named', {
      fix: 'verify each file by itself, with the signature that belongs to it',
    });
  if (inputs.filter((input) => input === '-').length > 1)
    throw new BundleError('USAGE', 'standard input (-) is named twice, and can be read once', {
      fix: 'name it once; a bundle that is to be read twice must be a file',
    });
}

/** [many.7] The main thread is the same for all; each has one more, so that so many cores are kept busy as are asked for. */
function threadsOf(jobs: number): number {
  return Math.max(2, Math.floor(DEFAULT_LIMITS.threads / jobs));
}

function operations() {
  return Promise.all([
    import('../../operations/verify/load-policy.ts'),
    import('../../operations/verify/verify.ts'),
    import('../../storage/remote/address.ts'),
  ]);
}

/** The bytes of all together, and the bundle at hand. */
function progressOfMany(tell: OnProgress): (name: string) => OnProgress {
  let all = 0;
  return (name) => {
    let before = 0;
    return ({ phase, bytes }) => {
      all += bytes - before;
      before = bytes;
      tell({ phase, bytes: all, member: name });
    };
  };
}
