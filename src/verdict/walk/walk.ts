import type { ArchiveEntries, ArchiveEntry } from '../../archive/entry.ts';
import { type OpenArchive, openArchive } from '../../archive/open-archive.ts';
import { Relaxed } from '../../archive/relaxed.ts';
import { watch } from '../../kit/byte-cursor.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { type BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { OnProgress, ProgressEvent } from '../../kit/progress.ts';
import type { Relaxation } from '../../kit/relaxation.ts';
import { type BundleSource, isPackage } from '../../kit/source.ts';
import { copyWarning, relaxedWarnings } from '../report/run-notes.ts';
import { type HashOptions, hashInPassing, hashMember } from './hash-member.ts';
import { type KeptBytes, keepMember } from './keep-member.ts';
import type { HashedMember, KeptMember, Member } from './member.ts';
import { namedFault } from './no-bundle.ts';
import { type BundleFormat, openPackage } from './package-entries.ts';
import { type FinishOptions, SetAside } from './set-aside.ts';

/** How a bundle is walked through. */
export interface WalkOptions {
  readonly limits: Limits;
  readonly relax?: readonly Relaxation[];
  /** how an archive is opened, in place of the strict reader [repair.1] */
  readonly open?: OpenArchive;
  readonly onProgress?: OnProgress;
  /** what the walk is for, as progress calls it; `read` when left out */
  readonly phase?: ProgressEvent['phase'];
  /**
   * large members may be walked past, and hashed when the walk is over, as far as the source lets them be read in any order;
   * they come to no sink
   */
  readonly apart?: Omit<FinishOptions, 'onBytes'>;
}

/** A bundle that is being walked through. Each member is read by one of the three ways, or skipped. */
export interface Walk {
  readonly format: BundleFormat;
  readonly entries: ArchiveEntries;
  /** those that have been read or walked past so far, in order */
  readonly members: readonly Member[];
  /** Reads a member once: keeps it, hashes it, or walks past it. Many are at hand, and give no promise, since waiting takes time. */
  read(entry: ArchiveEntry, options: HashOptions): Member | Promise<Member>;
  /** Reads a member that is kept in memory; undefined for any other, of which nothing is read. */
  keep(entry: ArchiveEntry): Promise<KeptMember> | undefined;
  /** The content of a member for somebody else, hashed on the way; it has been read when that has come to its end. */
  pass(
    entry: ArchiveEntry,
    algorithms: readonly DigestName[],
  ): AsyncGenerator<Uint8Array, HashedMember, undefined>;
}

/** What a walk came to. Without a fault it went as far as `visit` wanted, and the source was the same from first to last. */
export interface Walked<T> {
  readonly format?: BundleFormat;
  /** those that were read, in order; with a fault those that were reached */
  readonly members: readonly Member[];
  /** what `visit` gave; absent when there is a fault */
  readonly result?: T;
  readonly fault?: BundleError;
  /** of a private copy, and of habits that were let pass */
  readonly warnings: readonly Told[];
}

/**
 * Walks through the bundle in `source` once, an archive or a package of files, and has `visit` take its members: the one walk of verify, import, normalize,
 * inspect, diff, sign and timestamp, and of the look ahead for a manifest, so that one input gets one answer from all. [judge.7]
 *
 * Nothing is thrown: whatever ended the walk, an error of `visit` too, is its fault. It is told when what was set aside before
 * it has been hashed, since what came before it counts.
 */
export async function walkBundle<T>(
  source: BundleSource,
  options: WalkOptions,
  visit: (walk: Walk) => Promise<T>,
): Promise<Walked<T>> {
  const { limits, apart, open = openArchive } = options;
  const relaxed = new Relaxed(options.relax);
  const progress = progressOf(source, options);
  let format: BundleFormat | undefined;
  let copied: number | undefined;
  let members: readonly Member[] = [];
  const told = (): Omit<Walked<T>, 'result' | 'fault'> => ({
    ...(format !== undefined && { format }),
    members,
    warnings: [
      ...(isPackage(source) ? [] : (source.notes?.() ?? [])),
      ...copyWarning(copied),
      ...relaxedWarnings(relaxed.used),
    ],
  });
  try {
    const archive = isPackage(source)
      ? openPackage(source, { limits, ...progress })
      : await open(watch(source.stream(), progress.onBytes), limits, relaxed);
    ({ format } = archive);
    if ('copied' in archive) ({ copied } = archive);
    const aside = apart && SetAside.of(source, format, limits);
    const walk = openWalk(archive, { limits, aside, onMember: progress.onMember });
    ({ members } = walk);
    const visited = visit(walk);
    await Promise.allSettled([visited]);
    const finished = await aside?.finish(members, { ...apart, onBytes: progress.onBytes });
    members = finished?.members ?? members;
    const result = await visited;
    if (finished?.error !== undefined) throw finished.error;
    source.checkUnchanged();
    return { ...told(), result };
  } catch (error) {
    const fault = changeBehind(error, source) ?? toBundleError(error);
    const names = members.map(({ name }) => name);
    return { ...told(), fault: namedFault(fault, names, source.name).at({ file: source.name }) };
  }
}

function openWalk(
  { format, entries }: { readonly format: BundleFormat; readonly entries: ArchiveEntries },
  options: {
    readonly limits: Limits;
    readonly aside: SetAside | undefined;
    readonly onMember: (name: string) => void;
  },
): Walk {
  const { limits, aside, onMember } = options;
  const members: Member[] = [];
  const kept: KeptBytes = new Map();
  const add = <T extends Member>(member: T): T => {
    members.push(member);
    return member;
  };
  return {
    format,
    entries,
    members,
    read: (entry, { algorithms, sink }) => {
      onMember(entry.name);
      const read =
        keepMember(entry, { limits, kept, sink }) ??
        aside?.take(entry, algorithms) ??
        hashMember(entry, { algorithms, sink });
      return read instanceof Promise ? read.then<Member>(add) : add(read);
    },
    keep: (entry) => {
      onMember(entry.name);
      return keepMember(entry, { limits, kept })?.then(add);
    },
    pass: (entry, algorithms) => {
      onMember(entry.name);
      return passing(entry, algorithms, add);
    },
  };
}

async function* passing(
  entry: ArchiveEntry,
  algorithms: readonly DigestName[],
  add: (member: HashedMember) => HashedMember,
): AsyncGenerator<Uint8Array, HashedMember, undefined> {
  return add(yield* hashInPassing(entry, algorithms));
}

function progressOf(
  source: BundleSource,
  { onProgress, phase = 'read' }: WalkOptions,
): { onBytes(bytes: number): void; onTotal(bytes: number): void; onMember(name: string): void } {
  let name: string | undefined;
  let most = 0;
  let total = isPackage(source) ? undefined : source.size;
  return {
    onTotal: (bytes) => {
      total = bytes;
    },
    onBytes: (bytes) => {
      if (bytes <= most) return;
      most = bytes;
      onProgress?.({
        phase,
        bytes,
        ...(total !== undefined && { total }),
        ...(name !== undefined && { member: name }),
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
function changeBehind(error: unknown, source: BundleSource): BundleError | undefined {
  if (ELSEWHERE.has(toBundleError(error).kind)) return undefined;
  try {
    source.checkUnchanged();
    return undefined;
  } catch (change) {
    return toBundleError(change);
  }
}
