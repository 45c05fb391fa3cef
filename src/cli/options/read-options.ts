import { type Command, InvalidArgumentError, Option } from 'commander';
import { TIMER_MS } from '../../kit/limits.ts';
import { RELAXATIONS, type Relaxation } from '../../kit/relaxation.ts';
import type { VerifyOptions } from '../../operations/verify/options.ts';
import type { Waiting } from '../../operations/waiting.ts';
import type { Context } from '../context.ts';
import { parseMembers } from './many-members.ts';
import { gatherListOf, parseSize } from './options.ts';

/** Options of the commands that read a bundle, which may come from a pipe or the network. */
export interface ReadFlags extends PatienceFlags {
  readonly relax?: readonly (readonly Relaxation[])[];
  readonly maxMembers?: number;
  readonly inner?: boolean;
}

/** Options of the commands that wait for a pipe or the network. */
export interface PatienceFlags {
  readonly idleTimeout?: number;
  readonly minimumRate?: number;
  readonly deadline?: number;
}

/** The longest time that may be waited, in seconds. */
const MOST_SECONDS = Math.floor(TIMER_MS / 1000);

/** Adds `--max-members` and what `withPatienceOptions` adds. [tar.9] */
export function withReadOptions(command: Command): Command {
  return withPatienceOptions(
    command.option(
      '--max-members <count>',
      'the most members an archive may have (default: 256)',
      parseMembers,
    ),
  );
}

/** The same, `--relax` and `--inner`, for the commands that read one bundle. [relax.1] [inner.1] */
export function withBundleOptions(command: Command): Command {
  return withReadOptions(
    command.addOption(
      new Option(
        '--relax <habits>',
        'let pass in the archive one or more habits of honest tools, each of which is reported',
      )
        .choices(RELAXATIONS)
        .argParser(gatherListOf(RELAXATIONS)),
    ),
  ).option(
    '--inner',
    'the bundle is the one .ova in the archive given (zip, tgz, tar), which is not signed itself',
  );
}

/** Adds `--idle-timeout`, `--minimum-rate` and `--deadline`. [cli.12] [cli.15] [net.5] */
export function withPatienceOptions(command: Command): Command {
  return command
    .option(
      '--idle-timeout <seconds>',
      'give up when a pipe or server sends nothing for so long (default: 60)',
      parseSeconds,
    )
    .option(
      '--minimum-rate <size>',
      'give up when a pipe or server sends less in a second, on average over the idle timeout (default: any)',
      parseSize,
    )
    .option('--deadline <seconds>', 'give up when all is not done by then (default: never)', parseSeconds);
}

/** The same, and the word to stop, for the small files that are read beforehand. [cli.21] */
export function waitingOf(
  { idleTimeout, minimumRate, deadline }: PatienceFlags,
  { signal }: Context,
): Waiting {
  const patience: PatienceFlags = {
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(minimumRate !== undefined && { minimumRate }),
    ...(deadline !== undefined && { deadline }),
  };
  return { ...readOptionsOf(patience), signal };
}

/** What the flags say, as the operations take it. */
export function readOptionsOf(
  flags: ReadFlags,
): Pick<VerifyOptions, 'limits' | 'deadlineMs' | 'relax' | 'inner'> {
  const { idleTimeout, minimumRate, deadline, relax, inner, maxMembers } = flags;
  const limits = {
    ...(idleTimeout !== undefined && { idleMs: millisecondsOf(idleTimeout) }),
    ...(minimumRate !== undefined && { minimumRate }),
    ...(maxMembers !== undefined && { members: maxMembers }),
  };
  return {
    ...(relax !== undefined && { relax: [...new Set(relax.flat())] }),
    ...(inner !== undefined && { inner }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(deadline !== undefined && { deadlineMs: millisecondsOf(deadline) }),
  };
}

/** 1.001 seconds are not quite 1001 milliseconds to a computer. */
function millisecondsOf(seconds: number): number {
  return Math.round(seconds * 1000);
}

function parseSeconds(text: string): number {
  const seconds = /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= MOST_SECONDS) return seconds;
  throw new InvalidArgumentError(`Give seconds, more than 0 and at most ${MOST_SECONDS}.`);
}
