import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { namesOf } from '../named-files.ts';
import { filesOfKey } from './key-options.ts';

/** What decides here, of the options of any command. */
interface LookFlags {
  readonly key?: string;
  readonly glanceKey?: string;
  readonly to?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/**
 * Looks at what is named before a key is opened, so that nobody gives its passphrase in vain: what is read must be there, and what is
 * written not, unless it may be replaced. What opens them judges them again. [cli.34]
 *
 * @throws {BundleError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `DESTINATION_EXISTS`, `STORAGE_FAILED`, `USAGE`
 */
export async function lookFirst(command: Command, context: Context): Promise<void> {
  const { key, glanceKey, to, force = false, dryRun = false }: LookFlags = command.opts();
  if (key === undefined && glanceKey === undefined) return;
  const { expectNewFolder, expectThere, expectWritable } = await import('../../storage/first-look.ts');
  const { apartFrom } = await import('../../storage/apart.ts');
  const { reads, written } = namesOf(command, context);
  // where a plugin may be is none of what is named
  const perhaps = new Set(
    [key, glanceKey].flatMap((name) =>
      name ? filesOfKey(name, context).filter((file) => file !== name) : [],
    ),
  );
  for (const { path } of reads) if (!perhaps.has(path)) expectThere(path);
  if (to === undefined) for (const path of written) expectWritable(apartFrom(path, reads), force);
  else if (!dryRun) expectNewFolder(to);
}
