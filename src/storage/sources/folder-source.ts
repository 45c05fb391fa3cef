import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { isEvidence, isPackagePart, rolePartOf } from '../../formats/bundle-part.ts';
import { checkAborted } from '../../kit/bytes.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { PackageFile, PackageSource, SourceOptions, SourceParts } from '../../kit/source.ts';
import { apartFromEach, type ExpectApart } from '../apart.ts';
import { readError } from '../io-errors.ts';
import { laneCount, loadLanes } from '../lanes/lanes.ts';
import { closedError } from './file-source.ts';
import { asStamp, expectSame, expectStillThere, type FileStamp } from './file-stamp.ts';
import { FileStream, fileAccess, TURN_BYTES } from './file-stream.ts';

/** Files that are held open at once; the others are read as they come. */
const MOST_HELD = 128;

/** Where evidence lies. */
const EVIDENCE_FOLDER = 'revocation';

/** Which package of a folder is meant. */
interface FolderOptions extends Pick<SourceOptions, 'signal' | 'output'> {
  readonly folder: string;
  /** the file that was named, and what its parts have in common; the only package of the folder when left out */
  readonly named?: string;
  readonly base?: string;
}

/**
 * A package of files in a folder. Each file is opened once, by name, and never through a link below the folder; a name is one
 * only as it is written, whatever the file system folds. [pkg.2] [pkg.6]
 *
 * @param input the folder or the file as the user named it
 * @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`
 */
export function openFolderSource(
  input: string,
  { folder, named, base, signal, output }: FolderOptions,
): PackageSource {
  const files = new FolderFiles(folder, apartFromEach(output), signal);
  if (named !== undefined && !files.has(named)) {
    throw readError(Object.assign(new Error('no such file'), { code: 'ENOENT' }), input);
  }
  const isMeant = (name: string): boolean =>
    base === undefined ? rolePartOf(name) !== undefined : isPackagePart(name, base);
  return {
    kind: 'package',
    name: input,
    partNames: () => {
      const evidence = files.namesIn(EVIDENCE_FOLDER).map((name) => `${EVIDENCE_FOLDER}/${name}`);
      return [...files.namesIn('').filter(isMeant), ...evidence.filter(isEvidence)];
    },
    sizeOf: (name) => files.sizeOf(name),
    open: async (name) => files.open(name),
    parts: files.parts(),
    checkUnchanged: () => files.checkUnchanged(),
    [Symbol.asyncDispose]: async () => files.close(),
  };
}

interface OpenFile {
  readonly descriptor: number;
  readonly path: string;
  readonly size: number;
}

/** The files of a folder: which there are, those that have been opened, and those that are held open. */
class FolderFiles {
  readonly #folder: string;
  readonly #expectApart: ExpectApart;
  readonly #signal: AbortSignal | undefined;
  readonly #names = new Map<string, ReadonlySet<string>>();
  readonly #opened = new Map<string, FileStamp>();
  readonly #held = new Map<string, OpenFile>();
  #closed = false;
  #sinceYield = 0;

  constructor(folder: string, isApart: ExpectApart, signal: AbortSignal | undefined) {
    this.#folder = folder;
    this.#expectApart = isApart;
    this.#signal = signal;
    this.#names.set('', this.#list(''));
  }

  has(name: string): boolean {
    const slash = name.lastIndexOf('/');
    const above = name.slice(0, Math.max(0, slash));
    if (above !== '' && !this.has(above)) return false;
    return this.#namesBelow(above).has(name.slice(slash + 1));
  }

