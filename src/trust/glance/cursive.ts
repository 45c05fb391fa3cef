import type { Certificate } from '../../crypto/certificate.ts';
import { decodeLenientBase64 } from '../../formats/glance/base64.ts';
import {
  isHashMethod,
  isKeyTypeName,
  isUuid,
  KEY_TYPES,
  type KeyTypeName,
} from '../../formats/glance/names.ts';
import type { LegacyProperties, SignatureProperties } from '../../formats/glance/properties.ts';
import { BundleError, type ErrorCode } from '../../kit/errors/errors.ts';
import type { ImagePlan } from './plan.ts';

/** Why cursive refuses, by the class of its exception and its words; `code` is ours for it. */
export interface CursiveFault {
  readonly error: string;
  readonly message: string;
  readonly code: ErrorCode;
  /** whether the chain of certificates is at fault, and not the image, its properties or its signature */
  readonly about?: 'trust';
  /** the words without the beginning that only faults about an image have */
  readonly reason?: string;
}

const REFUSAL = 'cursive.exception.SignatureVerificationError';

/** A refusal in cursive's own words; about an image they have a beginning that others lack. [glance.15] */
export function refusal(code: ErrorCode, reason: string): CursiveFault {
  return { error: REFUSAL, message: `Signature verification for the image failed: ${reason}.`, code, reason };
}

/** A refusal by the check of certificates, which says no more than its reason. */
export function bareRefusal(code: ErrorCode, message: string): CursiveFault {
  return { error: REFUSAL, message, code };
}

/** What `verify()` raises when the signature does not fit. */
export const INVALID_SIGNATURE: CursiveFault = {
  error: 'cryptography.exceptions.InvalidSignature',
  message: '',
  code: 'SIGNATURE_INVALID',
};

/** The properties in cursive's order, with the names that it prints. */
const IN_ORDER = [
  ['certificateUuid', 'img_signature_uuid'],
  ['hashMethod', 'img_signature_hash_method'],
  ['signature', 'img_signature'],
  ['keyType', 'img_signature_key_type'],
] as const;

/** Reads the four properties as cursive's `get_verifier` does, up to where it asks for the certificate. [glance.15] */
export function planLikeCursive(properties: Partial<SignatureProperties>): ImagePlan | CursiveFault {
  const missing = IN_ORDER.find(([key]) => properties[key] === undefined);
  if (missing) {
    const all = IN_ORDER.every(([key]) => properties[key] === undefined);
    return refusal(
      all ? 'SIGNATURE_MISSING' : 'PROPERTIES_MALFORMED',
      `Required image properties for signature verification do not exist. Cannot verify signature. Missing property: ${missing[1]}`,
    );
  }
  const { signature: text = '', hashMethod: hash = '', keyType = '', certificateUuid = '' } = properties;
  const decoded = decodeLenientBase64(text);
  if (decoded.kind === 'fault') {
    return decoded.fault === 'not-ascii'
      ? {
          error: 'builtins.ValueError',
          message: 'string argument should contain only ASCII characters',
          code: 'PROPERTIES_MALFORMED',
        }
      : refusal('PROPERTIES_MALFORMED', 'The signature data was not properly encoded using base64');
  }
  if (!isHashMethod(hash)) return refusal('ALGORITHM_UNSUPPORTED', `Invalid signature hash method: ${hash}`);
  if (!isKeyTypeName(keyType))
    return refusal('ALGORITHM_UNSUPPORTED', `Invalid signature key type: ${keyType}`);
  const uuid = certificateUuid.split('/').at(-1) ?? ''; // the last piece of an address is all that is looked at
  if (!isUuid(uuid)) {
    return {
      error: 'builtins.ValueError',
      message: 'Secret incorrectly specified.',
      code: 'PROPERTIES_MALFORMED',
    };
  }
  return { signature: decoded.bytes, hash, keyType, certificateUuid: uuid };
}

/** The checks between certificate and bytes: the kind of key, not its curve, and that there is a signature at all. */
export function judgeKeyLikeCursive(certificate: Certificate, plan: ImagePlan): CursiveFault | undefined {
  const { type } = certificate.key;
  if ((type === 'rsa-pss' ? 'rsa' : type) !== KEY_TYPES[plan.keyType].kind) {
    return refusal('SIGNATURE_INVALID', invalidKeyType(plan.keyType));
  }
  return plan.signature.byteLength === 0
    ? refusal('SIGNATURE_INVALID', 'Error occurred while creating the verifier')
    : undefined;
}

function invalidKeyType(keyType: KeyTypeName): string {
  return `Invalid public key type for signature key type: ${keyType}`;
}

/** The error in our form. [glance.15] */
export function cursiveError({ code, error, message }: CursiveFault): BundleError {
  const text = message || (error.split('.').at(-1) ?? error);
  return new BundleError(code, `Glance and Nova would refuse the image: ${text}`, {
    why: 'compatible mode says what their library (cursive) says, and nothing else',
    fix: {
      text: 'verify without the compatible mode to be told more about the cause',
      advice: 'verify-strictly',
    },
  });
}

/** Mitaka's refusals of a legacy signature: no beginning, and a full stop only behind the last of them. [glance.15] */
export function planLikeMitaka(
  legacy: Partial<LegacyProperties>,
): (ImagePlan & { readonly saltLength?: number }) | CursiveFault {
  const plan = planLikeCursive(legacy);
  if ('error' in plan) {
    return {
      ...plan,
      message: plan.reason ?? plan.message,
    };
  }
  if (KEY_TYPES[plan.keyType].kind !== 'rsa') return plan;
  const { maskGenAlgorithm = 'MGF1', pssSaltLength } = legacy;
  if (maskGenAlgorithm !== 'MGF1') {
    return bareRefusal('ALGORITHM_UNSUPPORTED', `Invalid mask_gen_algorithm: ${maskGenAlgorithm}`);
  }
  if (pssSaltLength === undefined) return plan;
  if (!/^\s*[+-]?\d+(_\d+)*\s*$/.test(pssSaltLength)) {
    return bareRefusal('PROPERTIES_MALFORMED', `Invalid pss_salt_length: ${pssSaltLength}`);
  }
  const saltLength = Number(pssSaltLength.replaceAll('_', ''));
  if (saltLength >= 0) return { ...plan, saltLength };
  const message = 'salt_length must be zero or greater.';
  return { error: 'builtins.ValueError', message, code: 'PROPERTIES_MALFORMED' };
}

/** What Mitaka says when a legacy signature does not fit. */
export const LEGACY_INVALID = bareRefusal('SIGNATURE_INVALID', 'Signature verification failed.');
