import { isAdvised, PACKED_FROM_FILES, plain, type Told, toldBy } from './advice.ts';
import { ERROR_TABLE } from './error-codes.ts';
import type { ErrorKind, ErrorRow } from './error-kinds.ts';

/** The stable name of a fault: public, documented in `spec/errors.md`, never renamed. */
export type ErrorCode = keyof typeof ERROR_TABLE;

/** Where a fault lies. Offsets are in bytes, from 0; each counts from the start of something else. */
export interface Where {
  /** as the user named it */
  readonly file?: string;
  readonly member?: string;
  /** in the archive, unpacked where it is compressed; never in a member */
  readonly offset?: number;
  /** in the content of the member */
  readonly memberOffset?: number;
  /** in what gzip has compressed: the archive as it came, or a member that is decompressed */
  readonly compressedOffset?: number;
  /** from 1 */
  readonly line?: number;
}

/** What a thrower may add to the message; `why` and `fix` default to the code's own. */
export interface ErrorDetails {
  readonly where?: Where;
  readonly why?: string;
  /** what to do: a sentence, or several that are joined by "; " */
  readonly fix?: Told | readonly Told[];
  /** the same for whoever makes the bundle, where that is something else; without it, and with `fix`, both do the same [show.7] */
  readonly own?: Told | readonly Told[];
  readonly cause?: unknown;
}

/**
 * The one error class: *what* happened (`message`), *where*, *why* it matters and what to do (`fix`).
 *
 * It is thrown where a call cannot go on, and listed as a value in a report where it can.
 * Compare `code`, not the class: two copies of the library may be loaded.
 */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  readonly code: ErrorCode;
  readonly where: Where;
  readonly why: string;
  readonly fix: string;
  /** what `fix` is made of: for a face that has words of its own for some of it */
  readonly advice: readonly Told[];
  readonly #own: readonly Told[];

  /** @param code the stable name · @param message what happened: one lower-case clause that names the thing */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    const row: ErrorRow = ERROR_TABLE[code];
    this.code = code;
    this.where = details.where ?? {};
    this.why = details.why ?? row.why;
    this.advice = [details.fix ?? row.fix].flat();
    this.fix = this.advice.map(plain).join('; ');
    this.#own = [details.own ?? (details.fix === undefined ? row.own : undefined) ?? []].flat();
  }

  /** Who must act; decides the exit code. */
  get kind(): ErrorKind {
    return ERROR_TABLE[this.code].kind;
  }

  /** The same error with more known about where it happened; what is already known stays. */
  at(where: Where): BundleError {
    return this.#with({ where: { ...where, ...this.where } });
  }

  /** The same error with what to do about it for whoever makes the bundle, and not for whoever got it. [show.7] */
  forMaker(): BundleError {
    if (this.#own.length > 0) return this.#with({ fix: this.#own });
    const isHealed = this.advice.some((told) => isAdvised(told) && told.advice === 'repair');
    return isHealed ? this.#with({ fix: [PACKED_FROM_FILES, ...this.advice] }) : this;
  }

  #with(more: ErrorDetails): BundleError {
    const { code, message, where, why, advice, cause } = this;
    return new BundleError(code, message, { where, why, fix: advice, own: this.#own, cause, ...more });
  }
}

/** True for an error of this library, whichever copy of it made the error; its name alone makes no error one. */
export function isBundleError(error: unknown): error is BundleError {
  try {
    if (!(error instanceof Error) || error.name !== 'BundleError') return false;
    const { code, fix, at } = error as Partial<BundleError>;
    const isKnown = code !== undefined && Object.hasOwn(ERROR_TABLE, code);
    return isKnown && isText(fix) && typeof at === 'function';
  } catch {
    return false; // it throws when it is looked at
  }
}

/**
 * An error of this library that came out of code of the caller's, made anew of its parts, each read once: undefined for
 * whatever is none, or only says that it is one. [api.2]
 */
export function ownError(error: unknown): BundleError | undefined {
  try {
    if (!isBundleError(error)) return undefined;
    const { code, message, why, fix, advice, where, cause } = error;
    const { file, member, offset, memberOffset, compressedOffset, line } = where;
    const texts = [message, why, fix, file ?? '', member ?? ''];
    const numbers = [offset ?? 0, memberOffset ?? 0, compressedOffset ?? 0, line ?? 0];
    if (!Object.hasOwn(ERROR_TABLE, code) || !texts.every(isText)) return undefined;
    if (!numbers.every(Number.isSafeInteger)) return undefined;
    const place = {
      ...(file !== undefined && { file }),
      ...(member !== undefined && { member }),
      ...(offset !== undefined && { offset }),
      ...(memberOffset !== undefined && { memberOffset }),
      ...(compressedOffset !== undefined && { compressedOffset }),
      ...(line !== undefined && { line }),
    };
    return new BundleError(code, message, { where: place, why, fix: adviceOf(advice) ?? fix, cause });
  } catch {
    return undefined;
  }
}

/** The parts of the advice of an error, if they are all such: an older copy of the library has none. */
function adviceOf(given: unknown): readonly Told[] | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined;
  const parts = given.map(toldBy);
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** The error itself, or any other exception wrapped as `INTERNAL`: a fault of ours, not of the input. */
export function toBundleError(error: unknown): BundleError {
  if (isBundleError(error)) return error;
  return new BundleError('INTERNAL', `unexpected: ${textOf(error)}`, { cause: error });
}

/** What an exception says, whatever was thrown. */
export function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'something that cannot be shown';
  }
}