  /** The names in a folder, in an order that is the same everywhere; none when there is no such folder. */
  namesIn(folder: string): readonly string[] {
    if (folder !== '' && !this.has(folder)) return [];
    return [...this.#namesBelow(folder)].sort();
  }

  sizeOf(name: string): number | undefined {
    if (!this.has(name)) return undefined;
    try {
      const stats = lstatSync(this.#pathOf(name));
      return stats.isFile() ? stats.size : undefined;
    } catch {
      return undefined; // told when it is opened
    }
  }

  open(name: string): PackageFile | undefined {
    checkAborted(this.#signal);
    if (!this.has(name)) return undefined;
    const path = this.#pathOf(name);
    const { descriptor, stamp } = openRegular(path, name, this.#expectApart);
    this.#opened.set(path, stamp);
    const { size } = stamp;
    let held = false;
    let stream: FileStream | undefined;
    return {
      size,
      stream: () => {
        stream = new FileStream(descriptor, path, this.#signal, { end: size, ahead: true });
        return stream;
      },
      hold: () => {
        if (this.#held.size >= MOST_HELD) return false;
        this.#held.set(name, { descriptor, path, size });
        held = true;
        return true;
      },
      [Symbol.asyncDispose]: async () => {
        await stream?.return();
        if (!held) closeSync(descriptor);
      },
    };
  }

  parts(): SourceParts {
    return {
      readAt: async (offset, length, member) => {
        if (this.#sinceYield >= TURN_BYTES) {
          this.#sinceYield = 0;
          await setImmediate(); // reading never waits, so without this no signal would ever be seen
        }
        checkAborted(this.#signal);
        const { descriptor, path, size } = this.#heldFile(member);
        this.#sinceYield += length;
        return fileAccess(descriptor, path, { size }, this.#signal).readAt(offset, length);
      },
      lanes: laneCount,
      hash: async (ranges, lanes) => {
        const hashRanges = await loadLanes();
        const placed = ranges.map((range) => ({ ...range, ...this.#heldFile(range.member) }));
        return hashRanges(placed, { ...lanes, signal: this.#signal });
      },
    };
  }

  /** [pkg.6] Each file that was opened is there still, as it was: what was read is what lies there. */
  checkUnchanged(): void {
    for (const [path, stamp] of this.#opened) expectStillThere(path, stamp, 'read');
  }

  close(): void {
    this.#closed = true;
    for (const { descriptor } of this.#held.values()) closeSync(descriptor);
    this.#held.clear();
  }

  /** One that was read on the way, and is asked for again, is opened once more, and must be the very file that was read. [pkg.6] */
  #heldFile(member = ''): OpenFile {
    const path = this.#pathOf(member);
    if (this.#closed) throw closedError(path);
    const known = this.#held.get(member);
    if (known) return known;
    const { descriptor, stamp } = openRegular(path, member, this.#expectApart);
    const held = { descriptor, path, size: stamp.size };
    this.#held.set(member, held);
    expectSame(held, this.#opened.get(path) ?? stamp, 'read');
    return held;
  }

  #pathOf(name: string): string {
    return join(this.#folder, name);
  }

  #namesBelow(folder: string): ReadonlySet<string> {
    const known = this.#names.get(folder);
    if (known) return known;
    const names = this.#list(folder);
    this.#names.set(folder, names);
    return names;
  }

  #list(folder: string): ReadonlySet<string> {
    const path = folder === '' ? this.#folder : this.#pathOf(folder);
    try {
      if (folder !== '') {
        const stats = lstatSync(path, { bigint: true });
        // What is below a link lies elsewhere, where whoever put the link there wants it.
        if (stats.isSymbolicLink()) throw notRegular(stats, folder);
        if (!stats.isDirectory()) return new Set();
      }
      return new Set(readdirSync(path));
    } catch (error) {
      throw readError(error, path);
    }
  }
}

/** Not through a link, and without waiting for whoever writes to a named pipe. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** Opens a regular file. @throws {BundleError} `ARCHIVE_TYPE` for anything else, `FILE_UNREADABLE`, `FILE_CHANGED` */
function openRegular(
  path: string,
  name: string,
  isApart: ExpectApart,
): { readonly descriptor: number; readonly stamp: FileStamp } {
  let descriptor: number | undefined;
  try {
    expectRegular(lstatSync(path, { bigint: true }), name); // opening a device may do something
    descriptor = openSync(path, FLAGS);
    const stats = fstatSync(descriptor, { bigint: true });
    expectRegular(stats, name);
    isApart(stats, path);
    return { descriptor, stamp: asStamp(stats) };
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw readError(error, path);
  }
}

function expectRegular(stats: BigIntStats, name: string): void {
  if (!stats.isFile()) throw notRegular(stats, name);
}

function notRegular(stats: BigIntStats, name: string): BundleError {
  const what = stats.isSymbolicLink()
    ? 'a symbolic link'
    : stats.isDirectory()
      ? 'a folder'
      : stats.isFIFO()
        ? 'a named pipe'
        : stats.isSocket()
          ? 'a socket'
          : 'a device';
  return new BundleError('ARCHIVE_TYPE', `"${name}" is ${what}, and a part of a package is a regular file`, {
    where: { member: name },
    why: 'what a link or a pipe gives is chosen by whoever put it there, and need not be the same for the next reader',
    fix: 'put the file itself there',
  });
}
