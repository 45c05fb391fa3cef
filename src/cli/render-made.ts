import { printable } from '../kit/encoding.ts';
import type { Report } from '../operations/report.ts';
import type { Context } from './context.ts';
import { formatBytes } from './progress.ts';
import { renderReport } from './render-report.ts';

/** Prints what `pack` or `sign` made, and returns the exit code; on standard error when the bundle itself went to standard output. */
export function renderMade(
  report: Report,
  context: Context,
  flags: { readonly json?: boolean; readonly quiet?: boolean },
): number {
  const output = String(report.result?.['output']);
  const say = output === '-' ? context.tell : context.print;
  if (flags.json && output === '-') context.tell(JSON.stringify(report, undefined, 2));
  else if (flags.json || report.exitCode !== 0)
    return renderReport(report, context, { json: flags.json ?? false, quiet: false });
  if (flags.json || flags.quiet) return report.exitCode;

  const { style } = context;
  const signer = report.result?.['signer'] as { subject: string; key: string } | undefined;
  say(
    `${style.good(style.pass)} ${style.bold(printable(output === '-' ? 'standard output' : output))}  ${report.operation === 'sign' ? 'signed' : 'packed'}`,
  );
  for (const file of report.files) {
    const digest = file.algorithm && file.actual ? `  ${file.algorithm}:${file.actual}` : '';
    if (file.role === 'descriptor' || file.role === 'file')
      say(`  ${printable(file.name)}  ${formatBytes(file.size ?? 0)}${digest}`);
  }
  say(
    signer
      ? `  signed by    ${printable(signer.subject)}  ${signer.key}`
      : `  ${style.warn('unsigned')}: importers refuse it; sign it with --key and --cert`,
  );
  for (const warning of report.warnings)
    context.tell(`  ${style.warn('warning')}      ${printable(warning)}`);
  return report.exitCode;
}
