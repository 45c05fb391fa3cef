import type { ZipPart } from '../../archive/repair/odd-zip-end.ts';
import type { Repair, Repairs } from '../../archive/repair/repairs.ts';
import { strayBytes } from '../../archive/zip/zip-tiles.ts';

/** What an entry of the directory takes of the file. */
export interface Extent {
  readonly name: string;
  readonly offset: number;
  readonly end: number;
  /** whether a data descriptor may follow */
  readonly described: boolean;
}

/** Of a data descriptor: with its signature or without, its sizes in four bytes or in eight. */
const DESCRIPTOR_BYTES: ReadonlySet<number> = new Set([12, 16, 20, 24]);

/** [repair.3] Bytes that no entry of the directory speaks of may be another archive, and are not in what is written. */
export function noteStray(extents: readonly Extent[], part: ZipPart, repairs: Repairs): void {
  let end = part.start;
  let described = false;
  const note = (to: number, place: Pick<Repair, 'member'>): void => {
    const count = to - end;
    if (count <= 0 || (described && DESCRIPTOR_BYTES.has(count))) return;
    repairs.add({
      ...place,
      what: strayBytes(count, 'member' in place ? 'member' : 'directory'),
      offset: end,
    });
  };
  for (const one of extents.toSorted((a, b) => a.offset - b.offset)) {
    note(one.offset, { member: one.name });
    end = Math.max(end, one.end);
    described = one.described;
  }
  note(part.start + part.directory, {});
}
