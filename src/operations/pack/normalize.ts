import { gzip } from '../../archive/deflate/gzip.ts';
import type { PackFormat } from '../../archive/open-archive.ts';
import { openingOdd } from '../../archive/repair/open-odd-archive.ts';
import { type Repair, Repairs } from '../../archive/repair/repairs.ts';
import { type TarFile, wholeFile, writeTar } from '../../archive/tar/tar-writer.ts';
import { isEvidence } from '../../formats/bundle-part.ts';
import type { ByteStream } from '../../kit/bytes.ts';
import { openDeadline } from '../../kit/deadline.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { count, flag, needed, oneOf, shape } from '../../kit/shape.ts';
import { type ByteSink, discardedAtEnd } from '../../kit/streams/byte-sink.ts';
import { apartFrom } from '../../storage/apart.ts';
import { openOutput } from '../../storage/output/open-output.ts';
import { openScratch, type Scratch } from '../../storage/output/staging.ts';
import { readOddZip } from '../../storage/repair/read-odd-zip.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import { takeTurn as othersTurn } from '../../storage/turn.ts';
import { type Examination, LATE_DESCRIPTOR } from '../../verdict/bundle/examine.ts';
import { beyondRepair, type Report, warned } from '../../verdict/report/report.ts';
import { sweptWarnings } from '../../verdict/report/run-notes.ts';
import { tellingIn } from '../../verdict/report/telling.ts';
import type { BundleRoles } from '../../verdict/walk/bundle-roles.ts';
import type { Member } from '../../verdict/walk/member.ts';
import { bundleInput, expectReplaceable, JUDGING, output, outputName } from '../option-rules.ts';
import { readingsOf } from '../readings.ts';
import { exchangedIn } from '../sign/exchanged.ts';
import { lostTimestamps } from '../sign/lost-timestamps.ts';
import type { VerifyOptions } from '../verify/options.ts';
import { examineAndReport } from '../verify/verify.ts';

/** How a bundle is normalized: judged as `verify` does, then written again. */
export interface NormalizeOptions extends VerifyOptions {
  /** the file to write, `-` for standard output, or a sink, which is finished only when all of it is good, and discarded otherwise */
  readonly output: string | ByteSink;
  readonly format: Exclude<PackFormat, 'zip'>;
  readonly overwrite?: boolean;
  /** an archive whose form alone is odd is taken apart as well; what was odd is in the result [repair.1] */
  readonly repair?: boolean;
  /** modification time of the members, seconds since 1970 */
  readonly mtime?: number;
}

/**
 * Writes a bundle again in the form and order that `pack` has; no byte of any member changes that the manifest lists, and of
 * what speaks for it goes along what trusted signers answer for.
 *
 * The bundle is verified first, whole, and refused as `verify` refuses it; its members wait in a private folder
 * beside the output, since their order may change.
 *
 * @throws {BundleError} when the input cannot be opened, the trust settings cannot be read, or the output not written
 * @see spec/bundle.md, clauses norm.1 to norm.4; spec/archive.md, clauses repair.1 to repair.9
 */
export async function normalize(input: BundleInput, options: NormalizeOptions): Promise<NormalizeReport> {
  const from = bundleInput(input, 'input');
  const given = normalizeOptions(options, '');
  expectReplaceable(given);
  await using _ = discardedAtEnd(given.output);
  return await tellingIn('normalize', () => normalizeGiven(from, given));
}

const normalizeOptions = shape<NormalizeOptions>({
  ...JUDGING,
  output: needed(output),
  format: needed(oneOf<NormalizeOptions['format']>({ tar: true, tgz: true })),
  overwrite: flag,
  repair: flag,
  mtime: count,
});

