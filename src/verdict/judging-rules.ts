import type { ByteStream } from '../kit/bytes.ts';
import { BundleError, ownError } from '../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../kit/limits.ts';
import type { OnProgress, ProgressEvent } from '../kit/progress.ts';
import type { Relaxation } from '../kit/relaxation.ts';
import {
  abortSignal,
  callback,
  count,
  flag,
  list,
  oneOf,
  positive,
  type Rows,
  type Rule,
  shape,
} from '../kit/shape.ts';
import type { Allowances } from '../trust/policy.ts';
import type { JudgingOptions } from './judging-options.ts';

/** [api.1] The rules for what a program asks of whatever reads or judges, on any platform. */

/** A stream, which is asked for its iterator alone; undefined for anything else. */
export function streamIn(value: unknown): ByteStream | undefined {
  const open = memberOf(value, Symbol.asyncIterator);
  if (typeof open !== 'function') return undefined;
  return { [Symbol.asyncIterator]: () => Reflect.apply(open, value, []) as AsyncIterator<Uint8Array> };
}

function memberOf(value: unknown, key: symbol): unknown {
  try {
    return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  } catch {
    return undefined;
  }
}

const relaxation = oneOf<Relaxation>({
  'blank-ended-numbers': true,
  'dot-prefix': true,
  folders: true,
  'gnu-long-names': true,
  'no-end-mark': true,
  'pax-global': true,
});

/** Limits by their names, of which all have a default. */
export const limits = shape<Partial<Limits>>(
  Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name) => [name, count])) as Rows<Partial<Limits>>,
);

/** Who is told of progress; what goes wrong there is the caller's, and no fault of a bundle or of ours. [api.2] */
const onProgress: Rule<OnProgress> = (value, name) => {
  const tell = callback<(event: ProgressEvent) => unknown>()(value, name);
  const slip = (cause: unknown): BundleError =>
    ownError(cause) ??
    new BundleError('USAGE', `${name} throws`, { fix: 'have it return, whatever becomes of it', cause });
  let late: BundleError | undefined;
  return (event) => {
    if (late) throw late;
    let answer: unknown;
    try {
      answer = tell(event);
    } catch (cause) {
      throw slip(cause);
    }
    if (answer === undefined) return;
    // nobody waits for one that answers later; what it throws ends the work when there is more to tell
    Promise.resolve(answer).catch((cause) => {
      late ??= slip(cause);
    });
  };
};

/** The options of whatever takes its time. */
export const WORKING = {
  signal: abortSignal,
  onProgress,
} satisfies Rows<Pick<JudgingOptions, 'signal' | 'onProgress'>>;

/** The options of whatever reads a bundle and judges nothing. */
export const READING = {
  ...WORKING,
  relax: list(relaxation),
  inner: flag,
  limits,
  deadlineMs: positive,
} satisfies Rows<Pick<JudgingOptions, 'relax' | 'inner' | 'limits' | 'signal' | 'deadlineMs' | 'onProgress'>>;

export const sha1AndWeakKeys = {
  sha1: flag,
  weakKeys: flag,
} satisfies Rows<Partial<Pick<Allowances, 'sha1' | 'weakKeys'>>>;

/** What may be given up, each by name. */
export const allowances = shape<Partial<Allowances>>({
  ...sha1AndWeakKeys,
  unsigned: flag,
  unlistedDescriptor: flag,
});
