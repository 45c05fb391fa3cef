import {
  constants,
  createVerify,
  publicDecrypt,
  type VerifyKeyObjectInput,
  verify as verifyAt,
} from 'node:crypto';
import { derNull, derOid, derSequence } from '../../formats/der/writer.ts';
import { mlDsaOfKey } from '../../formats/x509/ml-dsa.ts';
import type { PublicKey } from '../../formats/x509/public-key.ts';
import type { Question, Reading, Verifying } from '../engine.ts';
import { verifyMlDsa } from './ml-dsa.ts';
import { keyObject, keyUnder } from './public-key.ts';

/** Whether the signature fits the data. It never throws: what OpenSSL cannot use made no signature. */
export function verify(question: Question, data: Uint8Array): boolean {
  if (mlDsaOfKey(question.key.key)) return verifyMlDsa(question.key, data, question.signature);
  try {
    const { digest, key, signature } = question;
    return isWhole(key, signature) && verifyAt(digest, data, inputOf(question), signature);
  } catch {
    return false;
  }
}

/** The same for data that comes in pieces; undefined for what OpenSSL cannot use. */
export function openVerifying(reading: Reading & { readonly digest: string }): Verifying | undefined {
  try {
    const input = inputOf(reading);
    const verifying = createVerify(reading.digest);
    return {
      update: (chunk) => {
        verifying.update(chunk);
      },
      finish: (signature) => {
        try {
          return isWhole(reading.key, signature) && verifying.verify(input, signature);
        } catch {
          return false;
        }
      },
    };
  } catch {
    return undefined;
  }
}

/** [sigalg.6] OpenSSL takes an RSA-PSS signature without the zeros in front. */
function isWhole({ key: { type, bits = 0 } }: PublicKey, { byteLength }: Uint8Array): boolean {
  return (type !== 'rsa' && type !== 'rsa-pss') || byteLength === Math.ceil(bits / 8);
}

function inputOf({ key, pss, raw }: Reading): VerifyKeyObjectInput {
  if (pss && 'algorithm' in pss) return { key: keyUnder(pss.algorithm, key) };
  if (pss)
    return { key: keyObject(key), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pss.saltLength };
  return { key: keyObject(key), dsaEncoding: raw ? 'ieee-p1363' : 'der' };
}

const RSA_ENCRYPTION = derSequence(derOid('1.2.840.113549.1.1.1'), derNull());

/** What the public key makes of an RSA signature; a binding to PSS would keep OpenSSL from opening it. */
export function openRsa(key: PublicKey, signature: Uint8Array): Uint8Array | undefined {
  try {
    const plain = key.key.type === 'rsa-pss' ? keyUnder(RSA_ENCRYPTION, key) : keyObject(key);
    return Uint8Array.from(publicDecrypt({ key: plain, padding: constants.RSA_NO_PADDING }, signature));
  } catch {
    return undefined;
  }
}
