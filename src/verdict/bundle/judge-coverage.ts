import { isPlainEvidence } from '../../formats/bundle-part.ts';
import { allowed, type Told } from '../../kit/errors/advice.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Allowances } from '../../trust/policy.ts';
import type { FileReport } from '../report/report.ts';
import type { Strangers } from '../signers/carried.ts';
import type { BundleRoles } from '../walk/bundle-roles.ts';
import { habitBehind } from '../walk/stray-members.ts';

/** [rep.5] Who answers for a file that the manifest does not cover: of evidence, whoever is known by its signature. */
export function withVoucher(
  file: FileReport,
  options: {
    readonly manifestAccepted: boolean;
    readonly signed: boolean;
    readonly answered?: ReadonlyMap<string, unknown>;
  },
): FileReport {
  if (file.expected !== undefined) return file;
  const { manifestAccepted, signed, answered } = options;
  const isAnswered = file.role === 'manifest' || (answered?.has(file.name) ?? false);
  const known = manifestAccepted && signed && isAnswered && file.status !== 'unlisted';
  return { ...file, vouchedBy: (known && VOUCHERS[file.role]) || 'nobody' };
}

const VOUCHERS: Partial<Record<FileReport['role'], FileReport['vouchedBy']>> = {
  manifest: 'signer',
  certificate: 'signer',
  timestamp: 'authority',
  signature: 'signer',
  revocation: 'issuer',
};

/** [bundle.6] */
const OF_A_STRANGER = {
  why: 'revocation information, timestamps and signatures beside the manifest need no line only where a trusted path answers for them; a stranger can sign anything',
  fix: {
    text: 'ask the publisher to list it in the manifest, or to leave it out; a path ends at the certificate that you trust, so what is of an issuer above it counts only when you trust that issuer instead, whose certificate you have from a source of your own; what is of a timestamp authority counts when you trust that',
    advice: 'trust-issuer',
  },
  own: 'list it in the manifest, or leave it out: the signature of the bundle is to answer for what no trusted path does',
} as const;

/** [bundle.10] */
const NOT_PLAIN = {
  why: 'whoever carries the bundle has chosen the name, nobody has signed it, and an import would publish it',
  fix: 'ask the publisher to list it, or to name it revocation/NAME.crl (or .ocsp) with at most 64 letters, digits, ".", "_" and "-"',
  own: 'list it in the manifest, or name it revocation/NAME.crl (or .ocsp) with at most 64 letters, digits, ".", "_" and "-"',
} as const;

/** [cover.1] [cover.3] Every member is listed; the descriptor may be excused, and nothing else. */
export function coverageFaults(
  files: readonly FileReport[],
  roles: BundleRoles,
  {
    allowances,
    strangers,
    warnings,
  }: {
    readonly allowances: Allowances;
    readonly strangers: Strangers;
    /** takes what is let pass */
    readonly warnings: Told[];
  },
): BundleError[] {
  return files.flatMap((file) => {
    if (file.status !== 'unlisted') return [];
    const where = { member: file.name, ...(file.offset !== undefined && { offset: file.offset }) };
    if (file.role === 'revocation' && !isPlainEvidence(file.name)) {
      const problem = `"${file.name}" is not in the manifest, and has no plain name`;
      return [new BundleError('FILE_UNLISTED', problem, { where, ...NOT_PLAIN })];
    }
    const reason = strangers.get(file.name);
    if (reason !== undefined && ['revocation', 'timestamp', 'signature'].includes(file.role)) {
      const problem = `"${file.name}" is not in the manifest, and nobody who is trusted answers for all of it: ${reason}`;
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
    const warning = `the manifest does not list the descriptor "${file.name}"`;
    warnings.push(allowed(warning, 'unlistedDescriptor'));
    return [];
  });
}
