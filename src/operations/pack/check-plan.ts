import { blocksNameOf } from '../../formats/blocks/block-digests.ts';
import { sidecarOf } from '../../formats/bundle-part.ts';
import { companionOf } from '../../formats/glance/companion.ts';
import { memberNameFault, memberNameKey } from '../../formats/member-name.ts';
import type { FileReference } from '../../formats/ovf/file-reference.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { expectImportable } from '../../verdict/packing/expect-importable.ts';
import { joinFaults } from '../../verdict/packing/plan-assembly.ts';
import type { PackPlan } from './plan.ts';

/** The members that are made beside files. */
export function madeBeside({
  signedDisks,
  disksInBlocks,
}: Pick<PackPlan, 'signedDisks' | 'disksInBlocks'>): readonly string[] {
  return [...signedDisks.map(companionOf), ...disksInBlocks.map(blocksNameOf)];
}

/** Refuses names that an importer would refuse, those of the files it joins among them. @throws {BundleError} `USAGE`, `ARCHIVE_NAME`, `ARCHIVE_DUPLICATE`, `PACKAGE_AMBIGUOUS` [pack.5] */
export function checkNames(
  plan: Pick<PackPlan, 'base' | 'descriptor' | 'files' | 'signedDisks' | 'disksInBlocks'>,
  references: readonly FileReference[] = [],
): void {
  if (plan.base.includes('/')) {
    throw new BundleError('USAGE', `the name "${plan.base}" has a folder in it`, {
      fix: 'give a name without "/"',
    });
  }
  const names = [
    ...(plan.descriptor ? [plan.descriptor.name] : []),
    `${plan.base}.mf`,
    `${plan.base}.cert`,
    ...plan.files.map(({ name }) => name),
    ...madeBeside(plan),
  ];
  const seen = new Set<string>();
  const timestamp = memberNameKey(`${plan.base}.tst`); // whether there is one or not: a bundle may be signed later
  for (const name of names) {
    const fix = RENAME;
    expectName(name);
    const key = memberNameKey(name);
    if (key === timestamp)
      throw new BundleError('ARCHIVE_DUPLICATE', `"${name}" is the name of the timestamp of the signature`, {
        why: 'an importer would take the file for that, now or once the bundle is signed',
        fix,
      });
    if (sidecarOf(name, plan.base) !== undefined)
      throw new BundleError('ARCHIVE_DUPLICATE', `"${name}" is the name of a signature beside the manifest`, {
        why: 'an importer would take the file for a signature of the bundle', // [side.2]
        fix,
      });
    if (seen.has(key))
      throw new BundleError('ARCHIVE_DUPLICATE', `two members would be named "${name}"`, { fix });
    seen.add(key);
  }
  expectImportable({
    base: plan.base,
    members: names,
    ...(plan.descriptor !== undefined && { descriptor: plan.descriptor.name }),
  });
  const [fault] = joinFaults({ references }, names, { ...DEFAULT_LIMITS, members: names.length });
  if (fault) throw fault;
}

const RENAME = 'rename it, and pack again';

/** Refuses a name that no member may have. @throws {BundleError} `ARCHIVE_NAME` [pack.5] */
export function expectName(name: string): void {
  const fault = memberNameFault(name, DEFAULT_LIMITS);
  if (!fault) return;
  throw new BundleError('ARCHIVE_NAME', `"${name}" cannot be the name of a member: ${fault}`, {
    fix: RENAME,
  });
}

/** Refuses more members than may be. @throws {BundleError} `ARCHIVE_LIMIT` */
export function expectMembers(plan: PackPlan, most: number): void {
  const count = plan.files.length + madeBeside(plan).length + (plan.descriptor ? 3 : 2);
  if (count <= most) return;
  throw new BundleError('ARCHIVE_LIMIT', `${count} members are more than the ${most} importers read`, {
    fix: {
      text: 'pack fewer files, or more in one; or allow more members here, and have whoever imports it allow them',
      advice: 'pack-more',
    },
  });
}
