import { type Command, Option } from 'commander';
import { BundleError } from '../../kit/errors/errors.ts';
import type { SigningDigest } from '../../operations/sign/signing.ts';
import type { Context, Exit } from '../context.ts';
import {
  FORMATS,
  formatOf,
  inPlace,
  mtimeOf,
  type OutputFlags,
  progressOf,
  withOutputOptions,
} from '../options/options.ts';
import { type PatienceFlags, readOptionsOf, withPatienceOptions } from '../options/read-options.ts';
import { authorityOf } from '../options/sign-options.ts';
import { type MadeReport, renderMade } from '../render/render-made.ts';

interface TimestampFlags extends PatienceFlags, OutputFlags {
  readonly output?: string;
  readonly tsa?: string;
  readonly tsqOut?: string;
  readonly tsrIn?: string;
  readonly digest: SigningDigest;
  readonly format?: (typeof FORMATS)[number];
  readonly force?: boolean;
}

const EXAMPLES = `
Examples:
  bulla timestamp web.ova --tsa http://tsa.example -o web-stamped.ova
  bulla timestamp web.ovf --tsa http://tsa.example      # loose files: web.tst is written beside them
  bulla timestamp web.ova --tsq-out web.tsq       # on the machine without a network …
  curl -sSf -H 'Content-Type: application/timestamp-query' --data-binary @web.tsq http://tsa.example > web.tsr
  bulla timestamp web.ova --tsr-in web.tsr -o web-stamped.ova`;

/** `bulla timestamp BUNDLE --tsa URL -o STAMPED` */
export function timestampCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('timestamp')
    .summary('prove when a bundle was signed')
    .description(
      'Writes a copy of a signed bundle with a timestamp (RFC 3161) of its signature, so that it can be trusted when the ' +
        "signer's certificate has expired. A package of loose files gets it where it lies without -o. Give one of --tsa, --tsq-out " +
        'and --tsr-in.',
    )
    .argument(
      '<bundle>',
      'an archive, a folder or .ovf of loose files, - for standard input, or an https address',
    )
    .option('-o, --output <file>', 'the timestamped bundle to write, or - for standard output')
    .option('--tsa <url>', 'ask this authority (http or https) [BULLA_TSA]')
    .option('--tsq-out <file>', 'only write the request, to be answered on another machine')
    .option('--tsr-in <file>', 'take the reply of the authority from this file')
    .addOption(
      new Option('--digest <name>', 'digest in the request')
        .choices(['sha256', 'sha384', 'sha512'])
        .default('sha256'),
    )
    .addOption(new Option('--format <format>', 'when the extension does not say it').choices(FORMATS))
    .option('--force', 'replace the output if it exists, or what signs loose files')
    .addHelpText('after', EXAMPLES);
  withOutputOptions(withPatienceOptions(command)).action(async (input: string, flags: TimestampFlags) => {
    const progress = progressOf(flags, context);
    try {
      const report = await stamped(input, flags, { context, onProgress: progress.onProgress });
      progress.end();
      exit(renderMade(report, context, flags));
    } finally {
      progress.end();
    }
  });
}

async function stamped(
  input: string,
  flags: TimestampFlags,
  { context, onProgress }: { context: Context; onProgress: ReturnType<typeof progressOf>['onProgress'] },
): Promise<MadeReport> {
  const { tsa, tsqOut, tsrIn, digest, output, force = false } = flags;
  const { signal } = context;
  if ([tsa, tsqOut, tsrIn].filter((one) => one !== undefined).length !== 1) {
    throw new BundleError('USAGE', 'one of --tsa, --tsq-out and --tsr-in is needed, and only one', {
      fix: 'see bulla timestamp --help',
    });
  }
  const { timestamp, requestTimestampFile } = await import('../../operations/sign/timestamp.ts');
  if (tsqOut !== undefined) {
    if (output !== undefined || flags.format !== undefined) {
      const said = output === undefined ? '--format speaks of' : '-o names';
      throw new BundleError('USAGE', `--tsq-out writes the request alone, and ${said} a second output`, {
        fix: 'leave out -o and --format; the bundle is written when the reply is there, with --tsr-in',
      });
    }
    return requestTimestampFile(input, {
      output: tsqOut,
      digest,
      overwrite: force,
      ...readOptionsOf(flags),
      signal,
    });
  }
  const { packagePlace } = await import('../../storage/sources/open-bundle.ts');
  if (output === undefined && !packagePlace(input)) {
    throw new BundleError('USAGE', 'the timestamped bundle needs a name', { fix: 'give -o STAMPED.ova' });
  }
  if (output === undefined) inPlace(flags.format);
  else formatOf(output, flags.format); // before anybody is asked
  const { replyIn } = await import('../../operations/sign/timestamp-source.ts');
  const source =
    tsa === undefined ? replyIn(tsrIn ?? '', new Date()) : await authorityOf(tsa, digest, context);
  const common = { source, overwrite: force, ...readOptionsOf(flags), signal, onProgress };
  if (output === undefined) {
    const { timestampPackage } = await import('../../operations/sign/in-place/timestamp-package.ts');
    return timestampPackage(input, common);
  }
  const format = formatOf(output, flags.format);
  return timestamp(input, { ...common, output, format, mtime: mtimeOf(context) });
}
