import type { Command } from 'commander';
import { formatJson } from '../../../kit/json.ts';
import { wordedReport } from '../../advice.ts';
import type { Context, Exit } from '../../context.ts';
import {
  keyManagerOf,
  OPENSTACK_ENVIRONMENT,
  type OpenStackFlags,
  withOpenStackOptions,
} from '../../options/openstack-options.ts';
import { parseEnd } from '../../options/options.ts';
import { field, shown } from '../../render/field.ts';

interface GlanceStoreFlags extends OpenStackFlags {
  readonly name?: string;
  readonly expiration?: Date;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const EXAMPLES = `
${OPENSTACK_ENVIRONMENT}

Examples:
  bulla glance store-certificate acme.pem --barbican https://barbican.example:9311
  bulla glance sign web.qcow2 --key acme.key --cert-uuid $(bulla glance store-certificate acme.pem --barbican catalog -q)`;

/** `bulla glance store-certificate CERT --barbican URL` */
export function glanceStoreCommand(glance: Command, context: Context, exit: Exit): void {
  const command = glance
    .command('store-certificate')
    .summary('store a certificate in Barbican, for Glance')
    .description('Stores a certificate in Barbican as Glance wants it, reads it back, and prints its UUID.')
    .argument('<certificate>', 'PEM; the first certificate of the file is stored');
  withOpenStackOptions(command)
    .option('--name <text>', 'name of the secret (default: the subject)')
    .option(
      '--expiration <time>',
      'let Barbican forget it then: images are refused from then on (default: never)',
      parseEnd,
    )
    .option('--json', 'print one JSON document on standard output, whatever happens')
    .option('-q, --quiet', 'print nothing but the UUID')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: GlanceStoreFlags) => {
      const { storeCertificate } = await import('../../../operations/glance/store-certificate.ts');
      const { openKeyManager } = await import('../../../operations/glance/key-manager.ts');
      const keyManager = keyManagerOf(flags, context);
      const stored = await storeCertificate(file, () => openKeyManager(keyManager), {
        at: new Date(),
        signal: context.signal,
        ...(flags.name !== undefined && { name: flags.name }),
        ...(flags.expiration !== undefined && { expiration: flags.expiration }),
      });
      const report = wordedReport(stored);
      if (flags.json || !report.result) return context.print(formatJson(report), 'data');
      const { certificateUuid, secretRef, certificate } = report.result;
      if (flags.quiet) context.print(certificateUuid);
      else {
        const { style } = context;
        context.print(`${style.good(style.pass)} ${style.bold(shown(file))}  stored as ${certificateUuid}`);
        const { subject, key, notBefore, notAfter } = certificate;
        context.print(
          field(
            'certificate',
            subject,
            `${key}, valid ${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}`,
          ),
        );
        context.print(field('kept at', String(secretRef)));
        for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
      }
      exit(report.exitCode);
    });
}
