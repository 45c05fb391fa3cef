import { type Command, Option } from 'commander';
import { isShownWhole } from '../../kit/shell.ts';
import type { SiteImage } from '../../operations/glance/sign-on-import.ts';
import type { Context, Exit } from '../context.ts';
import { type AccessFlags, accessLine, accessOf, withAccessOptions } from '../options/access-options.ts';
import { lookFirst } from '../options/first-look.ts';
import { type GlanceKeyFlags, imageSignerOf, withGlanceKeyOptions } from '../options/glance-options.ts';
import { type OutputFlags, progressOf, withOutputOptions } from '../options/options.ts';
import { type ReadFlags, readOptionsOf, withBundleOptions } from '../options/read-options.ts';
import { type TrustFlags, verifyOptionsOf, withTrustOptions } from '../options/trust-options.ts';
import { shown, sizedRows } from '../render/field.ts';
import { formatBytes } from '../render/progress.ts';
import { renderReport } from '../render/render-report.ts';

interface ImportFlags extends TrustFlags, ReadFlags, OutputFlags, GlanceKeyFlags, AccessFlags {
  readonly glanceProperties?: string;
  readonly to: string;
  readonly imagesOnly?: boolean;
  readonly keepChunks?: boolean;
  readonly decompress?: boolean;
  readonly dryRun?: boolean;
  readonly resume?: boolean;
}

/** `bulla import BUNDLE --to DIR` */
export function importCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('import')
    .summary('verify a bundle and unpack it, or leave no trace')
    .description(
      'Verifies a bundle while it is unpacked beside DIR, and makes that DIR in one step when it is trusted. ' +
        'Otherwise DIR stays as it was: absent, or empty.',
    )
    .argument(
      '<bundle>',
      'an archive, a folder or .ovf of loose files, - for standard input, or an https address',
    )
    .requiredOption('--to <dir>', 'the folder to make; it must not exist, or be empty')
    .option('--images-only', 'keep only the disk images')
    .option('--decompress', 'undo ovf:compression="gzip" of files when the bundle is trusted')
    .option('--keep-chunks', 'leave disks in chunks as they are stored, instead of joining them')
    .option(
      '--resume',
      'go on with an import into DIR that was interrupted, and leave this one to be gone on with; without block digests nothing is kept',
    )
    .addOption(
      new Option('--dry-run', 'verify, and say what would be written').conflicts([
        'resume',
        'glanceProperties',
      ]),
    )
    .option(
      '--glance-properties <uuid>',
      "sign each disk image for your own Glance, with your own key and its certificate's UUID, and print how to upload it",
    )
    .addHelpText('after', '\nExample:\n  bulla import web.ova --to /var/lib/images/web');
  withAccessOptions(command);
  withGlanceKeyOptions(command, '');
  withOutputOptions(withBundleOptions(withTrustOptions(command))).action(
    async (input: string, flags: ImportFlags) => {
      const { importBundle } = await import('../../operations/import/import.ts');
      const access = await accessOf(flags);
      const trusting = verifyOptionsOf(flags, context); // [cli.34]
      await lookFirst(command, context);
      const imageSigner = await imageSignerOf('--glance-properties', flags.glanceProperties, flags, context);
      const progress = progressOf(flags, context);
      try {
        const outcome = await importBundle(input, {
          ...trusting,
          ...readOptionsOf(flags),
          destination: flags.to,
          imagesOnly: flags.imagesOnly ?? false,
          keepChunks: flags.keepChunks ?? false,
          decompress: flags.decompress ?? false,
          dryRun: flags.dryRun ?? false,
          resume: flags.resume ?? false,
          ...access,
          ...(imageSigner !== undefined && { imageSigner }),
          onProgress: progress.onProgress,
        });
        progress.end();
        exit(
          renderReport(outcome.report, context, { json: flags.json ?? false, quiet: flags.quiet ?? false }),
        );
        if (outcome.kind === 'refused' || flags.json || flags.quiet) return;
        context.print(
          outcome.kind === 'would-be-imported'
            ? `  would write  ${shown(flags.to)} (dry run: nothing was written)`
            : `  imported to  ${shown(flags.to)}`,
        );
        const sizes = outcome.files.map(({ size }) =>
          size === undefined ? 'decompressed' : formatBytes(size),
        );
        for (const row of sizedRows(outcome.files, sizes)) context.print(`    ${row}`);
        const { access: chosen } = outcome.report.result ?? {};
        if (chosen) context.print(await accessLine(chosen));
        const { images = [] } = outcome;
        if (images.length === 0) return;
        const { uploadCommand } = await import('../../operations/glance/sign-on-import.ts');
        context.print('  signed for your Glance; upload with');
        for (const image of images) context.print(`    ${await uploadLine(flags.to, image, uploadCommand)}`);
      } finally {
        progress.end();
      }
    },
  );
}

/** [show.4] What is copied from the screen must be the command, so one that cannot be shown whole is left out. */
async function uploadLine(
  folder: string,
  image: SiteImage,
  commandOf: (folder: string, image: SiteImage) => Promise<string>,
): Promise<string> {
  if (isShownWhole(image.name)) return commandOf(folder, image);
  return `${shown(image.name)}: its name is not fit for a command here; its properties are in the file beside it`;
}
