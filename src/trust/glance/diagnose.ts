import type { Certificate } from '../../crypto/certificate.ts';
import { type ImageSignatureForm, maximalSalt } from '../../crypto/image-signature.ts';
import { inspectRsaSignature, isPssOver, type RsaEncoding } from '../../crypto/rsa-encoding.ts';
import { childrenOf, readOnly, TAG } from '../../formats/der/cursor.ts';
import { counted, encodeUtf8 } from '../../kit/encoding.ts';
import type { Advised, Told } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { nameOf } from '../path/findings.ts';
import type { ImagePlan } from './plan.ts';

/** What can be told of a signature before the bytes are seen. */
export interface SignaturePreview {
  /** how it must be read to have a chance of fitting; Glance's own way, or one that Glance refuses */
  readonly form: ImageSignatureForm;
  /** true when `form` is Glance's own */
  readonly proper: boolean;
  readonly rsa?: RsaEncoding;
}

/** Looks at a signature alone, so that one reading of the bytes tells both whether it counts and what is wrong. [glance.13] */
export function previewSignature({ publicKey, key }: Certificate, plan: ImagePlan): SignaturePreview {
  const { signature, hash } = plan;
  const proper = { form: { hash }, proper: true };
  if (key.type === 'rsa' || key.type === 'rsa-pss') {
    const rsa = inspectRsaSignature(publicKey, signature, hash);
    if (rsa.kind !== 'pss') return { ...proper, rsa };
    const saltLength = rsa.salt.byteLength;
    if (rsa.hash === hash && saltLength === maximalSalt(publicKey, hash)) return { ...proper, rsa };
    return { form: { hash: rsa.hash, saltLength }, proper: false, rsa };
  }
  if (isPair(signature) || signature.byteLength % 2 !== 0) return proper;
  return { form: { hash, raw: true }, proper: false };
}

/** True for a SEQUENCE of two INTEGERs, however long. */
function isPair(signature: Uint8Array): boolean {
  try {
    const children = childrenOf(readOnly(signature, TAG.sequence, 'a signature'), 'a signature');
    return children.length === 2 && children.every(({ tag }) => tag === TAG.integer);
  } catch {
    return false;
  }
}

/** Why a signature does not count; `fits`: whether it fits the bytes in the way of the preview. [glance.13] */
export function explainSignature(
  certificate: Certificate,
  plan: ImagePlan,
  { rsa, form, proper }: SignaturePreview,
  seen: { readonly fits: boolean; readonly md5?: string | undefined },
): BundleError {
  const name = nameOf(certificate);
  if (rsa) return explainRsa(certificate, plan, rsa, seen);
  if (!proper && form.raw && seen.fits) {
    return invalid('the signature fits the image, but is the raw pair r||s, and Glance takes it in DER', {
      why: 'Glance and Nova refuse this form, as some libraries and tokens write it',
      fix: {
        text: 'have the tool write ASN.1 (DER) signatures, or sign with bulla',
        advice: 'sign-with-bulla',
      },
    });
  }
  return invalid(`the signature does not fit the image and the key of ${name}`, CHANGED);
}

function explainRsa(
  certificate: Certificate,
  { hash }: ImagePlan,
  rsa: RsaEncoding,
  { fits, md5 }: { readonly fits: boolean; readonly md5?: string | undefined },
): BundleError {
  const name = nameOf(certificate);
  switch (rsa.kind) {
    case 'pkcs1':
      return invalid('the signature is RSA PKCS #1 v1.5, and Glance takes RSA-PSS', {
        why: 'that is what openssl makes when it is not told otherwise; Glance and Nova refuse it',
        fix: SIGN_PSS,
      });
    case 'unknown':
      return invalid(`the signature was not made with the key of ${name}, or is damaged`, {
        why: 'the key of the certificate cannot open it, whatever the image is',
        fix: 'compare the certificate UUID with the certificate of the signer; copy the signature whole',
      });
    case 'pss': {
      const salt = rsa.salt.byteLength;
      if (rsa.hash !== hash && fits) {
        return invalid(`the signature was made with ${rsa.hash}, and the property says ${hash}`, {
          why: 'Glance and Nova go by the property, and refuse the image',
          fix: `set img_signature_hash_method to ${rsa.hash}`,
        });
      }
      const longest = maximalSalt(certificate.publicKey, rsa.hash);
      if (salt !== longest && fits) {
        return invalid(
          `the signature fits the image, but its salt has ${counted(salt, 'byte')}, and Glance demands ${longest}`,
          {
            why: 'Glance and Nova refuse every other length; OpenSSL 3.1 and later makes the salt as long as the digest unless told otherwise',
            fix: SIGN_PSS,
          },
        );
      }
      if (md5 !== undefined && isPssOver(rsa, encodeUtf8(md5))) {
        return invalid(
          'the signature is over the MD5 checksum of the image, as in Liberty, under the names of the newer kind',
          {
            why: 'img_signature is over the image itself; Glance and Nova refuse this',
            fix: { text: 'sign the image itself', advice: 'sign-image' },
          },
        );
      }
      return invalid(
        `the signature was made with the key of ${name}, but over other bytes than these`,
        CHANGED,
      );
    }
  }
}

const PSS_OPTIONS = '-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:max';
const SIGN_PSS: Advised = {
  text: `sign with bulla, or with openssl and ${PSS_OPTIONS}`,
  advice: 'sign-pss',
  of: PSS_OPTIONS,
};
const CHANGED = {
  why: 'the image was changed or damaged since it was signed, or converted: a signature is over the bytes that were uploaded',
  fix: 'do not use this image; fetch it again. After a conversion (qemu-img, a volume, a snapshot) drop img_signature* and signature_verified, and sign anew',
} as const;

function invalid(message: string, details: { readonly why: string; readonly fix: Told }): BundleError {
  return new BundleError('SIGNATURE_INVALID', message, details);
}
