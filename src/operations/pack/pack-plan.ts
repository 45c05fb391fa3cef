import { basename, dirname, join } from 'node:path';
import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import { companionOf } from '../../formats/glance/companion.ts';
import { parseDescriptor } from '../../formats/ovf/descriptor.ts';
import { formatDescriptor } from '../../formats/ovf/descriptor-writer.ts';
import { memberNames, referenceOf } from '../../formats/ovf/file-reference.ts';
import { counted, encodeUtf8 } from '../../kit/encoding.ts';
import { allowed, type Told } from '../../kit/errors/advice.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { DESCRIPTOR_NAME } from '../../kit/read-names.ts';
import { sourceOptions } from '../../kit/source.ts';
import { leadsOutTo, stampOf, stampWithin, WHOLE_BYTES } from '../../storage/sources/input-file.ts';
import { readSmallFile } from '../../storage/trust/small-files.ts';
import { expectWhole, probeWholeDisk } from '../disks/probe-disk-file.ts';
import { disksToSign } from '../glance/companion.ts';
import { checkNames, expectMembers, expectName, madeBeside } from './check-plan.ts';
import { descriptorOf, lookAtExport, partsBeside } from './exported.ts';
import { disksInBlocks, noBlocksOfChunks, PackedBlocks } from './pack-blocks.ts';
import { noChunks, planChunks } from './pack-chunks.ts';
import { expectEvidence } from './pack-evidence.ts';
import type { PackPlan, PlannedFile, PlanOptions } from './plan.ts';

/**
 * Plans the bundle for what the user named: one `.ovf` with its files, or the folder of it, bare disk images, or plain files.
 *
 * An importer's refusals that can be foreseen are made here: names, members missing, images that need other files.
 *
 * @throws {BundleError} `USAGE`, `FILE_*`, `DESCRIPTOR_SYNTAX`, `FORMAT_UNSUPPORTED`, `ARCHIVE_NAME`, `ARCHIVE_DUPLICATE`, `REVOCATION_MALFORMED`
 */
export async function planPack(named: readonly string[], options: PlanOptions): Promise<PackPlan> {
  const inputs = options.plain || named.length !== 1 ? named : named.map(descriptorOf); // [pack.17]
  if (inputs.length === 0)
    throw new BundleError('USAGE', 'there is nothing to pack', { fix: 'name the files' });
  if (inputs.includes('-')) {
    throw new BundleError('USAGE', 'pack reads files, not standard input', {
      why: 'the size of a file stands before its bytes, and must be known first',
      fix: 'write it to a file, and pack that',
    });
  }
  const descriptor = inputs.find((path) => DESCRIPTOR_NAME.test(path));
  if ((options.plain || descriptor) && Object.keys(options.appliance).length > 0) {
    throw new BundleError(
      'USAGE',
      'vendor, product, version and hardware of a machine are for bare disk images',
      {
        why: 'they go into a descriptor, and none is made here',
        fix: 'leave them out; an .ovf says these things itself',
      },
    );
  }
  if (options.chunkSize !== undefined && (options.plain || descriptor)) throw noChunks(options.plain);
  if (options.chunkSize !== undefined && options.signDisks) throw notInChunks();
  if (options.chunkSize !== undefined && options.blockDigests) throw noBlocksOfChunks();
  let plan: PackPlan;
  if (options.plain) plan = planPlain(inputs, options);
  else if (!descriptor) plan = await planDisks(inputs, options);
  else if (inputs.length === 1) plan = await planDescriptor(descriptor, options);
  else {
    throw new BundleError('USAGE', 'a descriptor is packed alone', {
      why: 'it names the files that belong to it',
      fix: `give only ${descriptor}; its files are found beside it`,
    });
  }
  expectMembers(plan, options.members ?? DEFAULT_LIMITS.members);
  await expectEvidence(plan.files, options.signal);
  const images = new Map(plan.images);
  for (const file of plan.files) {
    // Once for an image, not for each chunk of it; and a small file when it is read.
    if (isSmall(file) || (file.part?.start ?? 0) !== 0) continue;
    const probe = await expectWhole(file.path, file.stamp);
    if (probe) images.set(file.name, probe);
  }
  return { ...plan, images };
}

