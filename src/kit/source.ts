import type { ByteStream } from './bytes.ts';
import type { DigestName } from './digest-name.ts';
import type { Told } from './errors/advice.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';

/** A part of a file to be hashed, whole or in pieces of `step` bytes each. */
export interface HashRange {
  /** whose bytes they are, where each member is a file of its own; in an archive all lie in one */
  readonly member?: string;
  readonly start: number;
  readonly end: number;
  readonly step?: number;
  readonly algorithms: readonly DigestName[];
}

/** The digests of a range: those of one piece after those of another, each as the range's algorithms follow each other. */
export interface HashedRange {
  readonly pieces: number;
  /** lower-case hex */
  digest(piece: number, algorithm: DigestName): string;
}

/** How a file is hashed: by so many threads at most, one for every `laneBytes`. */
export interface LaneOptions {
  readonly limits: Pick<Limits, 'threads' | 'laneBytes'>;
  readonly signal?: AbortSignal | undefined;
  /** told now and then how many bytes have been hashed */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * The bytes of a source that can be read anywhere, and by several threads at once. Offsets count from its first byte; where each member
 * is a file of its own, from the first of the member.
 */
export interface SourceParts {
  /** The `length` bytes from `offset` on, the caller's own; fewer at the end. */
  readAt(offset: number, length: number, member?: string): Promise<Uint8Array>;
  /** How many threads would hash so many bytes: no more than cores that may be used, and each has enough to do. [lane.1] */
  lanes(bytes: number, limits: LaneOptions['limits']): number;
  /** @throws {BundleError} `FILE_UNREADABLE`, `FILE_CHANGED`, `INTERRUPTED` */
  hash(ranges: readonly HashRange[], options: Omit<LaneOptions, 'signal'>): Promise<readonly HashedRange[]>;
}

/** Where the bytes of a bundle come from; disposing it closes what is open. */
export interface Source extends AsyncDisposable {
  /** as the user named it */
  readonly name: string;
  /** bytes in all, when known before reading */
  readonly size?: number | undefined;
  /** the archive that the bundle lies in, and which member of it the bundle is, as far as it has been read [inner.4] */
  readonly outer?: OuterArchive;
  /** what is to be said of that archive when it has been read */
  notes?(): readonly Told[];
  /** The bytes from the beginning. A source that is not `repeatable` gives them once. */
  stream(): ByteStream;
  readonly repeatable: boolean;
  /** only a regular file has it */
  readonly parts?: SourceParts;
  /** @throws {BundleError} `FILE_CHANGED` when the source is not what it was when it was opened */
  checkUnchanged(): void;
}

/** An archive around a bundle. */
interface OuterArchive {
  readonly name: string;
  /** bytes */
  readonly size?: number;
  readonly format?: string;
  /** the bundle in it */
  readonly member?: string;
}

/** A member that is a file of its own, and open. */
export interface PackageFile extends AsyncDisposable {
  /** bytes, as it was opened; `stream` gives no more */
  readonly size: number;
  stream(): ByteStream;
  /** Leaves it open for `parts` of its source, until that is closed; false when too many are, and where files are on a server. */
  hold(): boolean;
}

/**
 * A bundle whose members are files of their own: a folder, or what lies beside a descriptor on a server. It opens what it is asked for by
 * name, each once; which members there are is for `openPackage` to say. Disposing it closes what is open.
 */
export interface PackageSource extends AsyncDisposable {
  readonly kind: 'package';
  /** as the user named it */
  readonly name: string;
  /** the names of the files there that may be descriptor, manifest, certificate file or timestamp of the bundle, or evidence */
  partNames(): readonly string[];
  /** The bytes of a file, without opening it; undefined when it is not there, or only opening it will tell. */
  sizeOf(name: string): number | undefined;
  /**
   * Opens the file of a member; undefined when there is none of exactly this name.
   *
   * @throws {BundleError} `ARCHIVE_TYPE` for what is no regular file, `FILE_UNREADABLE`, `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`
   */
  open(name: string): Promise<PackageFile | undefined>;
  /** of the files that are held open; only a folder has it */
  readonly parts?: SourceParts;
  /** @throws {BundleError} `FILE_CHANGED` when a file that was opened is not what it was */
  checkUnchanged(): void;
}

/** A bundle in any form: an archive, or a package of files. */
export type BundleSource = Source | PackageSource;

/** Whether the members are files of their own. */
export function isPackage(source: BundleSource): source is PackageSource {
  return 'kind' in source;
}

/** What a source needs while it waits. */
export interface SourceOptions {
  readonly signal?: AbortSignal;
  /** milliseconds without a byte before `INPUT_STALLED` */
  readonly idleMs: number;
  /** bytes that must come in each second, averaged over `idleMs` of waiting; 0 or nothing asks for none */
  readonly minimumRate?: number;
  /** bytes of a private copy, at most */
  readonly spoolBytes?: number;
  /** the file that is made of what is read, `-` for standard output: no member of a package may be that [out.1] */
  readonly output?: string;
}

/** What every operation that waits for input needs, of what its caller gives. */
export function sourceOptions(options: {
  readonly signal?: AbortSignal;
  readonly limits?: Partial<Limits>;
  readonly output?: string | object;
}): SourceOptions {
  const { output } = options;
  const { idleMs, minimumRate, spoolBytes } = { ...DEFAULT_LIMITS, ...options.limits };
  return {
    ...(options.signal !== undefined && { signal: options.signal }),
    ...(typeof output === 'string' && { output }),
    idleMs,
    minimumRate,
    spoolBytes,
  };
}
