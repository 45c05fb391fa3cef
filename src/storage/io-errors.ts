import { constants } from 'node:os';
import { BundleError, isBundleError } from '../kit/errors/errors.ts';
import { isAbsent } from './absence.ts';

const PLAIN: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'a part of the path is not a folder',
  EROFS: 'the file system is read-only',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  EIO: 'the device reports an error',
  ENAMETOOLONG: 'the name is too long',
  EBUSY: 'it is in use',
  EPIPE: 'whoever was reading it has gone away',
};

/** The name of a system error. Node has none for a used-up quota, and gives the number alone. */
function codeOf(error: unknown): string {
  const { code = '', errno } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return errno === -constants.errno.EDQUOT ? 'EDQUOT' : String(code);
}

/** What the system said, in words: "permission denied (EACCES)". */
export function reasonOf(error: unknown): { code: string; text: string } {
  const code = codeOf(error);
  const text = PLAIN[code] ?? (error instanceof Error ? error.message : String(error));
  return { code, text: PLAIN[code] ? `${text} (${code})` : text };
}

function fixFor(code: string): { fix?: string } {
  if (code !== 'EMFILE' && code !== 'ENFILE') return {};
  return { fix: 'allow more open files (ulimit -n 256 will do), or close programs that hold many' };
}

/** A failure to read `file`, wrapped: `FILE_NOT_FOUND` when surely nothing is there, else `FILE_UNREADABLE`. [pub.16] */
export function readError(error: unknown, file: string): BundleError {
  if (isBundleError(error)) return error;
  const { code, text } = reasonOf(error);
  const where = { file };
  if (code === 'ENOENT') {
    if (isAbsent(file))
      return new BundleError('FILE_NOT_FOUND', 'there is no such file', { where, cause: error });
    return new BundleError('FILE_UNREADABLE', 'a link there leads nowhere', {
      where,
      why: 'it may have led to what matters, so it does not count as absent',
      fix: 'restore what the link leads to, or remove the link',
      cause: error,
    });
  }
  return new BundleError('FILE_UNREADABLE', `cannot read the file: ${text}`, {
    where,
    cause: error,
    ...fixFor(code),
  });
}

/** A failure to write `file`, wrapped: `STORAGE_FULL`, `STORAGE_FAILED` or `DESTINATION_EXISTS`. */
export function writeError(error: unknown, file: string): BundleError {
  if (isBundleError(error)) return error;
  const { code, text } = reasonOf(error);
  const where = { file };
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    const message =
      code === 'ENOSPC'
        ? 'no space is left'
        : code === 'EDQUOT'
          ? 'the disk quota is used up'
          : 'the file is too large for the file system';
    return new BundleError('STORAGE_FULL', message, { where, cause: error });
  }
  if (code === 'EEXIST' || code === 'ENOTEMPTY') {
    return new BundleError('DESTINATION_EXISTS', 'the destination exists already', { where, cause: error });
  }
  if (code === 'ENOENT') {
    return new BundleError('STORAGE_FAILED', 'the folder to write into does not exist', {
      where,
      fix: 'make the folder first, with mkdir -p',
      cause: error,
    });
  }
  return new BundleError('STORAGE_FAILED', `cannot write: ${text}`, { where, cause: error, ...fixFor(code) });
}
