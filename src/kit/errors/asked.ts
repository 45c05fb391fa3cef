import { BundleError, ownError, textOf } from './errors.ts';

const NOTHING_WRITTEN = 'see what it says; nothing has been written';

/** Asks a function of the caller's. What it throws that is no error of the library's is a slip of the caller's. [api.2] */
export async function asked<T>(call: string, ask: () => T | Promise<T>, fix = NOTHING_WRITTEN): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw theirs(call, cause, fix);
  }
}

/** The same of a function that answers at once. [api.2] */
export function askedAtOnce<T>(call: string, ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    throw theirs(call, cause, NOTHING_WRITTEN);
  }
}

/** What the caller's own code throws: an error of ours as it is, another as his. */
function theirs(call: string, cause: unknown, fix: string): BundleError {
  return ownError(cause) ?? new BundleError('USAGE', `${call} throws: ${textOf(cause)}`, { fix, cause });
}
