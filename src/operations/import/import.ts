import type { FileAccess } from '../../formats/file-access.ts';
import { openDeadline } from '../../kit/deadline.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import type { Examination } from '../../verdict/bundle/examine.ts';
import { warned } from '../../verdict/report/report.ts';
import { bundleInput } from '../option-rules.ts';
import { lostTimestamps } from '../sign/lost-timestamps.ts';
import { examineAndReport } from '../verify/verify.ts';
import { type ImportOptions, importOptions } from './import-options.ts';
import type { ImportReport, ImportResult, RefusedImport } from './import-result.ts';
import type { Intake } from './intake.ts';
import { openSink } from './open-sink.ts';
import { type Publication, preparePublication } from './publication.ts';

/**
 * Imports a bundle: members wait in a private folder beside the destination, and become the destination in one step
 * when the verdict allows it; or they go into a sink of the caller's, which is told in the end what they are worth.
 *
 * The bytes that are hashed are the bytes that are stored. After a refusal, a fault or a crash the destination is
 * as it was, or the sink was told to discard.
 *
 * @throws {BundleError} when the input cannot be opened, the trust settings cannot be read, or the destination is not free
 */
export async function importBundle(input: BundleInput, options: ImportOptions): Promise<ImportResult> {
  const given = importOptions(options);
  return importGiven(bundleInput(input, 'input'), given);
}

async function importGiven(input: BundleInput, options: ImportOptions): Promise<ImportResult> {
  using deadline = openDeadline(options);
  const timed = { ...options, ...deadline };
  await using intake = await openSink(input, timed);
  const { ending } = intake;
  const { destination } = options;

  const { examination, report: judged } = await examined(input, timed, intake);
  const report = await ending.judged(judged, examination.errors);
  if (report.exitCode !== 0) return refused(report);

  let publication: Publication;
  try {
    deadline.expectInTime(); // a small bundle may have been read without a look at it
    publication = await preparePublication(examination, intake, timed);
    deadline.expectInTime();
  } catch (error) {
    return refused(await ending.unfit(judged, error));
  }
  const access = await published(publication, intake);
  const { files, images, warnings } = publication;
  const result = {
    ...(typeof destination === 'string' && { destination }),
    published: !options.dryRun,
    files: files.map(({ name }) => name),
    ...(access !== undefined && { access }),
    ...(images.length > 0 && { images }),
  };
  const lost = lostTimestamps(examination, options.timestamp);
  const all = warned(report, [...lost, ...warnings, ...(options.imageSigner?.warnings ?? [])]);
  const done = { ...all, result };
  const verdict = done.trusted ? 'trusted' : 'unsigned';
  return options.dryRun
    ? { kind: 'would-be-imported', imported: false, verdict, report: done, files }
    : { kind: 'imported', imported: true, verdict, report: done, files, images };
}

/** The verdict, while the members go to where they wait for it. */
async function examined(
  input: BundleInput,
  options: ImportOptions,
  { sink, ending }: Intake,
): Promise<{ readonly examination: Examination; readonly report: ImportReport }> {
  try {
    return await examineAndReport('import', input, options, sink);
  } catch (error) {
    throw await ending.failed(error);
  }
}

async function published(
  { members }: Publication,
  { publish, ending }: Intake,
): Promise<FileAccess | undefined> {
  try {
    return await publish(members);
  } catch (error) {
    throw await ending.failed(error);
  }
}

function refused(report: ImportReport): RefusedImport {
  return { kind: 'refused', imported: false, verdict: report.verdict as RefusedImport['verdict'], report };
}
