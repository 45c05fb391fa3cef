import { isShownWhole, shellPath } from '../kit/shell.ts';
import type { Report } from '../verdict/report/report.ts';

/** What was typed, for the commands that are advised: the bundle, the output, whom to trust, and the operation that was run. */
export interface Typed {
  readonly bundle?: string;
  readonly output?: string;
  /** options that say whom to trust, as words of a shell */
  readonly trusting?: readonly string[];
  readonly operation?: string;
  /** whether the bundle is a package of loose files */
  readonly isLoose?: boolean;
  /** whether the bundle is a member of the archive that was named */
  readonly isInner?: boolean;
}

/** What was typed besides the bundle. */
export type TypedBeside = Pick<Typed, 'output' | 'trusting'>;

/** The same of a command line that has been understood. */
export function besideIn({ trusting = [] }: TypedBeside, output?: string): TypedBeside {
  return { trusting, ...(output !== undefined && { output }) };
}

/** What of a report was typed, where that can be typed again: standard input has been read, and of an address the secrets are left out. */
export function typedIn(
  { input, operation }: Pick<Report, 'input' | 'operation'>,
  { output, trusting = [] }: TypedBeside = {},
): Typed {
  const bundle = input?.name;
  return {
    operation,
    isLoose: input?.format === 'files',
    isInner: input?.inner !== undefined,
    trusting,
    ...(bundle !== undefined && isTyped(bundle) && { bundle }),
    ...(output !== undefined && isTyped(output) && { output }),
  };
}

/** Puts the names into a command, each as one word of a shell: `BUNDLE` for what is read, `NEW.ova` for what is written. [show.4] */
export function withNames(command: string, { bundle = 'BUNDLE', output = 'NEW.ova' }: Typed): string {
  return command.replace(/BUNDLE|NEW\.ova/g, (word) => shellPath(word === 'BUNDLE' ? bundle : output));
}

/** A command of those that ask whom to trust, and whom the user has named. [show.9] */
export function withTrust(command: string, { trusting = [] }: Typed): string {
  return [command, ...trusting].join(' ');
}

/** The options of a command line that say whom to trust, as words of a shell; a value that cannot be typed again is `…`. [show.9] */
export function trustingIn(options: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(TRUSTING).flatMap(([name, option]) => {
    const values: readonly unknown[] = [options[name] ?? []].flat();
    return values.flatMap((value) => {
      const text = String(value);
      return [option, isShownWhole(text) ? shellPath(text) : '…'];
    });
  });
}

const TRUSTING: Readonly<Record<string, string>> = {
  trust: '--trust',
  pin: '--pin',
  untrusted: '--untrusted',
  trustTsa: '--trust-tsa',
};

/** The command that was run, for the bundle inside of what it was given; that of `verify` where it takes no such. */
export function innerCommand(typed: Typed): string {
  const { operation = '' } = typed;
  const command = withNames(INNER[operation] ?? 'bulla verify BUNDLE --inner', typed);
  return operation === 'inspect' ? command : withTrust(command, typed);
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
