import { type ImageProperties, LEGACY_NAMES, PROPERTY_NAMES } from '../../formats/glance/properties.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import {
  curveFaults,
  type ImagePlan,
  judgeKeyType,
  planLegacySalt,
  planStrictly,
} from '../../trust/glance/plan.ts';
import type { Check } from '../report/report.ts';
import type { CertificateAnswer, CertificateSource } from './certificate-source.ts';
import { type ImageSignatureReading, openImageSignature, openLegacySignature } from './image-signatures.ts';

/** A signature that can be verified as soon as the bytes have been read. */
interface OpenedSignature extends Pick<ImageSignatureReading, 'finish'> {
  /** the property that holds it */
  readonly name: string;
  readonly update?: ImageSignatureReading['update'];
  readonly certificateUuid: string;
  /** where the certificate was found */
  readonly source: string;
}

/** What the properties come to before a byte of the image is read; with errors there is nothing to read it for. */
export interface OpenedImage {
  readonly signatures: readonly OpenedSignature[];
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Told[];
  readonly checks: readonly Check[];
}

/** Checks that are weakened for images. */
export interface ImageAllowances {
  /** count a signature over the MD5 checksum, as in Liberty and Mitaka [glance.20] */
  readonly legacyMd5: boolean;
  /** count an RSA-PSS signature with another salt than Glance's [glance.22] */
  readonly anySalt: boolean;
}

/** Reads the properties strictly and fetches the certificates they name. @throws {BundleError} when they could not be asked for */
export async function openImage(
  properties: ImageProperties,
  certificates: CertificateSource,
  allow: ImageAllowances,
): Promise<OpenedImage> {
  const { plans, errors: faults, warnings } = planAll(properties, allow);
  if (faults.length > 0) {
    const detail = faults.map(({ message }) => message).join('; ');
    return {
      signatures: [],
      errors: faults,
      warnings,
      checks: [{ id: 'image.properties', status: 'fail', detail }],
    };
  }
  const names = plans.map(({ name }) => name).join(' and ');
  const checks: Check[] = [
    { id: 'image.properties', status: 'pass', detail: `${names}: all four properties, and understood` },
  ];
  const signatures: OpenedSignature[] = [];
  const errors: BundleError[] = [];
  for (const planned of plans) {
    const { name, plan } = planned;
    const answer = await certificates.find(plan.certificateUuid);
    if (answer.kind === 'absent') {
      errors.push(answer.error);
      checks.push({ id: 'image.certificate', status: 'fail', detail: answer.error.message });
      continue;
    }
    warnings.push(...answer.warnings);
    const mismatch = judgeKeyType(answer.certificate, plan.keyType);
    if (mismatch) {
      errors.push(mismatch.at({ member: name }));
      checks.push({ id: 'signature', status: 'fail', detail: mismatch.message });
      continue;
    }
    checks.push({ id: 'image.certificate', status: 'pass', detail: answer.source });
    signatures.push(opened(planned, answer, allow));
  }
  return { signatures: errors.length > 0 ? [] : signatures, errors, warnings, checks };
}

interface NamedPlan {
  readonly name: string;
  readonly plan: ImagePlan;
  /** of a legacy signature */
  readonly salt?: { readonly saltLength?: number };
}

/** [glance.25] Both kinds where both are there: all that count must be good. */
function planAll(
  properties: ImageProperties,
  { legacyMd5 }: ImageAllowances,
): {
  readonly plans: readonly NamedPlan[];
  readonly errors: readonly BundleError[];
  readonly warnings: Told[];
} {
  const { image, legacy } = properties;
  const warnings: Told[] = [];
  const plans: NamedPlan[] = [];
  const errors: BundleError[] = [];
  const hasLegacy = (['signature', 'hashMethod', 'keyType', 'certificateUuid'] as const).some(
    (key) => legacy[key] !== undefined,
  );
  const hasImage = Object.keys(image).length > 0;
  if (properties.signatureVerified !== undefined) {
    warnings.push(
      'the property signature_verified is there: Cinder writes it on volumes, so the image may have been converted; it proves nothing, and must not be on an image', // [glance.14]
    );
  }
  if (hasImage || !hasLegacy) {
    const { plan, faults } = planStrictly(image, PROPERTY_NAMES);
    if (plan) plans.push({ name: PROPERTY_NAMES.signature, plan });
    errors.push(...faults, ...(plan ? curveFaults(plan.keyType) : []));
  }
  if (hasLegacy && legacyMd5) {
    const { plan, faults } = planStrictly(legacy, LEGACY_NAMES);
    const salt = plan?.keyType === 'RSA-PSS' ? planLegacySalt(legacy) : {};
    errors.push(
      ...faults,
      ...(salt instanceof BundleError ? [salt] : []),
      ...(plan ? curveFaults(plan.keyType) : []),
    );
    if (plan && !(salt instanceof BundleError)) plans.push({ name: LEGACY_NAMES.signature, plan, salt });
  } else if (hasLegacy && !hasImage) errors.push(onlyLegacy());
  else if (hasLegacy) warnings.push('the legacy signature over the MD5 checksum is not looked at');
  return { plans, errors, warnings };
}

function onlyLegacy(): BundleError {
  return new BundleError('DIGEST_WEAK', 'the image is signed over its MD5 checksum only, as in Liberty', {
    why: 'two images with one MD5 checksum can be made at will, so such a signature ties the signer to neither',
    fix: { text: 'ask for the image signed anew, with img_signature properties', advice: 'sign-image' },
  });
}

function opened(
  { name, plan, salt }: NamedPlan,
  { certificate, others, source }: Extract<CertificateAnswer, { kind: 'found' }>,
  { anySalt }: ImageAllowances,
): OpenedSignature {
  const common = { name, certificateUuid: plan.certificateUuid, source };
  if (salt) return { ...common, ...openLegacySignature(plan, certificate, salt.saltLength) };
  return {
    ...common,
    ...openImageSignature(plan, certificate, { intermediates: others, anySalt, compat: false }),
  };
}
