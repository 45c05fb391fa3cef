import type { Command } from 'commander';
import type { Context, Exit } from '../../context.ts';
import { version } from '../../version.ts';

/** `bulla version`: as `--version` and `-V`. [cli.26] */
export function versionCommand(program: Command, context: Context, _exit: Exit): void {
  program
    .command('version')
    .summary('print the version')
    .description('Prints the version.')
    .action(() => context.print(version()));
}
