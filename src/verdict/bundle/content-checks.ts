import type { Manifest } from '../../formats/ovf/manifest.ts';
import { counted } from '../../kit/encoding.ts';
import type { BundleError, ErrorCode } from '../../kit/errors/errors.ts';
import type { Check, CheckId, FileReport } from '../report/report.ts';

/** What the comparison of the members with the manifest has found. `complete`: the bundle was read to its end. */
export interface ComparedContents {
  readonly files: readonly FileReport[];
  readonly errors: readonly BundleError[];
  readonly manifest: Manifest;
  readonly complete: boolean;
}

/** What may come without a line, where a trusted path answers for it. [bundle.6] */
const BESIDE: readonly FileReport['role'][] = ['timestamp', 'signature', 'revocation'];

/** The entries of the report about manifest, members and digests; of members that were not read, nothing is said to be good. */
export function contentChecks({ files, errors, manifest, complete }: ComparedContents): Check[] {
  const lines = manifest.entries.length;
  const good = files.filter((file) => file.status === 'ok');
  const inBlocks = good.filter(({ actual, blocks }) => blocks && actual === undefined).length;
  const unlisted = files.find((file) => file.status === 'unlisted');
  const failed = (id: CheckId, codes: readonly ErrorCode[]): Check | undefined => {
    const fault = errors.find((error) => codes.includes(error.code));
    return fault && { id, status: 'fail', detail: fault.message };
  };
  const passed = (id: CheckId, detail: string): Check =>
    complete
      ? { id, status: 'pass', detail }
      : { id, status: 'skip', detail: 'the bundle was not read to its end' };
  const beside = files.filter(({ role, expected }) => expected === undefined && BESIDE.includes(role)).length;
  const listed = beside > 0 ? `every member but ${beside} with evidence is listed` : 'every member is listed';
  const members = passed('package.members', `${listed}, every listed file is there`);
  return [
    failed('manifest.syntax', ['MANIFEST_SYNTAX', 'MANIFEST_MISSING']) ?? {
      id: 'manifest.syntax',
      status: 'pass',
      detail: counted(lines, 'line'),
    },
    failed('package.members', ['FILE_UNLISTED', 'DESCRIPTOR_UNLISTED', 'FILE_MISSING']) ??
      (unlisted
        ? { ...members, status: 'warn', detail: `"${unlisted.name}" is not listed, as was allowed` }
        : members),
    failed('manifest.digests', [
      'DIGEST_MISMATCH',
      'PACKAGE_AMBIGUOUS',
      'BLOCKS_SYNTAX',
      'BLOCKS_CONFLICT',
    ]) ??
      passed(
        'manifest.digests',
        `${good.length} of ${counted(lines, 'file')} ${good.length === 1 ? 'matches' : 'match'} the manifest${inBlocks > 0 ? `, ${inBlocks} of them by ${inBlocks === 1 ? 'its' : 'their'} blocks` : ''}`,
      ),
  ];
}

/** The entry of the report about the archive: whether it was read to its end. `count`: members that were read. */
export function archiveCheck(fault: BundleError | undefined, complete: boolean, count: number): Check {
  const id = 'archive.safety';
  if (fault) return { id, status: 'fail', detail: fault.message };
  if (!complete)
    return {
      id,
      status: 'skip',
      detail: `reading stopped after ${counted(count, 'member')}: the bundle is refused`,
    };
  return { id, status: 'pass', detail: `${counted(count, 'member')}, read to the end` };
}
