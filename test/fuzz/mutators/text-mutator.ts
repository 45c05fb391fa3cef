import { decodeLatin1 } from '../../../src/kit/encoding.ts';
import { latin1 } from '../../factory/tar.ts';
import { type Random, shuffled } from '../random.ts';
import { mutateBytes } from './byte-mutator.ts';

const TOKENS = [
  '(',
  ')',
  '=',
  ' ',
  '\t',
  '\r',
  '\n',
  '\0',
  '\x0b',
  '\u00a0',
  '\xef\xbb\xbf',
  '\xff',
  '-----',
  '..',
  '/',
  '\\',
  'SHA1',
  'SHA256',
  'sha512',
  'MD5',
  '-----BEGIN CMS-----',
  '-----END CMS-----',
  '-----BEGIN CERTIFICATE-----',
];

/** A text of lines with lines moved, doubled, joined, or tokens put in; now and then with changed bytes. */
export function mutateText(random: Random, bytes: Uint8Array): Uint8Array {
  if (random.chance(1, 6)) return mutateBytes(random, bytes);
  let text = decodeLatin1(bytes);
  for (let rounds = 1 + random.below(3); rounds > 0; rounds--) text = change(random, text);
  return latin1(text);
}

function change(random: Random, text: string): string {
  const lines = text.split('\n');
  const at = random.below(lines.length);
  const line = lines[at] ?? '';
  const put = (...others: readonly string[]): string =>
    [...lines.slice(0, at), ...others, ...lines.slice(at + 1)].join('\n');
  switch (random.below(10)) {
    case 0:
      return put();
    case 1:
      return put(line, line);
    case 2:
      return shuffled(random, lines).join('\n');
    case 3:
      return put(`${line}${random.pick(TOKENS)}`);
    case 4: {
      const place = random.below(line.length + 1);
      return put(
        line.slice(0, place) + random.pick(TOKENS).repeat(random.chance(1, 9) ? 500 : 1) + line.slice(place),
      );
    }
    case 5:
      return text.replaceAll('\n', '\r\n');
    case 6:
      return put(line.toUpperCase());
    case 7:
      return put(line.slice(0, random.below(line.length + 1)));
    case 8:
      return put(random.pick(lines), line);
    default:
      return put(`${line} `.repeat(random.chance(1, 5) ? 200 : 2));
  }
}
