import { BundleError } from '../../kit/errors/errors.ts';
import type { Context } from '../context.ts';

/**
 * Where the passphrase of an encrypted key comes from: `--passphrase-file`, `BULLA_PASSPHRASE_FILE`, or the terminal.
 *
 * Never the command line, which every user of the machine can read.
 */
export function passphraseSource(
  context: Context,
  file: string | undefined,
  keyFile: string,
): () => Promise<string> {
  return async () => {
    const path = file ?? context.env['BULLA_PASSPHRASE_FILE'];
    if (path) {
      const { sourceOptions } = await import('../../kit/source.ts');
      const { readText } = await import('../../storage/trust/trust-folder.ts');
      return (await readText(path, sourceOptions(context))).split(/\r?\n/, 1)[0] ?? '';
    }
    if (!process.stdin.isTTY || !context.stderr.isTTY) {
      throw new BundleError('PASSPHRASE_NEEDED', 'the private key is encrypted', {
        where: { file: keyFile },
      });
    }
    return askHidden(`passphrase of ${keyFile}: `, context);
  };
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
