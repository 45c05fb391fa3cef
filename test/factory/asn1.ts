import { type KeyObject, sign } from 'node:crypto';
import { derElement, derNull, derOid, derSequence } from '../../src/formats/der/writer.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const digits = (time: Date): string => time.toISOString().replace(/\.\d+Z$|[-:T]/g, '');

/** A time as certificates write it up to 2049. */
export function utcTime(time: Date): Uint8Array {
  return derElement(0x17, ascii(`${digits(time).slice(2)}Z`));
}

/** A GeneralizedTime, with a fraction of a second when there is one. */
export function generalizedTime(time: Date): Uint8Array {
  const fraction = time
    .toISOString()
    .slice(19, 23)
    .replace(/\.?0*$/, '');
  return derElement(0x18, ascii(`${digits(time)}${fraction}Z`));
}

/** An ENUMERATED. */
export function enumerated(value: number): Uint8Array {
  return derElement(0x0a, Uint8Array.of(value));
}

/** A BIT STRING of whole bytes. */
function bitString(bytes: Uint8Array): Uint8Array {
  return derElement(0x03, Uint8Array.of(0), bytes);
}

/** An Extension. */
export function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [derElement(0x01, Uint8Array.of(0xff))] : [];
  return derSequence(derOid(oid), ...flag, derElement(0x04, value));
}

const OIDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ec: { sha1: '1.2.840.10045.4.1', sha256: '1.2.840.10045.4.3.2', sha384: '1.2.840.10045.4.3.3' },
  rsa: { sha1: '1.2.840.113549.1.1.5', sha256: '1.2.840.113549.1.1.11', sha384: '1.2.840.113549.1.1.12' },
};

/** A structure that is signed as certificates are: what is signed, the algorithm, the signature. */
export function signed(key: KeyObject, tbs: Uint8Array, digest = 'sha256'): Uint8Array[] {
  const { asymmetricKeyType: type = '' } = key;
  const oid = derOid(OIDS[type]?.[digest] ?? '');
  const algorithm = type === 'rsa' ? derSequence(oid, derNull()) : derSequence(oid);
  return [tbs, algorithm, bitString(Uint8Array.from(sign(digest, tbs, key)))];
}
