import { type Command, Option } from 'commander';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Context, Exit } from '../context.ts';
import { formatOf, mtimeOf, type OutputFlags, progressOf, withOutputOptions } from '../options/options.ts';
import { type ReadFlags, readOptionsOf, withBundleOptions } from '../options/read-options.ts';
import { type TrustFlags, verifyOptionsOf, withTrustOptions } from '../options/trust-options.ts';
import { field } from '../render/field.ts';
import { formatBytes } from '../render/progress.ts';
import { renderReport } from '../render/render-report.ts';

interface NormalizeFlags extends TrustFlags, ReadFlags, OutputFlags {
  readonly output: string;
  readonly format?: 'ova' | 'tar' | 'tgz';
  readonly force?: boolean;
  readonly repair?: boolean;
}

/** `bulla normalize BUNDLE -o OUT` */
export function normalizeCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('normalize')
    .summary('write a bundle again as every reader wants it')
    .description(
      'Verifies a bundle, and writes its members again in the form and order that pack has: the descriptor first, then ' +
        'manifest and signature, plain ustar. What the manifest lists stays byte for byte. The certificate file and what ' +
        'lies beside it are written in canonical form, without what nobody whom you trust answers for: the signature ' +
        'stays good, and a timestamp stays where you trust its authority (--trust-tsa).',
    )
    .argument(
      '<bundle>',
      'an archive, a folder or .ovf of loose files, - for standard input, or an https address',
    )
    .requiredOption(
      '-o, --output <file>',
      'the bundle to write (.ova .tar .tgz .tar.gz), or - for standard output',
    )
    .addOption(
      new Option('--format <format>', 'when the extension does not say it').choices(['ova', 'tar', 'tgz']),
    )
    .option(
      '--repair',
      'also take apart an archive whose form alone is odd; each oddity is reported, and nothing is written unless manifest and signature hold',
    )
    .option('--force', 'replace the output if it exists')
    .addHelpText(
      'after',
      '\nExamples:\n  bulla normalize odd.tgz -o web.ova --trust acme-ca.pem\n  bulla normalize --repair odd.zip -o web.ova --trust acme-ca.pem',
    );
  withOutputOptions(withBundleOptions(withTrustOptions(command))).action(
    async (input: string, flags: NormalizeFlags) => {
      const format = tarOf(formatOf(flags.output, flags.format));
      const mtime = mtimeOf(context);
      const { normalize } = await import('../../operations/pack/normalize.ts');
      const progress = progressOf(flags, context);
      const { json = false, quiet = false } = flags;
      const print = flags.output === '-' ? context.tell : context.print;
      try {
        const report = await normalize(input, {
          ...verifyOptionsOf(flags, context),
          ...readOptionsOf(flags),
          output: flags.output,
          format,
          mtime,
          overwrite: flags.force ?? false,
          ...(flags.repair && { repair: true }),
          onProgress: progress.onProgress,
        });
        progress.end();
        exit(renderReport(report, { ...context, print }, { json, quiet, output: flags.output }));
        if (report.exitCode !== 0 || json || quiet) return;
        const name = flags.output === '-' ? 'standard output' : flags.output;
        for (const { member, what } of report.result?.repairs ?? [])
          print(field('repaired', member ?? 'the archive', what));
        const order = report.result?.['reordered']
          ? ', its members in the order that every importer takes'
          : '';
        print(field('written to', name, `${formatBytes(Number(report.result?.['bytes']))}${order}`));
      } finally {
        progress.end();
      }
    },
  );
}

/** [norm.2] The canonical form is a tar, compressed or not. @throws {BundleError} `USAGE` */
function tarOf(format: ReturnType<typeof formatOf>): Exclude<typeof format, 'zip'> {
  if (format !== 'zip') return format;
  throw new BundleError('USAGE', 'normalize writes no zip', {
    why: 'the canonical form of a bundle is a tar, and under the name of a zip nobody would look for one',
    fix: 'end the name in .ova, .tar, .tgz or .tar.gz, or give --format ova|tar|tgz',
  });
}
