import { BundleError } from '../../kit/errors/errors.ts';
import type { Context } from '../context.ts';

/**
 * Whether somebody sits at a terminal, who sees what is shown on standard error.
 *
 * @throws {BundleError} `USAGE` where somebody types and nothing would be seen
 */
export function expectSomebodyLooks(context: Context): boolean {
  if (!process.stdin.isTTY) return false;
  if (context.stderr.isTTY) return true;
  throw new BundleError(
    'USAGE',
    'what is to be confirmed would not be seen: standard error is sent elsewhere',
    {
      why: 'whoever is asked must see what is asked',
      fix: 'leave standard error on the terminal; or have nobody asked: < /dev/null',
    },
  );
}

/** Has whoever sits at the terminal say yes. @throws {BundleError} `INTERRUPTED` for every other answer, the reason of the signal */
export async function expectYes(question: string, context: Context): Promise<void> {
  context.stderr.write(`${question} [y/N] `);
  const answer = await lineTyped(context.signal);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new BundleError('INTERRUPTED', 'stopped, since the answer was not yes', {
    fix: 'run the command again to be asked again',
  });
}

/** One line; empty where there is none. */
function lineTyped(signal: AbortSignal): Promise<string> {
  const { stdin } = process;
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      stdin.off('data', onData).off('end', onEnd).pause();
      signal.removeEventListener('abort', onAbort);
    };
    const onData = (data: Buffer): void => {
      finish();
      resolve(data.toString('utf8'));
    };
    const onEnd = (): void => {
      finish();
      resolve('');
    };
    const onAbort = (): void => {
      finish();
      reject(signal.reason);
    };
    stdin.on('data', onData).on('end', onEnd).resume();
    signal.addEventListener('abort', onAbort);
  });
}
