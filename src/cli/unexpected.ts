import { BundleError, toBundleError } from '../kit/errors/errors.ts';

/** What an exception is told as. The parts of the program are files, too: with too few descriptors the loader fails, which is no fault of ours. */
export function unexpected(error: unknown): BundleError {
  const { code, path } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (code !== 'EMFILE' && code !== 'ENFILE') return toBundleError(error);
  return new BundleError('FILE_UNREADABLE', `cannot read a file: too many open files (${code})`, {
    ...(path !== undefined && { where: { file: path } }),
    why: 'bulla needs some 40 open files, and may have fewer',
    fix: 'allow more open files (ulimit -n 256 will do), or close programs that hold many',
    cause: error,
  });
}
