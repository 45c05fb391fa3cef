import type { OpenArchive } from '../../archive/open-archive.ts';
import { openDeadline } from '../../kit/deadline.ts';
import { sourceOptions } from '../../kit/source.ts';
import { openBundle } from '../../storage/sources/open-bundle.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import { allowancesOf } from '../../trust/policy.ts';
import type { Examination } from '../../verdict/bundle/examine.ts';
import { judgeSource, type VerifyResult, verifyResult } from '../../verdict/judge-source.ts';
import type { Report } from '../../verdict/report/report.ts';
import type { ResumableSink } from '../../verdict/walk/member.ts';
import { openInner } from '../inner.ts';
import { bundleInput, verifyOptions } from '../option-rules.ts';
import { type AmongOthers, loadPolicy, rememberSeen } from './load-policy.ts';
import type { VerifyOptions } from './options.ts';

/**
 * Verifies a bundle in one pass, without storing anything of it and without asking the network (but for the bundle itself
 * when it is named by an https address). What revocation information was seen is kept in the trust folder, see `remember`.
 *
 * A bad bundle is a verdict, not an exception.
 *
 * @throws {BundleError} when the input cannot be opened, the trust settings cannot be read, or an option is not what it may be
 */
export async function verify(input: BundleInput, options: VerifyOptions = {}): Promise<VerifyResult> {
  const from = bundleInput(input, 'input');
  const given = verifyOptions(options, '');
  using deadline = openDeadline(given);
  const { examination, report } = await examineAndReport('verify', from, { ...given, ...deadline });
  if (report.errors.length === 0) deadline.expectInTime(); // [cli.21] a refusal is one however late
  return verifyResult(examination, report);
}

/** Examines a bundle with the caller's options and makes the report: the common part of verify and import. */
export async function examineAndReport<Operation extends string>(
  operation: Operation,
  input: BundleInput,
  options: VerifyOptions & AmongOthers & { readonly output?: string | object; readonly open?: OpenArchive },
  sink?: ResumableSink,
): Promise<{ readonly examination: Examination; readonly report: Report<Operation, never> }> {
  const allowances = allowancesOf(options);
  const { at = new Date() } = options;
  const policy = await loadPolicy(options, { at, allowances, inputs: [input] }); // a slip there is told before a download begins
  await using opened = await openBundle(input, sourceOptions(options));
  const source = options.inner ? openInner(opened, options) : opened;
  return await judgeSource(source, {
    ...options,
    operation,
    policy,
    ...(sink !== undefined && { sink }),
    remember: ({ signature, errors }) => rememberSeen(signature?.seen, errors, options),
  });
}
