import { BundleError } from '../../kit/errors/errors.ts';
import type { Context } from '../context.ts';

/** How often a passphrase is asked for at a terminal. [cli.8] */
const TRIES = 3;

/** What asks for the passphrase of a key, and how often it does while the answer is wrong. */
interface Asking {
  readonly passphrase: () => Promise<string>;
  readonly tries: number;
}

/**
 * Where the passphrase of an encrypted key comes from: `--passphrase-file`, `BULLA_PASSPHRASE_FILE`, or the terminal.
 *
 * Never the command line, which every user of the machine can read. Only whoever types can do better the next time.
 */
export function askingFor(context: Context, file: string | undefined, keyFile: string): Asking {
  const path = file ?? context.env['BULLA_PASSPHRASE_FILE'];
  if (path) return { passphrase: () => firstLineOf(path, context), tries: 1 };
  if (!isAsked(context)) return { passphrase: () => Promise.reject(needed(keyFile)), tries: 1 };
  let isAgain = false;
  return {
    passphrase: () => {
      const question = `${isAgain ? 'that is not it; ' : ''}passphrase of ${keyFile}: `;
      isAgain = true;
      return askHidden(question, context);
    },
    tries: TRIES,
  };
}

/** Whether there is somebody at a terminal who can be asked. */
export function isAsked(context: Context): boolean {
  return process.stdin.isTTY && context.stderr.isTTY;
}

async function firstLineOf(path: string, context: Context): Promise<string> {
  const { sourceOptions } = await import('../../kit/source.ts');
  const { readText } = await import('../../storage/trust/trust-folder.ts');
  return (await readText(path, sourceOptions(context))).split(/\r?\n/, 1)[0] ?? '';
}

function needed(keyFile: string): BundleError {
  return new BundleError('PASSPHRASE_NEEDED', 'the private key is encrypted', { where: { file: keyFile } });
}

/** One line typed without being shown. */
function askHidden(question: string, context: Context): Promise<string> {
  const { stdin } = process;
  const { signal } = context;
  stdin.setRawMode(true); // before the question: whoever answers at once must not see the answer
  stdin.resume();
  context.stderr.write(question);
  return new Promise((resolve, reject) => {
    let typed: readonly string[] = [];
    const finish = (): void => {
      stdin.off('data', onData).off('end', onStop);
      signal.removeEventListener('abort', onStop);
      stdin.setRawMode(false); // a terminal left raw would be of no use to the shell behind us
      stdin.pause();
      context.stderr.write('\n');
    };
    const onStop = (): void => {
      finish();
      reject(signal.aborted ? signal.reason : new BundleError('INTERRUPTED', 'interrupted'));
    };
    const onData = (data: Buffer): void => {
      for (const char of data.toString('utf8')) {
        if (char === '\r' || char === '\n') {
          finish();
          resolve(typed.join(''));
          return;
        }
        if (char === '\x03' || char === '\x04') {
          onStop(); // raw: Ctrl-C and Ctrl-D are characters
          return;
        }
        typed = char === '\x7f' || char === '\b' ? typed.slice(0, -1) : [...typed, char];
      }
    };
    stdin.on('data', onData).on('end', onStop);
    signal.addEventListener('abort', onStop);
  });
}
