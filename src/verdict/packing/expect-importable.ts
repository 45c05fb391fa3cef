import { memberNameKey } from '../../formats/member-name.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { assignRoles, type BundleRoles } from '../walk/bundle-roles.ts';

/** The names that a bundle would have: its parts as the packer means them, and all members. */
export interface PlannedNames {
  readonly base: string;
  readonly descriptor?: string;
  readonly members: readonly string[];
}

const RENAME = 'rename it, and pack again';

/**
 * Refuses names that are good one by one, and in which an importer would find other parts than the packer means.
 *
 * @throws {BundleError} `PACKAGE_AMBIGUOUS`, `ARCHIVE_DUPLICATE` [pack.5]
 */
export function expectImportable(planned: PlannedNames): void {
  expectFilesBesideFolders(planned.members);
  const { descriptor, manifest } = rolesOf(planned.members);
  expectSame('descriptor', descriptor, planned.descriptor);
  expectSame('manifest', manifest, `${planned.base}.mf`);
}

function expectSame(part: string, found: string | undefined, meant: string | undefined): void {
  if (found === meant) return;
  const message = found
    ? `an importer would take "${found}" for the ${part}`
    : `no importer would take "${meant}" for the ${part}`;
  if (part === 'descriptor' && found !== undefined && meant === undefined) throw described(message, found);
  throw ambiguous(message, found ?? meant);
}

/** A descriptor is called what its program wants; and what it describes belongs with it. */
function described(message: string, descriptor: string): BundleError {
  return new BundleError('PACKAGE_AMBIGUOUS', message, {
    where: { member: descriptor },
    fix: {
      text: 'give the descriptor alone: the files that it names are packed with it; an archive that has to hold other files as well is signed as the file that it is, with a detached signature',
      advice: 'pack-descriptor',
      of: descriptor,
    },
  });
}

function rolesOf(names: readonly string[]): BundleRoles {
  try {
    return assignRoles(names);
  } catch (error) {
    const { message, where } = toBundleError(error);
    throw ambiguous(message, where.member);
  }
}

function ambiguous(message: string, member: string | undefined): BundleError {
  const where = member === undefined ? {} : { where: { member } };
  return new BundleError('PACKAGE_AMBIGUOUS', message, { ...where, fix: RENAME });
}

/** A file system that folds names cannot hold a file "a" and a file "A/b". */
function expectFilesBesideFolders(names: readonly string[]): void {
  const files = new Set(names.map(memberNameKey));
  for (const name of names) {
    const parts = memberNameKey(name).split('/');
    const folders = parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
    if (!folders.some((folder) => files.has(folder))) continue;
    throw new BundleError(
      'ARCHIVE_DUPLICATE',
      `"${name}" lies in a folder that has the name of another file`,
      {
        where: { member: name },
        fix: RENAME,
      },
    );
  }
}
