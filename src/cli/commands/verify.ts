import type { Command } from 'commander';
import { BundleError } from '../../kit/errors/errors.ts';
import { expectNoUse } from '../../kit/shape.ts';
import type { VerifyOptions } from '../../operations/verify/options.ts';
import type { Report } from '../../verdict/report/report.ts';
import type { Context, Exit } from '../context.ts';
import { type OutputFlags, progressOf, withOutputOptions } from '../options/options.ts';
import { type ReadFlags, readOptionsOf, withBundleOptions } from '../options/read-options.ts';
import { type TrustFlags, verifyOptionsOf, withTrustOptions } from '../options/trust-options.ts';
import { renderReport } from '../render/render-report.ts';

const EXAMPLES = `
Examples:
  bulla verify web.ova
  bulla verify web.ova --trust acme-ca.pem --json
  bulla verify image.iso --signature image.iso.p7s
  curl -sSf https://images.example/web.ova | bulla verify -`;

interface VerifyFlags extends TrustFlags, ReadFlags, OutputFlags {
  readonly signature?: string;
}

/** `bulla verify BUNDLE`, `bulla verify FILE --signature P7S` */
export function verifyCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('verify')
    .summary('verify a bundle, or a file with its signature')
    .description(
      'Verifies a bundle in one pass: the archive, every digest, the signature, and whether you trust the signer.\n' +
        'With --signature, verifies any file with the CMS signature beside it.\n' +
        'Exit code 0 means trusted, and nothing else does; see bulla help exit-codes.\n' +
        'Nothing of the bundle is stored. Which revocation lists were seen is noted in your trust folder (--no-remember: not even that).',
    )
    .argument(
      '<bundle>',
      'an archive, a folder or .ovf of loose files, - for standard input, or an https address',
    )
    .option('--signature <p7s>', 'the detached signature of the file, DER or PEM')
    .addHelpText('after', EXAMPLES);
  withOutputOptions(withBundleOptions(withTrustOptions(command))).action(
    async (input: string, flags: VerifyFlags) => {
      const progress = progressOf(flags, context);
      try {
        const options = {
          ...verifyOptionsOf(flags, context),
          ...readOptionsOf(flags),
          onProgress: progress.onProgress,
        };
        const report = await verified(input, flags.signature, options);
        progress.end();
        exit(renderReport(report, context, { json: flags.json ?? false, quiet: flags.quiet ?? false }));
      } finally {
        progress.end();
      }
    },
  );
}

/** What is verified depends on whether there is a signature beside it; only what is needed is loaded. */
async function verified(
  input: string,
  signature: string | undefined,
  options: VerifyOptions,
): Promise<Report> {
  if (signature === undefined) {
    const { verify } = await import('../../operations/verify/verify.ts');
    return (await verify(input, options)).report;
  }
  if (options.allow?.unsigned || options.allow?.unlistedDescriptor) {
    throw new BundleError(
      'USAGE',
      '--signature takes neither --allow-unsigned nor --allow-unlisted-descriptor, which are about bundles',
      {
        fix: 'leave them out: a file with its signature beside it is never unsigned, and has no descriptor',
      },
    );
  }
  expectNoUse(options.relax, '--relax', 'beside --signature: the file is no bundle');
  expectNoUse(options.inner, '--inner', 'beside --signature: the file is no bundle');
  const { verifyFile } = await import('../../operations/verify/verify-file.ts');
  return verifyFile(input, signature, options);
}
