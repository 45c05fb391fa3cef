import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of the archive vectors, and the verdict of the strict reference on it. */
export interface ArchiveVector {
  readonly file: string;
  readonly format: string;
  readonly expected: 'ok' | 'reject' | 'n/a';
  readonly note: string;
}

/** Files where our verdict differs from that of the index on purpose; `spec/archive.md` says why of each. */
const DIFFERENT: Readonly<Record<string, 'ok' | 'reject'>> = {
  'go-tar/star.tar': 'reject',
  'synthetic/gz-bomb-64m.tgz': 'ok',
  'synthetic/gz-fname-traversal.tgz': 'reject',
  'synthetic/z-bomb-32m.zip': 'ok',
  'rs-async-zip/cd__diff-092-sample.zip': 'reject',
  'go-tar/pax-nul-xattrs.tar': 'reject',
  'go-tar/xattrs.tar': 'reject',
  'tar-stream/base-256-size.tar': 'reject',
  'synthetic/ok-base256-size.tar': 'reject',
  'tar-stream/unicode.tar': 'reject',
  'malo-tar-accept/pax_extended_header.tar': 'reject',
  'malo-tar-accept/pax_path_empty_fixed.tar': 'reject',
  'malo-tar-iffy/pax_path_nonzero_fixed.tar': 'reject',
  'libarchive/test_pax_xattr_header_all.tar': 'reject',
  'libarchive/test_pax_xattr_header_libarchive.tar': 'reject',
  'libarchive/test_pax_xattr_header_schily.tar': 'reject',
  'libarchive/test_write_disk_mac_metadata.tar.gz': 'reject',
  'libarchive/test_extract.tar.gz': 'reject',
  'libarchive/test_compat_uudecode_large.tar': 'reject',
  'node-tar/fixtures__tars__body-byte-counts.tar': 'reject',
  'node-tar/fixtures__tars__file.tar': 'reject',
  'tar-stream/large-uid-gid.tar': 'reject',
  'tar-stream/multi-file.tar': 'reject',
  'tar-stream/name-is-100.tar': 'reject',
  'tar-stream/one-file.tar': 'reject',
  'tar-stream/unicode-bsd.tar': 'reject',
  'tokio-tar/file_times.tar': 'reject',
  'go-zip/utf8-7zip.zip': 'reject',
  'go-zip/utf8-winrar.zip': 'reject',
  'go-zip/utf8-winzip.zip': 'reject',
};

const { BULLA_VECTORS: vectors } = process.env;
const folder = vectors ? join(vectors, 'archives') : '';
const index = join(folder, 'index.json');

/** Whether the vectors are there; says so loudly when they are not. */
export const found = folder !== '' && existsSync(index);
if (!found) {
  console.warn(
    'SKIPPED: set BULLA_VECTORS to a folder with archives/index.json to read archives of other makers',
  );
}

const all: readonly ArchiveVector[] = found ? JSON.parse(readFileSync(index, 'utf8')) : [];

/** Those that have a verdict. */
const judged = all.filter(({ expected }) => expected !== 'n/a');
/** Raw deflate streams, which are no archives. */
export const deflates = judged.filter(({ format }) => format === 'deflate');
/** The archives, whatever they are. */
export const archives = judged.filter(({ format }) => format !== 'deflate');
/** Those that we accept. */
export const accepted = archives.filter((vector) => ourVerdict(vector) === 'ok');
/** How many have no verdict. */
export const leftOut = all.length - judged.length;

/** What we say of it. */
export function ourVerdict({ file, expected }: ArchiveVector): 'ok' | 'reject' | 'n/a' {
  return DIFFERENT[file] ?? expected;
}

/** Where the file is. */
export function pathOf({ file }: ArchiveVector): string {
  return join(folder, file);
}

/** The content of the file. */
export function bytesOf(vector: ArchiveVector): Uint8Array {
  return readFileSync(pathOf(vector));
}

/** The vectors with their names, for the titles of tests. */
export function named(
  vectors: readonly ArchiveVector[],
): readonly (readonly [title: string, vector: ArchiveVector])[] {
  return vectors.map((vector) => [`${vector.file} (${ourVerdict(vector)})`, vector]);
}
