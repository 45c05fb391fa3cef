import { blocksSubject } from '../../formats/blocks/block-digests.ts';
import type { Advised, Told } from '../../kit/errors/advice.ts';
import type { ErrorKind } from '../../kit/errors/error-kinds.ts';
import { BundleError, type ErrorDetails, toBundleError } from '../../kit/errors/errors.ts';
import type { Staging } from '../../storage/output/staging.ts';
import type { ErrorReport } from '../../verdict/report/report.ts';

/** What becomes of what has come, when an import comes to its end too early. [resume.1] [resume.4] */
export interface Leaving {
  /** what became of it: left to a later run, or thrown away because of a verdict or for another reason; undefined as long as there is no error */
  readonly outcome: 'kept' | 'refused' | 'dropped' | undefined;
  /** the error that ended an import, which says what is so; `unusable` tells what an earlier run had left to no use */
  ended(error: unknown, unusable?: () => readonly Told[]): BundleError;
  /** the errors of a report that say what is so, and what is to be said besides */
  judged(
    reports: readonly ErrorReport[],
    errors: readonly BundleError[],
  ): { readonly errors: readonly ErrorReport[]; readonly notes: readonly Told[] };
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

/** For the folder of an import that is to leave what has come; without one nothing is left. */
export function leavingOf(staging: Staging | undefined): Leaving {
  let outcome: Leaving['outcome'];
  let hadBlocks = true;
  let isJudged = false;
  const leave = (errors: readonly BundleError[]): boolean => {
    if (errors.length === 0) return false;
    outcome = canGoOn(errors, isJudged) ? 'dropped' : 'refused';
    if (!staging || outcome === 'refused') return false;
    const isKept = staging.leave((names) => {
      const all = new Set(names);
      const subjects = names.flatMap((name) => blocksSubject(name) ?? []);
      hadBlocks = names.length === 0 || subjects.length > 0;
      return subjects.some((subject) => all.has(subject));
    });
    if (isKept) outcome = 'kept';
    return isKept;
  };
  return {
    get outcome() {
      return outcome;
    },
    ended: (error, unusable = () => []) => {
      const fault = toBundleError(error);
      const { code, message, where, cause } = fault;
      const isLeft = leave([fault]);
      const notes = isLeft ? [] : [...unusable(), ...(hadBlocks ? [] : [NO_BLOCKS])]; // [resume.4]
      if (!isLeft && notes.length === 0) return fault;
      const told = isLeft ? keptAdvice(fault) : { why: fault.why, fix: [...fault.advice, ...notes] };
      return new BundleError(code, message, { where, ...told, cause });
    },
    judged: (reports, errors) => {
      const isLeft = leave(errors);
      isJudged = true;
      if (isLeft) return { errors: reports.map(keptReport), notes: [KEPT] };
      return { errors: reports, notes: hadBlocks ? [] : [NO_BLOCKS] };
    },
  };
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
