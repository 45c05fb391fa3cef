import { basename, dirname, join } from 'node:path';
import { digestHex } from '../../crypto/digest.ts';
import { rolePartOf } from '../../formats/bundle-part.ts';
import type { FileReference } from '../../formats/ovf/file-reference.ts';
import { collect } from '../../kit/bytes.ts';
import { allowed, type Told } from '../../kit/errors/advice.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { isFolder, namesIn } from '../../storage/beside.ts';
import { openInputFile, stampOf, stampWithin } from '../../storage/sources/input-file.ts';
import { expectUtf8Names } from '../../storage/utf8-names.ts';
import { descriptorAmong } from '../../verdict/packing/descriptor-among.ts';
import { ExportersWord } from '../../verdict/packing/exporters-word.ts';
import { tellReplaced } from '../../verdict/packing/replaced-signature.ts';
import { tellExport } from '../../verdict/packing/tell-export.ts';
import { assignRoles } from '../../verdict/walk/bundle-roles.ts';
import type { NamedMember } from '../../verdict/walk/member.ts';
import type { PlanOptions } from './plan.ts';

/** What the program that exported a descriptor has left beside it. */
export interface Exported {
  /** its manifest, against which the files are held; none where there is none, or it is to be ignored */
  readonly word?: ExportersWord;
  readonly warnings: readonly Told[];
  /** the files that were looked at */
  readonly read: readonly string[];
}

/** A descriptor that has been read. */
interface ReadDescriptor {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly references: readonly FileReference[];
  /** names of members that are made anew beside its files */
  readonly made: ReadonlySet<string>;
}

/** [pack.17] What is named to be packed, a folder as the one descriptor at its top. @throws {BundleError} `PACKAGE_UNKNOWN`, `PACKAGE_AMBIGUOUS`, `FILE_UNREADABLE` */
export function descriptorOf(path: string): string {
  if (!isFolder(path)) return path;
  try {
    const found = descriptorAmong(namesIn(path));
    expectUtf8Names([found], path);
    const descriptor = join(path, found);
    stampWithin(descriptor, path); // [links.1] nobody has named it
    return descriptor;
  } catch (error) {
    throw toBundleError(error).at({ file: path });
  }
}

/** The manifest and the certificate file of the descriptor at `path`, as far as there are any. @throws {BundleError} `PACKAGE_AMBIGUOUS`, `FILE_*` */
export function partsBeside(path: string): { readonly manifest?: string; readonly certificate?: string } {
  const folder = dirname(path);
  const name = basename(path);
  const base = rolePartOf(name)?.base;
  const parts = namesIn(folder).filter((one) => {
    const part = rolePartOf(one);
    return part !== undefined && part.base === base && part.kind !== 'ovf';
  });
  try {
    const { manifest, certificate } = assignRoles([name, ...parts]);
    return {
      ...(manifest !== undefined && { manifest: join(folder, manifest) }),
      ...(certificate !== undefined && { certificate: join(folder, certificate) }),
    };
  } catch (error) {
    throw toBundleError(error).at({ file: folder });
  }
}

/** Looks at what lies beside a descriptor that is packed. @throws {BundleError} `MANIFEST_*`, `ALGORITHM_UNSUPPORTED`, `PACKAGE_AMBIGUOUS`, `FILE_*` [pack.14] [pack.15] [pack.16] */
export async function lookAtExport(
  descriptor: ReadDescriptor,
  options: Pick<PlanOptions, 'followLinks' | 'ignoreManifest' | 'members' | 'signal'>,
): Promise<Exported> {
  const { path, bytes, references, made } = descriptor;
  const beside = partsBeside(path);
  const { manifest: manifestPath, certificate: certificatePath } = beside;
  const looked = Object.values(beside);
  const limits = { ...DEFAULT_LIMITS, members: options.members ?? DEFAULT_LIMITS.members };
  const warnings: Told[] = [];
  const read = async (file: string | undefined, limit: keyof Limits): Promise<NamedMember | undefined> =>
    file === undefined ? undefined : readPart(file, limits[limit], options);
  const manifest = await read(manifestPath, 'manifestBytes');
  const certificate = await read(certificatePath, 'certificateFileBytes');
  if (certificate) warnings.push(tellReplaced(certificate, manifest, limits));
  if (!manifest || manifestPath === undefined) return { warnings, read: looked };
  if (options.ignoreManifest) {
    const warning = `the files are packed as they are, whatever "${manifest.name}" beside them says`;
    return { warnings: [...warnings, allowed(warning, 'ignoreManifest')], read: looked };
  }
  try {
    const word = new ExportersWord(manifest, { name: basename(path), references }, limits);
    const isThere = (name: string): boolean => isPresent(join(dirname(path), name));
    const isEdited = word.isEdited((algorithm) => digestHex(algorithm, bytes));
    warnings.push(...tellExport(word, { manifest: manifest.name, isEdited, made, isThere }));
    return { word, warnings, read: looked };
  } catch (error) {
    throw toBundleError(error).at({ file: manifestPath });
  }
}

async function readPart(
  path: string,
  limit: number,
  { followLinks, signal }: Pick<PlanOptions, 'followLinks' | 'signal'>,
): Promise<NamedMember> {
  const stamp = followLinks ? stampOf(path) : stampWithin(path, dirname(path)); // [links.1]
  await using file = await openInputFile(path);
  file.expectUnchanged(stamp, 'packed');
  const bytes = await collect(file.stream(signal), limit, () => tooLarge(path, limit));
  return { name: basename(path), bytes };
}

function tooLarge(path: string, limit: number): BundleError {
  return new BundleError(
    'FILE_UNREADABLE',
    `the file has more than ${limit} bytes, too many for what it is`,
    {
      where: { file: path },
      why: 'beside a descriptor, a file of that name speaks for the others',
      fix: 'copy the export again; what has that name by chance, rename or move away',
    },
  );
}

function isPresent(path: string): boolean {
  try {
    stampOf(path);
    return true;
  } catch (error) {
    return toBundleError(error).code !== 'FILE_NOT_FOUND';
  }
}
