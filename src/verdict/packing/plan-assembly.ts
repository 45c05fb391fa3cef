import { MemberNames } from '../../archive/member-names.ts';
import { playsPart } from '../../formats/bundle-part.ts';
import { memberNameFault } from '../../formats/member-name.ts';
import type { Descriptor } from '../../formats/ovf/descriptor.ts';
import { type FileReference, referenceOf } from '../../formats/ovf/file-reference.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { Member } from '../walk/member.ts';

/** What is to be known of a member here. */
type NamedPlace = Pick<Member, 'name' | 'offset'>;

/** What is to be made of the members of a file that is stored in chunks or compressed. */
export interface AssemblyOptions {
  /** whether chunks are joined, and whether gzip is undone */
  readonly join: boolean;
  readonly decompress: boolean;
  readonly limits: Limits;
}

/** One file that is to be made. */
export interface PlannedAssembly {
  readonly name: string;
  readonly reference: FileReference;
  readonly parts: readonly NamedPlace[];
  readonly inflates: boolean;
}

/**
 * What is to be made of the `kept` members, of which nothing else is to be published.
 *
 * @throws {BundleError} `ARCHIVE_NAME`, `ARCHIVE_DUPLICATE`, `PACKAGE_AMBIGUOUS`, `FORMAT_UNSUPPORTED`, `USAGE`
 */
export function planAssembly(
  descriptor: Pick<Descriptor, 'references'> | undefined,
  members: readonly NamedPlace[],
  options: AssemblyOptions,
): readonly PlannedAssembly[] {
  if (!descriptor) return [];
  const planned = plannedOf(descriptor, members, options);
  expectNoOtherPart(planned, members, options.limits);
  return planned;
}

/** What an importer would say of the names of what it joins, in a bundle of these members. [whole.3] [pack.5] */
export function joinFaults(
  descriptor: Pick<Descriptor, 'references'> | undefined,
  names: readonly string[],
  limits: Limits,
): readonly BundleError[] {
  const members = names.map((name) => ({ name, offset: 0 }));
  try {
    planAssembly(descriptor, members, { join: true, decompress: false, limits });
    return [];
  } catch (error) {
    return [toBundleError(error)];
  }
}

/** [whole.3] What is made must not stand in for something that was not there when the bundle was judged. */
function expectNoOtherPart(
  planned: readonly PlannedAssembly[],
  members: readonly NamedPlace[],
  limits: Limits,
): void {
  if (planned.length === 0) return;
  const parts = new Set(planned.flatMap((plan) => plan.parts));
  const names = new MemberNames(limits);
  for (const member of members) if (!parts.has(member)) names.add(member.name, member.offset);
  for (const { name, parts: stored } of planned) {
    names.add(name, stored[0]?.offset ?? 0);
    if (!playsPart(name)) continue;
    throw new BundleError(
      'PACKAGE_AMBIGUOUS',
      `the file "${name}" would be a part of the bundle that nobody has judged`,
      {
        where: { member: name },
        why: 'it is stored under another name, in chunks or compressed, and was judged as an ordinary file',
        fix: {
          text: 'give it another name in the descriptor, or ask the publisher to; an import that joins and decompresses nothing leaves it as it is stored',
          advice: 'import-stored',
        },
        own: { text: 'give it another name in the descriptor, and pack it again', advice: 'pack-described' },
      },
    );
  }
}

function plannedOf(
  descriptor: Pick<Descriptor, 'references'>,
  members: readonly NamedPlace[],
  options: AssemblyOptions,
): readonly PlannedAssembly[] {
  return partsOf(descriptor, members).flatMap(([reference, parts]) => {
    const joins = reference.chunkSize !== undefined && options.join;
    const inflates = reference.compression !== 'identity' && options.decompress;
    if (!joins && !inflates) return [];
    if (inflates) expectInflatable(reference, joins);
    const name = inflates ? reference.href.replace(/\.gz$/i, '') : reference.href;
    const fault = memberNameFault(name, options.limits); // [whole.3] it hid behind the number of a chunk
    if (fault)
      throw new BundleError('ARCHIVE_NAME', `the file "${name}": ${fault}`, { where: { member: name } });
    return [{ name, reference, parts, inflates }];
  });
}

/** The members of each reference, chunks in their order. */
function partsOf(
  descriptor: Pick<Descriptor, 'references'>,
  members: readonly NamedPlace[],
): readonly (readonly [FileReference, readonly NamedPlace[]])[] {
  const lookup = referenceOf(descriptor.references);
  const found = new Map<FileReference, { readonly chunk: number; readonly member: NamedPlace }[]>();
  for (const member of members) {
    const { reference, chunk = 0 } = lookup(member.name) ?? {};
    if (reference) found.set(reference, [...(found.get(reference) ?? []), { chunk, member }]);
  }
  return [...found].map(([reference, parts]) => [
    reference,
    parts.sort((a, b) => a.chunk - b.chunk).map(({ member }) => member),
  ]);
}

function expectInflatable({ href, compression, chunkSize }: FileReference, joins: boolean): void {
  const where = { member: href };
  if (compression === 'bzip2') {
    throw new BundleError(
      'FORMAT_UNSUPPORTED',
      `"${href}" is compressed with bzip2, which is not decompressed`,
      {
        where,
        fix: { text: 'import it as it is compressed, then: bunzip2 FILE', advice: 'import-compressed' },
      },
    );
  }
  if (chunkSize === undefined || joins) return;
  throw new BundleError(
    'USAGE',
    `"${href}" is in chunks, and can be decompressed only when they are joined`,
    {
      where,
      fix: { text: 'have the chunks joined, or nothing decompressed', advice: 'join-or-keep' },
    },
  );
}
