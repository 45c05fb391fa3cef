import { fstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { BundleError, isBundleError } from '../kit/errors/errors.ts';
import { absolute, realPath } from './absolute.ts';
import { isFolder } from './beside.ts';
import type { StandardOutput } from './redirected.ts';
import { statsOf } from './same-file.ts';

declare const apart: unique symbol;

/** The name of an output that is apart from all that is read to make it: `apartFrom` alone gives one, and whoever opens an output asks for one. */
export type ApartOutput = string & { readonly [apart]: true };

/** Something that is read: a file, or a folder of which some or all files are. */
export interface Reading {
  readonly path: string;
  /** the names in the folder that are read; when left out, everything below it is */
  readonly takes?: RegExp;
}

/**
 * Judges one output, before anything is read at length; a sink of the caller's is none of the files that are read. [out.1]
 *
 * @throws {BundleError} `USAGE` when it is, or would become, something that is read
 */
export function apartFrom(output: string, readings: readonly (string | Reading)[]): ApartOutput;
export function apartFrom<Sink extends object>(
  output: string | Sink,
  readings: readonly (string | Reading)[],
): ApartOutput | Sink;
export function apartFrom(output: string | object, readings: readonly (string | Reading)[]): string | object {
  if (typeof output !== 'string') return output;
  expectApart([output], readings);
  return output;
}

/** How deep a trust folder is: `publishers/NAME/FILE`. */
const DEPTH = 3;

/**
 * Refuses outputs that are, or would become, something that is read: the same file under whatever name, or a name in a folder
 * whose files are read. Files are compared by device and inode. [out.1]
 *
 * @param outputs files or folders that are to be made, `-` for standard output
 * @param readings files and folders that are read, `-` for standard input; an address is the same as no file
 * @throws {BundleError} `USAGE`
 */
export function expectApart(outputs: readonly string[], readings: readonly (string | Reading)[]): void {
  // An address is compared like any other name: only what opens it decides whether it is one, and `x://key` may be a file.
  const all = readings.map((reading) => (typeof reading === 'string' ? { path: reading } : reading));
  for (const output of outputs) {
    const made = output === '-' ? undefined : placeOf(output);
    const standard = output === '-' ? openFile(1) : undefined;
    for (const reading of all) {
      if (made) expectOutside(output, made, reading);
      else if (standard !== undefined && idsOf(reading).has(standard)) throw replaces('-', reading.path);
    }
  }
}

/**
 * The standard streams that have been redirected to something that is read, each with the path of that. [out.1]
 *
 * @param streams those that are regular files
 */
export function readStreams(
  streams: readonly StandardOutput[],
  readings: readonly Reading[],
): ReadonlyMap<StandardOutput, string> {
  return new Map(
    streams.flatMap((stream): readonly [StandardOutput, string][] => {
      const id = openFile(stream);
      const reading = id === undefined ? undefined : readings.find((one) => idsOf(one).has(id));
      return reading ? [[stream, reading.path]] : [];
    }),
  );
}

/** Refuses a file that is opened to be read, and is the output. [out.1] */
export type ExpectApart = (file: { readonly dev: bigint; readonly ino: bigint }, path: string) => void;

/** Looks at an output once, for the many files that are read for it, and are known only as they are opened. */
export function apartFromEach(output: string | undefined): ExpectApart {
  if (output === undefined) return () => {};
  const own = output === '-' ? openFile(1) : statsOf(output) && idOf(output);
  return ({ dev, ino }, path) => {
    if (own === `${dev}:${ino}`) throw replaces(output, path);
  };
}

/** Where an output comes to be. */
interface Place {
  /** the output itself, then the folders that it is in, up to the root; and the same of what it links to */
  readonly ids: readonly string[];
  /** the folders that hold it, each with its name there */
  readonly entries: readonly { readonly folder: string; readonly name: string }[];
  readonly exists: boolean;
}

function placeOf(path: string): Place {
  const lexical = absolute(path);
  const target = realOf(lexical);
  const ids = [...idsUp(lexical), ...idsUp(dirname(lexical)), ...idsUp(target)];
  return {
    ids,
    entries: [lexical, target].map((one) => ({ folder: idOf(dirname(one)), name: basename(one) })),
    exists: statsOf(lexical) !== undefined,
  };
}

function expectOutside(output: string, made: Place, reading: Reading): void {
  const { path, takes } = reading;
  const [own = ''] = made.ids;
  const read = idOf(path);
  if (own === read) throw replaces(output, path);
  // What is not there yet, and would be made with the output around it.
  const isThere = path === '-' || statsOf(path) !== undefined;
  if (!made.exists && !isThere && idsUp(normalize(path)).includes(own)) throw within(output, path);
  if (path === '-' || !isFolder(path)) return;
  if (takes) {
    const becomes = made.entries.some(({ folder, name }) => folder === read && takes.test(name));
    if (becomes) throw within(output, path);
  }
  const inside = takes ? [] : below(path, DEPTH);
  const folders = new Set([...(takes ? [] : [read]), ...inside.filter(isFolder).map(idOf)]);
  if (made.ids.some((id) => folders.has(id))) throw within(output, path);
  if (made.exists && idsOf(reading).has(own)) throw replaces(output, path);
}

/** The files of a reading. */
function idsOf({ path, takes }: Reading): ReadonlySet<string> {
  if (path === '-' || !isFolder(path)) return new Set([idOf(path)]);
  const files = takes
    ? namesIn(path)
        .filter((name) => takes.test(name))
        .map((name) => join(path, name))
    : below(path, DEPTH).filter((one) => !isFolder(one));
  return new Set(files.map(idOf));
}

/** Everything in a folder, through links, too: what is put there is read here. */
function below(folder: string, depth: number): readonly string[] {
  if (depth === 0) return [];
  const paths = namesIn(folder).map((name) => join(folder, name));
  return paths.flatMap((path) => (isFolder(path) ? [path, ...below(path, depth - 1)] : [path]));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // whether it must be readable is for those who read it
  }
}

