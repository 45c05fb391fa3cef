import { childrenOf, readOnly, TAG } from '../../src/formats/der/cursor.ts';
import { concat } from '../../src/kit/bytes.ts';

/** One DER element with these contents. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const value = concat([new Uint8Array(), ...contents]);
  const { byteLength: length } = value;
  if (length < 0x80) return concat([Uint8Array.of(tag, length), value]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return concat([Uint8Array.of(tag, 0x80 + bytes.length, ...bytes), value]);
}

/** Bytes of hex digits; blanks are for the reader. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

/** The elements of a certificate's TBSCertificate: version, serial, algorithm, issuer, validity, subject, key, extensions. */
export type TbsParts = [
  version: Uint8Array,
  serial: Uint8Array,
  algorithm: Uint8Array,
  issuer: Uint8Array,
  validity: Uint8Array,
  subject: Uint8Array,
  spki: Uint8Array,
  extensions: Uint8Array,
];

/** A v3 certificate with other parts; its signature stays, and so is wrong. */
export function withParts(
  certificate: Uint8Array,
  change: (parts: TbsParts) => readonly Uint8Array[],
): Uint8Array {
  const [tbs, algorithm, signature] = childrenOf(readOnly(certificate, TAG.sequence, 'test'), 'test');
  const parts = tbs ? childrenOf(tbs, 'test').map(({ raw }) => raw) : [];
  return der(
    TAG.sequence,
    der(TAG.sequence, ...change(parts as TbsParts)),
    algorithm?.raw ?? hex(''),
    signature?.raw ?? hex(''),
  );
}

/** A name of one attribute: the OID in hex, the string's tag and its bytes. */
export function oneName(oid: string, tag: number, value: Uint8Array): Uint8Array {
  return der(TAG.sequence, der(TAG.set, der(TAG.sequence, der(TAG.oid, hex(oid)), der(tag, value))));
}
