import { memberNameFault } from '../../formats/member-name.ts';
import { formatTarHeader, parseTarHeader, TAR_BLOCK } from '../../formats/tar/header.ts';
import { type ByteStream, once } from '../../kit/bytes.ts';
import { printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { CHUNK_BYTES, DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { MemberNames } from '../member-names.ts';
import { type SecondNames, secondNames } from '../second-name.ts';

/** One file to be written: `body` must give exactly `size` bytes. */
export interface TarFile {
  readonly name: string;
  readonly size: number;
  readonly body: ByteStream;
  /** the whole content when it is at hand already, so that a small file costs no waiting; taken instead of `body` */
  readonly whole?: Uint8Array;
  /** is told where in the tar the content begins */
  readonly onPlaced?: (offset: number) => void;
}

/** A file whose content is at hand; it must stay as it is until the second file after it is asked for. */
export function wholeFile(name: string, bytes: Uint8Array): TarFile {
  return new WholeFile(name, bytes);
}

/** A class, since there may be thousands. */
class WholeFile implements TarFile {
  readonly name: string;
  readonly whole: Uint8Array;

  constructor(name: string, whole: Uint8Array) {
    this.name = name;
    this.whole = whole;
  }

  get size(): number {
    return this.whole.byteLength;
  }

  /** for a writer that does without `whole` */
  get body(): ByteStream {
    return once(this.whole);
  }
}

/** Archives end on a multiple of this, as tar has written them since tapes had records. */
const RECORD = 20 * TAR_BLOCK;
/** What is gathered before it is given on. */
const BATCH_BYTES = CHUNK_BYTES;

/**
 * Writes a tar archive that every reader reads alike: ustar, base-256 sizes from 8 GiB on, never pax.
 *
 * The same files and `mtime` (seconds since 1970) give the same bytes everywhere.
 *
 * [tar.10] What the reader would refuse is not written, whoever chose the names.
 *
 * @throws {BundleError} `FILE_CHANGED` when a body is shorter or longer than its size; `ARCHIVE_NAME`,
 *   `ARCHIVE_DUPLICATE`, `ARCHIVE_LIMIT`
 */
export async function* writeTar(
  files: AsyncIterable<TarFile> | Iterable<TarFile>,
  options: { readonly mtime: number; readonly limits?: Limits },
): AsyncGenerator<Uint8Array, void> {
  const { mtime, limits = DEFAULT_LIMITS } = options;
  const names = new MemberNames(limits);
  const batch = new Batch();
  const block = new Uint8Array(TAR_BLOCK);
  let written = 0;
  for await (const file of files) {
    const fault = memberNameFault(file.name, limits);
    if (fault) throw new BundleError('ARCHIVE_NAME', `the member "${printable(file.name)}": ${fault}`);
    const header = formatTarHeader({ name: file.name, size: file.size, mtime }, block);
    names.add(file.name, written, namesWritten(header, file.name));
    file.onPlaced?.(written + TAR_BLOCK);
    const padding = ZEROS.subarray(0, (TAR_BLOCK - (file.size % TAR_BLOCK)) % TAR_BLOCK);
    const bytes = TAR_BLOCK + file.size + padding.byteLength;
    const { whole } = file;
    if (!batch.hasRoomFor(whole ? bytes : TAR_BLOCK)) yield batch.take();
    batch.add(header);
    if (whole && batch.hasRoomFor(bytes - TAR_BLOCK)) {
      if (whole.byteLength !== file.size) throw sizeChanged(file);
      batch.add(whole);
    } else {
      yield batch.take();
      let left = file.size;
      for await (const chunk of file.body) {
        left -= chunk.byteLength;
        if (left < 0) break;
        yield chunk;
      }
      if (left !== 0) throw sizeChanged(file);
    }
    batch.add(padding);
    written += bytes;
  }
  const end = written + 2 * TAR_BLOCK;
  if (!batch.isEmpty) yield batch.take();
  yield new Uint8Array(2 * TAR_BLOCK + ((RECORD - (end % RECORD)) % RECORD));
}

/** [name.8] What readers that pass over the prefix call a file, where the header needs one. */
function namesWritten(header: Uint8Array, name: string): SecondNames {
  if (header[PREFIX_AT] === 0) return {};
  const good = (text: string | undefined): string => text ?? '';
  return secondNames(parseTarHeader(header), { text: name, name, beside: false, good });
}

/** Where the prefix of a name stands in a ustar header. */
const PREFIX_AT = 345;

const ZEROS = new Uint8Array(TAR_BLOCK);

/** Gathers headers and small files into chunks, in two buffers in turn as `ByteStream` promises. */
class Batch {
  readonly #buffers = [new Uint8Array(BATCH_BYTES), new Uint8Array(BATCH_BYTES)] as const;
  #turn: 0 | 1 = 0;
  #filled = 0;

  get isEmpty(): boolean {
    return this.#filled === 0;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#filled + bytes <= BATCH_BYTES;
  }

  add(bytes: Uint8Array): void {
    this.#buffers[this.#turn].set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
  }

  take(): Uint8Array {
    const taken = this.#buffers[this.#turn].subarray(0, this.#filled);
    this.#turn = this.#turn === 0 ? 1 : 0;
    this.#filled = 0;
    return taken;
  }
}

function sizeChanged({ name }: TarFile): BundleError {
  return new BundleError('FILE_CHANGED', `the size of "${name}" changed while it was packed`, {
    where: { member: name },
  });
}
