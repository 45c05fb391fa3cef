import type { ImageReport, ImageResult } from '../../operations/glance/image-options.ts';
import type { SignatureReport } from '../../verdict/report/report.ts';
import { wordedReport } from '../advice.ts';
import type { Context } from '../context.ts';
import { besideIn } from '../typed-names.ts';
import { field, inputName, shown } from './field.ts';
import { rememberedLines } from './render-path.ts';
import { renderReport, wasStopped } from './render-report.ts';

/** Prints what became of an image: the signature and the certificate are two findings. Returns the exit code. [glance.16] */
export function renderImageReport(
  found: ImageReport,
  context: Context,
  options: { readonly json: boolean; readonly quiet: boolean },
): number {
  const { style } = context;
  const report = wordedReport(found, besideIn(context));
  const result: Partial<ImageResult> = report.result ?? {};
  if (options.json) return renderReport(report, context, options);
  if (report.exitCode !== 0) {
    renderReport(report, context, options);
    if (wasStopped(report)) return report.exitCode;
    const { signature, certificate } = result;
    if (signature && signature !== 'not-judged') context.tell(field('signature', signature));
    if (certificate && certificate !== 'not-judged') context.tell(field('certificate', certificate));
    return report.exitCode;
  }
  if (options.quiet) return 0;
  const name = style.bold(shown(inputName(report.input?.name ?? '')));
  if (report.trusted) context.print(`${style.good(style.pass)} ${name}  ${style.good('trusted')}`);
  else {
    context.print(
      `${style.warn(style.caution)} ${name}  ${style.warn('accepted by Glance and Nova; NOT judged by bulla')}`,
    );
  }
  for (const signature of report.signatures) for (const line of lines(signature, result)) context.print(line);
  for (const line of rememberedLines(report)) context.print(line);
  for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
  return 0;
}

function lines(signature: SignatureReport, result: Partial<ImageResult>): readonly string[] {
  const { signer, algorithm, file, trustedBy, knownBy } = signature;
  const validity = signer && `valid ${signer.notBefore.slice(0, 10)} to ${signer.notAfter.slice(0, 10)}`;
  return [
    field('signature', `valid: ${algorithm}, ${file}`),
    ...(signer
      ? [field(trustedBy || knownBy ? 'signed by' : 'claims to be', signer.subject, `${validity}`)]
      : []),
    ...(trustedBy ? [field('trusted via', trustedBy)] : knownBy ? [field('known via', knownBy)] : []),
    ...(result.certificateSource ? [field('kept at', result.certificateSource)] : []),
  ];
}
