import { formatBlockDigests, parseBlockDigests } from '../../../src/formats/blocks/block-digests.ts';
import { concat, equalBytes } from '../../../src/kit/bytes.ts';
import { parseHex } from '../../../src/kit/encoding.ts';
import { mutateText } from '../mutators/text-mutator.ts';
import { expectThat, type Target } from '../target.ts';

const MIB = 1024 * 1024;

function seed(size: number, algorithm: 'sha256' | 'sha512', width: number): Uint8Array {
  const digests = new Uint8Array(Math.ceil(size / MIB) * width).map((_, i) => i);
  return formatBlockDigests({ name: 'disks/a 1.img', size, algorithm, digest: 'ab'.repeat(width) }, digests);
}

/** Digests of blocks: read or refused; what is read is written back byte for byte. */
export const BLOCKS: Target = {
  name: 'blocks',
  group: 'archives',
  share: 1,
  codes: ['BLOCKS_SYNTAX'],
  open: async () => ({
    seeds: [seed(0, 'sha256', 32), seed(3 * MIB + 1, 'sha256', 32), seed(2 * MIB, 'sha512', 64)],
    mutate: (random, corpus) => mutateText(random, random.pick(corpus)),
    run: (input) => {
      const blocks = parseBlockDigests(input);
      const digests = Array.from({ length: blocks.count }, (_, i) => parseHex(blocks.blockDigest(i)));
      const whole = concat(digests.map((digest) => digest ?? new Uint8Array(0)));
      expectThat(equalBytes(formatBlockDigests(blocks, whole), input), 'what is written is read otherwise');
      return `${blocks.count} blocks`;
    },
  }),
};
