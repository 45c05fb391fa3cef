import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { ArchiveEntries } from '../../src/archive/entry.ts';
import { openArchive } from '../../src/archive/open-archive.ts';
import { readTar } from '../../src/archive/tar/tar-reader.ts';
import type { ByteStream } from '../../src/kit/bytes.ts';
import { type ErrorCode, isBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/kit/limits.ts';
import { spoolable } from '../../src/storage/sources/private-file.ts';
import { type TestSource, waysIn } from './streams.ts';

/** What reading an archive led to: the members as far as they were read, and the error that ended it. */
export interface Outcome {
  readonly members: readonly {
    readonly name: string;
    readonly size: number;
    readonly offset: number;
    readonly dataOffset: number;
    readonly sha256: string;
  }[];
  readonly error?: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly offset?: number;
    readonly member?: string;
  };
}

export type Opener = (source: ByteStream, limits: Limits) => ArchiveEntries | Promise<ArchiveEntries>;

/** Reads as a tar, whatever it looks like. */
export const asTar: Opener = readTar;

/** Reads as whatever it is; a zip from a private copy, as if it came through a pipe. */
export const asArchive: Opener = async (source, limits) =>
  (await openArchive(spoolable(source, {}), limits)).entries;

/** Reads an archive to its end. Chunks are used as late as `ByteStream` allows. Foreign errors are not caught. */
export async function read(
  source: ByteStream,
  open: Opener = asTar,
  limits: Partial<Limits> = {},
): Promise<Outcome> {
  const members: Outcome['members'][number][] = [];
  try {
    for await (const entry of await open(source, { ...DEFAULT_LIMITS, ...limits })) {
      const { name, size, offset = 0, dataOffset } = entry;
      members.push({ name, size, offset, dataOffset, sha256: await digestOf(entry.body) });
    }
    return { members };
  } catch (error) {
    if (!isBundleError(error)) throw error;
    const { code, message, where } = error;
    const offset = where.offset ?? where.compressedOffset;
    return {
      members,
      error: {
        code,
        message,
        ...(offset === undefined ? {} : { offset }),
        ...(where.member === undefined ? {} : { member: where.member }),
      },
    };
  }
}

async function digestOf(body: ByteStream): Promise<string> {
  const hash = createHash('sha256');
  let before: Uint8Array = new Uint8Array(0);
  for await (const chunk of body) {
    hash.update(before);
    before = chunk;
  }
  return hash.update(before).digest('hex');
}

/** The one outcome that every way in leads to; the source is at its end, or closed, in each. */
export async function readEveryWay(
  bytes: Uint8Array,
  open: Opener = asTar,
  limits: Partial<Limits> = {},
): Promise<Outcome> {
  const outcomes: (readonly [string, Outcome])[] = [];
  for (const [way, source] of waysIn(bytes)) {
    const input: TestSource = source();
    outcomes.push([way, await read(input, open, limits)]);
    expect(input.seen.ended || input.seen.closed, `${way}: the source is let go`).toBe(true);
  }
  const [first] = outcomes;
  if (!first) throw new Error('no way in');
  for (const [way, outcome] of outcomes) expect({ way, ...outcome }).toEqual({ way, ...first[1] });
  return first[1];
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
