import { type Command, Option } from 'commander';
import { BundleError } from '../../kit/errors.ts';
import type { Context } from '../context.ts';
import {
  formatOf,
  mtimeOf,
  type OutputFlags,
  progressOf,
  type SignFlags,
  signingFilesOf,
  withOutputOptions,
  withSignOptions,
} from '../options.ts';
import type { Exit } from '../program.ts';
import { renderMade } from '../render-made.ts';

interface ResignFlags extends SignFlags, OutputFlags {
  readonly output: string;
  readonly format?: string;
  readonly force?: boolean;
}

/** `bulla sign BUNDLE --key K --cert C -o SIGNED` */
export function signCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('sign')
    .summary('add or replace the signature of a bundle')
    .description(
      'Writes a copy of a bundle with a new signature. Files and manifest stay as they are, byte for byte; a bundle\n' +
        'whose files do not match its manifest is not signed.',
    )
    .argument('<bundle>', 'a file, - for standard input, or an https address')
    .requiredOption('-o, --output <file>', 'the signed bundle to write, or - for standard output')
    .addOption(
      new Option('--format <format>', 'when the extension does not say it').choices(['ova', 'tar', 'tgz']),
    )
    .option('--force', 'replace the output if it exists')
    .addHelpText(
      'after',
      '\nExample:\n  bulla sign unsigned.ova -o web.ova --key acme.key --cert acme.pem --chain intermediates.pem',
    );
  withOutputOptions(withSignOptions(command)).action(async (input: string, flags: ResignFlags) => {
    const format = formatOf(flags.output, flags.format);
    const files = signingFilesOf(flags, context);
    if (!files) {
      throw new BundleError('USAGE', 'a signature needs --key and --cert', {
        fix: 'give both; for trying things out: bulla dev-certs DIR',
      });
    }
    const { loadSigningIdentity } = await import('../../operations/signing-identity.ts');
    const { sign } = await import('../../operations/sign.ts');
    const identity = await loadSigningIdentity(files, new Date());
    const progress = progressOf(flags, context);
    try {
      const report = await sign(input, {
        output: flags.output,
        format,
        identity,
        digest: flags.digest,
        overwrite: flags.force ?? false,
        mtime: mtimeOf(context),
        signal: context.signal,
        onProgress: progress.onProgress,
      });
      progress.end();
      exit(renderMade(report, context, flags));
    } finally {
      progress.end();
    }
  });
}
