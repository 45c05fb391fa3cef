import { printable } from '../../kit/encoding.ts';
import type { Advised, Told } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import type { PublishedMember } from '../../storage/output/staging.ts';
import { diskImagesOf } from '../../verdict/bundle/disk-images.ts';
import type { Examination } from '../../verdict/bundle/examine.ts';
import { type PlannedAssembly, planAssembly } from '../../verdict/packing/plan-assembly.ts';
import type { FileReport } from '../../verdict/report/report.ts';
import type { SiteImage } from '../glance/sign-on-import.ts';
import { exchangedIn } from '../sign/exchanged.ts';
import { assemble } from './assemble.ts';
import type { ImportOptions } from './import-options.ts';
import type { Intake } from './intake.ts';

/** What of a bundle that was found good is published. */
export interface Publication {
  /** all that is published, under the names that it is published by */
  readonly members: readonly PublishedMember[];
  /** what the report says of them; the properties of images are not among them */
  readonly files: readonly FileReport[];
  readonly images: readonly SiteImage[];
  readonly warnings: readonly Told[];
}

/** What of the options decides it. */
type PublicationOptions = Pick<
  ImportOptions,
  'destination' | 'imagesOnly' | 'keepChunks' | 'decompress' | 'limits' | 'signal'
>;

/**
 * Settles what of an accepted bundle is published, and makes what is to be made for it: the properties of signed images, and
 * the files that were stored in parts or compressed. In a dry run it is only named. [whole.1] [import.6] [glance.35]
 *
 * @throws {BundleError} when the bundle is not what was asked for, or something cannot be made
 */
export async function preparePublication(
  examination: Examination,
  intake: Intake,
  options: PublicationOptions,
): Promise<Publication> {
  const { members, contents, roles } = examination;
  const { descriptor } = contents;
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const exchanged = exchangedIn(examination);
  const kept = keptNames(examination, exchanged, options.imagesOnly ?? false);
  const images = (await intake.signing?.writeProperties([...kept], descriptor)) ?? [];
  const planned = planAssembly(
    descriptor,
    members.filter(({ name }) => kept.has(name)),
    { join: !options.keepChunks, decompress: options.decompress ?? false, limits },
  );
  if (typeof options.destination !== 'string') expectAsStored(planned);
  const made =
    intake.staging &&
    (await assemble(intake.staging, planned, { descriptor, limits, signal: options.signal }));
  const parts = new Set(planned.flatMap((plan) => plan.parts.map(({ name }) => name)));
  const stored = members.filter(({ name }) => kept.has(name) && !parts.has(name));
  const { descriptor: ovf = '', manifest = '' } = roles;
  const notes = kept.has(ovf) || kept.has(manifest) ? planned.map(otherNote) : [];
  return {
    members: [
      ...stored.map(({ name }) => published(name, exchanged.get(name))),
      ...planned.map(({ name }) => ({ name })),
      ...images.map(({ propertiesFile }) => ({ name: propertiesFile })),
    ],
    files: [
      ...contents.files
        .filter(({ name }) => kept.has(name) && !parts.has(name))
        .map((file) => sizedBy(file, exchanged.get(file.name))),
      ...planned.map(({ name }) => madeFile(name, made?.files.find((file) => file.name === name)?.size)),
    ],
    images,
    warnings: [...notes, ...(made?.warnings ?? [])],
  };
}

function published(name: string, bytes: Uint8Array | undefined): PublishedMember {
  return { name, ...(bytes !== undefined && { bytes }) };
}

function sizedBy(file: FileReport, bytes: Uint8Array | undefined): FileReport {
  return bytes ? { ...file, size: bytes.byteLength } : file;
}

function madeFile(name: string, size: number | undefined): FileReport {
  return { name, role: 'file', ...(size !== undefined && { size }), status: 'ok' };
}

function keptNames(
  { members, contents }: Examination,
  exchanged: ReadonlyMap<string, Uint8Array | undefined>,
  imagesOnly: boolean,
): ReadonlySet<string> {
  const isCarried = (name: string): boolean => !exchanged.has(name) || exchanged.get(name) !== undefined;
  const all = members.map(({ name }) => name).filter(isCarried);
  if (!imagesOnly) return new Set(all);
  const images = diskImagesOf(all, contents.descriptor);
  if (images.length > 0) return new Set(images);
  throw new BundleError('USAGE', 'the bundle holds no disk image', {
    why: 'only the disk images were asked for',
    fix: { text: 'import all of it; inspecting it shows what is in it', advice: 'import-all' },
  });
}

/** [import.12] What has gone into a sink of a program's cannot be read again, so nothing is made of it. */
function expectAsStored([first]: readonly PlannedAssembly[]): void {
  if (!first) return;
  throw new BundleError('USAGE', `"${first.name}" is stored in chunks, and a sink gets them as they are`, {
    where: { member: first.name },
    why: 'what has gone into a sink is not read again, so nothing is joined',
    fix: 'take the chunks as they are stored (keepChunks), or import into a folder',
  });
}

/** [whole.6] What is published beside them is signed, and so stays as it is. */
function otherNote({ name, parts }: PlannedAssembly): Advised {
  const [first = { name }] = parts;
  const stored =
    parts.length > 1
      ? `"${printable(first.name)}" and ${parts.length - 1} more`
      : `"${printable(first.name)}"`;
  const of = `"${printable(name)}" was made of ${stored}: the .mf still names what was stored, and the .ovf how`;
  const text = `${of}, so a program that looks for that needs an import that joins and decompresses nothing`;
  return { text, advice: 'keep-as-stored', of };
}
