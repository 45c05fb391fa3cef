import { isShownWhole, shellPath } from '../kit/shell.ts';
import type { Report } from '../verdict/report/report.ts';

/** What was typed, for the commands that are advised: the bundle, the output, and the operation that was run. */
export interface Typed {
  readonly bundle?: string;
  readonly output?: string;
  readonly operation?: string;
  /** whether the bundle is a package of loose files */
  readonly isLoose?: boolean;
  /** whether the bundle is a member of the archive that was named */
  readonly isInner?: boolean;
}

/** What of a report was typed, where that can be typed again: standard input has been read, and of an address the secrets are left out. */
export function typedIn({ input, operation }: Pick<Report, 'input' | 'operation'>, output?: string): Typed {
  const bundle = input?.name;
  return {
    operation,
    isLoose: input?.format === 'files',
    isInner: input?.inner !== undefined,
    ...(bundle !== undefined && isTyped(bundle) && { bundle }),
    ...(output !== undefined && isTyped(output) && { output }),
  };
}

/** Puts the names into a command, each as one word of a shell: `BUNDLE` for what is read, `NEW.ova` for what is written. [show.4] */
export function withNames(command: string, { bundle = 'BUNDLE', output = 'NEW.ova' }: Typed): string {
  return command.replace(/BUNDLE|NEW\.ova/g, (word) => shellPath(word === 'BUNDLE' ? bundle : output));
}

/** The command that was run, for the bundle inside of what it was given; that of `verify` where it takes no such. */
export function innerCommand(typed: Typed): string {
  return withNames(INNER[typed.operation ?? ''] ?? 'bulla verify BUNDLE --inner', typed);
}

const INNER: Readonly<Record<string, string>> = {
  inspect: 'bulla inspect BUNDLE --inner',
  import: 'bulla import BUNDLE --inner --to FOLDER',
  normalize: 'bulla normalize BUNDLE --inner -o NEW.ova',
  repack: 'bulla repack BUNDLE --inner -o NEW.ova --key … --cert …',
};

function isTyped(name: string): boolean {
  return name !== '-' && !/^https?:/i.test(name) && isShownWhole(name);
}
