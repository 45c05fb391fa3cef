import { TAR_BLOCK } from '../../formats/tar/header.ts';
import { expectSound, type SparseMap } from '../../formats/tar/sparse-map.ts';
import { ByteCursor } from '../../kit/byte-cursor.ts';
import { type ByteStream, isZero } from '../../kit/bytes.ts';
import { counted, printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { ArchiveEntry } from '../entry.ts';
import { MemberBody } from '../member-body.ts';
import { MemberNames } from '../member-names.ts';
import { nextOddMember, type OddHeadOptions } from './odd-tar-head.ts';
import type { Repairs } from './repairs.ts';
import { restBehind } from './rest-behind.ts';
import { readSparseMap, sparseBody } from './sparse-body.ts';
import { isLeftBySystem } from './system-files.ts';
import { TarRules } from './tar-rules.ts';

/** How an archive is taken apart that the strict reader may refuse. */
export interface OddOptions {
  readonly limits: Limits;
  /** takes what the strict reader refuses */
  readonly repairs: Repairs;
  /** lets the program hear signals while nothing is read; throws when it is to end */
  takeTurn(): Promise<void>;
}

/**
 * Reads a tar of any dialect, as far as only its form is odd, and takes note of whatever the strict reader refuses.
 *
 * What is read so counts only where a manifest and its signature hold over it: nothing here decides that. What is no matter of form
 * stays refused: names that lead elsewhere or collide, links and devices, a cut, sizes that disagree, the limits.
 *
 * @throws {BundleError} `ARCHIVE_*`, with the offset of the header and the member where it is known
 * @see spec/archive.md, clauses repair.1 to repair.9
 */
export async function* readOddTar(
  source: ByteStream,
  { limits, repairs, takeTurn }: OddOptions,
): AsyncGenerator<ArchiveEntry, void> {
  const cursor = new ByteCursor(source);
  const names = new MemberNames(limits);
  const options: OddHeadOptions = { limits, repairs, rules: new TarRules(limits, repairs) };
  const spent = { total: 0, holes: 0 };
  try {
    for (;;) {
      const head = await nextOddMember(cursor, options);
      if (!head) {
        if (names.count === 0)
          throw new BundleError('ARCHIVE_EMPTY', 'the archive has no members', {
            where: { offset: cursor.offset },
          });
        await passEnd(cursor, repairs, limits);
        return;
      }
      const { name, offset } = head;
      const place = { member: name, offset };
      const start = cursor.offset;
      const map = head.sparse && (await readSparseMap(cursor, head, place));
      const { size } = map ?? head;
      expectRoom(spent, { size, stored: head.size, limits, place });
      if (isLeftBySystem(name)) {
        repairs.add({ ...place, what: 'a file that macOS writes beside others, left out' }); // [repair.7]
        await skipTo(cursor, start + head.size, name);
      } else {
        names.add(name, offset);
        if (map) expectSoundMap(map, start + head.size - cursor.offset, place);
        const dataOffset = cursor.offset;
        const common = { name, size, offset, dataOffset };
        if (map)
          yield { ...common, body: sparseBody(cursor, map, { name, takeTurn }), takeAll: () => undefined };
        else {
          const body = new MemberBody(cursor, name, size);
          yield { ...common, body, takeAll: () => body.takeAll() };
        }
        await skipTo(cursor, start + head.size, name);
      }
      const filling = await cursor.take((TAR_BLOCK - (head.size % TAR_BLOCK)) % TAR_BLOCK);
      if ((head.size + filling.byteLength) % TAR_BLOCK !== 0)
        repairs.add({ ...place, what: 'the archive ends without filling it up to a whole block' });
      else if (!isZero(filling))
        repairs.add({ ...place, what: 'the bytes that fill it up to a whole block are not zero' });
    }
  } finally {
    await cursor.close(); // [arc.4]
  }
}

async function skipTo(cursor: ByteCursor, end: number, member: string): Promise<void> {
  const left = end - cursor.offset;
  if ((await cursor.skip(left)) === left) return;
  throw new BundleError('ARCHIVE_TRUNCATED', `the archive ends before the end of "${printable(member)}"`, {
    where: { member, offset: cursor.offset },
  });
}

/** [repair.6] A hole takes no room in an archive, and time to be read: all together may take as much as a zip in a private file. */
function expectRoom(
  spent: { total: number; holes: number },
  {
    size,
    stored,
    limits,
    place,
  }: {
    readonly size: number;
    readonly stored: number;
    readonly limits: Limits;
    readonly place: { member: string; offset: number };
  },
): void {
  spent.total += size;
  spent.holes += Math.max(0, size - stored);
  if (size > limits.memberBytes || spent.total > limits.totalBytes)
    throw new BundleError(
      'ARCHIVE_LIMIT',
      `"${printable(place.member)}" takes the archive over the limit of bytes`,
      { where: place },
    );
  if (spent.holes > limits.spoolBytes)
    throw new BundleError(
      'ARCHIVE_LIMIT',
      `the holes of sparse members have more than ${counted(limits.spoolBytes, 'byte')} together`,
      { where: place },
    );
}

function expectSoundMap(map: SparseMap, stored: number, place: { member: string; offset: number }): void {
  try {
    expectSound(map, stored);
  } catch (error) {
    throw error instanceof BundleError ? error.at(place) : error;
  }
}

/** What stands behind the first block of the end mark: nothing of it is a member. */
async function passEnd(cursor: ByteCursor, repairs: Repairs, limits: Limits): Promise<void> {
  const start = cursor.offset;
  let length = 0;
  let odd: number | undefined;
  for await (const bytes of restBehind(cursor, 'offset')) {
    if (odd === undefined && !isZero(bytes)) odd = start + length + bytes.findIndex((byte) => byte !== 0);
    length += bytes.byteLength;
  }
  if (odd !== undefined)
    repairs.add({ what: 'bytes behind the end mark, which belong to no member, left out', offset: odd });
  else if (length < TAR_BLOCK || length % TAR_BLOCK !== 0)
    repairs.add({ what: 'the end mark is not whole', offset: start });
  else if (length > TAR_BLOCK + limits.trailingZeros)
    repairs.add({ what: `more than ${limits.trailingZeros} zero bytes follow the end mark`, offset: start });
}
