import { LEGACY_NAMES, PROPERTY_NAMES } from '../../formats/glance/properties.ts';
import { type BundleError, isBundleError } from '../../kit/errors/errors.ts';
import { sourceOptions } from '../../kit/source.ts';
import { type BundleInput, openSource } from '../../storage/sources/open-source.ts';
import {
  type CursiveFault,
  cursiveError,
  INVALID_SIGNATURE,
  judgeKeyLikeCursive,
  LEGACY_INVALID,
  planLikeCursive,
  planLikeMitaka,
  refusal,
} from '../../trust/glance/cursive.ts';
import { judgeChainLikeCursive } from '../../trust/glance/cursive-chain.ts';
import { planStrictly } from '../../trust/glance/plan.ts';
import { openImageSignature, openLegacySignature } from '../../verdict/image/image-signatures.ts';
import { fetchTrusted } from '../../verdict/image/judge-image-signer.ts';
import { readImage } from '../../verdict/image/read-image.ts';
import { allowanceNames } from '../../verdict/report/allowance-names.ts';
import { makeReport } from '../../verdict/report/report.ts';
import type { FoundSignature } from '../../verdict/signers/found-signature.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import type { ImageReport, ImageResult, VerifyImageOptions } from './image-options.ts';

/** A signature as Glance sees it, before the bytes. */
interface Opened {
  readonly name: string;
  readonly update?: (chunk: Uint8Array) => void;
  readonly finish: (md5: string | undefined) => FoundSignature;
  readonly certificateUuid: string;
  readonly source: string;
  readonly invalid: CursiveFault;
}

/**
 * Says what Glance and Nova would say of an image: the first of their faults, in their words, defects included.
 *
 * Accepted is not trusted: the exit code is 0 and the verdict `untrusted`. What bulla itself would refuse in the
 * properties is told as warnings.
 *
 * @throws {BundleError} when the image or the certificates cannot be read [glance.15]
 */
export async function verifyLikeGlance(
  input: BundleInput,
  options: VerifyImageOptions,
): Promise<ImageReport> {
  const { at = new Date() } = options;
  const { image, legacy } = options.properties;
  const legacyMd5 = options.allowImage?.legacyMd5 ?? false;
  const base = {
    operation: 'glance verify',
    at,
    judged: 'untrusted',
    allowances: allowanceNames({ compat: true, legacyMd5 }),
  } as const;
  const strict = Object.keys(image).length > 0 ? planStrictly(image, PROPERTY_NAMES).faults : [];
  const warnings = strict.map(({ message }) => `bulla itself refuses: ${message}`);
  const name = typeof input === 'string' ? input : '(stream)';
  const refused = (fault: CursiveFault, own?: BundleError, size?: number): ImageReport => {
    const { error, message } = fault;
    const isSignature =
      fault === INVALID_SIGNATURE || fault === LEGACY_INVALID || fault.code === 'SIGNATURE_INVALID';
    const isTrust = fault.about === 'trust';
    const result: ImageResult = {
      signature: isSignature ? 'invalid' : 'not-judged',
      certificate: isTrust ? 'untrusted' : 'not-judged',
      cursive: { verdict: 'reject', error, message },
    };
    const errors = [own ?? cursiveError(fault)];
    return makeReport({
      ...base,
      input: { name, ...(size !== undefined && { size }) },
      errors,
      warnings,
      result,
    });
  };

  const opened: Opened[] = [];
  const hasLegacy = Object.keys(LEGACY_NAMES)
    .slice(0, 4)
    .every((key) => Object.hasOwn(legacy, key));
  const kinds = [
    ...(legacyMd5 && hasLegacy ? ['legacy'] : []),
    ...(Object.keys(image).length > 0 || !(legacyMd5 && hasLegacy) ? ['image'] : []),
  ];
  for (const kind of kinds) {
    const one = kind === 'image' ? await openLikeCursive(options) : await openLikeMitaka(options);
    if ('fault' in one) return refused(one.fault, one.error);
    opened.push(one);
  }
  const chain = await judgeChain(opened, options, at);
  warnings.push(...chain.warnings);
  if (chain.fault) return refused(chain.fault);

  await using source = await openSource(input, sourceOptions(options));
  const readings = opened.flatMap(({ update }) => (update ? [{ update }] : []));
  const md5 = opened.some(({ update }) => update === undefined) ? ['md5'] : [];
  const read = await readImage(source, readings, md5, options.onProgress);
  const found = opened.map((one) => ({ ...one, found: one.finish(read.digests.get('md5')) }));
  const bad = found.find((one) => one.found.fault);
  if (bad) return refused(bad.invalid, undefined, read.size);
  const [first] = found;
  const result: ImageResult = {
    signature: 'valid',
    certificate: chain.judged ? 'trusted' : 'not-judged',
    cursive: { verdict: 'accept' },
    ...(first !== undefined && { certificateUuid: first.certificateUuid, certificateSource: first.source }),
  };
  return makeReport({
    ...base,
    input: { name: source.name, size: read.size },
    checks: [{ id: 'signature', status: 'pass', detail: found.map((one) => one.found.algorithm).join(', ') }],
    signatures: found.map((one) => ({
      format: one.found.format,
      file: one.name,
      algorithm: one.found.algorithm,
      status: 'untrusted',
      ...(one.found.signer !== undefined && { signer: certificateReport(one.found.signer) }),
      path: [],
      timestamps: [],
    })),
    errors: [],
    warnings,
    result,
  });
}

