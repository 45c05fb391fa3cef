import { type Command, Option } from 'commander';
import { counted } from '../../kit/encoding.ts';
import type { Inspection } from '../../operations/verify/inspect.ts';
import type { Report } from '../../verdict/report/report.ts';
import type { TargetName, TargetReport } from '../../verdict/targets/target.ts';
import type { Context, Exit } from '../context.ts';
import { PLATFORMS } from '../options/machine-choices.ts';
import { gatherOf, type OutputFlags, progressOf, withOutputOptions } from '../options/options.ts';
import { type ReadFlags, readOptionsOf, withBundleOptions } from '../options/read-options.ts';
import { field, inputTitle, shown } from '../render/field.ts';
import { formatBytes } from '../render/progress.ts';
import { renderReport } from '../render/render-report.ts';

interface InspectFlags extends OutputFlags, ReadFlags {
  readonly target?: readonly TargetName[];
}

/** `bulla inspect BUNDLE` */
export function inspectCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('inspect')
    .summary('show what is in a bundle; verifies nothing')
    .description(
      'Shows the members of a bundle and what it says of itself. It checks no digest and no signature.',
    )
    .argument(
      '<bundle>',
      'an archive, a folder or .ovf of loose files, - for standard input, or an https address',
    );
  command.addOption(
    new Option(
      '--target <platform>',
      'tell what one or more platforms accept, and what of the bundle they trip over',
    )
      .choices(PLATFORMS)
      .argParser(gatherOf(PLATFORMS)),
  );
  withOutputOptions(withBundleOptions(command)).action(async (input: string, flags: InspectFlags) => {
    const { inspect } = await import('../../operations/verify/inspect.ts');
    const progress = progressOf(flags, context);
    try {
      const { report, inspection } = await inspect(input, {
        signal: context.signal,
        ...readOptionsOf(flags),
        ...(flags.target !== undefined && { targets: [...new Set(flags.target)] }),
        onProgress: progress.onProgress,
      });
      progress.end();
      if (!flags.json && !flags.quiet) renderInspection(report, inspection, context);
      if (flags.json || report.exitCode !== 0) {
        exit(
          renderReport({ ...report, warnings: flags.json ? report.warnings : [] }, context, {
            json: flags.json ?? false,
            quiet: true,
          }),
        );
      }
    } finally {
      progress.end();
    }
  });
}

function renderInspection(report: Report, inspection: Inspection, context: Context): void {
  const { style } = context;
  const line = (label: string, text: string | undefined): void => {
    if (text) context.print(field(label, text));
  };
  context.print(`${style.warn('NOT VERIFIED')}: inspect checks no digest and no signature`);
  context.print(
    `${style.bold(shown(report.input ? inputTitle(report.input) : ''))}  ${inspection.format ?? 'unknown'}, ${inspection.kind}`,
  );
  for (const file of report.files) {
    const disk = inspection.disks[file.name];
    const image = disk
      ? `  ${[disk.format, disk.variant].filter(Boolean).join(' ')}, ${formatBytes(disk.virtualSize)} virtual`
      : '';
    context.print(
      `  ${String(file.offset ?? '').padStart(12)}  ${formatBytes(file.size ?? 0).padStart(10)}  ${shown(file.name)}${image}`,
    );
  }
  if (!report.errors.every(({ code }) => isAboutContents(code))) return; // what was not read to its end says nothing
  const descriptor = inspection.kind === 'ovf' ? inspection.descriptor : undefined;
  const claims = inspection.kind === 'none' ? undefined : inspection;
  const [product] = descriptor?.products ?? [];
  line('product', [product?.vendor, product?.name, product?.version].filter(Boolean).join(' '));
  for (const system of descriptor?.systems ?? []) {
    const hardware = [
      system.cpus === undefined ? undefined : counted(system.cpus, 'CPU'),
      system.memoryMiB === undefined ? undefined : `${system.memoryMiB} MiB`,
      system.operatingSystem,
    ];
    line('machine', [system.name ?? system.id, ...hardware.filter(Boolean)].join(', '));
  }
  line(
    'manifest',
    claims?.manifestLines === undefined ? 'none' : `${counted(claims.manifestLines, 'file')} listed`,
  );
  line('signature', claims?.claimedSigner ? `claims to be by ${claims.claimedSigner.subject}` : 'none');
  for (const target of inspection.targets ?? []) renderTarget(target, context);
}

function renderTarget({ target, accepts, findings }: TargetReport, { print, style }: Context): void {
  const worst = findings.some(({ severity }) => severity === 'refused');
  const found =
    findings.length === 0 ? 'nothing that is known to be in its way' : counted(findings.length, 'finding');
  print(`${style.bold(target)}  ${worst ? style.bad(found) : found}`);
  for (const one of accepts) print(field('accepts', one));
  for (const { severity, where, what, do: fix } of findings) {
    const row = field(severity, where === '' ? what : `${where}: ${what}`);
    print(severity === 'note' ? row : style.warn(row));
    print(field('do', fix));
  }
}

/** False for a fault of the archive or of the input: then nobody knows what else is in it. */
function isAboutContents(code: string): boolean {
  return !/^(ARCHIVE|ZIP|GZIP|FORMAT|FILE|INPUT|REMOTE|STORAGE|INTERRUPTED|TERMINATED|INTERNAL)/.test(code);
}
