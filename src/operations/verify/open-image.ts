import { digestHex } from '../../crypto/digest.ts';
import { openDeadline } from '../../kit/deadline.ts';
import { plain } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { count, expectNoUse, path } from '../../kit/shape.ts';
import { type BundleSource, type SourceParts, sourceOptions } from '../../kit/source.ts';
import { openBundle } from '../../storage/sources/open-bundle.ts';
import { allowancesOf } from '../../trust/policy.ts';
import { type Examination, examine } from '../../verdict/bundle/examine.ts';
import { judgeBlocks } from '../../verdict/bundle/judge-blocks.ts';
import { byPrecedence } from '../../verdict/report/exit-codes.ts';
import type { FoundBlocks } from '../../verdict/walk/block-damage.ts';
import type { Member } from '../../verdict/walk/member.ts';
import { verifyOptions } from '../option-rules.ts';
import { loadPolicy, rememberSeen } from './load-policy.ts';
import type { VerifyOptions } from './options.ts';

/** A disk image in a trusted bundle, each part of which is checked when it is read. Disposing it closes the bundle. */
export interface VerifiedImage extends AsyncDisposable {
  readonly name: string;
  /** bytes */
  readonly size: number;
  /** what is hashed to read one byte; reads that begin and end on a multiple of it cost no more than they give */
  readonly blockSize: number;
  /** what `verify` would have warned of */
  readonly warnings: readonly string[];
  /**
   * The `length` bytes from `offset` on, the caller's own; fewer at the end.
   *
   * @throws {BundleError} `DIGEST_MISMATCH` when a block that it touches is not what was signed, `FILE_CHANGED` when the file has been
   * changed besides, `FILE_UNREADABLE`, `INTERRUPTED`; `USAGE` when the image has been closed
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Opens a disk image of a bundle to be read in parts, where the bundle has its block digests: a tar in a file, or a folder.
 *
 * The bundle is verified as `verify` does, but for the members with block digests, which may be too large for that: of this
 * one each block is checked whenever it is read, and of the others nothing is said.
 *
 * @throws {BundleError} what is wrong with the bundle, what decides first; `USAGE` when it has no such image, or no block digests of it
 * @see spec/blocks.md, clause blocks.11
 */
export async function openImage(
  bundle: string,
  image: string,
  options: VerifyOptions = {},
): Promise<VerifiedImage> {
  path(bundle, 'bundle');
  path(image, 'image');
  const given = verifyOptions(options, '');
  expectNoUse(given.inner, 'inner', 'here: parts are read of a bundle that is a file of its own');
  return openGiven(bundle, image, given);
}

async function openGiven(bundle: string, image: string, options: VerifyOptions): Promise<VerifiedImage> {
  using deadline = openDeadline(options);
  const timed = { ...options, ...deadline };
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { at = new Date() } = options;
  const policy = await loadPolicy(timed, {
    at,
    allowances: allowancesOf(options),
    inputs: [bundle],
  });
  const source = await openBundle(bundle, sourceOptions(timed));
  try {
    const { relax, onProgress } = options;
    const examination = await examine(source, {
      ...policy,
      limits,
      later: true,
      ...(relax !== undefined && { relax }),
      ...(onProgress !== undefined && { onProgress }),
    });
    const [fault] = byPrecedence(examination.errors);
    if (fault) throw fault;
    deadline.expectInTime();
    const { warnings } = await rememberSeen(examination.signature?.seen, [], timed);
    return {
      ...imageOf(source, examination, image),
      warnings: [...examination.warnings.map(plain), ...warnings],
    };
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

function imageOf(
  source: BundleSource,
  { format, members, contents }: Examination,
  image: string,
): Omit<VerifiedImage, 'warnings'> {
  const member = members.find(({ name }) => name === image);
  const blocks = contents.manifest && judgeBlocks(members, contents.manifest).usable.get(image);
  if (!member || !blocks || !source.parts || !(format === 'tar' || format === 'files')) {
    throw new BundleError('USAGE', `no parts can be read of "${image}"`, {
      where: { file: source.name },
      why: member
        ? 'it needs its block digests in the bundle, and the bundle to be a tar in a file, or a folder'
        : 'the bundle has no such file',
      fix: 'inspecting it shows what is in it; block digests are put in when it is packed',
    });
  }
  const { parts } = source;
  const { size, blockSize } = blocks;
  const blockAt = openBlocks(source, parts, { ...blocks, member });
  return {
    name: image,
    size,
    blockSize,
    read: async (offset, length) => {
      count(offset, 'offset');
      count(length, 'length');
      await parts.readAt(member.dataOffset, 0, image); // [stamp.3] it may have been closed, or told to stop, and what is at hand with it
      const end = Math.min(size, offset + length);
      const bytes = new Uint8Array(Math.max(0, end - offset));
      for (let at = offset; at < end; ) {
        const start = at - (at % blockSize);
        const part = (await blockAt(start / blockSize)).subarray(at - start, end - start);
        bytes.set(part, at - offset);
        at += part.byteLength;
      }
      return bytes;
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/** Reads blocks, and holds each against its digest; the last one is kept, for whoever reads on in small steps. */
function openBlocks(
  source: BundleSource,
  parts: SourceParts,
  { name, file, size, blockSize, algorithm, blockDigest, member }: FoundBlocks & { readonly member: Member },
): (block: number) => Promise<Uint8Array> {
  let last: { readonly block: number; readonly bytes: Uint8Array } | undefined;
  return async (block) => {
    if (last?.block === block) return last.bytes;
    const offset = block * blockSize;
    const length = Math.min(blockSize, size - offset);
    const at = member.dataOffset + offset;
    const bytes = await parts.readAt(at, length, name);
    if (bytes.byteLength < length || digestHex(algorithm, bytes) !== blockDigest(block)) {
      source.checkUnchanged(); // [judge.7] what happened to the file says more
      const range = `${offset} to ${offset + length - 1}`;
      throw new BundleError(
        'DIGEST_MISMATCH',
        `"${name}" does not match its blocks in "${file}": bytes ${range}`,
        {
          where: { member: name, memberOffset: offset, ...(member.offset !== undefined && { offset: at }) },
        },
      );
    }
    last = { block, bytes };
    return bytes;
  };
}
