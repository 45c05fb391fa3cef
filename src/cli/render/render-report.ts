import { counted } from '../../kit/encoding.ts';
import { formatJson } from '../../kit/json.ts';
import type { CertificateReport, ErrorReport, Report, SignatureReport } from '../../verdict/report/report.ts';
import { wordedReport } from '../advice.ts';
import type { Context } from '../context.ts';
import { besideIn } from '../typed-names.ts';
import { field, inputTitle, shown } from './field.ts';
import { tellSlots, tellWhere } from './render-error.ts';
import { issuerLines, rememberedLines, revocationLines, timestampLines } from './render-path.ts';

/** Errors shown in full; the rest is counted, and in the JSON report. */
const SHOWN_ERRORS = 4;

/** What a refusal comes to, by operation. */
const REFUSED: Readonly<Record<string, string>> = {
  verify: 'NOT trusted',
  'glance verify': 'NOT trusted',
  import: 'NOT imported',
  sign: 'NOT signed',
  timestamp: 'NOT timestamped',
  normalize: 'NOT normalized',
  repack: 'NOT repacked',
  inspect: 'not sound',
};

/** Prints a report: as one JSON document, or for people. Returns the exit code. */
export function renderReport(
  found: Report,
  context: Context,
  options: { readonly json: boolean; readonly quiet: boolean; readonly output?: string },
): number {
  const report = wordedReport(found, besideIn(context, options.output));
  if (options.json) {
    context.print(formatJson(report), 'data');
  } else if (report.exitCode !== 0) {
    renderRefusal(report, context);
  } else if (!options.quiet) {
    renderSuccess(report, context);
  }
  return report.exitCode;
}

function renderSuccess(report: Report, context: Context): void {
  const { style } = context;
  const name = style.bold(shown(report.input ? inputTitle(report.input) : ''));
  context.print(
    report.trusted
      ? `${style.good(style.pass)} ${name}  ${style.good('trusted')}`
      : `${style.warn(style.caution)} ${name}  ${style.warn('NOT trusted, accepted as allowed')}`,
  );
  for (const line of signatureLines(report)) context.print(line);
  if (report.files.length > 0) context.print(field('files', filesLine(report)));
  for (const line of rememberedLines(report)) context.print(line);
  tellWarnings(report, context);
}

function renderRefusal(report: Report, context: Context): void {
  const { style } = context;
  const [first, ...others] = report.errors;
  context.tell(headOf(report, context));
  if (first) {
    tellDigests(first, report, context);
    tellSlots(first, context);
  }
  const told = new Set([first?.code]);
  for (const error of others.slice(0, SHOWN_ERRORS - 1)) {
    context.tell(`${field('also', error.message)}  ${style.dim(`[${error.code}]`)}`);
    tellDigests(error, report, context);
    if (told.has(error.code)) tellWhere(error.where, context);
    else tellSlots(error, context);
    told.add(error.code);
  }
  const more = others.length - SHOWN_ERRORS + 1;
  if (more > 0) context.tell(field('also', `${more} more; --json lists them all`));
  if (!wasStopped(report)) {
    for (const line of signatureLines(report)) context.tell(line);
    const matched = report.checks.some(({ id, status }) => id === 'manifest.digests' && status === 'pass');
    if (matched) context.tell(field('files', filesLine(report)));
  }
  for (const line of rememberedLines(report)) context.tell(line);
  tellWarnings(report, context);
}

/** The line over a refusal: what is refused, what that comes to, and why. */
export function headOf(report: Report, { style }: Context): string {
  const [first] = report.errors;
  const name = style.bold(shown(report.input ? inputTitle(report.input) : report.operation));
  const undecided = report.verdict === 'error' && report.operation.endsWith('verify');
  const word = style.bad(undecided ? 'no verdict' : wordFor(report));
  const tag = style.dim(`[${first?.code}, exit ${report.exitCode}]`);
  return `${style.bad(style.fail)} ${name}  ${word}: ${shown(first?.message ?? '')}  ${tag}`;
}

/** Whether a signal ended the work: what had been found by then is no finding, and a signer beside it would be taken for one. [cli.9] */
export function wasStopped({ exitCode }: Pick<Report, 'exitCode'>): boolean {
  return exitCode === 130 || exitCode === 143;
}

/** For inspect the exit code says which it is: no archive, one that is refused, or one that is not a sound package. */
function wordFor({ operation, exitCode }: Report): string {
  if (operation === 'inspect' && exitCode === 16) return 'no sound package';
  if (operation === 'inspect' && exitCode === 17) return 'not read';
  return REFUSED[operation] ?? 'failed';
}

