import { printable } from '../kit/encoding.ts';
import type { CertificateReport, Report } from '../operations/report.ts';
import type { Context } from './context.ts';
import { tellSlots } from './render-error.ts';

/** Errors shown in full; the rest is counted, and in the JSON report. */
const SHOWN_ERRORS = 4;

/** Prints a report: as one JSON document, or for people. Returns the exit code. */
export function renderReport(
  report: Report,
  context: Context,
  options: { readonly json: boolean; readonly quiet: boolean },
): number {
  if (options.json) {
    context.print(JSON.stringify(report, undefined, 2));
  } else if (report.exitCode !== 0) {
    renderRefusal(report, context);
  } else if (!options.quiet) {
    renderSuccess(report, context);
  }
  return report.exitCode;
}

function renderSuccess(report: Report, context: Context): void {
  const { style } = context;
  const name = report.input?.name ?? '';
  const word =
    report.verdict === 'trusted' ? style.good('trusted') : style.warn('NOT trusted, accepted as allowed');
  context.print(`${style.good(style.pass)} ${style.bold(printable(nameOf(name)))}  ${word}`);
  for (const line of signatureLines(report)) context.print(line);
  context.print(`  files        ${filesLine(report)}`);
  tellWarnings(report, context);
}

function renderRefusal(report: Report, context: Context): void {
  const { style } = context;
  const [first, ...others] = report.errors;
  const name = report.input?.name ?? report.operation;
  const verdict = report.verdict === 'error' ? 'no verdict' : 'NOT trusted';
  const headline = `${style.bad(style.fail)} ${style.bold(printable(nameOf(name)))}  ${style.bad(verdict)}: ${printable(first?.message ?? '')}`;
  context.tell(`${headline}  ${style.dim(`[${first?.code}, exit ${report.exitCode}]`)}`);
  if (first) tellSlots(first, context);
  for (const error of others.slice(0, SHOWN_ERRORS - 1)) {
    context.tell(`  also: ${printable(error.message)}  ${style.dim(`[${error.code}]`)}`);
    tellSlots(error, context);
  }
  const more = others.length - SHOWN_ERRORS + 1;
  if (more > 0) context.tell(`  and ${more} more; --json lists them all`);
  for (const line of signatureLines(report)) context.tell(line);
  tellWarnings(report, context);
}

function tellWarnings(report: Report, context: Context): void {
  for (const warning of report.warnings)
    context.tell(`  ${context.style.warn('warning')}      ${printable(warning)}`);
}

function signatureLines(report: Report): string[] {
  return report.signatures.flatMap(({ signer, algorithm, trustedBy }) => {
    if (!signer) return [];
    return [
      `  signed by    ${printable(signer.subject)}  ${algorithm}, ${validity(signer)}`,
      ...(trustedBy
        ? [`  trusted via  ${printable(trustedBy)}`]
        : [`  issued by    ${printable(signer.issuer)}`]),
      `  key          sha256:${signer.spkiSha256}`,
    ];
  });
}

function validity(certificate: CertificateReport): string {
  return `valid ${certificate.notBefore.slice(0, 10)} to ${certificate.notAfter.slice(0, 10)}`;
}

function filesLine(report: Report): string {
  const listed = report.files.filter((file) => file.expected !== undefined);
  const good = listed.filter((file) => file.status === 'ok');
  const names = good.slice(0, 4).map((file) => file.name);
  const more = good.length > names.length ? ', …' : '';
  return printable(`${good.length} of ${listed.length} match the manifest (${names.join(', ')}${more})`);
}

/** The input as people call it. */
export function nameOf(name: string): string {
  return name === '-' ? 'standard input' : name;
}
