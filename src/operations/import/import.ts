import { openDeadline } from '../../kit/deadline.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import type { Examination } from '../../verdict/bundle/examine.ts';
import { warned } from '../../verdict/report/report.ts';
import { bundleInput } from '../option-rules.ts';
import { lostTimestamps } from '../sign/lost-timestamps.ts';
import { examineAndReport } from '../verify/verify.ts';
import { type ImportOptions, importOptions } from './import-options.ts';
import type { ImportReport, ImportResult } from './import-result.ts';
import { type Intake, openSink } from './open-sink.ts';
import { type Publication, preparePublication } from './publication.ts';

/**
 * Imports a bundle: members wait in a private folder beside the destination, and become the destination in one step
 * when the verdict allows it.
 *
 * The bytes that are hashed are the bytes that are stored. After a refusal, a fault or a crash the destination is
 * as it was.
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
  await published(publication, intake);
  const { files, images, warnings } = publication;
  const result = {
    destination: options.destination,
    published: !options.dryRun,
    files: files.map(({ name }) => name),
    ...(images.length > 0 && { images }),
  };
  const lost = lostTimestamps(examination, options.timestamp);
  const all = warned(report, [...lost, ...warnings, ...(options.imageSigner?.warnings ?? [])]);
  return { imported: !options.dryRun, report: { ...all, result }, files, images };
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

async function published({ members }: Publication, { publish, ending }: Intake): Promise<void> {
  try {
    await publish(members);
  } catch (error) {
    throw await ending.failed(error);
  }
}

function refused(report: ImportReport): ImportResult {
  return { imported: false, report, files: [], images: [] };
}
