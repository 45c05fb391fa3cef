import { type AskedAccess, fileMode, fileOwner } from '../../formats/file-access.ts';
import { expectNoUse, flag, needed, path, type Rule, shape } from '../../kit/shape.ts';
import type { ImageSigner } from '../glance/image-signer.ts';
import { imageSigner, JUDGING } from '../option-rules.ts';
import type { VerifyOptions } from '../verify/options.ts';
import { type ImportSink, importSink } from './import-sink.ts';

/** How a bundle is imported: verified as `verify` does, and published only by its verdict. */
export interface ImportOptions extends VerifyOptions, AskedAccess {
  /** the folder that the members are to be in, which must not exist, or be empty; or a sink that takes them */
  readonly destination: string | ImportSink;
  /** publish the disk images alone */
  readonly imagesOnly?: boolean;
  /** publish the chunks of a disk as they are stored, and do not join them; a sink gets them in no other way */
  readonly keepChunks?: boolean;
  /** publish what is compressed by gzip decompressed */
  readonly decompress?: boolean;
  /** verify and say what would be published, but store nothing */
  readonly dryRun?: boolean;
  /**
   * go on with what an import into the same folder has left that did not come to its end, as far as the bundle has block
   * digests; and when this one does not either, leave what has come to the next [resume.1]
   */
  readonly resume?: boolean;
  /** the site's own key: each disk image is signed with it for Glance, the properties beside it as `NAME.site.glance.json` [glance.35] */
  readonly imageSigner?: ImageSigner;
}

const destination: Rule<string | ImportSink> = (value, name) =>
  typeof value === 'object' && value !== null ? importSink(value, name) : path(value, name);

const rule = shape<ImportOptions>({
  ...JUDGING,
  destination: needed(destination),
  imagesOnly: flag,
  keepChunks: flag,
  decompress: flag,
  dryRun: flag,
  resume: flag,
  imageSigner,
  mode: fileMode,
  owner: fileOwner,
});

/** The options of an import, none of which has no effect beside the others. @throws {BundleError} `USAGE` */
export function importOptions(options: unknown): ImportOptions {
  const given = rule(options, '');
  if (given.dryRun) {
    expectNoUse(given.resume, 'resume', 'beside dryRun, which stores nothing');
    expectNoUse(given.imageSigner, 'imageSigner', 'beside dryRun, which stores nothing');
  }
  if (typeof given.destination !== 'string') {
    expectNoUse(given.resume, 'resume', 'beside a sink, which keeps nothing for a later run');
    expectNoUse(given.decompress, 'decompress', 'beside a sink, which gets members as they are stored');
    expectNoUse(given.mode, 'mode', 'beside a sink, which makes its own files');
    expectNoUse(given.owner, 'owner', 'beside a sink, which makes its own files');
  }
  return given;
}
