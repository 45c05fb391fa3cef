import { type BundleError, toBundleError } from '../../../kit/errors/errors.ts';

/** What somebody has configured wrongly; an interruption and a fault of the program are none of it, and are thrown on. */
export function faultOfConfiguration(error: unknown): BundleError {
  const fault = toBundleError(error);
  if (fault.kind === 'interrupted' || fault.kind === 'internal') throw fault;
  return fault;
}
