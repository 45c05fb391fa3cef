import type { PackFormat } from '../../archive/open-archive.ts';
import { partBeside, rolePartOf } from '../../formats/bundle-part.ts';
import { parseSignedData } from '../../formats/cms/signed-data.ts';
import { formatCertificateFile, parseCertificateFile } from '../../formats/ovf/certificate-file.ts';
import { type Deadline, openDeadline } from '../../kit/deadline.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../kit/limits.ts';
import { needed, path, shape } from '../../kit/shape.ts';
import { sourceOptions } from '../../kit/source.ts';
import { discardedAtEnd } from '../../kit/streams/byte-sink.ts';
import { apartFrom } from '../../storage/apart.ts';
import { openOutput } from '../../storage/output/open-output.ts';
import { openBundle } from '../../storage/sources/open-bundle.ts';
import { isBroken, isOver } from '../../trust/timestamp.ts';
import { findSignatures } from '../../verdict/bundle/judge-signature.ts';
import { signedManifestOf } from '../../verdict/bundle/signed-manifest.ts';
import { makeReport, type Report } from '../../verdict/report/report.ts';
import { tellingIn } from '../../verdict/report/telling.ts';
import { carry } from '../../verdict/signers/carried.ts';
import type { FoundSignature } from '../../verdict/signers/found-signature.ts';
import { ownVouched } from '../../verdict/signers/own-vouched.ts';
import { assignRoles } from '../../verdict/walk/bundle-roles.ts';
import type { NamedMember } from '../../verdict/walk/member.ts';
import { walkBundle } from '../../verdict/walk/walk.ts';
import { expectReplaceable, outputName, timestampSource } from '../option-rules.ts';
import { namedBundle } from '../readings.ts';
import { copyBundle } from './copy-bundle.ts';
import { COPYING, type CopyOptions } from './copy-options.ts';
import { timestampCms, timestamped } from './make-signature.ts';
import type { SigningDigest, TimestampSource } from './signing.ts';
import { requestFor } from './timestamp-source.ts';

/** How a bundle gets its timestamp. */
export interface TimestampOptions extends CopyOptions {
  readonly source: TimestampSource;
}

/**
 * Copies a bundle with a timestamp over its signature; every other byte of every member stays as it is.
 *
 * The timestamp goes into the CMS signature when there is one, else into a file beside the certificate file. Whether the
 * signature is good is for the importer; the contents are compared with the manifest on the way.
 *
 * @throws {BundleError} when the input cannot be read, the output not written, or the source gives no timestamp
 * @see spec/bundle.md, clauses pack.9 and pack.10
 */
export async function timestamp(input: string, options: TimestampOptions): Promise<TimestampingReport> {
  path(input, 'input');
  const given = timestampOptions(options, '');
  expectReplaceable(given);
  await using _ = discardedAtEnd(given.output);
  using deadline = openDeadline(given);
  return await tellingIn('timestamp', () => timestampGiven(input, { ...given, ...deadline }));
}

const timestampOptions = shape<TimestampOptions>({ ...COPYING, source: needed(timestampSource) });

async function timestampGiven(
  input: string,
  options: TimestampOptions & Pick<Deadline, 'expectInTime'>,
): Promise<TimestampingReport> {
  const notes: string[] = [];
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const {
    input: source,
    judged,
    warnings,
  } = await copyBundle(
    input,
    {
      reads: options.source.files ?? [],
      manifest: async () => [],
      certificate: async (certificate, manifest) => {
        const form = ownForm(certificate, manifest, limits);
        notes.push(...form.notes);
        return timestampMembers(
          { name: certificate.name, bytes: form.bytes },
          { source: options.source, signal: options.signal, limits },
        );
      },
      timestamp: (old, certificate, manifest) => {
        ownForm(certificate, manifest, limits, old); // whatever order they came in, it is refused when it proves something
        return [`"${old.name}" is left out: it is no timestamp of "${certificate.name}" that counts`];
      },
    },
    options,
  );
  return makeReport({
    operation: 'timestamp',
    input: source,
    checks: judged.checks,
    files: judged.files,
    errors: judged.errors,
    warnings: [...judged.warnings, ...notes, ...warnings],
    ...(judged.errors.length === 0 && {
      result: { ...outputName(options.output), format: options.format, timestamped: true },
    }),
  });
}

/** The certificate file with a timestamp of its signature, and what that brings along beside it. @throws {BundleError} `CERTIFICATE_FILE_SYNTAX`, what the source throws */
export async function timestampMembers(
  { name, bytes }: NamedMember,
  options: Pick<TimestampOptions, 'source'> & {
    readonly limits: Limits;
    readonly signal: AbortSignal | undefined;
  },
): Promise<readonly NamedMember[]> {
  const { source, signal, limits } = options;
  const file = parseCertificateFile(bytes, limits);
  if (file.cms) {
    const cms = await timestampCms(file.cms, source, signal);
    return [{ name, bytes: formatCertificateFile({ ...file, cms }) }];
  }
  const made = await timestamped(bytes, source, signal);
  const token = made.timestamp ? [{ name: partBeside(name, 'tst'), bytes: made.timestamp }] : [];
  return [{ name, bytes }, ...token];
}

