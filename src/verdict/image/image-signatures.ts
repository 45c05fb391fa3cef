import type { Certificate } from '../../crypto/certificate.ts';
import { isMessageSigned, openImageVerifying } from '../../crypto/image-signature.ts';
import { HASH_METHODS } from '../../formats/glance/names.ts';
import { counted, encodeUtf8, parseHex } from '../../kit/encoding.ts';
import { allowed } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { explainSignature, previewSignature } from '../../trust/glance/diagnose.ts';
import type { ImagePlan } from '../../trust/glance/plan.ts';
import type { FoundSignature } from '../signers/found-signature.ts';

/** A signature of an image whose bytes are still to come. */
export interface ImageSignatureReading {
  readonly update: (chunk: Uint8Array) => void;
  /** whether it fits; `md5` is that of the bytes when it was computed, or is said to be, lower-case hex */
  readonly finish: (md5: string | undefined) => FoundSignature;
}

/** How a signature is read. */
export interface ReadingOptions {
  readonly intermediates: readonly Certificate[];
  /** count an RSA-PSS signature with another salt than Glance's [glance.22] */
  readonly anySalt: boolean;
  /** only Glance's own way, without looking for what may be wrong [glance.15] */
  readonly compat: boolean;
}

/** A signature over the bytes themselves. [glance.7] */
export function openImageSignature(
  plan: ImagePlan,
  certificate: Certificate,
  { intermediates, anySalt, compat }: ReadingOptions,
): ImageSignatureReading {
  const { signature, hash } = plan;
  const preview = compat ? { form: { hash }, proper: true } : previewSignature(certificate, plan);
  const verifying = openImageVerifying(certificate.publicKey, preview.form);
  return {
    update: verifying.update,
    finish: (md5) => {
      const fits = verifying.finish(signature);
      const odd = anySalt && !preview.form.raw && preview.form.hash === hash;
      const good = fits && (preview.proper || odd);
      const salt = `the salt of the signature has ${counted(preview.form.saltLength ?? 0, 'byte')}: Glance and Nova would refuse the image`;
      return {
        format: 'glance',
        algorithm: `${certificate.key.label} ${hash}`,
        digest: HASH_METHODS[hash],
        signer: certificate,
        intermediates,
        timestamps: [],
        ...(!good && { fault: explainSignature(certificate, plan, preview, { fits, md5 }) }),
        warnings: good && !preview.proper ? [allowed(salt, 'anySalt')] : [],
      };
    },
  };
}

/** A signature over the MD5 checksum, as Liberty and Mitaka had it. [glance.20] */
export function openLegacySignature(
  plan: ImagePlan,
  certificate: Certificate,
  saltLength: number | undefined,
): Pick<ImageSignatureReading, 'finish'> {
  const form = { hash: plan.hash, ...(saltLength !== undefined && { saltLength }) };
  const isOver = (message: Uint8Array): boolean =>
    isMessageSigned(certificate.publicKey, plan.signature, form, message);
  return {
    finish: (md5 = '') => ({
      format: 'glance-md5',
      algorithm: `${certificate.key.label} ${plan.hash} of MD5`,
      digest: HASH_METHODS[plan.hash],
      signer: certificate,
      intermediates: [],
      timestamps: [],
      ...(!isOver(encodeUtf8(md5)) && { fault: explainLegacy(md5, isOver) }),
      warnings: [
        allowed(
          'the legacy signature is over an MD5 checksum, and two images with one checksum can be made at will',
          'legacyMd5',
        ),
      ],
    }),
  };
}

/** [glance.13] The message is small: the ways to get it wrong can be tried. */
function explainLegacy(md5: string, isOver: (message: Uint8Array) => boolean): BundleError {
  const mistakes: readonly (readonly [message: Uint8Array, problem: string])[] = [
    [parseHex(md5) ?? new Uint8Array(), 'the 16 bytes of the MD5 checksum'],
    [encodeUtf8(md5.toUpperCase()), 'the MD5 checksum in upper case'],
    [encodeUtf8(`${md5}\n`), 'the MD5 checksum with a line end'],
  ];
  const mistake = mistakes.find(([message]) => isOver(message))?.[1];
  if (mistake !== undefined) {
    return new BundleError(
      'SIGNATURE_INVALID',
      `the legacy signature is over ${mistake}, and not over its 32 hex digits`,
      {
        why: 'Liberty and Mitaka refuse it',
        fix: { text: 'sign the image itself', advice: 'sign-image' },
      },
    );
  }
  return new BundleError(
    'SIGNATURE_INVALID',
    'the legacy signature does not fit the MD5 checksum of the image',
    {
      why: 'the image was changed since it was signed, or the signature is another key’s, or over the image itself',
      fix: 'do not use this image; fetch it again, or ask for one with img_signature properties',
    },
  );
}
