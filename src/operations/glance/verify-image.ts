import type { ImageProperties } from '../../formats/glance/properties.ts';
import { openDeadline, unlessAborted } from '../../kit/deadline.ts';
import { type BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { expectNoUse, flag, list, needed, type Rows, shape, text } from '../../kit/shape.ts';
import { sourceOptions } from '../../kit/source.ts';
import { type BundleInput, openSource } from '../../storage/sources/open-source.ts';
import { allowancesOf } from '../../trust/policy.ts';
import { joinSeen } from '../../trust/revocation/marks.ts';
import { isStateless } from '../../trust/trust.ts';
import { NO_REVOCATION } from '../../verdict/bundle/skipped-checks.ts';
import type { CertificateSource } from '../../verdict/image/certificate-source.ts';
import { fetchTrusted, type ImageTrust, judgeImageSigner } from '../../verdict/image/judge-image-signer.ts';
import {
  type ImageAllowances,
  type OpenedImage,
  openImage,
} from '../../verdict/image/open-image-signatures.ts';
import { judgeDigests, readImage, statedDigests } from '../../verdict/image/read-image.ts';
import { allowanceNames } from '../../verdict/report/allowance-names.ts';
import { type Check, makeReport } from '../../verdict/report/report.ts';
import { bundleInput, expectNoBundleOptions, JUDGING } from '../option-rules.ts';
import { loadPolicy, rememberSeen } from '../verify/load-policy.ts';
import { certificateSource } from './certificate-sources.ts';
import type { ImageFindings, ImageReport, VerifyImageOptions } from './image-options.ts';
import { verifyLikeGlance } from './verify-like-glance.ts';

/**
 * Verifies an image with the signature in its properties, in one pass and without storing anything.
 *
 * Whether the signature fits and whether its certificate is trusted are two findings in `result`; only both together are
 * `trusted`. A bad signature is a verdict, not an exception.
 *
 * @throws {BundleError} when the image, the trust settings or the certificates cannot be read: `FILE_*`, `REMOTE_*`, `USAGE`
 * @see spec/glance.md
 */
export async function verifyImage(input: BundleInput, options: VerifyImageOptions): Promise<ImageReport> {
  const given = verifyImageOptions(options, '');
  expectNoBundleOptions(given);
  expectNoUse(given.timestamp, 'timestamp', NO_TIMESTAMPS);
  expectNoUse(given.trust?.timestampAnchors, 'trust.timestampAnchors', NO_TIMESTAMPS);
  if (given.compat) expectCompatible(given);
  const from = bundleInput(input, 'input');
  using deadline = openDeadline(given);
  const { signal } = deadline;
  // [cli.15] whoever keeps the certificates has a limit of its own, which may be later
  const certificates: CertificateSource = {
    find: (uuid) => unlessAborted(given.certificates.find(uuid), signal),
  };
  const timed = { ...given, ...deadline, certificates };
  const report = await (given.compat ? verifyLikeGlance(from, timed) : verifyStrictly(from, timed));
  if (report.errors.length === 0) deadline.expectInTime(); // [cli.21]
  return report;
}

const NO_TIMESTAMPS = 'on an image: its properties hold no timestamp';

const signatureTexts = {
  signature: text,
  hashMethod: text,
  keyType: text,
  certificateUuid: text,
} satisfies Rows<ImageProperties['image']>;

const verifyImageOptions = shape<VerifyImageOptions>({
  ...JUDGING,
  properties: needed(
    shape<ImageProperties>({
      image: needed(shape<ImageProperties['image']>(signatureTexts)),
      legacy: needed(
        shape<ImageProperties['legacy']>({ ...signatureTexts, maskGenAlgorithm: text, pssSaltLength: text }),
      ),
      checksum: text,
      hashAlgorithm: text,
      hashValue: text,
      signatureVerified: text,
    }),
  ),
  propertiesFile: text,
  certificates: needed(certificateSource),
  trustedIds: list(text),
  compat: flag,
  allowImage: shape<Partial<ImageAllowances>>({ legacyMd5: flag, anySalt: flag }),
});

/** [glance.15] What Glance and Nova do not look at must not seem to count; folders of publishers are always there. */
function expectCompatible({ trust, revocation, allow, allowImage }: VerifyImageOptions): void {
  const beside = 'in compatible mode';
  expectNoUse(trust?.anchors, 'trust.anchors', beside);
  expectNoUse(trust?.pins, 'trust.pins', beside);
  expectNoUse(trust?.publishers, 'trust.publishers', beside);
  expectNoUse(trust?.untrusted, 'trust.untrusted', beside);
  expectNoUse(revocation?.mode, 'revocation.mode', beside);
  expectNoUse(revocation?.crls, 'revocation.crls', beside);
  expectNoUse(revocation?.ocsps, 'revocation.ocsps', beside);
  expectNoUse(allow?.sha1, 'allow.sha1', beside);
  expectNoUse(allow?.weakKeys, 'allow.weakKeys', beside);
  expectNoUse(allowImage?.anySalt, 'allowImage.anySalt', beside);
}

async function verifyStrictly(input: BundleInput, options: VerifyImageOptions): Promise<ImageReport> {
  const { at = new Date() } = options;
  const allowances = allowancesOf(options);
  const allow: ImageAllowances = { legacyMd5: false, anySalt: false, ...options.allowImage };
  const base = {
    operation: 'glance verify',
    at,
    judged: 'trusted',
    allowances: allowanceNames({ ...allowances, ...allow }),
  } as const;
  const policy = await loadPolicy(options, { at, allowances, inputs: [input] });
  const inputName = typeof input === 'string' ? input : '(stream)';
  let opened: OpenedImage;
  let stated: ReturnType<typeof statedDigests> | undefined;
  try {
    opened = await openImage(options.properties, options.certificates, allow);
    stated = statedDigests(options.properties);
  } catch (error) {
    const fault = toBundleError(error);
    if (fault.kind !== 'package' && fault.kind !== 'unsupported') throw fault;
    opened = { signatures: [], errors: [fault], warnings: [], checks: [] };
  }
  const { trustedIds = [] } = options;
  if (opened.errors.length > 0 || !stated) {
    const errors = opened.errors.map((error) => error.at(propertiesAt(options)));
    const { warnings } = opened;
    const checks = withSkipped(opened.checks, stated);
    const mismatch = errors.some(({ code }) => code === 'SIGNATURE_INVALID');
    const result: ImageFindings = {
      signature: mismatch ? 'invalid' : 'not-judged',
      certificate: 'not-judged',
    };
    return makeReport({
      ...base,
      input: { name: inputName },
      checks,
      errors,
      warnings,
      result,
    });
  }
  const ids = trustedIds.length > 0 ? await fetchTrusted(trustedIds, options.certificates) : undefined;
  const trust: ImageTrust = {
    policy,
    ...(ids !== undefined && { ids: ids.certificates }),
    own: !ids || namesTrust(options),
  };

  await using source = await openSource(input, sourceOptions(options));
  const legacy = opened.signatures.some(({ update }) => update === undefined);
  const algorithms = [...stated.map(({ algorithm }) => algorithm), ...(legacy ? ['md5'] : [])];
  const readings = opened.signatures.flatMap(({ update }) => (update ? [{ update }] : []));
  try {
    const read = await readImage(source, readings, algorithms, options.onProgress);
    const md5 = read.digests.get('md5') ?? options.properties.checksum?.toLowerCase();
    const found = opened.signatures.map((one) => ({ name: one.name, signature: one.finish(md5) }));
    const judged = found.map(({ name, signature }) => judgeImageSigner(signature, name, trust));
    const digests = judgeDigests(stated, read);
    const seen = joinSeen(judged.map((one) => one.seen));
    const errors = [...digests.errors, ...judged.flatMap((one) => one.errors)];
    const { remembered, warnings } = await rememberSeen(seen, errors, options);
    return makeReport({
      ...base,
      ...(remembered !== undefined && { remembered }),
      input: { name: source.name, size: read.size },
      checks: withSkipped(
        [...opened.checks, ...judged.flatMap(({ checks }) => checks), ...digests.checks],
        stated,
      ),
      signatures: judged.flatMap(({ signatures }) => signatures),
      errors: errors.map((error) => error.at({ file: source.name })),
      warnings: [
        ...opened.warnings,
        ...(ids?.warnings ?? []),
        ...judged.flatMap(({ warnings }) => warnings),
        ...warnings,
      ],
      result: {
        ...findingsOf(
          judged.flatMap((one) => one.errors),
          opened,
        ),
      },
    });
  } catch (error) {
    const fault = toBundleError(error).at({ file: source.name });
    const checks = withSkipped(opened.checks, stated);
    return makeReport({ ...base, input: { name: source.name }, checks, errors: [fault] });
  }
}

const IMAGE_CHECKS = [
  'signature',
  'certificate.path',
  'revocation',
  'policy',
  'image.properties',
  'image.certificate',
  'image.digests',
] as const;

/** The checks that ran, and those that did not, with the reason. */
function withSkipped(checks: readonly Check[], digests: readonly unknown[] | undefined): readonly Check[] {
  const ran = new Set(checks.map(({ id }) => id));
  const skipped = IMAGE_CHECKS.filter((id) => !ran.has(id)).map((id): Check => {
    return { id, status: 'skip', detail: reasonFor(id, ran, digests) };
  });
  return [...checks, ...skipped];
}

function reasonFor(
  id: Check['id'],
  ran: ReadonlySet<Check['id']>,
  digests: readonly unknown[] | undefined,
): string {
  if (id === 'image.digests' && digests?.length === 0) return 'the properties state no digest';
  if (id === 'revocation' && ran.has('certificate.path')) return NO_REVOCATION;
  return 'not reached: the image is refused already';
}

/** [glance.16] What is wrong with the signature itself, and what with whose it is. */
function findingsOf(errors: readonly BundleError[], { signatures: [first] }: OpenedImage): ImageFindings {
  const invalid = errors.some(({ kind }) => kind === 'signature');
  const untrusted = errors.some(({ kind }) => kind !== 'signature');
  return {
    signature: invalid ? 'invalid' : 'valid',
    certificate: untrusted ? 'untrusted' : 'trusted',
    ...(first !== undefined && { certificateUuid: first.certificateUuid, certificateSource: first.source }),
  };
}

/** Whether the caller names whom to trust besides UUIDs: folders of publishers are always there. */
function namesTrust({ trust = {} }: VerifyImageOptions): boolean {
  return isStateless(trust) || (trust.publishers?.length ?? 0) > 0;
}

function propertiesAt({ propertiesFile }: VerifyImageOptions): { readonly file?: string } {
  return propertiesFile === undefined ? {} : { file: propertiesFile };
}
