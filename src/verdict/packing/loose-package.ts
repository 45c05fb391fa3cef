import { partBeside } from '../../formats/bundle-part.ts';
import { parseDescriptor } from '../../formats/ovf/descriptor.ts';
import { referenceOf } from '../../formats/ovf/file-reference.ts';
import { formatManifest } from '../../formats/ovf/manifest.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError, type ErrorCode } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { NO_ALLOWANCES } from '../../trust/policy.ts';
import { type ContentsJudgement, judgeContents } from '../bundle/judge-contents.ts';
import type { Strangers } from '../signers/carried.ts';
import { assignRoles } from '../walk/bundle-roles.ts';
import { digestOf, type KeptMember, type Member } from '../walk/member.ts';

/** The parts of a package of files that is signed where it lies: the names that they have, or are to get. */
export interface LooseParts {
  readonly descriptor?: string;
  readonly manifest: string;
  readonly certificate: string;
  readonly timestamp: string;
  /** those that are there */
  readonly there: ReadonlySet<string>;
}

/**
 * Which parts a package of files has, and how those are called that it is to get: as the manifest is, else as the descriptor. A timestamp
 * counts without a certificate file, too, since it would be taken for that of the new one. [pkg.9]
 *
 * @param names of the files that may be parts of it
 * @throws {BundleError} `PACKAGE_AMBIGUOUS`
 */
export function looseParts(names: readonly string[]): LooseParts | undefined {
  const { descriptor, manifest, certificate } = assignRoles(names);
  const named = manifest ?? descriptor;
  if (named === undefined) return undefined;
  const signing = certificate ?? partBeside(named, 'cert');
  const { timestamp } = assignRoles([...names.filter((name) => name !== signing), signing]);
  return {
    ...(descriptor !== undefined && { descriptor }),
    manifest: manifest ?? partBeside(named, 'mf'),
    certificate: signing,
    timestamp: timestamp ?? partBeside(named, 'tst'),
    there: new Set(names),
  };
}

/**
 * The manifest of a package that has none: its descriptor, and the files that this refers to, in the order in which they were read. [pkg.9]
 *
 * @throws {BundleError} `DESCRIPTOR_*`, `MANIFEST_SYNTAX`
 */
export function manifestOver(
  members: readonly Member[],
  { descriptor, manifest }: LooseParts,
  { algorithm, limits }: { readonly algorithm: DigestName; readonly limits: Limits },
): KeptMember {
  const read = members.find(({ name }) => name === descriptor);
  const { references } = parseDescriptor(read?.kind === 'kept' ? read.bytes : new Uint8Array(0), limits);
  const isReferenced = referenceOf(references);
  const listed = members.filter(({ name }) => name === descriptor || isReferenced(name));
  const bytes = formatManifest(
    listed.map((member) => ({ name: member.name, algorithm, digest: digestOf(member, algorithm) ?? '' })),
  );
  return { kind: 'kept', name: manifest, bytes, size: bytes.byteLength, dataOffset: 0 };
}

/** What an importer will say of a package once it is signed, the signature being good: what it would refuse is not signed. [pack.5] */
export function judgeLoose(
  members: readonly Member[],
  options: {
    /** the files that are to sign it */
    readonly signing: readonly string[];
    readonly strangers: Strangers;
    readonly limits: Limits;
  },
): ContentsJudgement {
  const { signing, strangers, limits } = options;
  const roles = assignRoles([...members.map(({ name }) => name), ...signing]);
  const judged = judgeContents(
    { roles, members, complete: true },
    { manifestAccepted: true, signed: true, strangers, allowances: NO_ALLOWANCES, limits },
  );
  return { ...judged, errors: judged.errors.map((error) => mendable(error, roles.manifest)) };
}

/** [show.7] What can be done about a fault by whoever has the files themselves. */
function mendable(error: BundleError, manifest = 'the manifest'): BundleError {
  const fix = MENDED[error.code]?.(manifest);
  if (fix === undefined) return error;
  const { code, message, where, why, cause } = error;
  return new BundleError(code, message, { where, why, fix, cause });
}

const ANEW = (manifest: string): string =>
  `move "${manifest}" away and sign again: a new one is made, of the files as they are then`;

const UNLISTED = (manifest: string): readonly Told[] => [
  'if it is none of the package, move it away; otherwise have the export made again',
  `where the files are your own, and as you want them, ${ANEW(manifest)}`,
];

const MENDED: Readonly<Partial<Record<ErrorCode, (manifest: string) => Told | readonly Told[]>>> = {
  DIGEST_MISMATCH: (manifest) => [
    'copy the file again from where it was made',
    `if you changed it yourself, ${ANEW(manifest)}`,
  ],
  FILE_UNLISTED: UNLISTED,
  DESCRIPTOR_UNLISTED: UNLISTED,
  DIGEST_WEAK: () => ({
    text: 'pack it: each file is held against this manifest, and the new one has SHA-256',
    advice: 'pack-described',
  }),
};
