import type { ArchiveEntries } from '../../archive/entry.ts';
import { type ArchiveFormat, openArchive } from '../../archive/open-archive.ts';
import { Relaxed } from '../../archive/relaxed.ts';
import { watch } from '../../kit/byte-cursor.ts';
import { type BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { OnProgress, ProgressEvent } from '../../kit/progress.ts';
import type { Relaxation } from '../../kit/relaxation.ts';
import type { Source } from '../../kit/source.ts';
import { copyWarning, relaxedWarnings } from '../report/report.ts';
import type { ReadMember } from './member.ts';
import { type FinishOptions, SetAside } from './set-aside.ts';

/** How an archive is walked through. */
export interface WalkOptions {
  readonly limits: Limits;
  readonly relax?: readonly Relaxation[];
  readonly onProgress?: OnProgress;
  /** what the walk is for, as progress calls it; `read` when left out */
  readonly phase?: ProgressEvent['phase'];
  /** large members may wait, and are hashed when the walk is over, as far as the source lets them be read in any order */
  readonly apart?: Omit<FinishOptions, 'onBytes'> & { readonly members: ReadMember[] };
}

/** An archive that is being walked through. */
export interface Walk {
  readonly entries: ArchiveEntries;
  /** where members wait, when they may */
  readonly aside?: SetAside;
  /** says which member is at hand, for progress */
  onMember(name: string): void;
}

/** What a walk came to. Without a fault it went as far as `visit` wanted, and the source was the same from first to last. */
export interface Walked<T> {
  readonly format?: ArchiveFormat;
  /** what `visit` gave; absent when there is a fault */
  readonly result?: T;
  readonly fault?: BundleError;
  /** of a private copy, and of habits that were let pass */
  readonly warnings: readonly string[];
}

/**
 * Walks through the archive in `source` once, and has `visit` take its members: the one walk of verify, import, normalize,
 * inspect, diff, sign and timestamp, so that one input gets one answer from all. [judge.7]
 *
 * Nothing is thrown: whatever ended the walk, an error of `visit` too, is its fault.
 */
export async function walkArchive<T>(
  source: Source,
  options: WalkOptions,
  visit: (walk: Walk) => Promise<T>,
): Promise<Walked<T>> {
  const { limits, apart } = options;
  const relaxed = new Relaxed(options.relax);
  const progress = progressOf(source, options);
  let format: ArchiveFormat | undefined;
  let copied: number | undefined;
  const told = (): Omit<Walked<T>, 'result' | 'fault'> => ({
    ...(format ? { format } : {}),
    warnings: [...copyWarning(copied), ...relaxedWarnings(relaxed.used)],
  });
  try {
    const archive = await openArchive(watch(source.stream(), progress.onBytes), limits, relaxed);
    ({ format, copied } = archive);
    const aside = apart && SetAside.of(source, format, limits);
    const { entries } = archive;
    const visited = visit({ entries, onMember: progress.onMember, ...(aside ? { aside } : {}) });
    const result = aside
      ? await aside.finish(visited, apart.members, { ...apart, onBytes: progress.onBytes })
      : await visited;
    source.checkUnchanged();
    return { ...told(), result };
  } catch (error) {
    const fault = changeBehind(error, source) ?? toBundleError(error);
    return { ...told(), fault: fault.at({ file: source.name }) };
  }
}

function progressOf(
  source: Source,
  { onProgress, phase = 'read' }: WalkOptions,
): { onBytes(bytes: number): void; onMember(name: string): void } {
  let name: string | undefined;
  let most = 0;
  return {
    onBytes: (bytes) => {
      if (bytes <= most) return;
      most = bytes;
      onProgress?.({
        phase,
        bytes,
        ...(source.size === undefined ? {} : { total: source.size }),
        ...(name === undefined ? {} : { member: name }),
      });
    },
    onMember: (member) => {
      name = member;
    },
  };
}

/** Faults that come from elsewhere than the bytes that were read. */
const ELSEWHERE: ReadonlySet<BundleError['kind']> = new Set([
  'internal',
  'usage',
  'io',
  'network',
  'unauthorised',
  'interrupted',
  'terminated',
]);

/** [judge.6] A file that was cut or written to looks like a malformed archive; what happened to it says more. */
function changeBehind(error: unknown, source: Source): BundleError | undefined {
  if (ELSEWHERE.has(toBundleError(error).kind)) return undefined;
  try {
    source.checkUnchanged();
    return undefined;
  } catch (change) {
    return toBundleError(change);
  }
}
