import { BundleError } from '../kit/errors.ts';
import { readText } from '../storage/trust-folder.ts';
import type { Context } from './context.ts';

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
    if (path) return readText(path).split(/\r?\n/, 1)[0] ?? '';
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
  context.stderr.write(question);
  stdin.setRawMode(true);
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed = '';
    const finish = (): void => {
      stdin.off('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
      context.stderr.write('\n');
    };
    const onData = (data: Buffer): void => {
      for (const char of data.toString('utf8')) {
        if (char === '\r' || char === '\n') {
          finish();
          resolve(typed);
          return;
        }
        if (char === '\x03' || char === '\x04') {
          finish();
          reject(new BundleError('INTERRUPTED', 'interrupted'));
          return;
        }
        if (char === '\x7f' || char === '\b') typed = typed.slice(0, -1);
        else typed += char;
      }
    };
    stdin.on('data', onData);
  });
}
