import { join } from 'node:path';
import type { Command } from 'commander';
import { formatJson } from '../../kit/json.ts';
import { shellPath } from '../../kit/shell.ts';
import type { Context, Exit } from '../context.ts';
import { shown } from '../render/field.ts';

/** `bulla dev-certs DIR` */
export function devCertsCommand(program: Command, context: Context, _exit: Exit): void {
  program
    .command('dev-certs')
    .summary('make a CA and a signer for trying things out')
    .description(
      'Writes ca.pem, signer.pem and signer.key into DIR: a development CA and a signer under it, valid for 30 days. ' +
        'Never trust this CA where it matters: the signing key is not protected.',
    )
    .argument('<dir>', 'the folder to make; it must not exist, or be empty')
    .option('--post-quantum', 'make pq-ca.pem, pq-signer.pem and pq-signer.key, too: the same with ML-DSA-87')
    .option('--json', 'print one JSON document')
    .action(async (folder: string, flags: { json?: boolean; postQuantum?: boolean }) => {
      const { writeDevelopmentCertificates } = await import('../../operations/trust/write-dev-certs.ts');
      const report = await writeDevelopmentCertificates(folder, new Date(), {
        ...(flags.postQuantum && { postQuantum: true }),
      });
      if (flags.json) {
        context.print(formatJson(report), 'data');
        return;
      }
      const { style } = context;
      const name = shown(folder);
      const at = (file: string): string => shellPath(join(folder, file));
      context.print(`${style.good(style.pass)} ${name}: ${report.result?.files.join(', ')}`);
      context.print(`  ${style.warn('DEVELOPMENT only')}, valid for 30 days`);
      context.print(
        `  next: bulla pack disk.qcow2 -o my.ova --key ${at('signer.key')} --cert ${at('signer.pem')}`,
      );
      context.print(`        bulla verify my.ova --trust ${at('ca.pem')}`);
    });
}
