import { createHash } from 'node:crypto';
import { BlockDigester } from '../../src/crypto/block-digester.ts';
import {
  type BlockAlgorithm,
  type BlocksHeader,
  blocksNameOf,
  formatBlockDigests,
} from '../../src/formats/blocks/block-digests.ts';
import { blockSizeFor } from '../../src/formats/blocks/block-size.ts';
import type { NamedBytes } from './bundles.ts';

/** The block digests of a file; `of` another content, and with a header that says otherwise, when they are to lie. */
export function blocksFor(
  { name, bytes }: NamedBytes,
  { of = bytes, algorithm = 'sha256', ...header }: Partial<BlocksHeader> & { readonly of?: Uint8Array } = {},
): NamedBytes {
  const digester = new BlockDigester(algorithm, blockSizeFor(of.byteLength));
  digester.update(of);
  const digest = digestOf(bytes, algorithm);
  const subject = { name, size: of.byteLength, algorithm, digest, ...header };
  return { name: blocksNameOf(name), bytes: formatBlockDigests(subject, digester.finish()) };
}

function digestOf(bytes: Uint8Array, algorithm: BlockAlgorithm): string {
  return createHash(algorithm).update(bytes).digest('hex');
}
