import { type Command, Option } from 'commander';
import type { PropertyForm } from '../../../formats/glance/format-properties.ts';
import type { HashMethod, KeyTypeName } from '../../../formats/glance/names.ts';
import { BundleError } from '../../../kit/errors/errors.ts';
import { formatJson } from '../../../kit/json.ts';
import { expectNoUse } from '../../../kit/shape.ts';
import { wordedReport } from '../../advice.ts';
import type { Context, Exit } from '../../context.ts';
import { lookFirst } from '../../options/first-look.ts';
import { FORM_CHOICES, HASH_CHOICES, KEY_TYPE_CHOICES } from '../../options/glance-choices.ts';
import { keyOpeningOf } from '../../options/key-options.ts';
import { type OutputFlags, progressOf, withOutputOptions } from '../../options/options.ts';
import { showTyping } from '../../options/passphrase.ts';
import {
  type PatienceFlags,
  readOptionsOf,
  waitingOf,
  withPatienceOptions,
} from '../../options/read-options.ts';
import { withWeakKeysOption } from '../../options/trust-options.ts';
import { field, shown } from '../../render/field.ts';

interface GlanceSignFlags extends PatienceFlags, OutputFlags {
  readonly key: string;
  readonly certUuid: string;
  readonly cert?: string;
  readonly passphraseFile?: string;
  readonly hash: HashMethod;
  readonly keyType?: KeyTypeName;
  readonly as: PropertyForm;
  readonly output?: string;
  readonly force?: boolean;
  readonly oldGlance?: boolean;
  readonly allowWeakKeys?: boolean;
}

const EXAMPLES = `
Examples:
  bulla glance sign web.qcow2 --key acme.key --cert-uuid 5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d
  openstack image create web --file web.qcow2 --disk-format qcow2 --container-format bare \\
    $(bulla glance sign web.qcow2 --key acme.key --cert-uuid UUID --as args)`;

/** `bulla glance sign IMAGE --key K --cert-uuid U` */
export function glanceSignCommand(glance: Command, context: Context, exit: Exit): void {
  const command = glance
    .command('sign')
    .summary('print the properties that sign an image')
    .description(
      'Prints the four properties that sign an image. Glance verifies it with them when it is uploaded, Nova when it boots. ' +
        'RSA-PSS signatures get the longest salt, as Glance demands.',
    )
    .argument('<image>', 'a file, - for standard input, or an https address')
    .requiredOption('--key <pem>', 'private key of the signer')
    .requiredOption('--cert-uuid <uuid>', 'the UUID under which Barbican keeps the certificate')
    .option('--cert <pem>', 'that certificate: it must belong to the key, and be valid')
    .option('--passphrase-file <file>', 'first line is the passphrase of the key [BULLA_PASSPHRASE_FILE]')
    .addOption(new Option('--hash <name>', 'hash method').choices([...HASH_CHOICES]).default('SHA-256'))
    .addOption(
      new Option('--key-type <name>', 'key type (default: that of the key)').choices([...KEY_TYPE_CHOICES]),
    )
    .addOption(
      new Option('--as <form>', 'a JSON object, arguments for the openstack client, or the body of a PATCH')
        .choices([...FORM_CHOICES])
        .default('json'),
    )
    .option('-o, --output <file>', 'write the properties into this file (default: standard output)')
    .option('--force', 'replace the output if it exists')
    .option('--old-glance', 'warn about what a Glance with properties of 255 characters cannot hold');
  withWeakKeysOption(command).addHelpText('after', EXAMPLES);
  withOutputOptions(withPatienceOptions(command)).action(async (input: string, flags: GlanceSignFlags) => {
    const { json = false, output } = flags;
    if (json && output === '-') {
      throw new BundleError('USAGE', '--json and -o - both want standard output', {
        fix: 'leave out -o: the properties are in the document, too',
      });
    }
    if (output === undefined) expectNoUse(flags.force, '--force', 'without -o');
    await lookFirst(command, context);
    const { loadImageSigner, signImage } = await import('../../../operations/glance/sign-image.ts');
    const { key, cert, keyType } = flags;
    const signer = await loadImageSigner(
      {
        key,
        ...keyOpeningOf(key, flags, context),
        ...(cert !== undefined && { certificate: cert }),
        ...(keyType !== undefined && { keyType }),
        allowWeakKeys: flags.allowWeakKeys ?? false,
      },
      { hash: flags.hash, certificateUuid: flags.certUuid, at: new Date() },
      waitingOf(flags, context),
    ).finally(showTyping);
    const progress = progressOf(flags, context);
    try {
      const { text, report: made } = await signImage(input, {
        signer,
        ...(output !== undefined && { output }),
        form: flags.as,
        overwrite: flags.force ?? false,
        oldGlance: flags.oldGlance ?? false,
        ...readOptionsOf(flags),
        signal: context.signal,
        onProgress: progress.onProgress,
      });
      progress.end();
      const { style } = context;
      const report = wordedReport(made);
      if (json) context.print(formatJson(report), 'data');
      else if (output === undefined || output === '-') context.print(text.trimEnd(), 'data');
      else if (!flags.quiet) context.print(`${style.good(style.pass)} ${style.bold(shown(output))}  written`);
      if (!json && !flags.quiet) {
        for (const warning of report.warnings) context.tell(style.warn(field('warning', warning)));
      }
      exit(report.exitCode);
    } finally {
      progress.end();
    }
  });
}
