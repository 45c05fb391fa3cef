import { malformed, openDer, readBitString, readInteger, TAG } from '../der/cursor.ts';

/** The largest that OpenSSL verifies with, in bytes, and the octet of the sign. */
const MAX_INTEGER_BYTES = 1251;

/**
 * Refuses the SubjectPublicKeyInfo (DER) of a DSA key whose numbers are not all positive: Node ends the whole process when it
 * is asked about such a key, so it must never be asked.
 *
 * @throws `CERTIFICATE_MALFORMED` [x509.15]
 */
export function checkDsaKey(spki: Uint8Array, what: string): void {
  const outer = openDer(spki, what);
  const info = openDer(outer.next(TAG.sequence).value, what);
  const algorithm = openDer(info.next(TAG.sequence).value, what);
  algorithm.next(TAG.oid);
  const parameters = openDer(algorithm.next(TAG.sequence).value, what);
  const numbers = [parameters.next(), parameters.next(), parameters.next()];
  parameters.end();
  algorithm.end();
  const key = openDer(readBitString(info.next(TAG.bitString), what).bytes, what);
  numbers.push(key.next());
  key.end();
  if (numbers.some((number) => readInteger(number, what, MAX_INTEGER_BYTES) <= 0n)) {
    throw malformed(what, 'its DSA key has a number that is not positive');
  }
}
