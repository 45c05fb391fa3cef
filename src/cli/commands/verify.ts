import type { Command } from 'commander';
import type { Context } from '../context.ts';
import {
  type OutputFlags,
  progressOf,
  type TrustFlags,
  verifyOptionsOf,
  withOutputOptions,
  withTrustOptions,
} from '../options.ts';
import type { Exit } from '../program.ts';

const EXAMPLES = `
Examples:
  bulla verify web.ova
  bulla verify web.ova --trust acme-ca.pem --json
  curl -sSf https://images.example/web.ova | bulla verify -`;

/** `bulla verify BUNDLE` */
export function verifyCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('verify')
    .summary('verify a bundle: archive, digests, signature, trust')
    .description(
      'Verifies a bundle in one pass: the archive, every digest, the signature, and whether you trust the signer.\n' +
        'Exit code 0 means trusted, and nothing else does; see bulla help exit-codes.',
    )
    .argument('<bundle>', 'a file, - for standard input, or an https address')
    .addHelpText('after', EXAMPLES);
  withOutputOptions(withTrustOptions(command)).action(
    async (input: string, flags: TrustFlags & OutputFlags) => {
      const { verify } = await import('../../operations/verify.ts');
      const { renderReport } = await import('../render-report.ts');
      const progress = progressOf(flags, context);
      try {
        const { report } = await verify(input, {
          ...verifyOptionsOf(flags, context),
          onProgress: progress.onProgress,
        });
        progress.end();
        exit(renderReport(report, context, { json: flags.json ?? false, quiet: flags.quiet ?? false }));
      } finally {
        progress.end();
      }
    },
  );
}
