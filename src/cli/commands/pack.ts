import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import type { FirmwareName } from '../../formats/ovf/descriptor-writer.ts';
import type { ControllerName } from '../../formats/ovf/machine/drives.ts';
import type { GuestSystemName } from '../../formats/ovf/machine/guest-systems.ts';
import { hasText } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DESCRIPTOR_NAME } from '../../kit/read-names.ts';
import type { Context, Exit } from '../context.ts';
import { lookFirst } from '../options/first-look.ts';
import { type GlanceKeyFlags, imageSignerOf, withGlanceKeyOptions } from '../options/glance-options.ts';
import { CONTROLLERS, FIRMWARES, GUESTS } from '../options/machine-choices.ts';
import { parseMembers } from '../options/many-members.ts';
import {
  FORMATS,
  formatOf,
  gather,
  mtimeOf,
  type OutputFlags,
  parseCount,
  parseMemory,
  parseSize,
  progressOf,
  withOutputOptions,
} from '../options/options.ts';
import { showTyping } from '../options/passphrase.ts';
import {
  type SignFlags,
  signatureOptionsOf,
  signingFilesOf,
  withCmsOption,
  withSignOptions,
} from '../options/sign-options.ts';
import { renderMade } from '../render/render-made.ts';

interface PackFlags extends SignFlags, OutputFlags, GlanceKeyFlags {
  readonly glanceSign?: string;
  readonly output: string;
  readonly plain?: boolean;
  readonly format?: (typeof FORMATS)[number];
  readonly name?: string;
  readonly vendor?: string;
  readonly version?: string;
  readonly product?: string;
  readonly cpus?: number;
  readonly memory?: number;
  readonly network?: readonly string[] | false;
  readonly firmware?: FirmwareName;
  readonly os?: GuestSystemName;
  readonly controller?: ControllerName;
  readonly chunkSize?: number;
  readonly maxMembers?: number;
  readonly blockDigests?: boolean;
  readonly followLinks?: boolean;
  readonly ignoreManifest?: boolean;
  readonly order: 'leading' | 'trailing';
  readonly force?: boolean;
}

const EXAMPLES = `
Examples:
  bulla pack disk.qcow2 --vendor Acme -o web.ova --key acme.key --cert acme.pem
  bulla pack build/web.ovf -o web.ova --key acme.key --cert acme.pem`;

