import type { Command } from 'commander';
import { printable } from '../../kit/encoding.ts';
import { makeReport } from '../../operations/report.ts';
import type { Context } from '../context.ts';
import type { Exit } from '../program.ts';

/** `bulla dev-certs DIR` */
export function devCertsCommand(program: Command, context: Context, _exit: Exit): void {
  program
    .command('dev-certs')
    .summary('make a CA and a signer for trying things out')
    .description(
      'Writes ca.pem, signer.pem and signer.key into DIR: a development CA and a signer under it, valid for 30 days.\n' +
        'Never trust this CA where it matters: the signing key is not protected.',
    )
    .argument('<dir>', 'the folder to make; it must not exist, or be empty')
    .option('--json', 'print one JSON document')
    .action(async (folder: string, flags: { json?: boolean }) => {
      const { writeDevelopmentCertificates } = await import('../../operations/write-dev-certs.ts');
      await writeDevelopmentCertificates(folder, new Date());
      if (flags.json) {
        const result = { folder, files: ['ca.pem', 'signer.pem', 'signer.key'] };
        context.print(
          JSON.stringify(makeReport({ operation: 'dev-certs', errors: [], result }), undefined, 2),
        );
        return;
      }
      const { style } = context;
      const name = printable(folder);
      context.print(`${style.good(style.pass)} ${name}: ca.pem, signer.pem, signer.key`);
      context.print(`  ${style.warn('DEVELOPMENT only')}, valid for 30 days`);
      context.print(
        `  next: bulla pack disk.qcow2 -o my.ova --key ${name}/signer.key --cert ${name}/signer.pem`,
      );
      context.print(`        bulla verify my.ova --trust ${name}/ca.pem`);
    });
}
