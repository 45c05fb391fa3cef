import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PublicKey, parsePublicKey } from '../../src/formats/x509/public-key.ts';

const taken = new Map<number, number>();

/**
 * An RSA key that no other call in this file of tests gives. Such keys take long to make: what one file of tests has made,
 * all the others of the same run find in the folder of the run.
 */
export function freshRsaKey(bits: number): KeyObject {
  const number = taken.get(bits) ?? 0;
  taken.set(bits, number + 1);
  const folder = process.env['BULLA_TEST_KEYS'];
  if (folder === undefined) return generate(bits);
  const file = join(folder, `rsa${bits}-${number}.pem`);
  try {
    return createPrivateKey(readFileSync(file));
  } catch {
    const key = generate(bits);
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, key.export({ type: 'pkcs8', format: 'pem' }));
    renameSync(unfinished, file);
    return key;
  }
}

function generate(bits: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
}

/** A public key as the library has it. */
export function ownKey(key: KeyObject): PublicKey {
  return parsePublicKey(Uint8Array.from(key.export({ type: 'spki', format: 'der' })), 'a key');
}