function tellDigests(error: ErrorReport, report: Report, context: Context): void {
  if (error.code !== 'DIGEST_MISMATCH') return;
  const file = report.files.find(({ name }) => name === error.where.member);
  if (!file?.expected || !file.actual) return;
  context.tell(field('expected', `${file.algorithm}:${file.expected}`));
  context.tell(field('got', `${file.algorithm}:${file.actual}`));
}

/** What stands in a line of its own already is not told again. */
function tellWarnings(report: Report, context: Context): void {
  const told = report.signatures.flatMap(({ timestamps }) => timestamps.map(({ detail }) => detail));
  for (const warning of report.warnings) {
    if (!told.includes(warning)) context.tell(context.style.warn(field('warning', warning)));
  }
}

/** A signer once, whatever number of signatures it made; those that do not fit stand by themselves. */
function signatureLines({ signatures, errors }: Report): string[] {
  const told = new Set<string>();
  const lines = signatures.flatMap((signature) => {
    const { signer, status } = signature;
    if (!signer) return [];
    const key = `${signer.fingerprint} ${status}`;
    if (told.has(key)) return [];
    told.add(key);
    const same = signatures.filter(
      (one) => one.signer?.fingerprint === signer.fingerprint && one.status === status,
    );
    return signerLines(signature, signer, { same, errors });
  });
  return [...lines, ...kindLines(signatures)];
}

/** [pq.8] Which kinds hold, where that is not what everybody takes for granted. */
function kindLines(signatures: readonly SignatureReport[]): string[] {
  const kinds = [...new Set(signatures.flatMap(({ kind }) => kind ?? []))].sort();
  const isUsual = !signatures.some(({ signer }) => signer?.key.startsWith('ML-DSA'));
  return isUsual || kinds.length === 0 ? [] : [field('kinds', kinds.join(', '))];
}

/** A name counts only when something trusted vouches for it, and the signature is the key's. */
function signerLines(
  { status, path, timestamps, trustedBy, knownBy, unproven }: SignatureReport,
  signer: CertificateReport,
  { same, errors }: { readonly same: readonly SignatureReport[]; readonly errors: readonly ErrorReport[] },
): string[] {
  const known = (trustedBy ?? knownBy) !== undefined && status !== 'invalid';
  const isTrusted = trustedBy !== undefined && errors.length === 0; // nothing that is refused is called trusted
  const via = field(isTrusted ? 'trusted via' : 'known via', trustedBy ?? knownBy ?? '');
  const how = same.map(({ format, algorithm }) => (format === 'cms' ? `CMS ${algorithm}` : algorithm));
  const validity = `valid ${signer.notBefore.slice(0, 10)} to ${signer.notAfter.slice(0, 10)}`;
  const key = `sha256:${signer.spkiSha256}`;
  if (known && unproven)
    return [
      field('signed by', `the key ${key}`, how.join(' and ')), // [path.17]
      field('claims to be', signer.subject, `${validity}; nobody whom you trust confirms that name`),
      via,
      ...revocationLines(path, errors),
      ...timestampLines(timestamps, errors),
    ];
  return [
    field(known ? 'signed by' : 'claims to be', signer.subject, `${how.join(' and ')}, ${validity}`),
    ...(path.length > 1 ? issuerLines(path) : known ? [] : [field('issued by', signer.issuer)]),
    ...(known ? [via] : []),
    ...revocationLines(path, errors),
    ...timestampLines(timestamps, errors),
    field('key', key),
  ];
}

function filesLine(report: Report): string {
  const listed = report.files.filter((file) => file.expected !== undefined);
  const good = listed.filter((file) => file.status === 'ok');
  const names = good.slice(0, 4).map((file) => file.name);
  const more = good.length > names.length ? ', ...' : '';
  const inBlocks = good.filter(({ actual, blocks }) => blocks && actual === undefined);
  const how = inBlocks.map(({ name, blocks }) => `; ${name} by its ${counted(blocks?.count ?? 0, 'block')}`);
  const beside = report.files.flatMap(({ name, vouchedBy: who }) =>
    who === 'issuer' || who === 'authority' ? [`${name} by its ${who}`] : [],
  );
  const shown = beside.slice(0, 4).join(', ') + (beside.length > 4 ? ', ...' : '');
  const others = beside.length > 0 ? `; beside it ${shown}` : '';
  return `${good.length} of ${listed.length} ${good.length === 1 ? 'matches' : 'match'} the manifest (${names.join(', ')}${more})${how.join('')}${others}`;
}
