import { BundleError } from '../kit/errors/errors.ts';

/** What a name has where it is not UTF-8, as Node gives it: the same for whatever stood there. */
const LOST = '\uFFFD';

/** Whether a name in a folder is surely that of one file: of others, two look alike. [out.3] */
export function isUtf8Name(name: string): boolean {
  return !name.includes(LOST);
}

/**
 * The names of files in `folder` that are about to be read, each that of one file alone. [out.3]
 *
 * @throws {BundleError} `FILE_UNREADABLE`: another file might be read in place of one that is passed over
 */
export function expectUtf8Names(names: readonly string[], folder: string): readonly string[] {
  const odd = names.find((name) => !isUtf8Name(name));
  if (odd === undefined) return names;
  throw new BundleError('FILE_UNREADABLE', `the name of the file "${odd}" in this folder is not UTF-8`, {
    where: { file: folder },
    why: 'such names cannot be told from one another here: another file might be read, or this one be passed over',
    fix: 'rename that file, or move it out of the folder; ls -b shows its name byte by byte',
  });
}
