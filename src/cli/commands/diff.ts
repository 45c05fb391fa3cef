import type { Command } from 'commander';
import type { Comparison } from '../../operations/verify/diff.ts';
import type { Context, Exit } from '../context.ts';
import { type OutputFlags, progressOf, withOutputOptions } from '../options/options.ts';
import { type ReadFlags, readOptionsOf, withReadOptions } from '../options/read-options.ts';
import { shown } from '../render/field.ts';
import { renderReport } from '../render/render-report.ts';

/** `bulla diff A B` */
export function diffCommand(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command('diff')
    .summary('compare two bundles; verifies neither')
    .description(
      'Compares two bundles: members by size and digest, descriptors by field, and who claims to have signed. ' +
        'Exit code 0 means the same, 6 different; how the archives are packed makes no difference, and is told.',
    )
    .argument('<a>', 'an archive, a folder or .ovf of loose files, - for standard input, or an https address')
    .argument('<b>', 'the other one');
  withOutputOptions(withReadOptions(command)).action(
    async (a: string, b: string, flags: OutputFlags & ReadFlags) => {
      const { diff } = await import('../../operations/verify/diff.ts');
      const progress = progressOf(flags, context);
      const { json = false, quiet = false } = flags;
      try {
        const { report, comparison } = await diff(a, b, {
          signal: context.signal,
          ...readOptionsOf(flags),
          onProgress: progress.onProgress,
        });
        progress.end();
        if (json || !comparison) exit(renderReport(report, context, { json, quiet }));
        else {
          if (!quiet) renderComparison(comparison, context);
          exit(report.exitCode);
        }
      } finally {
        progress.end();
      }
    },
  );
}

function renderComparison({ same, differences, packing }: Comparison, context: Context): void {
  const { style, print } = context;
  print(`${style.warn('NOT VERIFIED')}: diff checks no signature`);
  for (const { kind, what, a, b } of differences) {
    print(style.bold(shown(`${kind === 'descriptor' ? '' : `${kind} `}${what}`)));
    print(`  a: ${shown(a ?? '(none)')}`);
    print(`  b: ${shown(b ?? '(none)')}`);
  }
  for (const note of packing) print(style.dim(shown(`packed differently: ${note}`)));
  const count = differences.length;
  print(same ? 'the same' : `${count} ${count === 1 ? 'difference' : 'differences'}`);
}
