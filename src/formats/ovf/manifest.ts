import { DIGEST_BYTES, type DigestName } from '../../kit/digest-name.ts';
import { counted, decodeUtf8, encodeUtf8 } from '../../kit/encoding.ts';
import { MORE_MEMBERS, PACKED_ANEW } from '../../kit/errors/archive-errors.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { memberNameFault } from '../member-name.ts';
import { asUtf8, type WideEncoding, wideEncoding } from '../wide-text.ts';
import { parseDigestName } from './digest-name.ts';
import { oddAlgorithm, oddDigest, oddManifestLine } from './odd-manifest-line.ts';
import type { OddLine } from './odd-value.ts';

/** One line of a manifest: this file has this digest. `digest` is lower-case hex; `line` counts from 1. */
export interface ManifestEntry {
  readonly name: string;
  readonly algorithm: DigestName;
  readonly digest: string;
  readonly line: number;
}

/** A manifest as read: its entries in order, and what about its spelling other tools may stumble over. */
export interface Manifest {
  readonly entries: readonly ManifestEntry[];
  readonly byName: ReadonlyMap<string, ManifestEntry>;
  readonly notes: readonly string[];
}

// [mf.2] The name may hold ")" and "=": the split is unambiguous all the same, since only blanks, one "=" and
// hex digits may follow the closing parenthesis, and hex digits hold neither.
const LINE = /^([A-Za-z0-9-]+)([ \t]*)\((.+)\)([ \t]*)=([ \t]*)([0-9A-Fa-f]+)[ \t]*$/;
/** What `LINE` makes of the usual line, with the same groups, and without looking back through the digest. */
const USUAL_LINE = /^([A-Z0-9]+)()\(([^)\n\r\u2028\u2029]+)\)()=( )([0-9a-f]+)$/;

/**
 * Parses an OVF manifest (`.mf`): one `SHA256(name)= hex` line for each file.
 *
 * It is tolerant in spelling and in nothing else: a line is understood or the package is refused. Whether the
 * digests match, which files must be listed and whether SHA-1 is acceptable is decided in `operations/`.
 *
 * @throws {BundleError} `MANIFEST_SYNTAX`, `MANIFEST_DUPLICATE` or `ALGORITHM_UNSUPPORTED`, with the line
 * @see spec/ovf.md, clauses mf.1 to mf.9
 */
export function parseManifest(bytes: Uint8Array, limits: Limits = DEFAULT_LIMITS): Manifest {
  const wide = wideEncoding(bytes);
  if (wide) throw syntax(`the manifest is ${wide} text`, undefined, inUtf8(wide)); // [mf.10]
  let text = decodeUtf8(bytes);
  if (text === undefined) throw syntax('the manifest is not UTF-8 text');
  const notes = new Set<string>();
  if (text.startsWith('\uFEFF')) {
    text = text.slice(1); // [mf.4]
    notes.add('the manifest begins with a byte order mark, which some tools refuse');
  }

  const entries = new Map<string, ManifestEntry>();
  const whole = text;
  let number = 0;
  for (const rawLine of linesOf(whole)) {
    number++;
    const at = number;
    const next = (): string => lineAt(whole, at + 1);
    const line = rawLine.endsWith('\r') ? rawLine.slice(0, -1) : rawLine; // [mf.4]
    if (/^[ \t]*$/.test(line)) continue; // [mf.5] ovftool fills room it reserved with blanks
    if (entries.size === limits.members) {
      const message = `the manifest lists more than ${limits.members} files, the limit`;
      throw new BundleError('MANIFEST_SYNTAX', message, { where: { line: number }, fix: MORE_MEMBERS });
    }
    const entry = parseLine(line, number, { notes, limits, next });
    if (entries.has(entry.name)) {
      throw new BundleError('MANIFEST_DUPLICATE', `the manifest lists "${entry.name}" twice`, {
        where: { line: entry.line }, // [mf.6]
      });
    }
    entries.set(entry.name, entry);
  }
  return { entries: [...entries.values()], byName: entries, notes: [...notes] };
}

/** One line at a time: split into a list, a manifest of line ends would take a hundred times its size. */
function* linesOf(text: string): Generator<string, void> {
  for (let at = 0; at <= text.length; ) {
    const end = text.indexOf('\n', at);
    const stop = end < 0 ? text.length : end;
    yield text.slice(at, stop);
    at = stop + 1;
  }
}

