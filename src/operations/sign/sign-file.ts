import { cmsDigestOf, signCms } from '../../crypto/cms-signer.ts';
import { openHash } from '../../crypto/digest.ts';
import { expectUse, signerUntil } from '../../crypto/signer.ts';
import { type Deadline, openDeadline } from '../../kit/deadline.ts';
import type { Limits } from '../../kit/limits.ts';
import type { OnProgress } from '../../kit/progress.ts';
import { flag, needed, path, positive, shape } from '../../kit/shape.ts';
import { sourceOptions } from '../../kit/source.ts';
import { type ByteSink, discardedAtEnd } from '../../kit/streams/byte-sink.ts';
import { apartFrom } from '../../storage/apart.ts';
import { openOutput } from '../../storage/output/open-output.ts';
import { openSource } from '../../storage/sources/open-source.ts';
import { limits, WORKING } from '../../verdict/judging-rules.ts';
import { makeReport } from '../../verdict/report/report.ts';
import { tellingIn } from '../../verdict/report/telling.ts';
import { certificateReport } from '../../verdict/signers/signature-report.ts';
import {
  expectReplaceable,
  output,
  outputName,
  signingDigest,
  signingIdentity,
  timestampSource,
} from '../option-rules.ts';
import { timestampCms } from './make-signature.ts';
import type { SigningDigest, SigningIdentity, SignReport, TimestampSource } from './signing.ts';

/** How a file gets a signature beside it. */
export interface SignFileOptions {
  /** the signature to write, `FILE.p7s` by custom, `-` for standard output, or a sink, as for `sign` */
  readonly output: string | ByteSink;
  readonly identity: SigningIdentity;
  readonly digest?: SigningDigest;
  /** who timestamps the signature; nobody when left out */
  readonly timestamp?: TimestampSource;
  readonly overwrite?: boolean;
  /** of what is read */
  readonly limits?: Partial<Limits>;
  /** milliseconds that all of it may take; without it only `limits.idleMs` ends the waiting */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Signs any file with a detached CMS signature, in one pass over it.
 *
 * @throws {BundleError} when the file cannot be read, or the signature not made or written
 * @see spec/bundle.md, clause file.4
 */
export async function signFile(input: string, options: SignFileOptions): Promise<SignReport> {
  path(input, 'input');
  const given = signFileOptions(options, '');
  expectReplaceable(given);
  await using _ = discardedAtEnd(given.output);
  using deadline = openDeadline(given);
  return await tellingIn('sign', () => signGiven(input, { ...given, ...deadline }));
}

const signFileOptions = shape<SignFileOptions>({
  ...WORKING,
  limits,
  deadlineMs: positive,
  output: needed(output),
  identity: needed(signingIdentity),
  digest: signingDigest,
  timestamp: timestampSource,
  overwrite: flag,
});

async function signGiven(
  input: string,
  options: SignFileOptions & Pick<Deadline, 'expectInTime'>,
): Promise<SignReport> {
  const { identity, digest = 'sha256', output: to, timestamp, signal, onProgress } = options;
  const { leaf, intermediates } = identity;
  const signer = signerUntil(identity.signer, signal);
  expectUse(signer, { digest, use: 'cms' });
  const target = apartFrom(to, [input, ...identity.files, ...(timestamp?.files ?? [])]);
  await using source = await openSource(input, sourceOptions(options));
  await using output = await openOutput(target, { overwrite: options.overwrite ?? false, signal });
  const hash = openHash(cmsDigestOf(signer.publicKey, digest));
  let bytes = 0;
  for await (const chunk of source.stream()) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    onProgress?.({ phase: 'hash', bytes, ...(source.size !== undefined && { total: source.size }) });
  }
  source.checkUnchanged();
  const contentDigest = Uint8Array.from(hash.digest());
  const cms = await signCms({ signer, leaf, intermediates, digest, contentDigest });
  await output.write(timestamp ? await timestampCms(cms, timestamp, signal) : cms);
  options.expectInTime(); // [cli.15]
  await output.finish();
  return makeReport({
    operation: 'sign',
    input: { name: source.name, size: bytes },
    errors: [],
    result: {
      ...outputName(to),
      format: 'cms',
      replacedSigners: [],
      signer: certificateReport(leaf),
      timestamped: timestamp !== undefined,
    },
  });
}
