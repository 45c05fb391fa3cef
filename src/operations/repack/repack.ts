import { expectUse } from '../../crypto/signer.ts';
import { type Deadline, openDeadline } from '../../kit/deadline.ts';
import { DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { sourceOptions } from '../../kit/source.ts';
import { discardedAtEnd } from '../../kit/streams/byte-sink.ts';
import { apartFrom } from '../../storage/apart.ts';
import { isStream, openOutput } from '../../storage/output/open-output.ts';
import { needsPatching, writeArchive } from '../../storage/output/write-archive.ts';
import { openBundle } from '../../storage/sources/open-bundle.ts';
import type { BundleInput } from '../../storage/sources/open-source.ts';
import { readSmallFile } from '../../storage/trust/small-files.ts';
import { allowancesOf } from '../../trust/policy.ts';
import { allowanceNames } from '../../verdict/report/allowance-names.ts';
import { inputReport } from '../../verdict/report/input-report.ts';
import { type CertificateReport, makeReport, type SignatureReport } from '../../verdict/report/report.ts';
import { sweptWarnings } from '../../verdict/report/run-notes.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import { manifestDigests } from '../../verdict/walk/look-ahead.ts';
import { walkBundle } from '../../verdict/walk/walk.ts';
import { openInner } from '../inner.ts';
import { bundleInput, expectReplaceable, outputName } from '../option-rules.ts';
import { readingsOf } from '../readings.ts';
import { loadPolicy, rememberSeen } from '../verify/load-policy.ts';
import { type RepackOptions, type RepackReport, repackOptions, signatureDigest } from './options.ts';
import { Renewal } from './renewal.ts';
import { Repacking } from './repacking.ts';

/**
 * Packs and signs a bundle anew in one pass, with other values in its descriptor, another descriptor or other digests: every file goes
 * by once, byte for byte, and the digests of the new manifest are taken of what was held against the old one.
 *
 * A bundle that is refused is a report with the reasons, and nothing is written.
 *
 * @throws {BundleError} `USAGE`, and when the input cannot be opened or read, or the output not written
 * @see spec/bundle.md, clauses repack.1 to repack.7
 */
export async function repack(input: BundleInput, options: RepackOptions): Promise<RepackReport> {
  const from = bundleInput(input, 'input');
  const given = repackOptions(options);
  expectReplaceable(given);
  await using _ = discardedAtEnd(given.output);
  using deadline = openDeadline(given);
  return await repackGiven(from, { ...given, ...deadline });
}

type Given = RepackOptions & Pick<Deadline, 'expectInTime'>;

async function repackGiven(input: BundleInput, options: Given): Promise<RepackReport> {
  const { identity, format, overwrite = false, mtime = 0, signal } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  expectUse(identity.signer, { digest: signatureDigest(options), use: 'bundle' });
  const target = apartFrom(options.output, [
    ...readingsOf(input, options),
    ...(typeof options.descriptor === 'string' ? [options.descriptor] : []),
    ...identity.files,
    ...(options.authority?.files ?? []),
  ]);
  const allowances = allowancesOf(options);
  const policy = await loadPolicy(options, {
    at: options.at ?? new Date(),
    allowances,
    inputs: [input],
  });
  const replacement = await readReplacement(options, limits);
  await using opened = await openBundle(input, sourceOptions(options));
  const source = options.inner ? openInner(opened, options) : opened;
  const hint = await manifestDigests(source, limits, {
    ...(options.relax !== undefined && { relax: options.relax }),
  });
  await using output = await openOutput(target, { overwrite, patched: needsPatching(format), signal });
  const renewal = new Renewal(options, replacement, { ...policy, limits });
  const repacking = new Repacking({
    ...renewal.plan(),
    identity,
    isStream: isStream(options.output) && !needsPatching(format),
    canLeaveRoom: format === 'tar' && options.authority === undefined,
    hint,
    limits,
  });
  const walked = await walkBundle(
    source,
    {
      limits,
      phase: 'write',
      ...(options.relax !== undefined && { relax: options.relax }),
      ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
    },
    (walk) => writeArchive(format, repacking.files(walk), output, { mtime, limits }),
  );
  const original = renewal.originalOf(walked.members, walked.fault);
  const errors = renewal.refusal ?? original.errors;
  if (errors.length === 0) {
    await repacking.complete(output);
    options.expectInTime(); // [cli.15]
    await output.finish();
  }
  const { warnings: ofMemory, remembered } = await rememberSeen(
    original.judgedByTrust ? original.signature?.seen : undefined,
    errors,
    options,
  );
  return makeReport({
    operation: 'repack',
    input: inputReport(source, walked.format),
    at: policy.at,
    ...(original.judgedByTrust && {
      judged: original.signature?.signed ? ('trusted' as const) : ('unsigned' as const),
    }),
    checks: original.checks,
    signatures: original.signatures,
    files: errors.length === 0 ? renewal.files : original.contents.files,
    errors,
    warnings: [
      ...walked.warnings,
      ...original.warnings,
      ...renewal.warnings,
      ...(errors.length === 0 ? repacking.lost : []).map(
        (name) => `"${name}" is not in the new bundle: it speaks of the old signature alone`,
      ),
      ...identity.warnings,
      ...ofMemory,
      ...sweptWarnings(output.swept),
    ],
    ...(remembered !== undefined && { remembered }),
    allowances: allowanceNames(
      { ...allowances, sha1ForOldImporters: options.sha1ForOldImporters ?? false },
      options.relax,
    ),
    ...(errors.length === 0 && {
      result: {
        ...outputName(options.output),
        format,
        descriptor: renewal.descriptor,
        changes: renewal.changes,
        digests: renewal.digests,
        replacedSigners: signersOf(original.signatures),
        signer: certificateReport(identity.leaf),
        timestamped: options.authority !== undefined,
      },
    }),
  });
}

/** Each once, whatever number of signatures it made. */
function signersOf(signatures: readonly SignatureReport[]): readonly CertificateReport[] {
  const signers = signatures.flatMap(({ signer }) => signer ?? []);
  return [...new Map(signers.map((signer) => [signer.fingerprint, signer])).values()];
}

/** @throws {BundleError} `FILE_*` */
async function readReplacement(options: RepackOptions, limits: Limits): Promise<Uint8Array | undefined> {
  const { descriptor } = options;
  if (typeof descriptor !== 'string') return descriptor?.bytes;
  return await readSmallFile(descriptor, sourceOptions(options), limits.descriptorBytes);
}
