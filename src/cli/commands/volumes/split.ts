import type { Command } from 'commander';
import { formatJson } from '../../../kit/json.ts';
import { wordedReport } from '../../advice.ts';
import type { Context, Exit } from '../../context.ts';
import {
  gather,
  mtimeOf,
  type OutputFlags,
  parseSize,
  progressOf,
  withOutputOptions,
} from '../../options/options.ts';
import { field, shown, sizedRows } from '../../render/field.ts';
import { formatBytes } from '../../render/progress.ts';

/** The most that a file on FAT32 can have. */
const FAT32_BYTES = 2 ** 32 - 1;

interface SplitFlags extends OutputFlags {
  readonly size: number;
  readonly to?: readonly string[];
  readonly force?: boolean;
}

/** `bulla split BUNDLE --size SIZE` */
export function splitCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('split')
    .summary('cut a bundle into volumes for several media')
    .description(
      'Cuts a bundle, or any file, into volumes NAME.001, NAME.002 and so on. Each carries its own digest, so that join can ' +
        'tell which of them is damaged. A package of loose files is cut as the archive that normalize makes of it.',
    )
    .argument('<bundle>', 'a file, or a folder or .ovf of loose files')
    .requiredOption(
      '--size <size>',
      'the most that a volume may have: bytes, 4GB, 650MiB, or fat32',
      volumeSize,
    )
    .option('--to <dir>', 'one folder for all volumes, or one for each (default: here)', gather)
    .option('--force', 'replace volumes that are there')
    .addHelpText(
      'after',
      '\nExamples:\n  bulla split web.ova --size fat32 --to /media/stick\n' +
        '  bulla split web.ova --size 4700MB --to /media/a --to /media/b\n  bulla split exported/ --size 4GB --to /media/stick',
    );
  withOutputOptions(command).action(async (bundle: string, flags: SplitFlags) => {
    const { split } = await import('../../../operations/volumes/split.ts');
    const progress = progressOf(flags, context);
    try {
      const made = await split(bundle, {
        volumeSize: flags.size,
        folders: flags.to ?? ['.'],
        overwrite: flags.force ?? false,
        mtime: mtimeOf(context),
        signal: context.signal,
        onProgress: progress.onProgress,
      });
      progress.end();
      const report = wordedReport(made);
      exit(report.exitCode);
      if (flags.json) context.print(formatJson(report), 'data');
      if (flags.json || flags.quiet) return;
      const { style } = context;
      const { volumes = [] } = report.result ?? {};
      context.print(`${style.good(style.pass)} ${style.bold(shown(bundle))}  split into ${volumes.length}`);
      const rows = sizedRows(
        volumes.map(({ file }) => ({ name: file })),
        volumes.map(({ bytes }) => formatBytes(bytes)),
      );
      for (const row of rows) context.print(`  ${row}`);
      for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
    } finally {
      progress.end();
    }
  });
}

function volumeSize(text: string): number {
  return text === 'fat32' ? FAT32_BYTES : parseSize(text);
}
