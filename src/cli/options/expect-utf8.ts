import { BundleError } from '../../kit/errors/errors.ts';

/**
 * What of a word is not UTF-8 comes to Node as U+FFFD, whatever it was: two names would be one, and the second output
 * would replace the first. [out.2]
 *
 * @throws {BundleError} `USAGE`
 */
export function expectUtf8(paths: readonly string[]): void {
  const path = paths.find((one) => one.includes('\uFFFD'));
  if (path === undefined) return;
  throw new BundleError('USAGE', `the name "${path}" is not UTF-8`, {
    where: { file: path },
    why: 'such names cannot be told from one another here, and one file might be taken for another',
    fix: 'rename the file or folder, or choose another name for the output',
  });
}
