import type { PackFormat } from '../../archive/open-archive.ts';
import type { TarFile } from '../../archive/tar/tar-writer.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { isPackage, sourceOptions } from '../../kit/source.ts';
import { apartFrom } from '../../storage/apart.ts';
import { isStream, openOutput } from '../../storage/output/open-output.ts';
import { writeArchive } from '../../storage/output/write-archive.ts';
import { openBundle } from '../../storage/sources/open-bundle.ts';
import type { ContentsJudgement } from '../../verdict/bundle/judge-contents.ts';
import type { InputReport } from '../../verdict/report/report.ts';
import { sweptWarnings } from '../../verdict/report/run-notes.ts';
import { manifestDigests } from '../../verdict/walk/look-ahead.ts';
import type { BundleFormat } from '../../verdict/walk/package-entries.ts';
import { walkBundle } from '../../verdict/walk/walk.ts';
import { namedBundle } from '../readings.ts';
import { withFault } from './copy-faults.ts';
import type { CopyTarget, OldSignature, SignatureEdit } from './copy-options.ts';
import { Copying } from './copying.ts';

/** What came of a copy. Without errors it has been written. */
export interface Copied {
  readonly input: InputReport;
  readonly judged: ContentsJudgement;
  readonly warnings: readonly string[];
  readonly old: OldSignature;
  /** what was read */
  readonly format?: BundleFormat;
}

/**
 * Copies a bundle in one pass, its signature edited on the way; timestamps of the old signature are left out.
 *
 * The contents are compared with the manifest, and a bundle that an importer would refuse is not copied: the reasons
 * are in the judgement then, and no file is left.
 *
 * @throws {BundleError} when the input cannot be opened or read, or the output not written, and what the edit throws
 */
export async function copyBundle(
  input: string,
  edit: SignatureEdit,
  options: CopyTarget & Pick<Deadline, 'expectInTime'>,
): Promise<Copied> {
  const { signal, inPlace } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const target = apartFrom(options.output, [...(inPlace ? [] : namedBundle(input)), ...edit.reads]);
  await using source = await openBundle(input, sourceOptions(options));
  const hint = await manifestDigests(source, limits);
  const { format, overwrite = false, mtime = 0 } = options;
  const isPatched = format === 'zip';
  await using output = await openOutput(target, {
    overwrite: overwrite || inPlace !== undefined,
    ...(inPlace !== undefined && { mode: inPlace.mode, expectSame: () => source.checkUnchanged() }),
    patched: isPatched,
    signal,
  });
  const { onProgress } = options;
  const copying = new Copying(edit, {
    hint,
    limits,
    isStream: isStream(options.output) && !isPatched,
  });
  const walked = await walkBundle(
    source,
    { limits, ...(onProgress !== undefined && { onProgress }), phase: 'write' },
    async (walk) => {
      const files = copying.files(walk);
      if (format === 'none') return await readThrough(files);
      const written = format === 'as read' ? containerOf(walk.format) : format;
      await writeArchive(written, files, output, { mtime, limits });
    },
  );
  const { fault } = walked;
  const judged = fault ? withFault(copying.judged, fault) : copying.judged;
  if (judged.errors.length === 0) {
    edit.accept?.(copying.old);
    options.expectInTime(); // [cli.15]
    await output.finish();
  }
  return {
    input: {
      name: source.name,
      ...(!isPackage(source) && source.size !== undefined && { size: source.size }),
    },
    judged: { ...judged, warnings: [...walked.warnings, ...judged.warnings] },
    warnings: sweptWarnings(output.swept),
    old: copying.old,
    ...(walked.format !== undefined && { format: walked.format }),
  };
}

/** Where files of their own go. */
export const containerOf = (format: BundleFormat): PackFormat => (format === 'files' ? 'tar' : format);

async function readThrough(files: AsyncIterable<TarFile>): Promise<void> {
  for await (const { body } of files) for await (const _ of body);
}
