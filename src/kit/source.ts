import type { HashedRange, HashRange, LaneOptions } from '../storage/lanes/lanes.ts';
import type { ByteStream } from './bytes.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';

/** The bytes of a source that can be read anywhere, and by several threads at once. Offsets count from its first byte. */
export interface SourceParts {
  /** The `length` bytes from `offset` on, the caller's own; fewer at the end. */
  readAt(offset: number, length: number): Promise<Uint8Array>;
  /** @throws {BundleError} `FILE_UNREADABLE`, `FILE_CHANGED`, `INTERRUPTED` */
  hash(ranges: readonly HashRange[], options: Omit<LaneOptions, 'signal'>): Promise<readonly HashedRange[]>;
}

/** Where the bytes of a bundle come from; disposing it closes what is open. */
export interface Source extends AsyncDisposable {
  /** as the user named it */
  readonly name: string;
  /** bytes in all, when known before reading */
  readonly size?: number;
  /** The bytes from the beginning. A source that is not `repeatable` gives them once. */
  stream(): ByteStream;
  readonly repeatable: boolean;
  /** only a regular file has it */
  readonly parts?: SourceParts;
  /** @throws {BundleError} `FILE_CHANGED` when the source is not what it was when it was opened */
  checkUnchanged(): void;
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
}

/** What every operation that waits for input needs, of what its caller gives. */
export function sourceOptions(options: {
  readonly signal?: AbortSignal;
  readonly limits?: Partial<Limits>;
}): SourceOptions {
  const { idleMs, minimumRate, spoolBytes } = { ...DEFAULT_LIMITS, ...options.limits };
  return { ...(options.signal ? { signal: options.signal } : {}), idleMs, minimumRate, spoolBytes };
}
