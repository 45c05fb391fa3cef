import { openDeadline } from '../../kit/deadline.ts';
import { counted, printable } from '../../kit/encoding.ts';
import type { Advised, Told } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { expectNoUse, flag, needed, path, shape } from '../../kit/shape.ts';
import { expectApart } from '../../storage/apart.ts';
import { openStaging, type Staging } from '../../storage/output/staging.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import type { LeftFolder } from '../../storage/unfinished/left-folder.ts';
import { diskImagesOf } from '../../verdict/bundle/disk-images.ts';
import type { Examination } from '../../verdict/bundle/examine.ts';
import {
  type FileReport,
  makeReport,
  type Report,
  sweptWarnings,
  warned,
} from '../../verdict/report/report.ts';
import type { ResumableSink } from '../../verdict/walk/member.ts';
import type { ImageSigner } from '../glance/image-signer.ts';
import type { SigningSink, SiteImage } from '../glance/sign-on-import.ts';
import { bundleInput, imageSigner, JUDGING } from '../option-rules.ts';
import { readingsOf } from '../readings.ts';
import { exchangedIn } from '../sign/exchanged.ts';
import { lostTimestamps } from '../sign/lost-timestamps.ts';
import type { VerifyOptions } from '../verify/options.ts';
import { examineAndReport } from '../verify/verify.ts';
import { assemble } from './assemble.ts';
import { type Leaving, leavingOf } from './leaving.ts';
import { type PlannedAssembly, planAssembly } from './plan-assembly.ts';
import type { ResumingSink } from './resuming-sink.ts';

/** How a bundle is imported: verified as `verify` does, and published only by its verdict. */
export interface ImportOptions extends VerifyOptions {
  /** the folder that the members are to be in; it must not exist, or be empty */
  readonly destination: string;
  /** publish the disk images alone */
  readonly imagesOnly?: boolean;
  /** publish the chunks of a disk as they are stored, and do not join them */
  readonly keepChunks?: boolean;
  /** publish what is compressed by gzip decompressed */
  readonly decompress?: boolean;
  /** verify and say what would be published, but store nothing */
  readonly dryRun?: boolean;
  /**
   * go on with what an import into the same folder has left that did not come to its end, as far as the bundle has block
   * digests; and when this one does not either, leave what has come to the next [resume.1]
   */
  readonly resume?: boolean;
  /** the site's own key: each disk image is signed with it for Glance, the properties beside it as `NAME.site.glance.json` [glance.35] */
  readonly imageSigner?: ImageSigner;
}

/** What was published, or would be. */
export interface ImportFindings {
  readonly destination: string;
  readonly published: boolean;
  /** by their names */
  readonly files: readonly string[];
  /** the disk images that were signed for Glance; left out when none were */
  readonly images?: readonly SiteImage[];
}

/** The report of `import`. */
export type ImportReport = Report<'import', ImportFindings>;

/** What became of an import; `files` are those published (or that would be), none when the bundle was refused. */
export interface ImportResult {
  readonly imported: boolean;
  readonly report: ImportReport;
  readonly files: readonly FileReport[];
  /** the disk images that were signed for Glance */
  readonly images: readonly SiteImage[];
}

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
  const given = importOptions(options, '');
  if (given.dryRun) {
    expectNoUse(given.resume, 'resume', 'beside dryRun, which stores nothing');
    expectNoUse(given.imageSigner, 'imageSigner', 'beside dryRun, which stores nothing');
  }
  return importGiven(bundleInput(input, 'input'), given);
}

const importOptions = shape<ImportOptions>({
  ...JUDGING,
  destination: needed(path),
  imagesOnly: flag,
  keepChunks: flag,
  decompress: flag,
  dryRun: flag,
  resume: flag,
  imageSigner,
});

async function importGiven(input: BundleInput, options: ImportOptions): Promise<ImportResult> {
  using deadline = openDeadline(options);
  const { destination, imageSigner: signer, resume = false } = options;
  const reads = [...readingsOf(input, options), ...(signer?.files ?? [])];
  if (!options.dryRun) expectApart([destination], reads);
  await using staging = options.dryRun ? undefined : openStaging(destination, { resume });
  const timed = { ...options, ...deadline };
  const resuming = staging?.left && (await openResuming(staging, staging.left, timed));
  const signing =
    staging && signer && (await openSigning(staging, signer, { sink: resuming, signal: timed.signal }));
  const leaving: Leaving = leavingOf(resume ? staging : undefined);
  let judged: ImportReport;
  let examination: Examination;
  try {
    ({ examination, report: judged } = await examineAndReport(
      'import',
      input,
      timed,
      signing ?? resuming ?? staging,
    ));
  } catch (error) {
    throw leaving.ended(error, () => resuming?.unusable(false) ?? []);
  }
  const { errors, notes: leftNotes } = leaving.judged(judged.errors, examination.errors);
  const resumed = resumedNotes(resuming?.resumed ?? []);
  const begun = warned(judged, [...sweptWarnings(staging?.swept ?? []), ...resumed]);
  const unusable = (): readonly Told[] =>
    leaving.outcome === 'kept' ? [] : (resuming?.unusable(leaving.outcome === 'refused') ?? []);
  const report = warned({ ...begun, errors }, [...unusable(), ...leftNotes]);
  if (report.exitCode !== 0) return { imported: false, report, files: [], images: [] };

  let kept: ReadonlySet<string>;
  let files: readonly FileReport[];
  let warnings: readonly Told[];
  let images: readonly SiteImage[] = [];
  try {
    deadline.expectInTime(); // a small bundle may have been read without a look at it
    kept = keptNames(examination, options.imagesOnly ?? false);
    images = (await signing?.writeProperties([...kept], examination.contents.descriptor)) ?? [];
    ({ files, warnings } = await assembled(staging, examination, kept, { ...timed, report }));
    deadline.expectInTime();
  } catch (error) {
    const refused = refuse(begun, leaving.ended(error));
    return { imported: false, report: warned(refused, unusable()), files: [], images: [] };
  }
  try {
    if (staging) await publish(staging, examination, kept);
  } catch (error) {
    throw leaving.ended(error, () => resuming?.unusable(false) ?? []);
  }
  const result = {
    destination: options.destination,
    published: staging !== undefined,
    files: files.map((file) => file.name),
    ...(images.length > 0 && { images }),
  };
  const lost = lostTimestamps(examination, options.timestamp);
  const all = warned(report, [...lost, ...warnings, ...(signer?.warnings ?? [])]);
  return { imported: staging !== undefined, report: { ...all, result }, files, images };
}

