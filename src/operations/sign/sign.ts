import type { Certificate } from '../../crypto/certificate.ts';
import { partBeside } from '../../formats/bundle-part.ts';
import { type Deadline, openDeadline } from '../../kit/deadline.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { flag, needed, path, shape } from '../../kit/shape.ts';
import { discardedAtEnd } from '../../kit/streams/byte-sink.ts';
import { replacedSignature } from '../../verdict/packing/replaced-signature.ts';
import { makeReport } from '../../verdict/report/report.ts';
import { tellingIn } from '../../verdict/report/telling.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import {
  expectReplaceable,
  outputName,
  signingDigest,
  signingIdentity,
  timestampSource,
} from '../option-rules.ts';
import { containerOf, copyBundle } from './copy-bundle.ts';
import { COPYING, type CopyOptions, type CopyTarget } from './copy-options.ts';
import { signingWith } from './make-signature.ts';
import type {
  ManifestSigning,
  SigningDigest,
  SigningIdentity,
  SignReport,
  TimestampSource,
} from './signing.ts';

/** How a bundle is signed again. */
export interface SignOptions extends CopyOptions {
  readonly identity: SigningIdentity;
  readonly digest?: SigningDigest;
  /** whether a CMS signature is added; when left out, it is when there are intermediates */
  readonly cms?: boolean;
  /** who timestamps the signature; nobody when left out */
  readonly timestamp?: TimestampSource;
}

/**
 * Copies a bundle with a new signature: payload and manifest byte for byte, the certificate file right behind the manifest; where what is written
 * cannot be taken back (`-`, a sink), behind all files.
 *
 * The contents are compared with the manifest on the way, and a bundle that an importer would refuse is not signed:
 * the report then has the reasons, a malformed archive among them, and no file is left.
 *
 * @throws {BundleError} when the input cannot be opened or read, or the output not written
 * @see spec/bundle.md, clauses pack.5, pack.6 and pack.9
 */
export async function sign(input: string, options: SignOptions): Promise<SignReport> {
  path(input, 'input');
  const given = signOptions(options, '');
  expectReplaceable(given);
  await using _ = discardedAtEnd(given.output);
  using deadline = openDeadline(given);
  return await tellingIn('sign', async () =>
    signCopy(input, signingWith(given.identity, given), { ...given, ...deadline }),
  );
}

const signOptions = shape<SignOptions>({
  ...COPYING,
  identity: needed(signingIdentity),
  digest: signingDigest,
  cms: flag,
  timestamp: timestampSource,
});

/** Copies a bundle with a new signature, however that is made. [pack.5] [pack.6] */
export async function signCopy(
  input: string,
  signing: ManifestSigning,
  options: CopyTarget & Pick<Deadline, 'expectInTime'>,
): Promise<SignReport> {
  let leaf: Certificate | undefined;
  const {
    input: source,
    judged,
    warnings,
    old,
    format = 'tar',
  } = await copyBundle(
    input,
    {
      reads: signing.reads,
      manifest: async (manifest) => {
        const made = await signing.sign(manifest, options.signal);
        leaf = made.leaf;
        return [
          { name: partBeside(manifest.name, 'cert'), bytes: made.certificate },
          ...(made.timestamp ? [{ name: partBeside(manifest.name, 'tst'), bytes: made.timestamp }] : []),
        ];
      },
      certificate: async () => [],
      accept: ({ certificate, timestamp }) => {
        const signs = certificate ?? timestamp;
        if (options.inPlace && !options.overwrite && signs) throw signedAlready(signs.name);
      },
    },
    options,
  );
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const isSigned = judged.errors.length === 0;
  const replaced = replacedSignature(isSigned ? old.certificate : undefined, old.manifest, limits);
  return makeReport({
    operation: 'sign',
    input: source,
    checks: judged.checks,
    files: judged.files,
    errors: judged.errors,
    warnings: [...judged.warnings, ...replaced.notes, ...signing.warnings, ...warnings],
    ...(isSigned &&
      leaf !== undefined && {
        result: {
          ...outputName(options.output),
          format:
            options.format === 'as read' || options.format === 'none' ? containerOf(format) : options.format,
          replacedSigners: replaced.signers,
          signer: certificateReport(leaf),
          timestamped: signing.timestamped,
        },
      }),
  });
}

function signedAlready(member: string): BundleError {
  return new BundleError('DESTINATION_EXISTS', 'the bundle has a signature already', {
    where: { member },
    why: 'a signature that somebody has made is never replaced unasked',
    fix: { text: 'ask for it to be replaced, or have a signed copy made', advice: 'replace-signature' },
  });
}
