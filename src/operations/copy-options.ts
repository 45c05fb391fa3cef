import type { Limits } from '../kit/limits.ts';
import type { OnProgress } from '../kit/progress.ts';
import { count, flag, needed, path, type Rows } from '../kit/shape.ts';
import { limits, packFormat, WORKING } from './option-rules.ts';
import type { PackFormat } from './pack.ts';

/** Where a copy goes, and in which container. */
export interface CopyOptions {
  /** the file to write, or `-` for standard output */
  readonly output: string;
  readonly format: PackFormat;
  readonly overwrite?: boolean;
  readonly mtime?: number;
  /** of what is read */
  readonly limits?: Partial<Limits>;
  /** milliseconds that all of it may take; without it only `limits.idleMs` ends the waiting */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** The rules for them. [api.1] */
export const COPYING: Rows<CopyOptions> = {
  ...WORKING,
  output: needed(path),
  format: needed(packFormat),
  overwrite: flag,
  mtime: count,
  limits,
  deadlineMs: count,
};
