import { fstatSync, readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Source, SourceOptions } from '../../kit/source.ts';
import { fileSource } from './file-source.ts';
import { pipeSource, STDIN } from './pipe-source.ts';

const NAME = '-';

/**
 * Standard input as a source: read once, or as a file when it is one and the system tells where in it we are. [cli.16]
 *
 * @throws {BundleError} `USAGE` when it is a terminal
 */
export function openStdin(options: SourceOptions): Source {
  if (isatty(STDIN)) {
    throw new BundleError('USAGE', 'nothing is piped into standard input', {
      why: '"-" reads the bundle from a pipe, and this is a terminal',
      fix: { text: 'pipe the bundle in', advice: 'pipe-input' },
    });
  }
  const stats = fstatSync(STDIN, { bigint: true });
  const start = stats.isFile() ? positionOf(STDIN) : undefined;
  return start === undefined
    ? pipeSource(STDIN, NAME, options)
    : fileSource({ descriptor: STDIN, path: NAME, stats, start }, options);
}

/** Where the next read would begin; whoever started us may have read some of the file. Node cannot ask, but Linux shows it. */
function positionOf(descriptor: number): number | undefined {
  try {
    const position = /^pos:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return position === undefined ? undefined : Number(position);
  } catch {
    return undefined; // another system
  }
}
