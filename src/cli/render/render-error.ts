import type { BundleError, Where } from '../../kit/errors/errors.ts';
import { exitCodeOf } from '../../verdict/report/exit-codes.ts';
import type { ErrorReport } from '../../verdict/report/report.ts';
import { fixOf } from '../advice.ts';
import type { Context } from '../context.ts';
import { besideIn } from '../typed-names.ts';
import { field, inputName, shown } from './field.ts';

/** Prints one error: what, where, why it matters, what to do. */
export function renderError(error: BundleError, context: Context): void {
  const { style } = context;
  const tag = style.dim(`[${error.code}, exit ${exitCodeOf([error])}]`);
  context.tell(`${style.bad(style.fail)} bulla: ${shown(error.message)}  ${tag}`);
  tellSlots({ where: error.where, why: error.why, fix: fixOf(error, besideIn(context)) }, context);
  if (error.code === 'INTERNAL' && error.cause instanceof Error && context.env['BULLA_DEBUG']) {
    context.tell(error.cause.stack ?? '');
  }
}

/** The three slots under the headline. */
export function tellSlots(error: Pick<ErrorReport, 'where' | 'why' | 'fix'>, context: Context): void {
  tellWhere(error.where, context);
  context.tell(field('why', error.why));
  context.tell(field('do', error.fix));
}

/** A place in words, if one is known: file, member, line, and which byte of what. */
export function tellWhere(where: Where, context: Context): void {
  const { file, member, line, offset, memberOffset, compressedOffset } = where;
  const isStart = offset === 0 && member === undefined; // which says nothing that the name of the file does not
  const parts = [
    file === undefined ? undefined : inputName(file),
    memberOffset === undefined ? member : undefined,
    line === undefined ? undefined : `line ${line}`,
    memberOffset === undefined ? undefined : `byte ${memberOffset} of ${member ?? 'the member'}`,
    offset === undefined || isStart ? undefined : `byte ${offset} of the archive`,
    compressedOffset === undefined || memberOffset !== undefined
      ? undefined
      : `byte ${compressedOffset} of the compressed archive`,
  ].filter((part) => part !== undefined);
  if (parts.length > 0) context.tell(field('where', parts.join(', ')));
}