/** Identities of a path and of every folder that it is in; of what is not there, by the name that it would have. */
function idsUp(path: string): readonly string[] {
  const real = realOf(path);
  const above = dirname(real);
  return above === real ? [idOf(real)] : [idOf(real), ...idsUp(above)];
}

/** Device and inode; of what is not there, those of the folder around it and the name, in which case does not count. */
function idOf(path: string): string {
  if (path === '-') return openFile(0) ?? 'no file';
  const stats = statsOf(path);
  if (stats) return `${stats.dev}:${stats.ino}`;
  const full = normalize(path); // a relative one as the system looks it up, whatever the working folder is called [cli.22] [out.4]
  const above = dirname(full);
  return above === full ? full : `${idOf(above)}/${basename(full).normalize('NFC').toLowerCase()}`;
}

/** What a standard stream has been redirected to, when that is a file. */
function openFile(descriptor: 0 | StandardOutput): string | undefined {
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    return stats.isFile() ? `${stats.dev}:${stats.ino}` : undefined;
  } catch {
    return undefined; // it is closed
  }
}

/** Where a path leads; itself when it is not there. @throws {BundleError} `USAGE` [out.4] */
function realOf(path: string): string {
  try {
    return realPath(path);
  } catch (error) {
    if (isBundleError(error)) throw error;
    return path;
  }
}

const WHY = 'what a command reads it never writes to, under whatever name, and however it is told to';

function replaces(output: string, reading: string): BundleError {
  const named = reading === '-' ? 'the file on standard input' : `"${reading}"`;
  return new BundleError('USAGE', `the output would replace ${named}, which is read`, {
    where: { file: output === '-' ? 'standard output' : output },
    why: WHY,
    fix: 'choose another name for the output',
  });
}

function within(output: string, folder: string): BundleError {
  return new BundleError('USAGE', `the output would be one of the files of "${folder}", which are read`, {
    where: { file: output },
    why: WHY,
    fix: 'choose another place for the output',
  });
}
