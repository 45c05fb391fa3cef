import { printable } from '../kit/encoding.ts';
import type { BundleError, Where } from '../kit/errors.ts';
import { exitCodeOf } from '../operations/exit-codes.ts';
import type { ErrorReport } from '../operations/report.ts';
import type { Context } from './context.ts';

/** Prints one error: what, where, why it matters, what to do. */
export function renderError(error: BundleError, context: Context): void {
  const { style } = context;
  const tag = style.dim(`[${error.code}, exit ${exitCodeOf([error])}]`);
  context.tell(`${style.bad(style.fail)} bulla: ${printable(error.message)}  ${tag}`);
  tellSlots(error, context);
  if (error.code === 'INTERNAL' && error.cause instanceof Error && context.env['BULLA_DEBUG']) {
    context.tell(error.cause.stack ?? '');
  }
}

/** The three slots under the headline. */
export function tellSlots(error: Pick<ErrorReport, 'where' | 'why' | 'fix'>, context: Context): void {
  const where = describeWhere(error.where);
  if (where) context.tell(`  where  ${where}`);
  context.tell(`  why    ${printable(error.why)}`);
  context.tell(`  do     ${printable(error.fix)}`);
}

/** A place in words: file, member, line, byte. */
function describeWhere(where: Where): string {
  const parts = [
    where.file === undefined ? undefined : where.file === '-' ? 'standard input' : where.file,
    where.member,
    where.line === undefined ? undefined : `line ${where.line}`,
    where.offset === undefined ? undefined : `byte ${where.offset}`,
  ];
  return printable(parts.filter((part) => part !== undefined).join(', '));
}
