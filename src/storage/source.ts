import type { ByteStream } from '../kit/bytes.ts';

/** Where the bytes of a bundle come from; disposing it closes what is open. */
export interface Source extends AsyncDisposable {
  /** as the user named it */
  readonly name: string;
  /** bytes in all, when known before reading */
  readonly size?: number;
  /** The bytes from the beginning. A source that is not `repeatable` gives them once. */
  stream(): ByteStream;
  readonly repeatable: boolean;
  /** @throws {BundleError} `FILE_CHANGED` when the source is not what it was when it was opened */
  checkUnchanged(): void;
}

/** What a source needs while it waits. */
export interface SourceOptions {
  readonly signal?: AbortSignal;
  /** milliseconds without a byte before `INPUT_STALLED` */
  readonly idleMs: number;
  /** bytes of a private copy, at most */
  readonly spoolBytes?: number;
}
