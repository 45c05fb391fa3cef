import { wholeFile } from '../../archive/tar/tar-writer.ts';
import type { ZipFile } from '../../archive/zip/zip-writer.ts';
import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import { formatManifest } from '../../formats/ovf/manifest.ts';
import type { Output } from '../../storage/output/output.ts';
import type { FileReport } from '../../verdict/report/report.ts';
import { manifestParts } from './manifest-parts.ts';
import { isOnePass, OneReading } from './one-reading.ts';
import type { PackOptions } from './options.ts';
import { PackedFiles } from './packed-files.ts';
import type { PackPlan } from './plan.ts';

/** In which order members are written, and how often a file is read for that: manifest and signature first, or last. */
export type PackingWay = 'one-reading' | 'two-readings' | 'trailing';

/** A bundle that is being packed. */
export interface Packing {
  /** its members in their order; digests are computed on the way */
  members(): AsyncGenerator<ZipFile, void>;
  /** writes what could not be written in order, when the archive stands; false when it does not fit, which another way has to do then */
  complete(output: Pick<Output, 'patch'>): Promise<boolean>;
  /** what was packed, in the order of the manifest */
  reports(): readonly FileReport[];
  /** what the header of each file says that is a disk image, by name */
  images(): Readonly<Record<string, DiskProbe>>;
}

/** The ways to pack, each to be tried when the one before it does not fit; the last always does. [pack.3] */
export function waysToPack(options: PackOptions): readonly PackingWay[] {
  if (options.order === 'trailing') return ['trailing'];
  return isOnePass(options) ? ['one-reading', 'two-readings'] : ['two-readings'];
}

/** Begins to pack in one of these ways. */
export function openPacking(plan: PackPlan, options: PackOptions, way: PackingWay): Packing {
  const files = new PackedFiles(plan, options, way === 'two-readings' ? 2 : 1);
  const found = { reports: () => files.reports(), images: () => files.images() };
  if (way === 'one-reading') {
    const once = new OneReading(plan, options, files);
    return { members: () => once.members(), complete: (output) => once.complete(output), ...found };
  }
  const members = way === 'trailing' ? trailing : leading;
  return { members: () => members(plan, options, files), complete: async () => true, ...found };
}

/** [pack.3] Manifest and signature before the files, which are read for them first; what is read the second time must be what was read before. */
async function* leading(
  plan: PackPlan,
  options: PackOptions,
  files: PackedFiles,
): AsyncGenerator<ZipFile, void> {
  yield* files.descriptor();
  for (const file of plan.files) await files.learn(file);
  yield* await manifestOf(plan, options, files);
  for (const file of plan.files) {
    // [blocks.9] Before the image, so that it can be held against them as it comes.
    if (files.blocksBeside(file)) yield blocksOf(files, file.name);
    yield await files.member(file);
    yield* files.companion(file.name);
  }
}

/** Each file is read once, in any container, since all that is made of it comes behind it. */
async function* trailing(
  plan: PackPlan,
  options: PackOptions,
  files: PackedFiles,
): AsyncGenerator<ZipFile, void> {
  yield* files.descriptor();
  for (const file of plan.files) {
    yield await files.member(file);
    if (files.blocksBeside(file)) yield blocksOf(files, file.name);
    yield* files.companion(file.name);
  }
  yield* await manifestOf(plan, options, files);
}

function blocksOf(files: PackedFiles, name: string): ZipFile {
  const blocks = files.blocks(name);
  return wholeFile(blocks.name, blocks.bytes);
}

/** The manifest of files that have all been read, and what signs it. */
async function manifestOf(
  { base }: PackPlan,
  options: PackOptions,
  files: PackedFiles,
): Promise<readonly ZipFile[]> {
  const parts = await manifestParts(formatManifest(files.entries()), base, options);
  return parts.map(({ name, bytes }) => wholeFile(name, bytes));
}
