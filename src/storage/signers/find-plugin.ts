import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { isMissing } from '../absence.ts';
import { absolute } from '../absolute.ts';
import { readError } from '../io-errors.ts';
import { expectOwnWay } from '../way-to.ts';

/** Where plugins are: each in a folder of its name, as a program of this prefix and its name. */
export interface PluginFolder {
  readonly folder: string;
  /** `bulla-`, or `notation-` for those of Notary */
  readonly prefix: string;
}

const OTHERS_WRITE = 0o022;
const MAY_RUN = 0o111;

/**
 * The program of a plugin, in the first folder that has one: a regular file, no link, that nobody else may write or exchange.
 *
 * @param name of `parseKeyName`, so that it leads nowhere else
 * @throws {BundleError} `KEY_UNREADABLE` [key.8]
 */
export function findPlugin(name: string, folders: readonly PluginFolder[]): string {
  const places = folders.map(({ folder, prefix }) => absolute(join(folder, name, `${prefix}${name}`)));
  for (const file of places) {
    if (isThere(file)) return file;
  }
  throw new BundleError('KEY_UNREADABLE', `there is no plugin "${name}"`, {
    where: { file: places[0] ?? name },
    why: `without it the private key cannot be used; it was looked for as ${places.join(', ') || 'nothing: no folder was given'}`,
    fix: 'put the program of the plugin there, or correct its name',
  });
}

function isThere(file: string): boolean {
  let fault: string | undefined;
  try {
    const stats = lstatSync(file);
    if (!stats.isFile()) fault = stats.isSymbolicLink() ? 'it is a link' : 'it is no regular file';
    else if ((stats.mode & OTHERS_WRITE) !== 0) fault = 'others may write it (chmod go-w)';
    else if (![0, process.geteuid?.() ?? stats.uid].includes(stats.uid)) fault = 'it belongs to another user';
    else if ((stats.mode & MAY_RUN) === 0) fault = 'it is not executable (chmod u+x)';
    else expectOwnWay(dirname(file));
  } catch (error) {
    if (isMissing(error)) return false;
    const { message, where } = toBundleError(readError(error, file));
    fault = `${where.file ?? file}: ${message}`;
  }
  if (fault === undefined) return true;
  throw new BundleError('KEY_UNREADABLE', `the plugin is not started: ${fault}`, {
    where: { file },
    why: 'whoever may put another program in its place signs with your key, and does as you whatever else he likes',
    fix: 'have the plugin there as a file of its own, which nobody but you or root can write or replace',
  });
}
