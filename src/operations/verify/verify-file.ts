import { splitPem } from '../../formats/pem.ts';
import { openDeadline } from '../../kit/deadline.ts';
import { decodeLatin1 } from '../../kit/encoding.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { fileOrBytes, type NamedBytes } from '../../kit/given-bytes.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { type SourceOptions, sourceOptions } from '../../kit/source.ts';
import { type BundleInput, openSource } from '../../storage/sources/open-source.ts';
import { readSmallFile } from '../../storage/trust/small-files.ts';
import { judgeScope, scopeNameOf, scopesOf, withinScope } from '../../trust/judge-signer.ts';
import { allowancesOf } from '../../trust/policy.ts';
import type { Publisher } from '../../trust/publisher.ts';
import { allowanceNames } from '../../verdict/report/allowance-names.ts';
import { type Check, makeReport, type Report } from '../../verdict/report/report.ts';
import { evidenceIn, joinEvidence } from '../../verdict/signers/evidence.ts';
import { judgeFound } from '../../verdict/signers/judge-signers.ts';
import { readCms } from '../../verdict/signers/read-signatures.ts';
import { tellHeld } from '../../verdict/signers/signature-checks.ts';
import { bundleInput, expectNoBundleOptions, verifyOptions } from '../option-rules.ts';
import { namedInput } from '../readings.ts';
import { loadPolicy, rememberSeen } from './load-policy.ts';
import type { VerifyOptions } from './options.ts';

/** Bytes of a signature file: revocation lists may be inside. */
const SIGNATURE_BYTES = 32 * 1024 * 1024;

/**
 * Verifies any file with a detached CMS signature (a file, or its bytes), in one pass and without storing anything.
 *
 * A bad signature is a verdict, not an exception.
 *
 * @throws {BundleError} when the file or its signature cannot be read, or the trust settings not
 * @see spec/bundle.md, clauses file.1 to file.3
 */
export async function verifyFile(
  input: BundleInput,
  signature: string | NamedBytes,
  options: VerifyOptions = {},
): Promise<Report> {
  const from = bundleInput(input, 'input');
  const beside = fileOrBytes(signature, 'signature');
  const given = verifyOptions(options, '');
  expectNoBundleOptions(given);
  return verifyGiven(from, beside, given);
}

async function verifyGiven(
  input: BundleInput,
  signature: string | NamedBytes,
  options: VerifyOptions,
): Promise<Report> {
  const allowances = allowancesOf(options);
  const { at = new Date() } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  using deadline = openDeadline(options);
  const timed = { ...options, ...deadline };
  const policy = await loadPolicy(timed, { at, allowances, inputs: [input, ...namedInput(signature)] });
  const { name: signatureFile, bytes } =
    typeof signature === 'string' ? await readSignature(signature, sourceOptions(timed)) : signature;
  await using source = await openSource(input, sourceOptions(timed));
  const rest = {
    operation: 'verify',
    at,
    allowances: allowanceNames(allowances),
    judged: 'trusted',
  } as const;
  let size = 0;
  try {
    const trusted = policy.trust.anchors.map(({ certificate }) => certificate);
    const cms = readCms(signatureDer(bytes), [], trusted);
    for await (const chunk of source.stream()) {
      cms.update(chunk);
      size += chunk.byteLength;
      const total = source.size === undefined ? {} : { total: source.size };
      options.onProgress?.({ phase: 'read', bytes: size, ...total });
    }
    source.checkUnchanged();
    const evidence = joinEvidence([policy.evidence, evidenceIn(cms.data)], limits.evidence);
    const judged = judgeFound(cms.finish(), signatureFile, { ...policy, evidence });
    const scope = judged.errors.length === 0 ? scopeFault(judged.publishers) : undefined;
    const told = judged.told(withinScope(judged.publishers, scopeNameOf(undefined, '')));
    const errors = [...judged.errors, ...(scope ? [scope, ...judged.held] : [])];
    const scopeChecks: Check[] = scope ? [{ id: 'scope', status: 'fail', detail: scope.message }] : [];
    if (errors.length === 0) deadline.expectInTime(); // [cli.21]
    const { remembered, warnings } = await rememberSeen(judged.seen, errors, timed);
    return makeReport({
      ...rest,
      input: { name: source.name, size },
      checks: [...tellHeld(told.checks, scope ? judged.held : []), ...scopeChecks],
      signatures: told.signatures,
      errors: errors.map((error) => error.at({ file: signatureFile })),
      warnings: [...judged.warnings, ...warnings],
      ...(remembered !== undefined && { remembered }),
    });
  } catch (error) {
    const fault = toBundleError(error);
    const where = fault.kind === 'package' ? { file: signatureFile } : { file: source.name };
    return makeReport({ ...rest, input: { name: source.name }, errors: [fault.at(where)] });
  }
}

/** [file.2] Nothing that is signed names a file: only who may sign everything vouches for it. */
function scopeFault(publishers: readonly Publisher[]): BundleError | undefined {
  const fault = judgeScope(publishers, scopeNameOf(undefined, ''));
  if (!fault) return undefined;
  const message = `a signature beside a file names no vendor and no product, so none but a publisher with the scope "*" can vouch for it: ${scopesOf(publishers)}`;
  return new BundleError(fault.code, message, {
    why: 'whoever may sign some bundles could sign any file otherwise',
    fix: 'if you expect this file from that publisher, give the certificate of its CA for this once, in place of the publisher',
  });
}

async function readSignature(name: string, waiting: SourceOptions): Promise<NamedBytes> {
  return { name, bytes: await readSmallFile(name, waiting, SIGNATURE_BYTES) };
}

/** A signature file in DER, or in PEM with the label CMS or PKCS7. @throws {BundleError} `CMS_SYNTAX` */
function signatureDer(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x30) return bytes;
  const { blocks, outside, fault } = splitPem(decodeLatin1(bytes));
  const [block, second] = blocks;
  const labelled = block?.label === 'CMS' || block?.label === 'PKCS7';
  if (!block || !labelled || second || outside.length > 0 || fault) {
    throw new BundleError('CMS_SYNTAX', 'the signature file is neither DER nor one PEM block CMS or PKCS7');
  }
  return block.bytes;
}
