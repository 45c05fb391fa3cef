import { type BundleError, isBundleError } from '../../kit/errors/errors.ts';

/** What is run by whoever makes bundles; all else is run by whoever got one, as a signature that holds is asked for there. */
const MAKING: ReadonlySet<string> = new Set(['pack', 'sign', 'timestamp']);

/** An error as it is told to whoever runs the operation: who makes a bundle mends it, and who got it asks for another. [show.7] */
export function toldIn(operation: string, error: BundleError): BundleError {
  const isKnown = MAKING.has(operation) && 'forMaker' in error; // one of another copy of the library may not be
  return isKnown ? error.forMaker() : error;
}

/** Runs an operation of the library, whose errors are told as `toldIn` has it. [show.7] */
export async function tellingIn<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isBundleError(error) ? toldIn(operation, error) : error;
  }
}