/** Whether a file is read whole, at once. */
export function isSmall({ size, part }: PlannedFile): boolean {
  return part === undefined && size <= WHOLE_BYTES;
}

/** A signature for Glance is over the whole image, which a bundle in chunks does not hold. */
function notInChunks(): BundleError {
  return new BundleError('USAGE', 'disks in chunks are not signed for Glance', {
    why: 'Glance checks the signature over the whole image, and each chunk is a file of its own here',
    fix: { text: 'leave out one of the two; or sign the image by itself', advice: 'sign-image' },
  });
}

function planPlain(inputs: readonly string[], options: PlanOptions): PackPlan {
  const files = inputs.map((path) => planFile(basename(path), path));
  const names = files.map(({ name }) => name);
  const plan = { base: options.base, files, ...disksWithMore(names, undefined, options), warnings: [] };
  checkNames(plan);
  return plan;
}

/** The disk images that get members beside them. */
function disksWithMore(
  names: readonly string[],
  descriptor: ReturnType<typeof parseDescriptor> | undefined,
  { signDisks, blockDigests }: Pick<PlanOptions, 'signDisks' | 'blockDigests'>,
): Pick<PackPlan, 'signedDisks' | 'disksInBlocks'> {
  return {
    signedDisks: signDisks ? disksToSign(names, descriptor) : [],
    disksInBlocks: blockDigests ? disksInBlocks(names, descriptor) : [],
  };
}

function planFile(name: string, path: string): PlannedFile {
  const stamp = stampOf(path);
  return { name, path, size: stamp.size, stamp };
}

async function planDisks(inputs: readonly string[], options: PlanOptions): Promise<PackPlan> {
  const warnings: string[] = [];
  const files: PlannedFile[] = [];
  const images = new Map<string, DiskProbe>();
  const disks: Parameters<typeof formatDescriptor>[0]['disks'][number][] = [];
  const names = inputs.map((path) => basename(path));
  const blocks = options.blockDigests && new PackedBlocks(names, options.blockDigests);
  for (const path of inputs) {
    const { probe, ...stamp } = await probeWholeDisk(path);
    const { size } = stamp;
    images.set(basename(path), probe);
    const file = { name: basename(path), path, size, stamp };
    if (probe.format === 'raw' && !/\.(raw|img|bin|dd)$/i.test(file.name)) {
      warnings.push(
        `"${file.name}" is in no image format that is known: packed as a raw disk of ${size} bytes`,
      );
    }
    const chunkSize =
      options.chunkSize !== undefined && size > options.chunkSize ? options.chunkSize : undefined;
    files.push(
      ...(chunkSize === undefined
        ? [file]
        : planChunks(file, { chunkSize, members: options.members ?? DEFAULT_LIMITS.members })),
    );
    const beside = blocks?.beside(file);
    disks.push({
      href: file.name,
      size,
      ...(chunkSize !== undefined && { chunkSize }),
      capacity: probe.virtualSize,
      format: probe.format,
      ...(probe.variant !== undefined && { variant: probe.variant }),
      ...(beside !== undefined && { blocks: beside }),
    });
  }
  const descriptor = { name: `${options.base}.ovf`, bytes: new Uint8Array(0) };
  const all = files.map(({ name }) => name);
  const signedDisks = options.signDisks ? all : [];
  const disksInBlocks = blocks ? all : [];
  const references = disks.map((disk) => ({ ...disk, id: '', compression: 'identity' }) as const);
  checkNames({ base: options.base, descriptor, files, signedDisks, disksInBlocks }, references); // its words are better than those of the descriptor's writer
  const attachments = signedDisks.map(companionOf);
  const text = formatDescriptor({ name: options.base, ...options.appliance, disks, attachments });
  return {
    base: options.base,
    descriptor: { ...descriptor, bytes: encodeUtf8(text) },
    files,
    signedDisks,
    disksInBlocks,
    images,
    warnings,
  };
}

