import { X509Certificate } from 'node:crypto';
import { mlDsaOfKey } from '../../formats/x509/ml-dsa.ts';
import type { SecondOpinion } from '../engine.ts';
import { keyObject, rememberKey } from './public-key.ts';

/** A certificate as OpenSSL reads it. @throws what it says of others */
export function readCertificate(der: Uint8Array): SecondOpinion {
  const x509 = new X509Certificate(der);
  return {
    raw: x509.raw,
    expectKey: (key) => {
      // any bytes of the length are a key of ML-DSA, and only newer OpenSSLs have a name for one [pq.1]
      if (!mlDsaOfKey(key.key)) rememberKey(key, x509.publicKey);
    },
    isSignedBy: (key) => {
      try {
        return x509.verify(keyObject(key));
      } catch {
        return false; // a key of the wrong kind for the algorithm: not its signer
      }
    },
  };
}
