import { type Command, Option } from 'commander';
import { BundleError } from '../../kit/errors/errors.ts';
import type { SignPackageReport } from '../../operations/sign/in-place/sign-package.ts';
import type { SignReport } from '../../operations/sign/signing.ts';
import type { Context, Exit } from '../context.ts';
import { signatureBeside } from '../named-files.ts';
import { lookFirst } from '../options/first-look.ts';
import { FORMATS, formatOf, inPlace, mtimeOf, progressOf, withOutputOptions } from '../options/options.ts';
import { showTyping } from '../options/passphrase.ts';
import { readOptionsOf, waitingOf, withPatienceOptions } from '../options/read-options.ts';
import {
  signatureOptionsOf,
  signingFilesOf,
  withCmsOption,
  withSignOptions,
} from '../options/sign-options.ts';
import { renderMade } from '../render/render-made.ts';
import { renderRoom } from '../render/render-room.ts';
import { answer, attach, prepare, type RoomFlags, roomStep, withRoomOptions } from './signing-room.ts';

interface ResignFlags extends RoomFlags {
  readonly detached?: boolean;
}

const EXAMPLES = `
Examples:
  bulla sign unsigned.ova -o web.ova --key acme.key --cert acme.pem --chain intermediates.pem
  bulla sign exported/ --key acme.key --cert acme.pem     # web.ovf, web.mf and disks: writes web.cert beside them
  bulla sign image.iso --detached --key acme.key --cert acme.pem
  bulla sign web.ova --prepare request.json --cert acme.pem           # the key is elsewhere: take the request there
  bulla sign --answer request.json --key acme.key --cert acme.pem     # there: shows it, and writes response.json
  bulla sign web.ova --attach response.json --cert acme.pem           # here again`;

/** `bulla sign BUNDLE --key K --cert C -o SIGNED`, `bulla sign DIR --key K --cert C`, `bulla sign FILE --detached` */
export function signCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('sign')
    .summary('add or replace the signature of a bundle, or sign any file')
    .description(
      'Writes a copy of a bundle with a new signature. Files and manifest stay as they are, byte for byte; a bundle ' +
        'whose files do not match its manifest is not signed. A package of loose files is signed where it lies without -o: ' +
        'its .cert is written beside them, and its .mf where it has none. With --detached, any file gets a signature beside it.',
    )
    .argument(
      '[bundle]',
      'an archive, a folder or .ovf of loose files, - for standard input, or an https address',
    )
    .option(
      '-o, --output <file>',
      'the signed bundle to write, or - for standard output (default: loose files are signed where they lie); with --detached the signature (default: FILE.p7s)',
    )
    .addOption(new Option('--format <format>', 'when the extension does not say it').choices(FORMATS))
    .option('--detached', 'write a CMS signature of the file, and leave the file alone')
    .option('--force', 'replace the output if it exists, or what signs loose files')
    .addHelpText('after', EXAMPLES);
  withRoomOptions(withOutputOptions(withPatienceOptions(withCmsOption(withSignOptions(command))))).action(
    async (bundle: string | undefined, flags: ResignFlags) => {
      const step = roomStep(command);
      if (step === 'answer') {
        if (bundle !== undefined) throw needless();
        exit(renderRoom(await answer(command, flags, context), context, flags));
        return;
      }
      const input = bundle ?? missing();
      if (step === 'prepare') {
        exit(renderRoom(await prepare(input, flags, context), context, flags));
        return;
      }
      if (step === 'attach') {
        exit(renderMade(await attach(input, flags, { context, command }), context, flags));
        return;
      }
      const output = await outputOf(input, flags);
      const files = signingFilesOf(flags, context);
      if (!files) {
        throw new BundleError('USAGE', 'a signature needs --key and --cert', {
          fix: 'give both, or configure them (bulla help configuration); for trying things out: bulla dev-certs DIR',
        });
      }
      const format = flags.detached || output === undefined ? undefined : formatOf(output, flags.format);
      const signature = await signatureOptionsOf(flags, context);
      await lookFirst(command, context);
      const { loadSigningIdentity } = await import('../../operations/sign/signing-identity.ts');
      const identity = await loadSigningIdentity(files, new Date(), waitingOf(flags, context)).finally(
        showTyping,
      );
      const progress = progressOf(flags, context);
      const common = {
        identity,
        ...signature,
        ...readOptionsOf(flags),
        overwrite: flags.force ?? false,
        signal: context.signal,
        onProgress: progress.onProgress,
      };
      const make = async (): Promise<SignReport | SignPackageReport> => {
        if (output === undefined) {
          const { signPackage } = await import('../../operations/sign/in-place/sign-package.ts');
          return signPackage(input, common);
        }
        if (format === undefined) {
          const { signFile } = await import('../../operations/sign/sign-file.ts');
          return signFile(input, { ...common, output });
        }
        const { sign } = await import('../../operations/sign/sign.ts');
        return sign(input, { ...common, output, format, mtime: mtimeOf(context) });
      };
      try {
        const report = await make();
        progress.end();
        exit(renderMade(report, context, flags));
      } finally {
        progress.end();
      }
    },
  );
}

function missing(): never {
  throw new BundleError('USAGE', "missing required argument 'bundle'", { fix: 'see bulla sign --help' });
}

function needless(): BundleError {
  return new BundleError('USAGE', '--answer takes no bundle', {
    why: 'all that is to be signed is in the request',
    fix: 'leave out the bundle; it gets its signature with --attach, where it is',
  });
}

/** Where it goes; undefined for loose files, which are signed where they lie. @throws {BundleError} `USAGE` */
async function outputOf(
  input: string,
  { detached, output, format, cms }: ResignFlags,
): Promise<string | undefined> {
  if (!detached) {
    if (output !== undefined) return output;
    const { packagePlace } = await import('../../storage/sources/open-bundle.ts');
    if (packagePlace(input)) return inPlace(format);
    throw new BundleError('USAGE', 'the signed bundle needs a name', {
      fix: 'give -o SIGNED.ova; or --detached, for a signature beside the file',
    });
  }
  if (format !== undefined || cms !== undefined) {
    throw new BundleError('USAGE', `--detached takes no ${format === undefined ? '--cms' : '--format'}`, {
      fix: 'leave it out: a detached signature is always a CMS signature in DER',
    });
  }
  if (output !== undefined) return output;
  const beside = signatureBeside(input);
  if (beside !== undefined) return beside;
  throw new BundleError('USAGE', 'the signature needs a name, since the file has none here', {
    fix: 'give -o FILE.p7s',
  });
}
