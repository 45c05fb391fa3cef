import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { malformed } from '../formats/der/cursor.ts';
import { parseX509, type X509Fields } from '../formats/x509/certificate.ts';
import { checkDsaKey } from '../formats/x509/dsa-key.ts';
import { copyBytes, equalBytes } from '../kit/bytes.ts';
import { BundleError } from '../kit/errors/errors.ts';

/** What a key is, for rules about its strength and for people (`label`: `RSA-2048`, `P-256`, `Ed25519`, …). */
export interface KeyDescription {
  readonly type: 'rsa' | 'rsa-pss' | 'ec' | 'ed25519' | 'ed448' | 'dsa' | 'other';
  /** of the RSA or DSA modulus */
  readonly bits?: number;
  /** RSA public exponent */
  readonly exponent?: bigint;
  /** OpenSSL's name of the curve (`prime256v1`) */
  readonly curve?: string;
  readonly label: string;
}

/** A certificate that both our parser and OpenSSL could read, with its key; nothing says yet that it may be believed. */
export interface Certificate {
  /** DER */
  readonly raw: Uint8Array;
  readonly fields: X509Fields;
  readonly publicKey: KeyObject;
  /** SHA-256 of the DER, lower hex */
  readonly fingerprint: string;
  /** SHA-256 of the SubjectPublicKeyInfo, lower hex: what a pin compares */
  readonly spkiSha256: string;
  readonly key: KeyDescription;
}

const CURVE_LABELS: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  secp224r1: 'P-224',
  prime192v1: 'P-192',
};

/**
 * One certificate in DER.
 * @throws `CERTIFICATE_MALFORMED`; `ALGORITHM_UNSUPPORTED` when its key is of a kind that node:crypto cannot use [x509.9]
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const raw = copyBytes(der); // a view into a stream's buffer would change under us
  const fields = parseX509(raw);
  const x509 = openX509(raw);
  const publicKey = publicKeyOf(x509, fields.subject.text);
  if (publicKey.asymmetricKeyType === 'dsa') checkDsaKey(fields.spki, 'a certificate');
  const certificate: Certificate = {
    raw,
    fields,
    publicKey,
    fingerprint: sha256(raw),
    spkiSha256: sha256(fields.spki),
    key: describeKey(publicKey),
  };
  opened.set(certificate, x509);
  return certificate;
}

/** As OpenSSL has read them: reading takes longer than verifying, and a search verifies the same one many times. */
const opened = new WeakMap<Certificate, X509Certificate>();

function openX509(raw: Uint8Array): X509Certificate {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(raw);
  } catch (cause) {
    throw malformed('a certificate', 'OpenSSL cannot read it', cause);
  }
  // two parsers judge it, so both must have seen the same bytes
  if (!equalBytes(x509.raw, raw)) throw malformed('a certificate', 'OpenSSL reads other bytes');
  return x509;
}

function publicKeyOf(x509: X509Certificate, subject: string): KeyObject {
  try {
    return x509.publicKey;
  } catch (cause) {
    throw new BundleError('ALGORITHM_UNSUPPORTED', `certificate "${subject}" has a key that cannot be used`, {
      why: 'a signature by a key that bulla cannot use proves nothing',
      fix: 'ask the publisher to sign with RSA of 2048 bits or more, or with P-256, P-384, P-521 or Ed25519',
      cause,
    });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** True when the issuer's key verifies the certificate's signature; names, dates and uses are not looked at. Never throws. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return (opened.get(certificate) ?? openX509(certificate.raw)).verify(issuer.publicKey);
  } catch {
    return false; // a key of the wrong kind for the algorithm: not its signer
  }
}

/** True when both public keys are the same key. */
export function sameKey(a: KeyObject, b: KeyObject): boolean {
  try {
    return a.equals(b);
  } catch {
    return false; // OpenSSL cannot compare keys of some kinds: not shown to be the same
  }
}

/** What a public key is; whether it is strong enough is decided in `trust/policy.ts`. */
export function describeKey(publicKey: KeyObject): KeyDescription {
  const { modulusLength: bits, publicExponent, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  const type = publicKey.asymmetricKeyType;
  switch (type) {
    case 'rsa':
    case 'rsa-pss':
      return {
        type,
        ...(bits !== undefined && { bits }),
        ...(publicExponent !== undefined && { exponent: publicExponent }),
        label: `${type.toUpperCase()}-${bits ?? '?'}`,
      };
    case 'dsa':
      return { type, ...(bits !== undefined && { bits }), label: `DSA-${bits ?? '?'}` };
    case 'ec': {
      const curve = namedCurve ?? 'unnamed curve';
      return { type, curve, label: CURVE_LABELS[curve] ?? curve };
    }
    case 'ed25519':
      return { type, label: 'Ed25519' };
    case 'ed448':
      return { type, label: 'Ed448' };
    default:
      return { type: 'other', label: type ?? 'secret key' };
  }
}
