import { type Command, InvalidArgumentError } from 'commander';
import { BundleError } from '../../kit/errors/errors.ts';
import { expectNoUse } from '../../kit/shape.ts';
import type { VerifyOptions } from '../../operations/verify/options.ts';
import type { Report } from '../../verdict/report/report.ts';
import type { Context, Exit } from '../context.ts';
import { progressOf, withOutputOptions } from '../options/options.ts';
import { readOptionsOf, withBundleOptions } from '../options/read-options.ts';
import { verifyOptionsOf, withTrustOptions } from '../options/trust-options.ts';
import { renderReport } from '../render/render-report.ts';
import type { VerifyFlags } from './verify-many.ts';

const EXAMPLES = `
Examples:
  bulla verify web.ova
  bulla verify web.ova --trust acme-ca.pem --json
  bulla verify *.ova exports/db --trust acme-ca.pem
  bulla verify image.iso --signature image.iso.p7s
  curl -sSf https://images.example/web.ova | bulla verify -`;

/** `bulla verify BUNDLE…`, `bulla verify FILE --signature P7S` */
export function verifyCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('verify')
    .summary('verify bundles, or a file with its signature')
    .description(
      'Verifies a bundle in one pass: the archive, every digest, the signature, and whether you trust the signer. ' +
        'With --signature, verifies any file with the CMS signature beside it. ' +
        'Several bundles are judged each by itself, a line each (--json: a document a line); the exit code is that of the worst. ' +
        'Exit code 0 means trusted, and nothing else does; see bulla help exit-codes. ' +
        'Nothing of the bundle is stored. Which revocation lists were seen is noted in your trust folder (--no-remember: not even that).',
    )
    .argument(
      '<bundle...>',
      'one or more: an archive, a folder or .ovf of loose files, - for standard input, or an https address',
    )
    .option('--signature <p7s>', 'the detached signature of the file, DER or PEM')
    .option(
      '--jobs <count>',
      'of several bundles, how many are verified at a time (default: as many as there are cores, from 2 to 4)',
      parseJobs,
    )
    .addHelpText('after', EXAMPLES);
  withOutputOptions(withBundleOptions(withTrustOptions(command))).action(
    async ([input = '', ...others]: readonly string[], flags: VerifyFlags) => {
      if (others.length > 0) {
        const { verifyMany } = await import('./verify-many.ts');
        exit(await verifyMany([input, ...others], flags, context));
        return;
      }
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

/** More would bring nothing but memory that is full. */
const MOST_JOBS = 64;

function parseJobs(text: string): number {
  const count = /^[1-9]\d?$/.test(text) ? Number(text) : 0;
  if (count > 0 && count <= MOST_JOBS) return count;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${MOST_JOBS}.`);
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