async function planDescriptor(
  path: string,
  { members = DEFAULT_LIMITS.members, ...options }: PlanOptions,
): Promise<PackPlan> {
  const bytes = await readSmallFile(path, sourceOptions(options), DEFAULT_LIMITS.descriptorBytes);
  const name = basename(path);
  let descriptor: ReturnType<typeof parseDescriptor>;
  try {
    descriptor = parseDescriptor(bytes, { ...DEFAULT_LIMITS, members });
  } catch (error) {
    throw toBundleError(error).at({ file: path });
  }
  const { references } = descriptor;
  const warnings: Told[] = [...descriptor.notes];
  const lookup = referenceOf(references);
  const files: PlannedFile[] = [];
  const names = memberNames(references);
  const disks = disksWithMore(names, descriptor, options);
  const made = new Set(madeBeside(disks));
  for (const member of names) {
    if (made.has(member)) continue; // made anew
    const file = planReferenced(member, path, options.followLinks ?? false);
    const target = options.followLinks ? leadsOutTo(file.path, dirname(path)) : undefined;
    if (target !== undefined)
      warnings.push(
        allowed(
          `"${member}" is a link to "${target}", outside of the folder of the descriptor`,
          'followLinks',
        ),
      );
    const expected = lookup(member)?.size;
    if (expected !== undefined && expected !== file.size) {
      warnings.push(
        `the descriptor gives "${member}" ${counted(expected, 'byte')}; it has ${file.size}, which VMware refuses`,
      );
    }
    files.push(file);
  }
  const chunked = references.find(
    (reference) => reference.chunkSize !== undefined && reference.size === undefined,
  );
  if (chunked) {
    throw new BundleError('DESCRIPTOR_SYNTAX', `the file "${chunked.href}" has a chunkSize and no size`, {
      where: { file: path },
      fix: 'add ovf:size, the bytes of all chunks together, to the File element',
    });
  }
  const unnamed = [...made].filter((member) => !names.includes(member));
  if (unnamed.length > 0) {
    warnings.push(
      `the descriptor does not name ${unnamed.map((one) => `"${one}"`).join(', ')} in References: bulla accepts that, other programs may not`,
    );
  }
  const plan = { base: name.slice(0, -4), descriptor: { name, bytes }, files, ...disks, warnings };
  checkNames(plan, references);
  const exported = await lookAtExport({ path, bytes, references, made }, { members, ...options });
  const { word } = exported;
  return {
    ...plan,
    warnings: [...warnings, ...exported.warnings],
    ...(word !== undefined && { word }),
    beside: [path, ...exported.read],
  };
}

/** What is read besides a descriptor, or a folder with one, as far as it can be: what is wrong with it is told when it is packed. [out.1] */
export async function filesBeside(
  named: string,
  members = DEFAULT_LIMITS.members,
): Promise<readonly string[]> {
  try {
    const path = descriptorOf(named);
    stampOf(path); // a pipe gives its bytes but once
    const bytes = await readSmallFile(path, sourceOptions({}), DEFAULT_LIMITS.descriptorBytes);
    const { references } = parseDescriptor(bytes, { ...DEFAULT_LIMITS, members });
    const files = memberNames(references).map((member) => join(dirname(path), member));
    return [path, ...Object.values(partsBeside(path)), ...files];
  } catch {
    return [];
  }
}

/** A file that the descriptor at `path` names. */
function planReferenced(member: string, path: string, followLinks: boolean): PlannedFile {
  expectName(member); // before anything outside is even looked at
  const file = join(dirname(path), member);
  try {
    if (followLinks) return planFile(member, file);
    const stamp = stampWithin(file, dirname(path)); // [links.1]
    return { name: member, path: file, size: stamp.size, stamp };
  } catch (error) {
    const { code, message, cause } = toBundleError(error);
    if (code !== 'FILE_NOT_FOUND') throw error;
    throw new BundleError(code, `${message}, and the descriptor ${basename(path)} names it`, {
      where: { file },
      why: 'a bundle without it would be refused',
      fix: 'put the file beside the descriptor, or take it out of the References there',
      cause,
    });
  }
}
