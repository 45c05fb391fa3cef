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
  const isRequest = 'request' in result;
  const file = isRequest ? result.request : result.response;
  print(`${style.good(style.pass)} ${style.bold(shown(file))}  ${isRequest ? 'request to sign' : 'signed'}`);
  if (isRequest) print(field('to sign', result.digest));
  else print(field('signed by', result.signer.subject, result.signer.key));
  if (defaults.length > 0) print(defaultsField(defaults));
  const holds = result.bytes <= QR_CODE_BYTES ? 'a QR code holds it' : `a QR code holds ${QR_CODE_BYTES}`;
  print(field('size', `${result.bytes} bytes`, holds));
  print(
    isRequest
      ? field('then', 'where the key is: bulla sign --answer REQUEST --key KEY --cert CERT')
      : field('then', 'where the bundle is: bulla sign BUNDLE --attach RESPONSE'),
  );
  for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
  return report.exitCode;
}
