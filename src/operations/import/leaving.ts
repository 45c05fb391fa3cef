import { blocksSubject } from '../../formats/blocks/block-digests.ts';
import { counted, printable } from '../../kit/encoding.ts';
import type { Advised, Told } from '../../kit/errors/advice.ts';
import type { ErrorKind } from '../../kit/errors/error-kinds.ts';
import { BundleError, type ErrorDetails, toBundleError } from '../../kit/errors/errors.ts';
import type { Staging } from '../../storage/output/staging.ts';
import { type ErrorReport, warned } from '../../verdict/report/report.ts';
import { sweptWarnings } from '../../verdict/report/run-notes.ts';
import { type Ending, refusedReport } from './ending.ts';
import type { ImportReport } from './import-result.ts';
import type { ResumingSink } from './resuming-sink.ts';

/** What became of what has come: left to a later run, or thrown away because of a verdict or for another reason. [resume.1] [resume.4] */
interface Outcome {
  readonly kind: 'kept' | 'refused' | 'dropped';
  /** what is to be said of it besides */
  readonly notes: readonly Told[];
}

const KEPT: Advised = {
  text: 'what has come is kept beside the destination: the same import goes on with it; another import into the same folder removes it',
  advice: 'what-is-kept',
};
const NO_BLOCKS: Advised = {
  text: 'nothing is kept to be gone on with: no block digests have come, so that the next run begins anew',
  advice: 'nothing-is-kept',
};
const IN_THE_WAY: Advised = {
  text: 'what has come is kept beside it: once nothing is in the way, the same command goes on with that',
  advice: 'kept-beside',
};
const GO_ON = 'run the same command again: it goes on with what has come';

/**
 * Ends an import into a folder. What has come is left where a later run may go on with it: when the folder can be left, and it
 * was no verdict that ended this one.
 */
export function leavingOf(
  folder: Pick<Staging, 'swept'> & { readonly leave?: Staging['leave'] },
  resuming: ResumingSink | undefined,
): Ending {
  let isJudged = false;
  const end = (errors: readonly BundleError[]): Outcome => {
    if (!canGoOn(errors, isJudged)) return { kind: 'refused', notes: [] };
    let hadBlocks = true;
    const isKept = folder.leave?.((names) => {
      const all = new Set(names);
      const subjects = names.flatMap((name) => blocksSubject(name) ?? []);
      hadBlocks = names.length === 0 || subjects.length > 0;
      return subjects.some((subject) => all.has(subject));
    });
    if (isKept) return { kind: 'kept', notes: [] };
    return { kind: 'dropped', notes: hadBlocks ? [] : [NO_BLOCKS] };
  };
  const unusable = (outcome: Outcome | undefined): readonly Told[] =>
    outcome?.kind === 'kept' ? [] : (resuming?.unusable(outcome?.kind === 'refused') ?? []);
  const begun = (report: ImportReport): ImportReport =>
    warned(report, [...sweptWarnings(folder.swept), ...resumedNotes(resuming?.resumed ?? [])]);
  return {
    judged: async (report, errors) => {
      const outcome = errors.length > 0 ? end(errors) : undefined;
      isJudged = true;
      const isKept = outcome?.kind === 'kept';
      const notes = isKept ? [KEPT] : (outcome?.notes ?? []);
      const told = isKept ? { ...report, errors: report.errors.map(keptReport) } : report;
      return warned(begun(told), [...unusable(outcome), ...notes]);
    },
    unfit: async (report, error) => {
      const fault = toBundleError(error);
      const outcome = end([fault]);
      return warned(refusedReport(begun(report), told(fault, outcome, outcome.notes)), unusable(outcome));
    },
    failed: async (error) => {
      const fault = toBundleError(error);
      const outcome = end([fault]);
      return told(fault, outcome, [...(resuming?.unusable(false) ?? []), ...outcome.notes]);
    },
  };
}

/** The error that ended an import, which says what is so. [resume.4] */
function told(fault: BundleError, { kind }: Outcome, notes: readonly Told[]): BundleError {
  const isLeft = kind === 'kept';
  if (!isLeft && notes.length === 0) return fault;
  const { code, message, where, why, advice, cause } = fault;
  const details = isLeft ? keptAdvice(fault) : { why, fix: [...advice, ...notes] };
  return new BundleError(code, message, { where, ...details, cause });
}

function resumedNotes(resumed: ResumingSink['resumed']): readonly string[] {
  return resumed
    .filter(({ bytes }) => bytes > 0)
    .map(
      ({ name, bytes }) =>
        `"${printable(name)}" was gone on with: ${counted(bytes, 'byte')} ${bytes === 1 ? 'was' : 'were'} there, and right`,
    );
}

/** What is so in place of the usual advice where something is kept; undefined where that stays true. [resume.4] */
function adviceWhereKept(code: string): { readonly why?: string; readonly fix: string } | undefined {
  if (code === 'INTERRUPTED' || code === 'TERMINATED') return { fix: GO_ON };
  if (code !== 'STORAGE_FULL') return undefined;
  return {
    why: 'the files cannot be stored whole, so nothing is imported',
    fix: `free space on the file system of the destination, and ${GO_ON}`,
  };
}

function keptReport(report: ErrorReport): ErrorReport {
  const { code, message, where, why } = report;
  const other = adviceWhereKept(code);
  return other ? { code, message, where, why, ...other } : report;
}

function keptAdvice({ code, why, advice }: BundleError): Pick<ErrorDetails, 'why' | 'fix'> {
  return { why, ...(adviceWhereKept(code) ?? { fix: [...advice, whatIsKept(code)] }) };
}

function whatIsKept(code: string): Told {
  if (code === 'DESTINATION_EXISTS') return IN_THE_WAY; // [resume.4]
  if (code === 'USAGE') return 'what has come is kept, and the command goes on with it then';
  return 'what has come is kept, and the same command goes on with it';
}

/** Whether it was no verdict that ended it, so that another try may come farther; a bundle that was read whole was not cut off. */
function canGoOn(errors: readonly BundleError[], isJudged: boolean): boolean {
  const passing: readonly ErrorKind[] = [
    'io',
    'network',
    'unauthorised',
    'interrupted',
    'terminated',
    'usage',
  ];
  return errors.some(
    ({ kind, code }) => passing.includes(kind) || (code === 'ARCHIVE_TRUNCATED' && !isJudged),
  );
}