/** Loaded when it is used: most imports sign nothing. */
async function openSigning(
  staging: Staging,
  signer: ImageSigner,
  on: { readonly sink: ResumableSink | undefined; readonly signal: AbortSignal | undefined },
): Promise<SigningSink> {
  const { signingSink } = await import('../glance/sign-on-import.ts');
  return signingSink(staging, signer, on);
}

async function openResuming(
  staging: Staging,
  left: LeftFolder,
  options: Pick<ImportOptions, 'limits' | 'signal'>,
): Promise<ResumingSink> {
  const { resumingSink } = await import('./resuming-sink.ts');
  return resumingSink(staging, left, {
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    signal: options.signal,
  });
}

function resumedNotes(resumed: ResumingSink['resumed']): readonly string[] {
  return resumed
    .filter(({ bytes }) => bytes > 0)
    .map(
      ({ name, bytes }) =>
        `"${printable(name)}" was gone on with: ${counted(bytes, 'byte')} ${bytes === 1 ? 'was' : 'were'} there, and right`,
    );
}

function keptNames(examination: Examination, imagesOnly: boolean): ReadonlySet<string> {
  const exchanged = exchangedIn(examination);
  const isCarried = (name: string): boolean => !exchanged.has(name) || exchanged.get(name) !== undefined;
  const all = examination.members.map((member) => member.name).filter(isCarried);
  if (!imagesOnly) return new Set(all);
  const images = diskImagesOf(all, examination.contents.descriptor);
  if (images.length > 0) return new Set(images);
  throw new BundleError('USAGE', 'the bundle holds no disk image', {
    why: 'only the disk images were asked for',
    fix: { text: 'import all of it; inspecting it shows what is in it', advice: 'import-all' },
  });
}

/** The files to publish, those that were stored in parts or compressed made whole; in a dry run only named. [whole.1] */
async function assembled(
  staging: Staging | undefined,
  examination: Examination,
  kept: ReadonlySet<string>,
  options: Pick<ImportOptions, 'keepChunks' | 'decompress' | 'limits' | 'signal'> & {
    readonly report: Report;
  },
): Promise<{
  readonly files: readonly FileReport[];
  readonly warnings: readonly Told[];
}> {
  const { members, contents } = examination;
  const { descriptor } = contents;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const planned = planAssembly(
    descriptor,
    members.filter(({ name }) => kept.has(name)),
    { join: !options.keepChunks, decompress: options.decompress ?? false, limits },
  );
  const made = staging && (await assemble(staging, planned, { descriptor, limits, signal: options.signal }));
  const parts = new Set(planned.flatMap((plan) => plan.parts.map(({ name }) => name)));
  const whole = planned.map(({ name }) => {
    const size = made?.files.find((file) => file.name === name)?.size;
    return { name, role: 'file', ...(size !== undefined && { size }), status: 'ok' } as const;
  });
  const exchanged = exchangedIn(examination);
  const asStored = options.report.files
    .filter(({ name }) => kept.has(name) && !parts.has(name))
    .map((file) => {
      const bytes = exchanged.get(file.name);
      return bytes ? { ...file, size: bytes.byteLength } : file;
    });
  const { descriptor: ovf = '', manifest = '' } = examination.roles;
  const notes = kept.has(ovf) || kept.has(manifest) ? planned.map(otherNote) : [];
  return { files: [...asStored, ...whole], warnings: [...notes, ...(made?.warnings ?? [])] };
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

async function publish(staging: Staging, examination: Examination, kept: ReadonlySet<string>): Promise<void> {
  const exchanged = exchangedIn(examination);
  for (const { name } of examination.members) {
    const bytes = exchanged.get(name);
    if (!kept.has(name) || bytes) await staging.setAside(name);
    if (kept.has(name) && bytes) await staging.store(name, bytes);
  }
  await staging.publish();
}

/** The report of a bundle that was fine, and then not what was asked for. */
function refuse(report: ImportReport, error: BundleError): ImportReport {
  const { exitCode, verdict, errors } = makeReport({ operation: report.operation, errors: [error] });
  return { ...report, exitCode, verdict, trusted: false, errors };
}
