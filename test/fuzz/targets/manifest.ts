import fc from 'fast-check';
import { formatManifest, parseManifest } from '../../../src/formats/ovf/manifest.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { mutateText } from '../mutators/text-mutator.ts';
import type { Random } from '../random.ts';
import { vectorFiles } from '../seeds/vectors.ts';
import { expectThat, type Target } from '../target.ts';

const HEX = '0123456789abcdef'.repeat(4);

const line = fc
  .tuple(
    fc.constantFrom('SHA256', 'sha256', 'SHA1', 'SHA-512', 'MD5', ''),
    fc.constantFrom('(', ' (', '', '(('),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.constantFrom(')= ', ') = ', ')=', ') ', ''),
    fc.oneof(fc.constantFrom(HEX, HEX.slice(0, 40), HEX + HEX), fc.string({ maxLength: 70 })),
  )
  .map((parts) => parts.join(''));
const manifest = fc
  .array(line, { maxLength: 5 })
  .chain((lines) => fc.constantFrom('\n', '\r\n').map((end) => lines.join(end)));

function arbitraryManifest(random: Random): Uint8Array {
  return encodeUtf8(fc.sample(manifest, { numRuns: 1, seed: random.below(2 ** 31) })[0] ?? '');
}

/** Manifests: read or refused; what is read is written back to the same entries. */
export const MANIFEST: Target = {
  name: 'manifest',
  group: 'archives',
  share: 1,
  codes: ['MANIFEST_SYNTAX', 'MANIFEST_DUPLICATE', 'ALGORITHM_UNSUPPORTED'],
  open: async () => ({
    seeds: [
      encodeUtf8(`SHA256(a.ovf)= ${HEX}\nSHA256(disk.img)= ${HEX}\n`),
      encodeUtf8(`SHA1 (a b.ovf) = ${HEX.slice(0, 40)}\r\nSHA512(d(1)=.img)= ${HEX}${HEX}\r\n`),
      ...vectorFiles('ovf', /\.mf$/),
    ],
    mutate: (random, corpus) =>
      random.chance(1, 4) ? arbitraryManifest(random) : mutateText(random, random.pick(corpus)),
    run: (input) => {
      const { entries } = parseManifest(input);
      const again = parseManifest(formatManifest(entries)).entries;
      const show = (list: typeof entries): string =>
        list.map(({ name, algorithm, digest }) => `${algorithm} ${name} ${digest}`).join('\n');
      expectThat(show(again) === show(entries), 'what is written is read otherwise');
      return `${entries.length} entries`;
    },
  }),
};
