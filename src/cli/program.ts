import { Command } from 'commander';
import { completionCommand } from './commands/about/completion.ts';
import { envCommand } from './commands/about/env.ts';
import { helpCommand } from './commands/about/help.ts';
import { versionCommand } from './commands/about/version.ts';
import { cleanCommand } from './commands/clean.ts';
import { devCertsCommand } from './commands/dev-certs.ts';
import { diffCommand } from './commands/diff.ts';
import { glanceCommand } from './commands/glance/glance.ts';
import { importCommand } from './commands/import.ts';
import { inspectCommand } from './commands/inspect.ts';
import { normalizeCommand } from './commands/normalize.ts';
import { packCommand } from './commands/pack.ts';
import { repackCommand } from './commands/repack.ts';
import { signCommand } from './commands/sign.ts';
import { timestampCommand } from './commands/timestamp.ts';
import { trustCommand } from './commands/trust/trust.ts';
import { verifyCommand } from './commands/verify.ts';
import { joinCommand } from './commands/volumes/join.ts';
import { splitCommand } from './commands/volumes/split.ts';
import type { Context, Exit } from './context.ts';
import { version } from './version.ts';

/** How wide the help is where there is no terminal. */
const HELP_COLUMNS = 80;

/** The whole command line: every command with its options; what they do is loaded when they run. @param show takes help and version */
export function createProgram(context: Context, exit: Exit, show = context.print): Command {
  const program = new Command('bulla')
    .description(
      'Packs, signs, verifies and imports signed appliance bundles (OVF/OVA). Strict, offline, one pass.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .enablePositionalOptions()
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => show(text.trimEnd()),
      writeErr: () => {},
      getOutHelpWidth: () => context.columns ?? HELP_COLUMNS,
    })
    .addHelpText('after', '\nMore: bulla help exit-codes | configuration | environment | formats');
  for (const make of [
    packCommand,
    signCommand,
    timestampCommand,
    verifyCommand,
    inspectCommand,
    importCommand,
    normalizeCommand,
    repackCommand,
    diffCommand,
    splitCommand,
    joinCommand,
    cleanCommand,
    trustCommand,
    glanceCommand,
    devCertsCommand,
    envCommand,
    helpCommand,
    completionCommand,
    versionCommand,
  ]) {
    make(program, context, exit);
  }
  return program;
}
