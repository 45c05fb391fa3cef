import type { PackFormat } from '../../archive/open-archive.ts';
import {
  type DescriptorChange,
  type DescriptorSetting,
  expectSettings,
} from '../../formats/ovf/edit/edit-descriptor.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { fileOrBytes, type NamedBytes } from '../../kit/given-bytes.ts';
import { count, expectNoUse, flag, list, needed, oneOf, path, shape, text } from '../../kit/shape.ts';
import type { ByteSink } from '../../kit/streams/byte-sink.ts';
import type { CertificateReport, Report } from '../../verdict/report/report.ts';
import { JUDGING, output, packFormat, signingIdentity, timestampSource } from '../option-rules.ts';
import type { SigningDigest, SigningIdentity, TimestampSource } from '../sign/signing.ts';
import type { VerifyOptions } from '../verify/options.ts';

/** How a bundle is packed and signed anew: judged as `verify` does where anybody is trusted. */
export interface RepackOptions extends VerifyOptions {
  /** the file to write, `-` for standard output, or a sink, which is finished only when all of it is good, and discarded otherwise */
  readonly output: string | ByteSink;
  readonly format: PackFormat;
  readonly identity: SigningIdentity;
  /** a descriptor in place of the one that is there, under its name */
  readonly descriptor?: string | NamedBytes;
  /** values to set in the descriptor that is there [edit.2] */
  readonly set?: readonly DescriptorSetting[];
  /** of manifest and signature; when left out those of the old manifest, SHA-256 in place of SHA-1, and SHA-256 of the signature [repack.6] */
  readonly digest?: DigestName;
  /** whether the digests may be SHA-1: who can forge one replaces files under the new signature */
  readonly sha1ForOldImporters?: boolean;
  /** whether a CMS signature is added; when left out, it is when there are intermediates */
  readonly cms?: boolean;
  /** who timestamps the new signature; nobody when left out */
  readonly authority?: TimestampSource;
  readonly overwrite?: boolean;
  /** modification time of the members, seconds since 1970 */
  readonly mtime?: number;
}

/** What was made of a bundle. */
export interface RepackResult {
  /** the name of what was written, or `-`; left out when it went into a sink */
  readonly output?: string;
  readonly format: PackFormat;
  readonly descriptor: 'kept' | 'edited' | 'replaced';
  readonly changes: readonly DescriptorChange[];
  /** those of the new manifest */
  readonly digests: readonly DigestName[];
  /** who had signed before; what is known of them is in `signatures` */
  readonly replacedSigners: readonly CertificateReport[];
  readonly signer: CertificateReport;
  readonly timestamped: boolean;
}

/** The report of `repack`. */
export type RepackReport = Report<'repack', RepackResult>;

const rows = shape<RepackOptions>({
  ...JUDGING,
  output: needed(output),
  format: needed(packFormat),
  identity: needed(signingIdentity),
  descriptor: fileOrBytes,
  set: list(shape<DescriptorSetting>({ key: needed(path), value: needed(text) })),
  digest: oneOf<DigestName>({ sha1: true, sha256: true, sha384: true, sha512: true }),
  sha1ForOldImporters: flag,
  cms: flag,
  authority: timestampSource,
  overwrite: flag,
  mtime: count,
});

/** [repack.6] The signature is no weaker than others where the digests of the manifest are. */
export function signatureDigest({ digest = 'sha256' }: Pick<RepackOptions, 'digest'>): SigningDigest {
  return digest === 'sha1' ? 'sha256' : digest;
}

/** The options as a program gives them. @throws {BundleError} `USAGE` */
export function repackOptions(options: RepackOptions): RepackOptions {
  const given = rows(options, '');
  expectChanges(given);
  return given;
}

/** What is to be changed, before anything else is looked at. @throws {BundleError} `USAGE` */
export function expectChanges(
  given: Pick<RepackOptions, 'descriptor' | 'set' | 'digest' | 'sha1ForOldImporters'>,
): void {
  if (given.descriptor !== undefined)
    expectNoUse(given.set, 'set', 'beside descriptor: the values are in that already');
  expectSettings(given.set ?? []);
  if (given.digest !== 'sha1')
    expectNoUse(given.sha1ForOldImporters, 'sha1ForOldImporters', 'without digest sha1');
  else if (!given.sha1ForOldImporters) {
    throw new BundleError('USAGE', 'digests of SHA-1 are not written as a matter of course', {
      why: 'SHA-1 collisions can be bought: whoever makes two files of one digest exchanges them under your signature, and vCenter 8 refuses such a manifest',
      fix: {
        text: 'use SHA-256; for importers as old as ESXi 6, say that it is for those',
        advice: 'write-sha1',
      },
    }); // [repack.6]
  }
}