/**
 * The certificate file as an importer writes it who trusts its signers: the form that a timestamp counts for.
 * @throws {BundleError} what is wrong with a signature; `USAGE` when it has a timestamp already [pack.10]
 */
export function ownForm(
  certificate: NamedMember,
  manifest: NamedMember,
  limits: Limits,
  timestamp?: NamedMember,
): {
  readonly bytes: Uint8Array;
  readonly notes: readonly string[];
  readonly found: readonly FoundSignature[];
} {
  try {
    const { found, spoken } = findSignatures(
      { manifest, certificate, sidecars: [], evidence: [], ...(timestamp !== undefined && { timestamp }) },
      { limits, trust: { anchors: [], pins: [] }, evidence: { crls: [], ocsps: [] } },
    );
    const [fault] = found.flatMap((one) => one.fault ?? []);
    const carried = carry(spoken, ownVouched(found));
    if (fault ?? carried.fault) throw fault ?? carried.fault;
    const given = found.flatMap(({ timestamps }) => timestamps);
    if (given.some(({ token, over }) => isOver(token, over) && !isBroken(token))) throw hasTimestamp();
    const left = given.map(() => `a timestamp in "${certificate.name}" is left out: it proves nothing`);
    return {
      bytes: carried.members.get(certificate.name) ?? certificate.bytes,
      notes: [...carried.notes, ...left],
      found,
    };
  } catch (error) {
    throw toBundleError(error).at({ member: certificate.name });
  }
}

function hasTimestamp(): BundleError {
  return new BundleError('USAGE', 'the signature has a timestamp already', {
    why: 'a signature holds one, and what the old one proves would be lost with it',
    fix: { text: 'keep the bundle as it is, or have it signed anew', advice: 'sign-and-timestamp' },
  });
}

/**
 * Writes the request for a timestamp of a bundle's signature into a file, to be answered on another machine. [pack.10]
 *
 * @throws {BundleError} `SIGNATURE_MISSING`, what reading the bundle and writing the file throw
 */
export async function requestTimestampFile(
  input: string,
  options: {
    readonly output: string;
    readonly digest: SigningDigest;
  } & Omit<CopyOptions, 'output' | 'format' | 'mtime' | 'onProgress'>,
): Promise<RequestReport> {
  return await tellingIn('timestamp', () => requestGiven(input, options));
}

async function requestGiven(
  input: string,
  options: Parameters<typeof requestTimestampFile>[1],
): Promise<RequestReport> {
  const { output: path, digest, overwrite = false } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  using deadline = openDeadline(options);
  const { signal } = deadline;
  const target = apartFrom(path, namedBundle(input)); // before all of it is read
  await using source = await openBundle(input, sourceOptions({ ...options, ...deadline }));
  const { members, fault } = await walkBundle(source, { limits }, async (walk) => {
    for await (const entry of walk.entries)
      if (rolePartOf(entry.name) !== undefined) await walk.read(entry, { algorithms: [] });
  });
  if (fault) throw fault;
  const signed = signedManifestOf(members, assignRoles(members.map(({ name }) => name)));
  if (!signed?.certificate) {
    throw new BundleError('SIGNATURE_MISSING', 'the bundle has no signature to timestamp', {
      where: { file: source.name },
      fix: { text: 'sign it first', advice: 'sign' },
    });
  }
  const { bytes } = ownForm(signed.certificate, signed.manifest, limits, signed.timestamp);
  const { cms } = parseCertificateFile(bytes, limits);
  const over = cms ? parseSignedData(cms, 'the CMS signature').signers[0]?.signature : bytes;
  await using output = await openOutput(target, { overwrite, signal });
  await output.write(requestFor(over ?? bytes, digest));
  deadline.expectInTime(); // [cli.15]
  await output.finish();
  return makeReport({
    operation: 'timestamp',
    input: { name: source.name },
    errors: [],
    result: { request: path, digest },
  });
}

/** The bundle with its timestamp. */
export interface TimestampingResult {
  /** the name of what was written, or `-`; left out when it went into a sink */
  readonly output?: string;
  readonly format: PackFormat;
  readonly timestamped: boolean;
}

/** The report of `timestamp`. */
export type TimestampingReport = Report<'timestamp', TimestampingResult>;

/** A request that an authority is to answer, in a file. */
export interface RequestResult {
  readonly request: string;
  readonly digest: SigningDigest;
}

/** The report of `timestamp` when it wrote a request alone. */
export type RequestReport = Report<'timestamp', RequestResult>;
