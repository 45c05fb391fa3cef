import type { Certificate } from '../../crypto/certificate.ts';
import { hasCurve } from '../../crypto/image-signature.ts';
import {
  HASH_METHOD_NAMES,
  type HashMethod,
  isHashMethod,
  isKeyTypeName,
  isUuid,
  KEY_TYPE_NAMES,
  KEY_TYPES,
  type KeyTypeName,
  meantName,
} from '../../formats/glance/names.ts';
import type { LegacyProperties, SignatureProperties } from '../../formats/glance/properties.ts';
import { readSignatureText } from '../../formats/glance/signature-text.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { nameOf, shown } from '../path/findings.ts';

/** What is to be verified: the signature, how it was made, and under which name its certificate is kept. */
export interface ImagePlan {
  readonly signature: Uint8Array;
  readonly hash: HashMethod;
  readonly keyType: KeyTypeName;
  readonly certificateUuid: string;
}

/** A plan, or all that keeps from one. */
export type Planned =
  | { readonly plan: ImagePlan; readonly faults: readonly [] }
  | { readonly plan?: undefined; readonly faults: readonly BundleError[] };

type Names = Readonly<Record<keyof SignatureProperties, string>>;
const KEYS = ['signature', 'hashMethod', 'keyType', 'certificateUuid'] as const;

/**
 * Reads the four properties as bulla does: all of them, each in its one spelling. `names` are those of the properties.
 *
 * Faults: `SIGNATURE_MISSING` when none is there, `PROPERTIES_MALFORMED`, `ALGORITHM_UNSUPPORTED`. [glance.2] [glance.3] [glance.4] [glance.5] [glance.9]
 */
export function planStrictly(properties: Partial<SignatureProperties>, names: Names): Planned {
  const missing = KEYS.filter((key) => properties[key] === undefined);
  if (missing.length === KEYS.length) return { faults: [unsigned()] };
  const faults = missing.length > 0 ? [partial(missing.map((key) => names[key]))] : [];
  const { signature: text, hashMethod: hash, keyType, certificateUuid } = properties;
  const read = text === undefined ? undefined : readSignatureText(text);
  if (read && 'problem' in read) {
    const fix = read.fix === undefined ? {} : { fix: read.fix };
    faults.push(new BundleError('PROPERTIES_MALFORMED', `${names.signature} ${read.problem}`, fix));
  }
  if (hash !== undefined && !isHashMethod(hash))
    faults.push(unknown(names.hashMethod, hash, HASH_METHOD_NAMES));
  if (keyType !== undefined && !isKeyTypeName(keyType)) {
    faults.push(unknown(names.keyType, keyType, KEY_TYPE_NAMES));
  }
  if (certificateUuid !== undefined && !isUuid(certificateUuid)) {
    faults.push(
      new BundleError(
        'PROPERTIES_MALFORMED',
        `${names.certificateUuid} is "${shown(certificateUuid)}", which is no UUID`,
        {
          why: 'the certificate is kept under a UUID; nothing else is looked up, on the disk or over the network',
        },
      ),
    );
  }
  if (faults.length > 0 || !read || 'problem' in read) return { faults };
  const plan = {
    signature: read,
    hash: hash as HashMethod,
    keyType: keyType as KeyTypeName,
    certificateUuid: (certificateUuid ?? '').toLowerCase(),
  };
  return { plan, faults: [] };
}

function unsigned(): BundleError {
  return new BundleError('SIGNATURE_MISSING', 'the image has none of the four properties that sign it', {
    why: 'Glance stores such an image unverified, and anyone can have made it',
    fix: {
      text: 'ask whoever made the image for its signature, or sign it yourself',
      advice: 'sign-unsigned-image',
    },
  });
}

function partial(missing: readonly string[]): BundleError {
  const are = missing.length === 1 ? 'is' : 'are';
  return new BundleError('PROPERTIES_MALFORMED', `${missing.join(', ')} ${are} missing`, {
    why: 'with fewer than all four properties Glance stores the image unverified, without a word; Nova refuses it',
  });
}

function unknown(property: string, value: string, known: readonly string[]): BundleError {
  const meant = meantName(value);
  return new BundleError(
    'ALGORITHM_UNSUPPORTED',
    `${property} is "${shown(value)}", which is no name that Glance knows`,
    {
      why: 'Glance and Nova refuse every other spelling, also those of older documentation',
      fix: meant !== undefined && known.includes(meant) ? `write ${meant}` : `use one of ${known.join(', ')}`,
    },
  );
}

/** Whether the certificate's key is of the type that the property names, its curve included. [glance.11] */
export function judgeKeyType(certificate: Certificate, keyType: KeyTypeName): BundleError | undefined {
  const { kind, curve } = KEY_TYPES[keyType];
  const { key } = certificate;
  const type = key.type === 'rsa-pss' ? 'rsa' : key.type;
  if (type === kind && (curve === undefined || curve === key.curve)) return undefined;
  return new BundleError(
    'SIGNATURE_INVALID',
    `${nameOf(certificate)} has a key of the kind ${key.label}, and the key type is ${keyType}`,
    {
      why:
        type === kind
          ? 'the name of the curve is a promise; Glance does not hold the signer to it, bulla does'
          : 'a key of another kind cannot have made the signature',
      fix: 'set the key type to that of the certificate, or the certificate UUID to that of the signer',
    },
  );
}

/** [glance.12] Some distributions and FIPS builds leave curves out of OpenSSL; that is no fault of the image. */
export function curveFaults(keyType: KeyTypeName, isKnown = hasCurve): readonly BundleError[] {
  const { curve } = KEY_TYPES[keyType];
  if (curve === undefined || isKnown(curve)) return [];
  return [
    new BundleError('ALGORITHM_UNSUPPORTED', `this Node has no elliptic curve ${curve}`, {
      why: 'its OpenSSL was built without the curve, so the signature can be neither made nor verified here',
      fix: 'use a Node that brings its own OpenSSL, as those of the Node.js project do',
    }),
  ];
}

const MGF = 'MGF1';

/** How a legacy RSA-PSS signature was made, or what is wrong with the two optional properties. [glance.21] */
export function planLegacySalt({
  maskGenAlgorithm,
  pssSaltLength,
}: Partial<LegacyProperties>): { readonly saltLength?: number } | BundleError {
  if (maskGenAlgorithm !== undefined && maskGenAlgorithm !== MGF) {
    return new BundleError(
      'ALGORITHM_UNSUPPORTED',
      `mask_gen_algorithm is "${shown(maskGenAlgorithm)}"; only ${MGF} is known`,
    );
  }
  if (pssSaltLength === undefined) return {};
  if (/^\s*\+?\d{1,5}\s*$/.test(pssSaltLength)) return { saltLength: Number(pssSaltLength) };
  return new BundleError(
    'PROPERTIES_MALFORMED',
    `pss_salt_length is "${shown(pssSaltLength)}", which is no count of bytes`,
  );
}
