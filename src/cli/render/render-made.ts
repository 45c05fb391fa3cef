import type { PackReport } from '../../operations/pack/pack.ts';
import type { RepackReport } from '../../operations/repack/options.ts';
import type { SignPackageReport } from '../../operations/sign/in-place/sign-package.ts';
import type { TimestampPackageReport } from '../../operations/sign/in-place/timestamp-package.ts';
import type { SignReport } from '../../operations/sign/signing.ts';
import type { RequestReport, TimestampingReport } from '../../operations/sign/timestamp.ts';
import { wordedReport } from '../advice.ts';
import type { Context } from '../context.ts';
import { besideIn } from '../typed-names.ts';
import { defaultsField, field, inputTitle, shown, sizedRows } from './field.ts';
import { formatBytes } from './progress.ts';
import { renderReport } from './render-report.ts';

/** Reports of operations that make one file, or what signs loose ones. */
export type MadeReport =
  | PackReport
  | RepackReport
  | SignReport
  | SignPackageReport
  | TimestampingReport
  | TimestampPackageReport
  | RequestReport;

const WORDS: Readonly<Record<MadeReport['operation'], string>> = {
  pack: 'packed',
  repack: 'packed and signed anew',
  sign: 'signed',
  timestamp: 'timestamped',
};

/** What is said of a signature whose signer nobody has confirmed: `sign` asks nobody. [pack.19] */
const UNCONFIRMED: Partial<Record<MadeReport['operation'], string>> = {
  repack: 'which nobody whom you trust confirms: the old signature claims that name',
  sign: 'whether you trust that signer was not asked',
};

/**
 * Prints what `pack`, `repack`, `sign` or `timestamp` made, and returns the exit code. When the bundle itself went to standard output,
 * everything else goes to standard error.
 */
export function renderMade(
  given: MadeReport,
  context: Context,
  flags: { readonly json?: boolean; readonly quiet?: boolean; readonly output?: string },
): number {
  const { defaults = [] } = context;
  const report = {
    ...wordedReport(given, besideIn(context, flags.output)),
    ...(defaults.length > 0 && { defaults }),
  };
  const none: { readonly written: readonly string[] } = { written: [] };
  const made = { output: '', request: '', timestamped: false, ...none, ...report.result };
  const output = made.request || made.output;
  const print = output === '-' ? context.tell : context.print;
  const { json = false, quiet = false } = flags;
  if (json || report.exitCode !== 0) return renderReport(report, { ...context, print }, { json, quiet });
  if (quiet) return report.exitCode;

  const { style } = context;
  const name = output === '-' ? 'standard output' : output || inputTitle(report.input ?? { name: '' });
  const word = made.request ? 'request for a timestamp' : WORDS[report.operation];
  print(`${style.good(style.pass)} ${style.bold(shown(name))}  ${word}`);
  const files = report.files.filter(({ role }) => role === 'descriptor' || role === 'file');
  const rows = sizedRows(
    files,
    files.map(({ size = 0 }) => formatBytes(size)),
  );
  for (const [i, { algorithm, actual }] of files.entries())
    print(`  ${rows[i]}${algorithm && actual ? `  ${algorithm}:${actual}` : ''}`);
  if ('changes' in made) {
    for (const { key, old, new: value } of made.changes)
      print(field('changed', `${key}=${value}`, old === undefined ? 'was not set' : `was "${old}"`));
    print(field('digests', made.digests.join(', '), `descriptor ${made.descriptor}`));
  }
  if ('replacedSigners' in made) {
    for (const { subject, spkiSha256 } of made.replacedSigners) {
      print(field('replaces', `the signature of ${subject}`, `key sha256:${spkiSha256}`));
      const isOwn = 'signer' in made && made.signer.spkiSha256 === spkiSha256;
      if (isOwn) print(field('', 'your own: the same key signs now'));
      else if (!report.trusted) print(field('', UNCONFIRMED[report.operation] ?? ''));
    }
  }
  if ('format' in made && made.format === 'files')
    print(
      field('written', made.written.map((one) => shown(one)).join(', ') || 'nothing: it was there already'),
    );
  if ('signer' in made) print(field('signed by', made.signer.subject, made.signer.key));
  else if (report.operation === 'pack')
    print(style.warn(field('unsigned', 'importers refuse it; sign it with --key and --cert')));
  if (defaults.length > 0) print(defaultsField(defaults));
  if (made.request)
    print(
      field(
        'then',
        'have an authority answer it: bulla timestamp BUNDLE --tsr-in REPLY -o STAMPED (loose files: without -o)',
      ),
    );
  if (made.timestamped)
    print(
      field(
        'timestamped',
        "for whoever trusts the authority, the signature outlives the signer's certificate",
      ),
    );
  for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
  return report.exitCode;
}
