import { type ErrorCode, isBundleError } from '../../src/kit/errors/errors.ts';

/** The code of what a call throws; `undefined` when it returns, an exception when it throws anything else. */
export function codeOf(call: () => unknown): ErrorCode | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (isBundleError(error)) return error.code;
    throw error;
  }
}

/** The code of what a promise is rejected with; `undefined` when it is not. */
export async function codeOfAsync(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (isBundleError(error)) return error.code;
    throw error;
  }
}
