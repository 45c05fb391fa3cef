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
  let isAgain = false;
  return {
    passphrase: () => {
      if (!isAsked(context)) return Promise.reject(needed(keyFile)); // not before: to look at standard input changes it
      const question = `${isAgain ? 'that is not it; ' : ''}passphrase of ${keyFile}: `;
      isAgain = true;
      return askHidden(question, context);
    },
    tries: TRIES,
  };
}

/** Whether there is somebody at a terminal who can be asked. */
export function isAsked(context: Context): boolean {
  return context.stderr.isTTY && process.stdin.isTTY; // in this order: to look at standard input changes it
}

async function firstLineOf(path: string, context: Context): Promise<string> {
  const { sourceOptions } = await import('../../kit/source.ts');
  const { readText } = await import('../../storage/trust/trust-folder.ts');
  return (await readText(path, sourceOptions(context))).split(/\r?\n/, 1)[0] ?? '';
}

function needed(keyFile: string): BundleError {
  return new BundleError('PASSPHRASE_NEEDED', 'the private key is encrypted', { where: { file: keyFile } });
}

/** What takes what is typed while nothing of it is shown; undefined while the terminal is as it was. */
let unshown: ((data: Buffer) => void) | undefined;

/**
 * The terminal shows again what is typed. To be called when a key is open or given up: until then nothing is shown, since whoever has
 * typed a wrong passphrase types the next one while the first is still tried, which takes seconds for some files. [cli.8]
 */
export function showTyping(): void {
  if (!unshown) return;
  process.stdin.off('data', unshown);
  unshown = undefined;
  process.stdin.setRawMode(false); // a terminal left raw would be of no use to the shell behind us
  process.stdin.pause();
}

function hideTyping(): void {
  if (unshown) return;
  unshown = (data) => {
    if (data.includes(CTRL_C)) process.kill(process.pid, 'SIGINT'); // raw: Ctrl-C and Ctrl-D are characters
  };
  process.stdin.setRawMode(true);
  process.stdin.on('data', unshown).resume();
}

const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** One line typed without being shown; nor is what is typed behind it, until `showTyping`. */
function askHidden(question: string, context: Context): Promise<string> {
  const { stdin } = process;
  const { signal } = context;
  hideTyping(); // before the question: whoever answers at once must not see the answer
  context.stderr.write(question);
  return new Promise((resolve, reject) => {
    let typed: readonly string[] = [];
    const finish = (): void => {
      stdin.off('data', onData).off('end', onStop);
      signal.removeEventListener('abort', onStop);
      context.stderr.write('\n');
    };
    const onStop = (): void => {
      finish();
      showTyping();
      reject(signal.aborted ? signal.reason : new BundleError('INTERRUPTED', 'interrupted'));
    };
    const onData = (data: Buffer): void => {
      for (const char of data.toString('utf8')) {
        if (char === '\r' || char === '\n') {
          finish();
          resolve(typed.join(''));
          return;
        }
        if (char === CTRL_D) {
          onStop();
          return;
        }
        typed = char === '\x7f' || char === '\b' ? typed.slice(0, -1) : [...typed, char];
      }
    };
    stdin.on('data', onData).on('end', onStop);
    signal.addEventListener('abort', onStop);
  });
}
