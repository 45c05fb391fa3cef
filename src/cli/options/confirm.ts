import { BundleError } from '../../kit/errors/errors.ts';
import type { Context } from '../context.ts';
import { isAsked } from './passphrase.ts';

/**
 * Has whoever sits at a terminal say yes; where nobody can be asked, the command line has said it.
 *
 * @throws {BundleError} `INTERRUPTED` for every other answer, the reason of the signal
 */
export async function expectYes(question: string, context: Context): Promise<void> {
  if (!isAsked(context)) return;
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