/** `bulla pack FILE… -o BUNDLE` */
export function packCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('pack')
    .summary('pack disk images, an .ovf or plain files into a bundle')
    .description(
      'Packs a bundle: bare disk images (a descriptor is made for them), one .ovf or the folder of it (its files are ' +
        'found beside it, and must be what a manifest there says), or with --plain any files. ' +
        'With --key and --cert it is signed; a signer may be configured (bulla help configuration).',
    )
    .argument('<file...>', 'disk images, one .ovf or its folder, or with --plain any files')
    .requiredOption(
      '-o, --output <file>',
      'the bundle to write (.ova .tar .tgz .tar.gz .zip), or - for standard output',
    )
    .addOption(new Option('--format <format>', 'when the extension does not say it').choices(FORMATS))
    .option('--plain', 'pack the files as they are, without a descriptor')
    .option(
      '--name <text>',
      'name of the appliance, and of its files (default: that of the output, or of the first file)',
    )
    .option('--product <text>', 'product, for the descriptor')
    .option('--vendor <text>', 'vendor, for the descriptor')
    .option('--version <text>', 'version of the product, for the descriptor')
    .option('--cpus <count>', 'processors of the machine (default: 1)', parseCount)
    .option('--memory <MiB>', 'memory of the machine (default: 1024)', parseMemory)
    .option(
      '--network <name>',
      'one or more network cards, by the names of their networks (default: one on "VM Network")',
      gather,
    )
    .option('--no-network', 'no network card')
    .addOption(new Option('--firmware <kind>', 'what starts the machine (default: bios)').choices(FIRMWARES))
    .addOption(new Option('--os <type>', 'guest system of the machine (default: other64)').choices(GUESTS))
    .addOption(
      new Option(
        '--controller <kind>',
        "what the disks hang on; pvscsi is VMware's own (default: scsi)",
      ).choices(CONTROLLERS),
    )
    .option('--max-members <count>', 'the most members (default: 256, which importers read)', parseMembers)
    .option('--chunk-size <size>', 'store larger images in chunks of this size, such as 2GiB', parseSize)
    .option(
      '--block-digests',
      'put beside each disk image the digests of its blocks: all cores verify it, and damage is found by its place',
    )
    .option(
      '--follow-links',
      'pack what links beside the .ovf lead to elsewhere: whoever can write there chooses which of your files',
    )
    .option(
      '--ignore-manifest',
      'pack the files whatever the manifest beside the .ovf says: what was damaged since the export is not seen, and signed',
    )
    .addOption(
      new Option('--order <order>', 'manifest and signature before the files, or after them')
        .choices(['leading', 'trailing'])
        .default('leading'),
    )
    .option(
      '--glance-sign <uuid>',
      'put beside each disk image the properties that sign it for Glance; UUID is that of the certificate in Barbican',
    )
    .option('--force', 'replace the output if it exists')
    .addHelpText('after', EXAMPLES);
  withGlanceKeyOptions(command, ' (default: --key)');
  withOutputOptions(withCmsOption(withSignOptions(command))).action(
    async (inputs: string[], flags: PackFlags) => {
      const { isFolder } = await import('../../storage/beside.ts');
      const isDescribed = (path: string): boolean => DESCRIPTOR_NAME.test(path) || isFolder(path);
      if (flags.name && !flags.plain && inputs.some(isDescribed)) {
        throw new BundleError('USAGE', 'a descriptor keeps its own name', {
          why: 'manifest and signature are named after the .ovf file, and its bytes are never changed',
          fix: 'leave out --name, or rename the .ovf file',
        });
      }
      const format = formatOf(flags.output, flags.format);
      const files = signingFilesOf(flags, context);
      const signature = await signatureOptionsOf(flags, context);
      const mtime = mtimeOf(context);
      const { pack } = await import('../../operations/pack/pack.ts');
      await lookFirst(command, context);
      const { loadSigningIdentity } = await import('../../operations/sign/signing-identity.ts');
      const identity = files
        ? await loadSigningIdentity(files, new Date(), { signal: context.signal }).finally(showTyping)
        : undefined;
      const imageSigner = await imageSignerOf('--glance-sign', flags.glanceSign, flags, context, flags);
      const progress = progressOf(flags, context);
      const { product, vendor, version, cpus, memory, firmware, os, controller } = flags;
      const networks = networksOf(flags);
      try {
        const report = await pack(inputs, {
          output: flags.output,
          format,
          name: flags.name ?? nameOf(flags.output, inputs),
          plain: flags.plain ?? false,
          appliance: {
            ...(hasText(product) && { product }),
            ...(hasText(vendor) && { vendor }),
            ...(hasText(version) && { version }),
            ...(cpus !== undefined && { cpus }),
            ...(memory !== undefined && { memoryMiB: memory }),
            ...(networks !== undefined && { networks }),
            ...(firmware !== undefined && { firmware }),
            ...(os !== undefined && { os }),
            ...(controller !== undefined && { controller }),
          },
          ...(flags.maxMembers !== undefined && { members: flags.maxMembers }),
          ...(flags.chunkSize !== undefined && { chunkSize: flags.chunkSize }),
          ...(flags.followLinks && { followLinks: true }),
          ...(flags.ignoreManifest && { ignoreManifest: true }),
          ...(flags.blockDigests && { blockDigests: true }),
          ...(identity !== undefined && { identity }),
          ...(imageSigner !== undefined && { imageSigner }),
          ...signature,
          order: flags.order,
          overwrite: flags.force ?? false,
          mtime,
          signal: context.signal,
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

/** Commander says `true` where only the option without a network is declared beside, and nothing was given. */
function networksOf({ network }: PackFlags): readonly string[] | undefined {
  if (network === false) return [];
  return Array.isArray(network) ? network : undefined;
}

function nameOf(output: string, [first = '']: readonly string[]): string {
  if (output === '-') return basename(first).replace(/\.[^.]+$/, '');
  return basename(output).replace(/\.(ova|tar|tgz|tar\.gz|zip)$/i, '');
}
