import type { Command } from 'commander';
import { BundleError } from '../../../kit/errors/errors.ts';
import { formatJson } from '../../../kit/json.ts';
import { expectNoUse } from '../../../kit/shape.ts';
import { wordedReport } from '../../advice.ts';
import type { Context, Exit } from '../../context.ts';
import { type OutputFlags, progressOf, withOutputOptions } from '../../options/options.ts';
import { field, shown } from '../../render/field.ts';
import { formatBytes } from '../../render/progress.ts';

interface JoinFlags extends OutputFlags {
  readonly output?: string;
  readonly check?: boolean;
  readonly force?: boolean;
}

/** `bulla join VOLUME… -o BUNDLE` */
export function joinCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('join')
    .summary('put the volumes of a split bundle together')
    .description(
      'Joins volumes, in whatever order they are given. Each is compared with its digest as it is read; one that is damaged ' +
        'is named. Verify the bundle then: volumes prove nothing about who made it.',
    )
    .argument('<volume...>', 'all volumes, or the folders that they lie in')
    .option('-o, --output <file>', 'the bundle to write, or - for standard output')
    .option('--check', 'only check the volumes that are given')
    .option('--force', 'replace the output if it exists')
    .addHelpText(
      'after',
      '\nExamples:\n  bulla join /media/a /media/b -o web.ova\n  bulla join --check /media/stick/web.ova.002\n' +
        '  bulla join /media/a /media/b -o - | bulla import - --to web',
    );
  withOutputOptions(command).action(async (volumes: string[], flags: JoinFlags) => {
    const { output } = flags;
    if ((output === undefined) === !flags.check) {
      throw new BundleError(
        'USAGE',
        flags.check ? '--check writes nothing' : 'the joined bundle needs a name',
        {
          fix: 'give either -o BUNDLE, or --check',
        },
      );
    }
    if (flags.check) expectNoUse(flags.force, '--force', 'beside --check');
    const { join } = await import('../../../operations/volumes/join.ts');
    const progress = progressOf(flags, context);
    const print = output === '-' ? context.tell : context.print;
    try {
      const made = await join(volumes, {
        ...(output !== undefined && { output }),
        overwrite: flags.force ?? false,
        signal: context.signal,
        onProgress: progress.onProgress,
      });
      progress.end();
      const report = wordedReport(made);
      exit(report.exitCode);
      if (flags.json) print(formatJson(report), 'data');
      if (flags.json || flags.quiet) return;
      const { style } = context;
      const { result } = report;
      if (!result) return;
      const count = result.volumes.length;
      const good = `${count} ${count === 1 ? 'volume' : 'volumes'}, all good`;
      const name = output === '-' ? 'standard output' : (output ?? result.name);
      const joined = 'checked' in result ? good : `joined of ${good}, ${formatBytes(result.bytes)}`;
      print(`${style.good(style.pass)} ${style.bold(shown(name))}  ${joined}`);
      for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
    } finally {
      progress.end();
    }
  });
}
