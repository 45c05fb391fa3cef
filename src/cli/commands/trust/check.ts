import { type Command, Option } from 'commander';
import { BundleError } from '../../../kit/errors/errors.ts';
import { formatJson } from '../../../kit/json.ts';
import type { AttemptReport, CheckPathOptions, PathReport } from '../../../operations/trust/check-path.ts';
import type { PathCertificateReport, Report } from '../../../verdict/report/report.ts';
import { wordedReport } from '../../advice.ts';
import type { Context, Exit } from '../../context.ts';
import { gather, gatherOids, parseDepth, parseTime } from '../../options/options.ts';
import {
  expectEvidenceUsed,
  type StrengthFlags,
  strengthOf,
  withStrengthOptions,
  withTrustOption,
} from '../../options/trust-options.ts';
import { field, nestedField, shown } from '../../render/field.ts';
import { tellSlots } from '../../render/render-error.ts';
import { certificateText, revocationLines } from '../../render/render-path.ts';

interface CheckFlags extends StrengthFlags {
  readonly trust?: readonly string[];
  readonly untrusted?: readonly string[];
  readonly crl?: readonly string[];
  readonly ocsp?: readonly string[];
  readonly revocation?: CheckPathOptions['revocation'];
  readonly at?: Date;
  readonly purpose: NonNullable<CheckPathOptions['purpose']>;
  readonly maxDepth?: number;
  readonly strict?: boolean;
  readonly policy?: readonly string[];
  readonly explicitPolicy?: boolean;
  readonly inhibitMapping?: boolean;
  readonly inhibitAny?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
Exit codes: 0 valid, 13 validity or revocation, 14 policy or constraint, 16 malformed, 18 no path to an anchor.

Examples:
  bulla trust check signer.pem --untrusted intermediates.pem --trust root.pem
  bulla trust check signer.pem --trust root.pem --crl root.crl --at 2026-11-21`;

/** `bulla trust check LEAF --trust PEM…` */
export function trustCheckCommand(trust: Command, context: Context, exit: Exit): void {
  const command = trust
    .command('check')
    .summary('judge the certification path of a certificate, and tell what was tried and why it failed')
    .description(
      'Judges the certification path of a certificate, and tells what was tried and why it failed.',
    )
    .argument(
      '<leaf>',
      'the certificate, PEM, DER or PKCS#7; of several in the file that which issued no other, and these count as --untrusted',
    );
  withTrustOption(command, 'one or more files or folders of certificates that are trusted')
    .option(
      '--untrusted <pem>',
      'one or more files of certificates that may lead from the leaf to these',
      gather,
    )
    .option('--crl <file>', 'one or more certificate revocation lists, PEM or DER', gather)
    .option('--ocsp <file>', 'one or more OCSP responses, DER', gather)
    .addOption(
      new Option(
        '--revocation <mode>',
        'whether it must be shown that no certificate is revoked (default: require where lists or responses of the issuer are given, else if-present)',
      ).choices(['require', 'if-present', 'off']),
    )
    .option('--at <time>', 'judge at this time (ISO 8601) instead of now', parseTime)
    .addOption(
      new Option('--purpose <purpose>', 'what the certificate is to do')
        .choices(['code-signing', 'timestamping', 'any'])
        .default('code-signing'),
    )
    .option('--max-depth <count>', 'certificates between leaf and anchor at most (default: 10)', parseDepth)
    .option('--strict', 'refuse what issuers get wrong without harm, too')
    .option(
      '--policy <oid>',
      'one or more certificate policies that are acceptable (default: any)',
      gatherOids,
    )
    .option('--explicit-policy', 'the path must be issued under an acceptable policy')
    .option('--inhibit-mapping', 'no policy may be mapped to another')
    .option('--inhibit-any', 'anyPolicy stands for no policy');
  withStrengthOptions(command, 'SHA-1 signatures')
    .option('--json', 'print one JSON document')
    .addHelpText('after', EXAMPLES)
    .action(async (leaf: string, flags: CheckFlags) => {
      const { checkPath } = await import('../../../operations/trust/check-path.ts');
      const checked = await checkPath(leaf, { ...checkOptionsOf(flags), signal: context.signal });
      const report = wordedReport(checked.report);
      if (flags.json) context.print(formatJson(report), 'data');
      else renderCheck(report, checked.found, context);
      exit(report.exitCode);
    });
}

function checkOptionsOf(flags: CheckFlags): CheckPathOptions {
  expectEvidenceUsed(flags);
  const { trust = [], untrusted = [], crl = [], ocsp = [], policy } = flags;
  return {
    anchors: expectSome(trust),
    untrusted,
    crls: crl,
    ocsps: ocsp,
    purpose: flags.purpose,
    strict: flags.strict ?? false,
    policies: {
      ...(policy !== undefined && { initial: policy }),
      explicit: flags.explicitPolicy ?? false,
      inhibitMapping: flags.inhibitMapping ?? false,
      inhibitAny: flags.inhibitAny ?? false,
    },
    allow: strengthOf(flags),
    ...(flags.revocation !== undefined && { revocation: flags.revocation }),
    ...(flags.at !== undefined && { at: flags.at }),
    ...(flags.maxDepth !== undefined && { maxDepth: flags.maxDepth }),
  };
}

/** Nothing but what is named counts here. */
function expectSome(anchors: readonly string[]): readonly string[] {
  if (anchors.length > 0) return anchors;
  throw new BundleError('USAGE', 'nothing is named that is trusted: --trust is missing', {
    fix: 'name the certificates at which the path may end: --trust root.pem',
  });
}

function renderCheck(report: Report, found: PathReport, context: Context): void {
  const { style } = context;
  const good = report.exitCode === 0;
  const [first, ...others] = report.errors;
  const name = style.bold(shown(report.input?.name ?? ''));
  const print = good ? context.print : context.tell;
  if (good) print(`${style.good(style.pass)} ${name}  ${style.good('valid')}`);
  else {
    const tag = style.dim(`[${first?.code}, exit ${report.exitCode}]`);
    print(
      `${style.bad(style.fail)} ${name}  ${style.bad('not valid')}: ${shown(first?.message ?? '')}  ${tag}`,
    );
    if (first) tellSlots(first, context);
    for (const error of others) print(`${field('also', error.message)}  ${style.dim(`[${error.code}]`)}`);
  }
  const lines = good ? pathLines(found.path) : revocationLines(found.path, report.errors);
  for (const line of lines) print(line);
  for (const line of attemptLines(found.attempts)) print(line);
  for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
}

/** The path, anchor last, one certificate a line, and what is known of revocation. */
function pathLines(path: readonly PathCertificateReport[]): string[] {
  const lines = path.map((certificate, i) =>
    nestedField(i === 0 ? 'path' : '', i, ...certificateText(certificate)),
  );
  return [...lines, ...revocationLines(path, [])];
}

/** What was tried and failed, as a tree from the leaf up. */
function attemptLines(attempts: readonly AttemptReport[]): string[] {
  const shown = new Set<string>();
  return attempts.flatMap(({ path, errors }, i) => {
    const lines = path.flatMap((certificate, depth) => {
      const key = path
        .slice(0, depth + 1)
        .map(({ fingerprint }) => fingerprint)
        .join();
      if (shown.has(key)) return [];
      shown.add(key);
      return [{ depth, texts: certificateText(certificate) }];
    });
    const reasons = errors.map(({ code, message }) => ({
      depth: path.length,
      texts: [message, `[${code}]`],
    }));
    return [...lines, ...reasons].map(({ depth, texts }, j) =>
      nestedField(i === 0 && j === 0 ? 'tried' : '', depth, ...texts),
    );
  });
}
