import { type Command, InvalidArgumentError } from 'commander';
import { formatJson } from '../../kit/json.ts';
import type { Leftover } from '../../operations/import/clean.ts';
import { wordedReport } from '../advice.ts';
import type { Context, Exit } from '../context.ts';
import { field, shown } from '../render/field.ts';
import { formatBytes } from '../render/progress.ts';

interface CleanFlags {
  readonly remove?: boolean;
  readonly olderThan?: number;
  readonly json?: boolean;
}

const STATES: Readonly<Record<Leftover['state'], string>> = {
  running: 'a run is at work on it',
  unknown: 'of another machine or container, which may be at work on it',
  kept: 'kept for import --resume',
  left: 'of a run that is gone',
};

/** `bulla clean DIR` */
export function cleanCommand(program: Command, context: Context, exit: Exit): void {
  program
    .command('clean')
    .summary('list what interrupted runs have left in a folder, or remove it')
    .description(
      'Lists what killed or interrupted runs have left in DIR; with --remove, removes it. ' +
        'Counted is only what bulla has made there for you, and no run is still at work on. ' +
        'Where split, sign or timestamp was killed while it replaced several files (--force), the older ones are put back.',
    )
    .argument('<dir>', 'the folder that was imported into, or that an output was written to')
    .option('--remove', 'remove it')
    .option('--older-than <age>', 'only what was not written to for so long: 12h, 7d', parseAge)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  bulla clean /var/lib/images --older-than 7d --remove')
    .action(async (folder: string, flags: CleanFlags) => {
      const { clean } = await import('../../operations/import/clean.ts');
      const { report: found, leftovers } = clean(folder, {
        remove: flags.remove ?? false,
        ...(flags.olderThan !== undefined && { olderThan: flags.olderThan }),
      });
      const report = wordedReport(found);
      exit(report.exitCode);
      if (flags.json) return context.print(formatJson(report), 'data');
      if (leftovers.length === 0) context.print('nothing was left there');
      for (const { name, result, bytes, written, removed, state, ...undoing } of leftovers) {
        const what = removed ? 'removed' : STATES[state];
        context.print(`  ${shown(name)}  ${formatBytes(bytes)}`);
        context.print(`    for ${shown(result)}, written to last ${written.slice(0, 16)}Z; ${what}`);
        for (const line of undoingLines(undoing, flags.remove ?? false)) context.print(`    ${line}`);
      }
      for (const warning of report.warnings) context.tell(context.style.warn(field('warning', warning)));
    });
}

/** What was undone where removal was asked for, and otherwise what would be; why it stays is a warning then. */
function undoingLines(
  { putBack, takenAway, foreign, missing }: Pick<Leftover, 'putBack' | 'takenAway' | 'foreign' | 'missing'>,
  isDone: boolean,
): readonly string[] {
  const lines: readonly (readonly [string, readonly string[]])[] = [
    [isDone ? 'put back:' : '--remove puts back', putBack],
    [isDone ? 'taken away:' : '--remove takes away', takenAway],
    ['stays while another file has the name of the older', isDone ? [] : foreign],
    ['stays while it is not known whether all new files were there; missing:', isDone ? [] : missing],
  ];
  return lines.filter(([, names]) => names.length > 0).map(([what, names]) => `${what} ${someOf(names)}`);
}

function someOf(names: readonly string[]): string {
  const some = names
    .slice(0, 8)
    .map((name) => shown(name))
    .join(', ');
  return names.length > 8 ? `${some} and ${names.length - 8} more` : some;
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A span of time in milliseconds. */
function parseAge(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (count !== '') return Number(count) * (UNITS[unit] ?? 0);
  throw new InvalidArgumentError('Give minutes, hours or days, such as 30m, 12h or 7d.');
}
