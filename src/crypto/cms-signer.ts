import type { Signer } from '../engine/engine.ts';
import {
  digestIdentifier,
  formatSignedAttributes,
  formatSignedData,
  withUnsignedAttribute,
} from '../formats/cms/format-signed-data.ts';
import { parseSignedData } from '../formats/cms/signed-data.ts';
import { ATTRIBUTE } from '../formats/cms/signer-info.ts';
import { toDefiniteLengths } from '../formats/der/ber.ts';
import { openDer, readOnly, TAG } from '../formats/der/cursor.ts';
import { derElement, derNull, derOid, derSequence, derUnsigned } from '../formats/der/writer.ts';
import { mlDsaIdentifier, mlDsaOfKey } from '../formats/x509/ml-dsa.ts';
import { type PublicKey, pssSaltLength } from '../formats/x509/public-key.ts';
import { parseSignatureAlgorithm } from '../formats/x509/signature-algorithm.ts';
import type { DigestName } from '../kit/digest-name.ts';
import { BundleError } from '../kit/errors/errors.ts';
import type { Certificate } from './certificate.ts';
import { digestBytes } from './digest.ts';
import { isSignedWith } from './signature.ts';
import { falseSignature, signBytes } from './signer.ts';

/** What a detached CMS signature is made of. */
export interface CmsTemplate {
  readonly signer: Signer;
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly digest: Exclude<DigestName, 'sha1'>;
  /** of the content, by `cmsDigestOf` */
  readonly contentDigest: Uint8Array;
}

/** The digest that the content goes through: Ed25519 and Ed448 have theirs (RFC 8419 section 3), ML-DSA one that is strong enough for each (RFC 9882 section 3.3), others the one that was chosen. */
export function cmsDigestOf({ key }: PublicKey, digest: CmsTemplate['digest']): string {
  if (key.type === 'ed25519' || mlDsaOfKey(key)) return 'sha512';
  return key.type === 'ed448' ? 'shake256' : digest;
}

/**
 * A detached CMS signature in DER, with the signer's certificate and the intermediates inside.
 *
 * @throws {BundleError} `USAGE` for a key that is bound to another digest, or makes no such signatures [cms.10]
 */
export async function signCms(template: CmsTemplate): Promise<Uint8Array> {
  const { signer, leaf, intermediates, digest, contentDigest } = template;
  const named = mlDsaOfKey(signer.publicKey.key) ? 'sha512' : 'sha256'; // [pq.4]
  const attributes = formatSignedAttributes({
    messageDigest: contentDigest,
    certificateDigest: { digest: named, value: digestBytes(named, leaf.raw) },
  });
  const { publicKey } = signer;
  const pss = publicKey.key.type === 'rsa' && signer.bounds?.pss;
  const algorithm = pss ? pssIdentifier(publicKey, digest) : algorithmOf(publicKey, digest);
  const saltLength = pss ? pssSaltLength(publicKey, digest) : undefined;
  const signature = await signBytes(signer, digest, attributes, saltLength);
  const parsed = parseSignatureAlgorithm(openDer(algorithm, 'an algorithm').next(), 'an algorithm');
  if (!isSignedWith({ algorithm: parsed, signature, digest }, attributes, leaf.publicKey)) {
    throw falseSignature(signer);
  }
  return formatSignedData({
    digest: cmsDigestOf(signer.publicKey, digest),
    algorithm,
    attributes,
    signature,
    ...issuerAndSerial(leaf),
    certificates: [leaf, ...intermediates].map(({ raw }) => raw),
  });
}

/** The CMS with a timestamp token of one of its signers; in definite lengths, and otherwise byte for byte as it was. [pack.10] */
export function addTimestamp(cms: Uint8Array, signerIndex: number, token: Uint8Array): Uint8Array {
  const der = toDefiniteLengths(cms, 'the CMS signature');
  const stamped = withUnsignedAttribute(der, signerIndex, ATTRIBUTE.timestampToken, token);
  parseSignedData(stamped, 'the CMS signature'); // a second token would be an attribute twice
  return stamped;
}

function issuerAndSerial({ raw }: Certificate): { issuer: Uint8Array; serial: Uint8Array } {
  const what = 'a certificate';
  const tbs = openDer(openDer(readOnly(raw, TAG.sequence, what).value, what).next(TAG.sequence).value, what);
  tbs.optional(0xa0);
  const serial = tbs.next(TAG.integer).value;
  tbs.next();
  return { issuer: tbs.next(TAG.sequence).raw, serial };
}

const SIGNATURE_OIDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ec: { sha256: '1.2.840.10045.4.3.2', sha384: '1.2.840.10045.4.3.3', sha512: '1.2.840.10045.4.3.4' },
  dsa: {
    sha256: '2.16.840.1.101.3.4.3.2',
    sha384: '2.16.840.1.101.3.4.3.3',
    sha512: '2.16.840.1.101.3.4.3.4',
  },
};

/** The AlgorithmIdentifier of signatures by a key. @throws {BundleError} `USAGE` */
function algorithmOf(key: PublicKey, digest: CmsTemplate['digest']): Uint8Array {
  const { type } = key.key;
  const mlDsa = mlDsaOfKey(key.key);
  if (mlDsa) return mlDsaIdentifier(mlDsa);
  switch (type) {
    case 'rsa':
      return derSequence(derOid('1.2.840.113549.1.1.1'), derNull()); // the digest stands beside it (RFC 3370 section 3.2)
    case 'rsa-pss':
      return pssIdentifier(key, digest);
    case 'ed25519':
      return derSequence(derOid('1.3.101.112'));
    case 'ed448':
      return derSequence(derOid('1.3.101.113'));
    default: {
      const oid = SIGNATURE_OIDS[type]?.[digest];
      if (oid) return derSequence(derOid(oid));
      throw new BundleError('USAGE', `a key of the kind ${type} makes no CMS signatures`, {
        fix: {
          text: 'sign with RSA, ECDSA, Ed25519, Ed448 or ML-DSA; a bundle can be signed without CMS',
          advice: 'sign-without-cms',
        },
      });
    }
  }
}

/** RSASSA-PSS with its parameters (RFC 4056 section 2.2). */
function pssIdentifier(key: PublicKey, digest: CmsTemplate['digest']): Uint8Array {
  const mask = derSequence(derOid('1.2.840.113549.1.1.8'), digestIdentifier(key.bound?.mgfDigest ?? digest));
  const salt = pssSaltLength(key, digest);
  return derSequence(
    derOid('1.2.840.113549.1.1.10'),
    derSequence(
      derElement(0xa0, digestIdentifier(digest)),
      derElement(0xa1, mask),
      derElement(0xa2, derUnsigned(Uint8Array.of(salt >> 8, salt & 0xff))),
    ),
  );
}
