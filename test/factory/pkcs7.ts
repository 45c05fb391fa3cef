import { TAG } from '../../src/formats/der/cursor.ts';
import { der, hex } from './der.ts';

const SIGNED_DATA = der(TAG.oid, hex('2a864886f70d010702'));
const DATA = der(TAG.oid, hex('2a864886f70d010701'));

/** What is in a PKCS#7 file beside its certificates; nothing as an authority hands it out. */
interface Beside {
  readonly lists?: readonly Uint8Array[];
  readonly signers?: readonly Uint8Array[];
  readonly content?: Uint8Array;
}

/** A PKCS#7 file (`.p7b`): a SignedData with these certificates that nobody has signed, in DER. */
export function makePkcs7(certificates: readonly Uint8Array[], beside: Beside = {}): Uint8Array {
  const { lists = [], signers = [], content } = beside;
  const inside = content === undefined ? [] : [der(0xa0, der(TAG.octetString, content))];
  return der(
    TAG.sequence,
    SIGNED_DATA,
    der(
      0xa0,
      der(
        TAG.sequence,
        der(TAG.integer, Uint8Array.of(1)),
        der(TAG.set),
        der(TAG.sequence, DATA, ...inside),
        ...(certificates.length > 0 ? [der(0xa0, ...certificates)] : []),
        ...(lists.length > 0 ? [der(0xa1, ...lists)] : []),
        der(TAG.set, ...signers),
      ),
    ),
  );
}

/** The text in UTF-16 as PowerShell writes it, or with the other order of bytes. */
export function utf16(text: string, order: 'little' | 'big' = 'little', mark = true): Uint8Array {
  const bytes = Buffer.from(mark ? `\uFEFF${text}` : text, 'utf16le');
  return Uint8Array.from(order === 'little' ? bytes : bytes.swap16());
}
