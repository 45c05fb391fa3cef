import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DescriptorSetting } from '../../formats/ovf/edit/edit-descriptor.ts';
import type { DigestName } from '../../kit/digest-name.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { Context, Exit } from '../context.ts';
import { lookFirst } from '../options/first-look.ts';
import {
  FORMATS,
  formatOf,
  gatherBy,
  mtimeOf,
  type OutputFlags,
  progressOf,
  withOutputOptions,
} from '../options/options.ts';
import { showTyping } from '../options/passphrase.ts';
import { type ReadFlags, readOptionsOf, waitingOf, withBundleOptions } from '../options/read-options.ts';
import {
  authorityOf,
  type SignerFlags,
  signingFilesOf,
  withCmsOption,
  withSignerOptions,
} from '../options/sign-options.ts';
import { type TrustFlags, verifyOptionsOf, withTrustOptions } from '../options/trust-options.ts';
import { renderMade } from '../render/render-made.ts';

interface RepackFlags extends SignerFlags, TrustFlags, ReadFlags, OutputFlags {
  readonly output: string;
  readonly format?: (typeof FORMATS)[number];
  readonly descriptor?: string;
  readonly set?: readonly DescriptorSetting[];
  readonly digest?: DigestName;
  readonly sha1ForOldImporters?: boolean;
  readonly force?: boolean;
}

const MORE = `
What can be set: name, annotation, product.name, product.vendor, product.version,
product.fullversion, hardware, network.OLD, property.KEY.
OLD is the name of a network, KEY that of a property; hardware is the family, such as vmx-13. With several machines, KEY@ID says of
which (name@db=Database). Everything else in the descriptor stays byte for byte.

Examples:
  bulla repack web.ova -o web-1.5.ova --set product.version=1.5 --key acme.key --cert acme.pem
  bulla repack vendor.ova -o ours.ova --trust vendor-ca.pem --set "network.VM Network=DMZ" --key acme.key --cert acme.pem
  bulla repack web.ova -o esxi6.ova --digest sha1 --sha1-for-old-importers --key acme.key --cert acme.pem`;

/** `bulla repack BUNDLE -o OUT --key K --cert C` */
export function repackCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('repack')
    .summary('change the descriptor or the digests of a bundle, and sign it anew')
    .description(
      'Writes a bundle again with other values in its descriptor, another descriptor or other digests, and signs it as yours. ' +
        'The files go by once, byte for byte, and each must match the old manifest. Where you trust anybody (--trust, --pin, your ' +
        'trust folder), the bundle must be signed by such a one; otherwise who signed it before is shown, and not judged.',
    )
    .argument(
      '<bundle>',
      'an archive, a folder or .ovf of loose files, - for standard input, or an https address',
    )
    .requiredOption('-o, --output <file>', 'the bundle to write, or - for standard output')
    .addOption(new Option('--format <format>', 'when the extension does not say it').choices(FORMATS))
    .option('--descriptor <ovf>', 'take this descriptor instead of the one that is there, under its name')
    .option('--set <key=value>', 'one or more values to set in the descriptor, see below', gatherSettings)
    .addOption(
      new Option(
        '--digest <name>',
        'digests of manifest and signature (default: those of the manifest as they were, SHA-256 in place of SHA-1; SHA-256 of the signature)',
      ).choices(['sha1', 'sha256', 'sha384', 'sha512']),
    )
    .option(
      '--sha1-for-old-importers',
      'with --digest sha1, for such as ESXi 6: whoever can forge SHA-1 replaces files under your signature',
    )
    .option('--force', 'replace the output if it exists')
    .addHelpText('after', MORE);
  withOutputOptions(withBundleOptions(withTrustOptions(withCmsOption(withSignerOptions(command))))).action(
    async (input: string, flags: RepackFlags) => {
      const files = signingFilesOf(flags, context);
      if (!files) {
        throw new BundleError('USAGE', 'what is packed anew is signed anew, with --key and --cert', {
          fix: 'give both; for trying things out: bulla dev-certs DIR',
        });
      }
      const format = formatOf(flags.output, flags.format);
      const { digest, tsa, cms } = flags;
      const stamped = digest === undefined || digest === 'sha1' ? 'sha256' : digest;
      const authority = tsa === undefined ? undefined : await authorityOf(tsa, stamped, context);
      const { expectChanges } = await import('../../operations/repack/options.ts');
      expectChanges(flags); // [cli.34]
      const trusting = verifyOptionsOf(flags, context);
      await lookFirst(command, context);
      const { loadSigningIdentity } = await import('../../operations/sign/signing-identity.ts');
      const identity = await loadSigningIdentity(files, new Date(), waitingOf(flags, context)).finally(
        showTyping,
      );
      const { repack } = await import('../../operations/repack/repack.ts');
      const progress = progressOf(flags, context);
      try {
        const report = await repack(input, {
          ...trusting,
          ...readOptionsOf(flags),
          output: flags.output,
          format,
          identity,
          ...(flags.descriptor !== undefined && { descriptor: flags.descriptor }),
          ...(flags.set !== undefined && { set: flags.set }),
          ...(digest !== undefined && { digest }),
          ...(flags.sha1ForOldImporters !== undefined && { sha1ForOldImporters: flags.sha1ForOldImporters }),
          ...(cms !== undefined && { cms }),
          ...(authority !== undefined && { authority }),
          mtime: mtimeOf(context),
          overwrite: flags.force ?? false,
          onProgress: progress.onProgress,
        });
        progress.end();
        exit(renderMade(report, context, flags));
      } finally {
        progress.end();
      }
    },
  );
}

const gatherSettings = gatherBy((text): DescriptorSetting => {
  const at = text.indexOf('=');
  if (at > 0) return { key: text.slice(0, at), value: text.slice(at + 1) };
  throw new InvalidArgumentError('Give KEY=VALUE, such as product.version=1.5.');
});
