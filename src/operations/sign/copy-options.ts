import type { PackFormat } from '../../archive/open-archive.ts';
import type { Limits } from '../../kit/limits.ts';
import type { OnProgress } from '../../kit/progress.ts';
import { count, flag, needed, positive, type Rows } from '../../kit/shape.ts';
import type { ByteSink } from '../../kit/streams/byte-sink.ts';
import type { OwnPlace } from '../../storage/own-place.ts';
import { limits, WORKING } from '../../verdict/judging-rules.ts';
import type { NamedMember } from '../../verdict/walk/member.ts';
import { output, packFormat } from '../option-rules.ts';

/** What holds wherever the parts that sign a bundle are exchanged: in a copy of it, or in a package of files where it lies. */
export interface EditOptions {
  /** replace the output; of a package the files that sign it, and no other file of it is ever written to */
  readonly overwrite?: boolean;
  /** of what is read */
  readonly limits?: Partial<Limits>;
  /** milliseconds that all of it may take; without it only `limits.idleMs` ends the waiting */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** Where a copy goes, and in which container. */
export interface CopyOptions extends EditOptions {
  /** the file to write, `-` for standard output, or a sink, which is finished only when all of it is good, and discarded otherwise */
  readonly output: string | ByteSink;
  readonly format: PackFormat;
  readonly mtime?: number;
}

/** The same, and what no caller of the library says. */
export interface CopyTarget extends Omit<CopyOptions, 'format'> {
  /** that of what is read, for what takes its place; none where the bundle is judged alone */
  readonly format: PackFormat | 'as read' | 'none';
  /** of the file that is read, where the copy takes its place */
  readonly inPlace?: OwnPlace;
}

/** What was signed, and the certificate file and timestamp that were there; without a manifest nothing was signed. */
export type OldSignature = Readonly<
  Record<'manifest' | 'certificate' | 'timestamp', NamedMember | undefined>
>;

/** The rules for them. [api.1] */
export const EDITING: Rows<EditOptions> = { ...WORKING, overwrite: flag, limits, deadlineMs: positive };
export const COPYING: Rows<CopyOptions> = {
  ...EDITING,
  output: needed(output),
  format: needed(packFormat),
  mtime: count,
};

/** What becomes of the parts that sign: every other member is copied as it is. */
export interface SignatureEdit {
  /** what is read besides the bundle: nothing of it may be replaced by the copy */
  readonly reads: readonly string[];
  /** the members right behind the manifest */
  manifest(member: NamedMember): Promise<readonly NamedMember[]>;
  /** the members in place of the certificate file that is there */
  certificate(member: NamedMember, manifest: NamedMember): Promise<readonly NamedMember[]>;
  /** what is to be said of the timestamp beside the certificate file, which is left out; what it throws refuses the copy */
  timestamp?(member: NamedMember, certificate: NamedMember, manifest: NamedMember): readonly string[];
  /** what it throws refuses the copy when nothing else speaks against it */
  accept?(old: OldSignature): void;
}
