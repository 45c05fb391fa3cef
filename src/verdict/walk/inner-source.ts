import type { ArchiveEntry } from '../../archive/entry.ts';
import { type ArchiveFormat, openArchive } from '../../archive/open-archive.ts';
import { Relaxed } from '../../archive/relaxed.ts';
import { rolePartOf } from '../../formats/bundle-part.ts';
import { isInnerBundle } from '../../formats/foreign/archive-kinds.ts';
import { type ByteStream, copyBytes } from '../../kit/bytes.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { Relaxation } from '../../kit/relaxation.ts';
import type { Source } from '../../kit/source.ts';
import { copyWarning, relaxedWarnings } from '../report/run-notes.ts';
import { listed } from './no-bundle.ts';

/** How the archive around a bundle is read. */
export interface InnerOptions {
  readonly limits: Limits;
  readonly relax?: readonly Relaxation[];
  /** gives a stream random access, for an inner zip; without it, such a bundle is refused */
  readonly seekable?: (stream: ByteStream) => ByteStream;
}

/**
 * The one member of an archive that is an appliance, by its name (`.ova`), as a source; nothing is stored.
 *
 * The archive around it is read by the strict reader to its end before the source ends, so whatever is wrong with it is a
 * fault of the reading. An archive that is a bundle itself, or holds no appliance or several, is refused: what was meant
 * could be another thing. Disposing is left to `outer`.
 *
 * @throws {BundleError} while reading: `ARCHIVE_*` and the like, `PACKAGE_UNKNOWN`, `PACKAGE_AMBIGUOUS`, each with the outer file as its place
 * @see spec/bundle.md, clauses inner.1 to inner.5
 */
export function innerSource(outer: Source, { limits, relax, seekable }: InnerOptions): Source {
  const relaxed = new Relaxed(relax);
  const found: Found = { others: 0 };
  return {
    get name() {
      return found.inner ? `${found.inner.name} in ${outer.name}` : outer.name;
    },
    get size() {
      return found.inner?.size;
    },
    get outer() {
      const { format, inner } = found;
      return {
        name: outer.name,
        ...(outer.size !== undefined && { size: outer.size }),
        ...(format !== undefined && { format }),
        ...(inner !== undefined && { member: inner.name }),
      };
    },
    notes: () => [
      ...(found.inner ? [unsigned(found.inner.name, found.others)] : []),
      ...copyWarning(found.copied),
      ...relaxedWarnings(relaxed.used),
    ],
    repeatable: false,
    stream: () => {
      const bytes = innerBytes(outer, { limits, relaxed, found });
      return seekable ? seekable(bytes) : bytes;
    },
    checkUnchanged: () => outer.checkUnchanged(),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** What has been found of the archive around a bundle. */
interface Found {
  inner?: ArchiveEntry;
  format?: ArchiveFormat;
  copied?: number | undefined;
  /** members that are no appliance */
  others: number;
}

async function* innerBytes(
  outer: Source,
  { limits, relaxed, found }: { readonly limits: Limits; readonly relaxed: Relaxed; readonly found: Found },
): AsyncGenerator<Uint8Array, void> {
  const names: string[] = [];
  try {
    const { format, copied, entries } = await openArchive(outer.stream(), limits, relaxed);
    Object.assign(found, { format, copied });
    for await (const entry of entries) {
      expectNoPart(entry.name);
      if (isInnerBundle(entry.name)) names.push(entry.name);
      else found.others++;
      if (found.inner === undefined && names.length === 1) {
        found.inner = entry;
        yield* contentOf(entry);
      } else for await (const _ of entry.body); // [inner.5] a zip has checksums
    }
    expectOne(names);
  } catch (error) {
    throw toBundleError(error).at({ file: outer.name });
  }
}

/** Whoever pulls for the end has the last chunk in use still, while the rest of the archive is read: that one is a copy. */
async function* contentOf({ body, size }: ArchiveEntry): AsyncGenerator<Uint8Array, void> {
  let left = size;
  for await (const chunk of body) {
    left -= chunk.byteLength;
    yield left === 0 ? copyBytes(chunk) : chunk;
  }
}

/** [inner.3] A signature over the archive may say something else of what is in it. */
function expectNoPart(name: string): void {
  if (rolePartOf(name) === undefined) return;
  throw new BundleError('PACKAGE_AMBIGUOUS', `the archive around it is a bundle itself: it holds "${name}"`, {
    where: { member: name },
    why: 'what is in a bundle is judged by its manifest and signature, which were passed over here',
    fix: 'verify and import the archive as the bundle that it is; then verify what was inside by itself',
  });
}

/** [inner.2] */
function expectOne(names: readonly string[]): void {
  if (names.length === 1) return;
  if (names.length === 0)
    throw new BundleError('PACKAGE_UNKNOWN', 'the archive holds no file that ends in .ova', {
      why: 'what is to be read in an archive is found by that',
      fix: 'give the bundle itself; or unpack the archive, and look what it holds',
    });
  throw new BundleError(
    'PACKAGE_AMBIGUOUS',
    `the archive holds several files that end in .ova: ${listed(names)}`,
    {
      where: { member: names[1] ?? '' },
      fix: 'unpack it, and give the one that you want by itself',
    },
  );
}

/** [inner.4] */
function unsigned(name: string, others: number): string {
  const rest = others === 0 ? '' : `, nor for ${counted(others, 'other file')} in it`;
  return `only "${name}" is judged: nothing speaks for the archive around it${rest}`;
}