async function normalizeGiven(input: BundleInput, options: NormalizeOptions): Promise<NormalizeReport> {
  using deadline = openDeadline(options);
  const timed = { ...options, ...deadline };
  await using output = await openOutput(apartFrom(options.output, readingsOf(input, options)), {
    overwrite: options.overwrite ?? false,
    signal: timed.signal,
  });
  await using scratch = openScratch(typeof options.output === 'string' ? options.output : '-');
  const repairs = options.repair ? new Repairs() : undefined;
  const takeTurn = async (): Promise<void> => {
    await othersTurn();
    deadline.expectInTime();
  };
  const how = repairs ? { ...timed, open: openingOdd({ repairs, takeTurn }, readOddZip) } : timed;
  const { examination, report } = await examineAndReport('normalize', input, how, scratch);
  if (report.exitCode !== 0) return repairs ? beyondRepair(report) : report;

  const exchanged = exchangedIn(examination);
  const order = canonicalOrder(examination).filter(({ name }) => !exchanged.has(name) || exchanged.get(name));
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const tar = writeTar(stored(order, exchanged, scratch, timed.signal), {
    mtime: options.mtime ?? 0,
    limits,
  });
  let bytes = 0;
  for await (const chunk of options.format === 'tgz' ? gzip(tar) : tar) {
    bytes += chunk.byteLength;
    await output.write(chunk);
    options.onProgress?.({ phase: 'write', bytes });
  }
  deadline.expectInTime(); // [cli.15]
  await output.finish();
  const reordered = order.some(({ name }, i) => examination.members[i]?.name !== name);
  const more = [...lostTimestamps(examination, options.timestamp), ...sweptWarnings(output.swept)];
  return {
    ...warned(inOrder(report), more),
    result: {
      ...outputName(options.output),
      format: options.format,
      bytes,
      reordered,
      files: order.map(({ name }) => name),
      ...(repairs !== undefined && { repairs: repairs.made }),
    },
  };
}

/** What was said of the order of the members is so no more. */
function inOrder(report: Report<'normalize', NormalizeResult>): NormalizeReport {
  return { ...report, warnings: report.warnings.filter((warning) => warning !== LATE_DESCRIPTOR) };
}

/** [norm.2] As `pack` has it, and what came later to the signature right behind it. */
function canonicalOrder({ members, roles, contents }: Examination): readonly Member[] {
  const listed = new Map(contents.manifest?.entries.map(({ name }, i) => [name, i]));
  const rank = (name: string): number => {
    const part = partRank(name, roles);
    if (part !== undefined) return part;
    const line = listed.get(name);
    return line === undefined ? Number.MAX_SAFE_INTEGER : PARTS + line;
  };
  const ranks = new Map(members.map(({ name }) => [name, rank(name)]));
  return [...members].sort(
    (a, b) => (ranks.get(a.name) ?? 0) - (ranks.get(b.name) ?? 0) || (a.offset ?? 0) - (b.offset ?? 0),
  );
}

const PARTS = 6;

function partRank(name: string, roles: BundleRoles): number | undefined {
  const at = [roles.descriptor, roles.manifest, roles.certificate, roles.timestamp].indexOf(name);
  if (at >= 0) return at;
  if (roles.sidecars?.some((sidecar) => sidecar.name === name)) return PARTS - 2;
  return isEvidence(name) ? PARTS - 1 : undefined;
}

async function* stored(
  members: readonly Member[],
  exchanged: ReadonlyMap<string, Uint8Array | undefined>,
  scratch: Scratch,
  signal: AbortSignal | undefined,
): AsyncGenerator<TarFile, void> {
  for (const { name, size } of members) {
    const bytes = exchanged.get(name);
    yield bytes ? wholeFile(name, bytes) : { name, size, body: readOnce(name, scratch, signal) };
  }
}

async function* readOnce(
  name: string,
  scratch: Scratch,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  const { stream, close }: { stream: ByteStream; close(): void } = scratch.read(name, signal);
  try {
    yield* stream;
  } finally {
    close();
  }
}

/** The bundle in its canonical form. */
export interface NormalizeResult {
  /** the name of what was written, or `-`; left out when it went into a sink */
  readonly output?: string;
  readonly format: 'tar' | 'tgz';
  readonly bytes: number;
  /** whether members stand in another order now */
  readonly reordered: boolean;
  /** the members, in their order */
  readonly files: readonly string[];
  /** what was odd about the archive as it came, and is not any more; only where a repair was asked for */
  readonly repairs?: readonly Repair[];
}

/** The report of `normalize`. */
export type NormalizeReport = Report<'normalize', NormalizeResult>;
