import { formatJson } from '../../kit/json.ts';
import { firstOf } from '../../verdict/report/exit-codes.ts';
import type { Report } from '../../verdict/report/report.ts';
import { wordedReport } from '../advice.ts';
import type { Context } from '../context.ts';
import { besideIn } from '../typed-names.ts';
import { field, inputTitle, shown } from './field.ts';
import { tellSlots } from './render-error.ts';
import { rememberedLines } from './render-path.ts';
import { headOf } from './render-report.ts';

/** What became of one of several inputs; one that nobody had begun with when the work was ended is `begun: false`. */
export interface OneOfMany {
  readonly report: Report;
  readonly begun: boolean;
}

/** Takes reports in their order, prints each as it comes, and in the end what they come to. */
export interface ManyRenderer {
  add(one: OneOfMany): void;
  /** Prints the summary and returns the exit code. [many.5] */
  end(): number;
}

type Ending = 'trusted' | 'allowed' | 'refused' | 'undecided' | 'left';

/** Prints several reports: a line each, what is refused with its reason, and a summary; or each as JSON on a line. [many.2] [many.4] */
export function renderMany(
  context: Context,
  { json, quiet }: { readonly json: boolean; readonly quiet: boolean },
): ManyRenderer {
  const codes = new Set<number>();
  const counts: Record<Ending, number> = { trusted: 0, allowed: 0, refused: 0, undecided: 0, left: 0 };
  return {
    add: ({ report: found, begun }) => {
      const report = wordedReport(found, besideIn(context));
      codes.add(report.exitCode);
      counts[endingOf(report, begun)]++;
      if (json) context.print(formatJson(report, 'line'), 'data');
      else if (!begun) return;
      else if (report.exitCode !== 0) tellRefused(report, context);
      else if (!quiet) printGood(report, context);
    },
    end: () => {
      const exitCode = firstOf(codes);
      if (!json && !quiet) context.print(summaryOf(counts, exitCode, context));
      return exitCode;
    },
  };
}

function endingOf({ exitCode, trusted }: Report, begun: boolean): Ending {
  if (!begun) return 'left';
  if (exitCode === 0) return trusted ? 'trusted' : 'allowed';
  return exitCode < 10 || exitCode > 100 ? 'undecided' : 'refused';
}

function printGood(report: Report, context: Context): void {
  const { style } = context;
  const name = style.bold(shown(report.input ? inputTitle(report.input) : ''));
  const signed = report.signatures.find(({ status }) => status === 'trusted');
  // [path.17] The name in a certificate that nobody vouches for is no signer's
  const signer = signed?.unproven ? `the key sha256:${signed.signer?.spkiSha256}` : signed?.signer?.subject;
  context.print(
    report.trusted
      ? `${style.good(style.pass)} ${name}  ${style.good('trusted')}, signed by ${shown(signer ?? '')}`
      : `${style.warn(style.caution)} ${name}  ${style.warn('NOT trusted, accepted as allowed')}`,
  );
  for (const line of rememberedLines(report)) context.print(line);
  for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
}

/** In short: who would have signed it is told where it is verified by itself. */
function tellRefused(report: Report, context: Context): void {
  const { style } = context;
  const [first, ...others] = report.errors;
  context.tell(headOf(report, context));
  if (first) tellSlots(first, context);
  if (others.length > 0) context.tell(field('also', `${others.length} more; verify it by itself to see all`));
  for (const line of rememberedLines(report)) context.tell(line);
  for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
}

function summaryOf(counts: Readonly<Record<Ending, number>>, exitCode: number, { style }: Context): string {
  const { trusted, allowed, refused, undecided, left } = counts;
  const all = trusted + allowed + refused + undecided + left;
  const rest = [
    ...(allowed > 0 ? [`${allowed} accepted as allowed`] : []),
    ...(refused > 0 ? [`${refused} NOT trusted`] : []),
    ...(undecided > 0 ? [`${undecided} without a verdict`] : []),
    ...(left > 0 ? [`${left} not begun`] : []),
  ];
  const text = `${trusted} of ${all} trusted${rest.length > 0 ? `; ${rest.join(', ')}` : ''}`;
  if (exitCode !== 0) return `${style.bad(style.fail)} ${text}  ${style.dim(`[exit ${exitCode}]`)}`;
  return trusted === all ? `${style.good(style.pass)} ${text}` : `${style.warn(style.caution)} ${text}`;
}
