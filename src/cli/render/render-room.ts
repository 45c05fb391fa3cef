import { isShownWhole, shellPath } from '../../kit/shell.ts';
import type { AnsweredReport } from '../../operations/sign/room/answer.ts';
import type { PreparedReport } from '../../operations/sign/room/prepare.ts';
import { wordedReport } from '../advice.ts';
import type { Context } from '../context.ts';
import { defaultsField, field, shown } from './field.ts';
import { renderReport } from './render-report.ts';

/** The most that a QR code holds (ISO/IEC 18004, version 40-L). */
const QR_CODE_BYTES = 2953;

/** Prints what became of a request to sign, and what is next, and returns the exit code. */
export function renderRoom(
  given: PreparedReport | AnsweredReport,
  context: Context,
  flags: { readonly json?: boolean; readonly quiet?: boolean },
): number {
  const { defaults = [], style, print } = context;
  const report = { ...wordedReport(given), ...(defaults.length > 0 && { defaults }) };
  const { json = false, quiet = false } = flags;
  const { result } = report;
  if (json || !result) return renderReport(report, context, { json, quiet });
  if (quiet) return report.exitCode;
  const isRequest = 'digest' in result;
  const file = (isRequest ? result.request : result.response) ?? '';
  const say = file === '-' ? context.tell : print;
  const named = isShownWhole(file) && file !== '-' ? shellPath(file) : '';
  say(
    `${style.good(style.pass)} ${style.bold(file === '-' ? 'standard output' : shown(file))}  ${isRequest ? 'request to sign' : 'signed'}`,
  );
  if (isRequest) say(field('to sign', result.digest));
  else say(field('signed by', result.signer.subject, result.signer.key));
  if (defaults.length > 0) say(defaultsField(defaults));
  const holds = result.bytes <= QR_CODE_BYTES ? 'a QR code holds it' : `a QR code holds ${QR_CODE_BYTES}`;
  say(field('size', `${result.bytes} bytes`, holds));
  say(
    isRequest
      ? field('then', `where the key is: bulla sign --answer ${named || 'REQUEST'} --key KEY --cert CERT`)
      : field('then', `where the bundle is: bulla sign BUNDLE --attach ${named || 'RESPONSE'}`),
  );
  for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
  return report.exitCode;
}