type Refused = { readonly fault: CursiveFault; readonly error?: BundleError };

async function openLikeCursive({ properties, certificates }: VerifyImageOptions): Promise<Opened | Refused> {
  const plan = planLikeCursive(properties.image);
  if ('error' in plan) return { fault: plan };
  const found = await fetched(plan.certificateUuid, certificates);
  if ('fault' in found) return found;
  const fault = judgeKeyLikeCursive(found.certificate, plan);
  if (fault) return { fault };
  const reading = { intermediates: [], anySalt: false, compat: true };
  return {
    name: PROPERTY_NAMES.signature,
    ...openImageSignature(plan, found.certificate, reading),
    certificateUuid: plan.certificateUuid,
    source: found.source,
    invalid: INVALID_SIGNATURE,
  };
}

async function openLikeMitaka({ properties, certificates }: VerifyImageOptions): Promise<Opened | Refused> {
  const plan = planLikeMitaka(properties.legacy);
  if ('error' in plan) return { fault: plan };
  const found = await fetched(plan.certificateUuid, certificates);
  if ('fault' in found) return found;
  const fault = judgeKeyLikeCursive(found.certificate, plan);
  if (fault) return { fault };
  return {
    name: LEGACY_NAMES.signature,
    ...openLegacySignature(plan, found.certificate, plan.saltLength),
    certificateUuid: plan.certificateUuid,
    source: found.source,
    invalid: LEGACY_INVALID,
  };
}

/** A key manager that cannot be asked is, to cursive, one more refusal; it stays an error of the network here. */
async function fetched(
  uuid: string,
  certificates: VerifyImageOptions['certificates'],
): Promise<
  { readonly certificate: NonNullable<FoundSignature['signer']>; readonly source: string } | Refused
> {
  try {
    const answer = await certificates.find(uuid);
    if (answer.cursive) return { fault: answer.cursive };
    if (answer.kind === 'found') return answer;
    return { fault: refusal('SIGNER_UNKNOWN', `Certificate not found with ID: ${uuid}`) };
  } catch (error) {
    if (!isBundleError(error) || (error.kind !== 'network' && error.kind !== 'unauthorised')) throw error;
    return { fault: refusal('REMOTE_FAILED', `Unable to retrieve certificate with ID: ${uuid}`), error };
  }
}

/** [glance.17] Nova asks about the certificates before it reads the image. */
async function judgeChain(
  opened: readonly Opened[],
  { trustedIds = [], certificates }: VerifyImageOptions,
  at: Date,
): Promise<{
  readonly judged: boolean;
  readonly fault?: CursiveFault;
  readonly warnings: readonly string[];
}> {
  if (trustedIds.length === 0) return { judged: false, warnings: [] };
  const trusted = await fetchTrusted(trustedIds, certificates);
  const { warnings } = trusted;
  for (const { certificateUuid } of opened) {
    const base = await fetched(certificateUuid, certificates);
    if ('fault' in base) return { judged: true, fault: base.fault, warnings };
    const fault = judgeChainLikeCursive(base.certificate, trusted.certificates, at);
    if (fault) return { judged: true, fault: { ...fault, about: 'trust' }, warnings };
  }
  return { judged: true, warnings };
}
