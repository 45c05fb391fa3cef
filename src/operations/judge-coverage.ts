import { BundleError } from '../kit/errors.ts';
import type { Allowances } from '../trust/policy.ts';
import type { BundleRoles } from './bundle-roles.ts';
import type { FileReport } from './report.ts';
import { habitBehind } from './stray-members.ts';

/** [rep.5] Who answers for a file that the manifest does not cover. */
export function withVoucher(
  file: FileReport,
  { manifestAccepted, signed }: { readonly manifestAccepted: boolean; readonly signed: boolean },
): FileReport {
  if (file.expected !== undefined) return file;
  const known = manifestAccepted && signed && file.status !== 'unlisted';
  return { ...file, vouchedBy: (known && VOUCHERS[file.role]) || 'nobody' };
}

const VOUCHERS: Partial<Record<FileReport['role'], FileReport['vouchedBy']>> = {
  manifest: 'signer',
  certificate: 'signer',
  timestamp: 'authority',
  revocation: 'issuer',
};

/** [bundle.6] */
const OF_A_STRANGER = {
  why: 'revocation information and timestamps need no line only where a trusted path answers for them; a stranger can sign anything',
  fix: 'ask the publisher to list it, or to leave it out; one of a timestamp authority counts when you trust that: --trust-tsa',
} as const;

/** [cover.1] [cover.3] Every member is listed; the descriptor may be excused, and nothing else. */
export function coverageFaults(
  files: readonly FileReport[],
  roles: BundleRoles,
  allowances: Allowances,
  warnings: string[],
): BundleError[] {
  return files.flatMap((file) => {
    if (file.status !== 'unlisted') return [];
    const where = { member: file.name, ...(file.offset === undefined ? {} : { offset: file.offset }) };
    if (file.role === 'revocation' || file.role === 'timestamp') {
      const problem = `"${file.name}" is not in the manifest, and nobody on the path of a trusted signer answers for all of it`;
      return [new BundleError('FILE_UNLISTED', problem, { where, ...OF_A_STRANGER })];
    }
    if (file.name !== roles.descriptor) {
      return [
        new BundleError('FILE_UNLISTED', `"${file.name}" is in the bundle and not in the manifest`, {
          where,
          ...habitBehind(file.name),
        }),
      ];
    }
    if (!allowances.unlistedDescriptor) {
      return [
        new BundleError('DESCRIPTOR_UNLISTED', `the manifest does not list the descriptor "${file.name}"`, {
          where,
        }),
      ];
    }
    warnings.push(`the manifest does not list the descriptor "${file.name}" (--allow-unlisted-descriptor)`);
    return [];
  });
}
