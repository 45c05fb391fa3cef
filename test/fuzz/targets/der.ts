import fc from 'fast-check';
import { toDefiniteLengths } from '../../../src/formats/der/ber.ts';
import {
  type DerElement,
  openDer,
  readBitString,
  readBoolean,
  readInteger,
  readOid,
  readTime,
  TAG,
} from '../../../src/formats/der/cursor.ts';
import { derOid, derUnsigned } from '../../../src/formats/der/writer.ts';
import { equalBytes } from '../../../src/kit/bytes.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { mutateDer } from '../mutators/der-mutator.ts';
import { branch, type DerNode, formatTree, leaf } from '../mutators/der-tree.ts';
import type { Random } from '../random.ts';
import { cast } from '../seeds/pki.ts';
import { vectorFiles } from '../seeds/vectors.ts';
import { unlessRefused } from '../signed-bytes.ts';
import { expectThat, type Target } from '../target.ts';

const WHAT = 'the input';

const tag = fc.oneof(fc.constantFrom(1, 2, 3, 4, 5, 6, 0x17, 0x18, 0x24, 0x30, 0x31, 0xa0), fc.nat(255));
const form = fc.constantFrom<DerNode['form']>(
  'minimal',
  'minimal',
  'minimal',
  'long',
  'indefinite',
  'more',
  'less',
);
/** Trees of any elements, which no file ever was. */
const anyTree = fc.letrec<{ node: DerNode }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.record({ tag, value: fc.uint8Array({ maxLength: 20 }) }).map(({ tag, value }) => leaf(tag, value)),
    fc
      .record({ tag, form, children: fc.array(tie('node'), { maxLength: 6 }) })
      .map(({ tag, form, children }) => ({ ...branch(tag, children), form })),
  ),
})).node;

function arbitraryDer(random: Random): Uint8Array {
  const [tree] = fc.sample(anyTree, { numRuns: 1, seed: random.below(2 ** 31) });
  return tree ? formatTree(tree) : new Uint8Array();
}

/** The cursor over DER, its readers, and the conversion from BER. */
export const DER: Target = {
  name: 'der',
  group: 'crypto',
  share: 1,
  codes: ['CERTIFICATE_MALFORMED'],
  open: async () => ({
    seeds: [...Object.values(cast()), ...vectorFiles('crypto/cms', /(smime-rsa|cades|stream).*\.p7s$/)],
    mutate: (random, corpus) =>
      random.chance(1, 4) ? arbitraryDer(random) : mutateDer(random, random.pick(corpus), corpus),
    run: (input) => {
      const isDer = walk(input, 0);
      const definite = toDefiniteLengths(input, WHAT);
      if (isDer) expectThat(equalBytes(definite, input), 'DER is changed by the conversion from BER'); // [der.6]
      expectThat(
        equalBytes(toDefiniteLengths(definite, WHAT), definite),
        'the conversion changes its own result',
      );
      return isDer ? 'DER' : 'BER';
    },
  }),
};

/** Reads everything; true when it is DER throughout and has no string in pieces. */
function walk(bytes: Uint8Array, depth: number): boolean {
  try {
    const cursor = openDer(bytes, WHAT);
    let whole = true;
    while (!cursor.done()) {
      const element = cursor.next();
      readAs(element);
      if (element.tag === 0x24) whole = false;
      if ((element.tag & 0x20) !== 0 && depth < 31) whole = walk(element.value, depth + 1) && whole;
    }
    return whole;
  } catch (error) {
    if (isBundleError(error) && error.code === 'CERTIFICATE_MALFORMED') return false;
    throw error;
  }
}

/** Its reader answers or refuses; what has one spelling is written back so. */
function readAs(element: DerElement): void {
  switch (element.tag) {
    case TAG.integer: {
      const number = unlessRefused(() => readInteger(element, WHAT)) ?? -1n;
      if (number < 0n) return;
      const digits = number.toString(16);
      const bytes = Uint8Array.from(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'));
      expectThat(equalBytes(derUnsigned(bytes), element.raw), `two spellings of the INTEGER ${number}`);
      return;
    }
    case TAG.oid: {
      const oid = unlessRefused(() => readOid(element, WHAT));
      if (oid !== undefined)
        expectThat(equalBytes(derOid(oid), element.raw), `two spellings of the OID ${oid}`);
      return;
    }
    case TAG.utcTime:
    case TAG.generalizedTime: {
      const time = unlessRefused(() => readTime(element, WHAT));
      if (time) expectThat(!Number.isNaN(time.getTime()), 'a time that is none');
      return;
    }
    case TAG.boolean:
      unlessRefused(() => readBoolean(element, WHAT));
      return;
    case TAG.bitString:
      unlessRefused(() => readBitString(element, WHAT));
  }
}
