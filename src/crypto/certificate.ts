import { engine } from '#engine';
import type { SecondOpinion } from '../engine/engine.ts';
import { malformed } from '../formats/der/cursor.ts';
import { parseX509, type X509Fields } from '../formats/x509/certificate.ts';
import { mlDsaOfKey } from '../formats/x509/ml-dsa.ts';
import { type KeyDescription, type PublicKey, parsePublicKey } from '../formats/x509/public-key.ts';
import { copyBytes, equalBytes } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors/errors.ts';
import { isSignedWith, mayBeAsked } from './signature.ts';

/** A certificate that both our parser and the engine's could read, with its key; nothing says yet that it may be believed. */
export interface Certificate {
  /** DER */
  readonly raw: Uint8Array;
  readonly fields: X509Fields;
  readonly publicKey: PublicKey;
  /** SHA-256 of the DER, lower hex */
  readonly fingerprint: string;
  /** SHA-256 of the SubjectPublicKeyInfo, lower hex: what a pin compares */
  readonly spkiSha256: string;
  readonly key: KeyDescription;
}

const WHAT = 'a certificate';

/**
 * One certificate in DER.
 * @throws `CERTIFICATE_MALFORMED`; `ALGORITHM_UNSUPPORTED` when its key is of a kind that the engine cannot use [x509.9]
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const raw = copyBytes(der); // a view into a stream's buffer would change under us
  const fields = parseX509(raw);
  const opinion = secondOpinion(raw);
  const publicKey = parsePublicKey(fields.spki, WHAT);
  expectUsable(opinion, publicKey, fields.subject.text);
  const certificate: Certificate = {
    raw,
    fields,
    publicKey,
    fingerprint: sha256(raw),
    spkiSha256: sha256(fields.spki),
    key: publicKey.key,
  };
  opened.set(certificate, opinion);
  return certificate;
}

/** As the engine has read them: reading takes longer than verifying, and a search verifies the same one many times. */
const opened = new WeakMap<Certificate, SecondOpinion>();

function secondOpinion(raw: Uint8Array): SecondOpinion {
  let opinion: SecondOpinion;
  try {
    opinion = engine.readCertificate(raw);
  } catch (cause) {
    throw malformed(WHAT, 'a second parser cannot read it', cause);
  }
  // two parsers judge it, so both must have seen the same bytes
  if (!equalBytes(opinion.raw, raw)) throw malformed(WHAT, 'a second parser reads other bytes');
  return opinion;
}

function expectUsable(opinion: SecondOpinion, key: PublicKey, subject: string): void {
  try {
    opinion.expectKey(key);
  } catch (cause) {
    throw new BundleError('ALGORITHM_UNSUPPORTED', `certificate "${subject}" has a key that cannot be used`, {
      why: 'a signature by a key that bulla cannot use proves nothing',
      fix: 'ask the publisher to sign with RSA of 2048 bits or more, or with P-256, P-384, P-521 or Ed25519',
      own: 'sign with RSA of 2048 bits or more, or with P-256, P-384, P-521 or Ed25519',
      cause,
    });
  }
}

function sha256(bytes: Uint8Array): string {
  return engine.hashHex('sha256', bytes);
}

/** True when the issuer's key verifies the certificate's signature; names, dates and uses are not looked at. Never throws. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (!mayBeAsked(issuer.publicKey)) return false;
  if (mlDsaOfKey(issuer.key)) {
    const { signature: algorithm, signatureValue: signature, tbs } = certificate.fields; // not every engine can [pq.2]
    return isSignedWith({ algorithm, signature }, tbs, issuer.publicKey);
  }
  try {
    // one that is judged under other conditions than it states is another object
    const opinion = opened.get(certificate) ?? engine.readCertificate(certificate.raw);
    return opinion.isSignedBy(issuer.publicKey);
  } catch {
    return false; // what no engine can read has nobody signed
  }
}
