import { decodeLatin1 } from '../../kit/encoding.ts';
import { headerName, isZeroBlock, TAR_BLOCK } from './header.ts';

/**
 * The name of a sparse member among the headers at the beginning of a tar, as far as it is at hand; undefined where there is none.
 *
 * It is for words alone, so it takes headers as they come: what they are refused for is found by whoever reads them. [pax.9]
 */
export function sparseMember(bytes: Uint8Array): string | undefined {
  for (let at = 0; at + TAR_BLOCK <= bytes.byteLength; ) {
    const block = bytes.subarray(at, at + TAR_BLOCK);
    const size = Number.parseInt(decodeLatin1(block.subarray(124, 136)), 8);
    if (isZeroBlock(block) || !(size >= 0)) return undefined;
    const type = decodeLatin1(block.subarray(156, 157));
    const start = at + TAR_BLOCK;
    if (type === 'S') return headerName(block);
    const map = type === 'x' ? decodeLatin1(bytes.subarray(start, start + size)) : '';
    if (map.includes(' GNU.sparse.'))
      return / GNU\.sparse\.name=([^\n]*)/.exec(map)?.[1] ?? headerName(block);
    at = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  return undefined;
}
