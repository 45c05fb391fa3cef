import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isUuid } from '../../formats/glance/names.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { readError } from '../io-errors.ts';
import { readSmallFile } from './small-files.ts';

/** The file `UUID.pem` of a folder and its bytes, or undefined when there is none; case does not count. [glance.27] @throws {BundleError} `FILE_*` */
export async function readCertificateByUuid(
  folder: string,
  uuid: string,
  waiting: SourceOptions,
): Promise<{ readonly file: string; readonly bytes: Uint8Array } | undefined> {
  if (!isUuid(uuid)) return undefined; // [glance.5] nothing else may become a part of a path
  const wanted = `${uuid}.pem`.toLowerCase();
  const name = namesIn(folder).find((one) => one.toLowerCase() === wanted);
  if (name === undefined) return undefined;
  const file = join(folder, name);
  return { file, bytes: await readSmallFile(file, waiting) };
}

function namesIn(folder: string): readonly string[] {
  try {
    if (!statSync(folder).isDirectory()) {
      throw new BundleError('FILE_UNREADABLE', 'this is a file; a folder of certificates is needed', {
        where: { file: folder },
        fix: { text: 'give a folder with files UUID.pem', advice: 'trust-certificate' },
      });
    }
    return readdirSync(folder);
  } catch (error) {
    throw readError(error, folder);
  }
}
