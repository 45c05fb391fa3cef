/** A file of the bundle as the descriptor names it; `size` counts its stored (compressed) bytes over all chunks. */
export interface FileReference {
  readonly id: string;
  /** The member's name as written: not percent-decoded, not normalised. */
  readonly href: string;
  readonly size?: number;
  readonly compression: 'identity' | 'gzip' | 'bzip2';
  /** When given, the file is stored as chunks of this many bytes; the last may be shorter. */
  readonly chunkSize?: number;
}

const CHUNK_SUFFIX = /^(?<href>.*)\.(?<index>\d{9})$/s;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;

/** Why a reference cannot name a member of the bundle, as the end of a sentence; undefined when it can. */
export function hrefFault(href: string): string | undefined {
  // [desc.9] Whatever leads out of the bundle could make an importer read a file of its own host.
  if (href === '') return 'is empty';
  if (SCHEME.test(href) || href.startsWith('/')) return 'is absolute: it must be relative, inside the bundle';
  if (href.includes('\\')) return 'has a backslash, which some systems take for a folder separator';
  if (href.split('/').includes('..')) return 'has a .. segment: it must be relative, inside the bundle';
  // A reader that decodes would see another path than one that does not, and honest names never need these.
  if (/%(?:2e|2f|5c|00)/i.test(href)) return 'hides a dot, slash, backslash or NUL behind percent-encoding';
  if (/\p{Cc}/u.test(href)) return 'has a control character';
  return undefined;
}

/** How many chunks a file has: undefined unless it is chunked and its size is known; an empty file has one. */
export function chunkCount({ size, chunkSize }: FileReference): number | undefined {
  if (size === undefined || chunkSize === undefined) return undefined;
  return Math.max(1, Math.ceil(size / chunkSize));
}

/**
 * The members that the references surely need, in order: each file, or each chunk of a chunked file.
 *
 * A chunked file of unknown size surely has its first chunk; `referenceOf` finds the others among the members there are.
 */
export function memberNames(references: readonly FileReference[]): readonly string[] {
  // [desc.11]
  return references.flatMap((reference) => {
    if (reference.chunkSize === undefined) return [reference.href];
    return Array.from({ length: chunkCount(reference) ?? 1 }, (_, index) => chunkName(reference.href, index));
  });
}

/** The member that holds a chunk of a file, counted from 0. [desc.11] */
export function chunkName(href: string, index: number): string {
  return `${href}.${String(index).padStart(9, '0')}`;
}

/** A member seen from its reference: its chunk number when the file is chunked, and its exact bytes when they are known. */
export interface ReferencedMember {
  readonly reference: FileReference;
  readonly chunk?: number;
  readonly size?: number;
}

/** A lookup from a member's name to the reference it belongs to; undefined for a name that no reference needs. */
export function referenceOf(
  references: readonly FileReference[],
): (member: string) => ReferencedMember | undefined {
  const byHref = new Map(references.map((reference) => [reference.href, reference]));
  return (member) => {
    const { href = '', index } = CHUNK_SUFFIX.exec(member)?.groups ?? {};
    const chunked = byHref.get(href);
    const chunk = chunked && index !== undefined ? chunkOf(chunked, Number(index)) : undefined;
    if (chunk) return chunk;
    const reference = byHref.get(member);
    if (reference === undefined || reference.chunkSize !== undefined) return undefined;
    return { reference, ...(reference.size !== undefined && { size: reference.size }) };
  };
}

function chunkOf(reference: FileReference, chunk: number): ReferencedMember | undefined {
  const { size, chunkSize } = reference;
  const count = chunkCount(reference);
  if (chunkSize === undefined) return undefined;
  if (size === undefined || count === undefined) return { reference, chunk };
  if (chunk >= count) return undefined;
  return { reference, chunk, size: chunk < count - 1 ? chunkSize : size - chunkSize * chunk };
}