/** A line by its number, counted from 1; empty when there is none. */
function lineAt(text: string, number: number): string {
  let at = 0;
  for (const line of linesOf(text)) if (++at === number) return line;
  return '';
}

function parseLine(
  line: string,
  number: number,
  context: { readonly notes: Set<string>; readonly limits: Limits; readonly next: () => string },
): ManifestEntry {
  const { notes, limits, next } = context;
  const match = USUAL_LINE.exec(line) ?? LINE.exec(line);
  const [, word = '', beforeName, name = '', beforeEquals, beforeDigest, hex = ''] = match ?? [];
  // [mf.1] A line that is skipped is a file that nobody checks.
  if (!match) throw odd(number, oddManifestLine(line, next()) ?? { is: 'is not ALGORITHM(name)= hex' });

  const algorithm = parseDigestName(word);
  if (algorithm === undefined) throw unsupported(word, number);
  if (algorithm.note) notes.add(algorithm.note);
  if (beforeName !== '' || beforeEquals !== '' || beforeDigest !== ' ') {
    notes.add('the manifest spaces its lines unlike "SHA256(name)= hex", which VMware tools refuse');
  }
  // [mf.8]
  const digits = 2 * DIGEST_BYTES[algorithm.name];
  if (hex.length !== digits) {
    const wrong = { is: `has a ${word} digest of ${counted(hex.length, 'hex digit')}, not ${digits}` };
    throw odd(number, oddDigest(hex, next(), digits) ?? wrong);
  }
  const fault = memberNameFault(name, limits); // [mf.7]
  if (fault) throw syntax(`line ${number} of the manifest: ${fault}`, number);
  return { name, algorithm: algorithm.name, digest: hex.toLowerCase(), line: number };
}

function syntax(message: string, line?: number, fix?: string): BundleError {
  return new BundleError('MANIFEST_SYNTAX', message, {
    ...(line !== undefined && { where: { line } }),
    ...(fix !== undefined && { fix, own: PACKED_ANEW }),
  });
}

/** [mf.10] The refusal of a line that has been named. */
function odd(line: number, { is, fix }: OddLine): BundleError {
  return syntax(`line ${line} of the manifest ${is}`, line, fix);
}

function inUtf8(wide: WideEncoding): string {
  return `ask the publisher for a manifest in UTF-8, signed again; if it is your own, ${asUtf8(wide)} before it is signed`;
}

function unsupported(word: string, line: number): BundleError {
  const named = oddAlgorithm(word);
  const message = `line ${line} of the manifest ${named?.is ?? `uses the digest "${word}"`}`;
  return new BundleError('ALGORITHM_UNSUPPORTED', message, {
    where: { line },
    fix: named?.fix ?? 'ask the publisher to write the manifest with SHA256, SHA384 or SHA512, spelled so',
    own: 'write the manifest with SHA256, SHA384 or SHA512, spelled so; packing the files anew does',
  });
}

/**
 * The bytes of a manifest in the one form every tool reads: `SHA256(name)= hex`, LF, lower case.
 *
 * The inverse of `parseManifest`: what that would refuse, a name with a line end above all, is not written.
 *
 * @throws {BundleError} `MANIFEST_SYNTAX`, `MANIFEST_DUPLICATE`
 */
export function formatManifest(
  entries: readonly Pick<ManifestEntry, 'name' | 'algorithm' | 'digest'>[],
): Uint8Array {
  const bytes = draftManifest(entries);
  const members = Math.max(DEFAULT_LIMITS.members, entries.length); // how many there may be is for whoever packs
  const read = parseManifest(bytes, { ...DEFAULT_LIMITS, members }).entries;
  const same = (entry: ManifestEntry, i: number): boolean =>
    entry.name === entries[i]?.name && entry.digest === entries[i]?.digest;
  if (read.length !== entries.length || !read.every(same))
    throw syntax('the manifest would be read otherwise');
  return bytes;
}

/** A manifest that nobody has looked at yet: as long as the one of `formatManifest` with other digests. */
export function draftManifest(
  entries: readonly Pick<ManifestEntry, 'name' | 'algorithm' | 'digest'>[],
): Uint8Array {
  const lines = entries.map((entry) => `${entry.algorithm.toUpperCase()}(${entry.name})= ${entry.digest}\n`);
  return encodeUtf8(lines.join('')); // [mf.9]
}
