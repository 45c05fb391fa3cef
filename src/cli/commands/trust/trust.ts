import { basename, dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { BundleError } from '../../../kit/errors/errors.ts';
import { formatJson } from '../../../kit/json.ts';
import type { PublisherReport, TrustedCertificateReport } from '../../../operations/trust/trust.ts';
import type {
  TrustAddReport,
  TrustListReport,
  TrustRemoveReport,
  TrustShowReport,
} from '../../../operations/trust/trust-reports.ts';
import { makeReport } from '../../../verdict/report/report.ts';
import type { Context, Exit } from '../../context.ts';
import { gather, parseEnd, parseTime } from '../../options/options.ts';
import { field, shown } from '../../render/field.ts';
import { trustCheckCommand } from './check.ts';

interface AddFlags {
  readonly scope?: readonly string[];
  readonly subject?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
  readonly at?: Date;
  readonly fingerprint?: readonly string[];
  readonly timestamping?: boolean;
  readonly json?: boolean;
}

/** `bulla trust add | list | show | remove | check` */
export function trustCommand(program: Command, context: Context, exit: Exit): void {
  const trust = program
    .command('trust')
    .helpCommand(false)
    .summary('decide which publishers you trust, and for what')
    .description(
      'Publishers are folders under ~/.config/bulla/publishers (or BULLA_HOME): certificates, and what they may sign.',
    );
  const own = context.trustFolders.at(-1) ?? '';
  const { signal } = context;

  trust
    .command('add')
    .summary('trust a publisher from now on')
    .description(
      'Trusts a publisher from now on: what its CA certificates, or that of its signer, vouch for. ' +
        'Compare the fingerprint first with one that you got in another way.',
    )
    .argument('<name>', 'what you call the publisher, such as acme')
    .argument('<ca.pem...>', 'its CA certificates, or the certificate of its signer')
    .option(
      '--scope <vendor/name>',
      'one or more kinds of bundles that it may sign, * for any part (default: all)',
      gather,
    )
    .option(
      '--subject <name>',
      'one or more subjects that may sign, such as "CN=Release,O=Acme" (default: any)',
      gather,
    )
    .option('--from <time>', 'trust it from this time on (default: always)', parseTime)
    .option(
      '--until <time>',
      'trust it until this time; a date is over when the day is (default: for ever)',
      parseEnd,
    )
    .option('--at <time>', 'judge --until at this time (ISO 8601) instead of now', parseTime)
    .option(
      '--fingerprint <sha256>',
      'add it only when this is its fingerprint, of the certificate or its key, as openssl and browsers print it; one for each certificate',
      gather,
    )
    .option('--timestamping', 'believe its timestamps, and nothing else')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  bulla trust add acme acme-ca.pem\n  bulla trust add acme acme-ca.pem --scope acme/web --until 2027-12-31',
    )
    .action(async (name: string, files: string[], flags: AddFlags) => {
      const { trustAdd, trustAddTimestamping, trustList } = await import(
        '../../../operations/trust/trust.ts'
      );
      const fingerprints = flags.fingerprint ?? [];
      if (flags.timestamping) {
        expectNoLimits(flags);
        const authorities = await trustAddTimestamping(own, name, files, { fingerprints, signal });
        if (flags.json)
          return printJson(
            makeReport({ operation: 'trust add', errors: [], result: { authorities } }),
            context,
          );
        context.print(
          `${context.style.good(context.style.pass)} timestamps of "${name}" are believed from now on`,
        );
        for (const { certificate } of authorities) printCertificate(certificate, context);
        return;
      }
      const added = await trustAdd(own, name, files, {
        scopes: flags.scope ?? [],
        subjects: flags.subject ?? [],
        fingerprints,
        signal,
        ...(flags.from !== undefined && { from: flags.from }),
        ...(flags.until !== undefined && { until: flags.until }),
        ...(flags.at !== undefined && { at: flags.at }),
      });
      const known = await trustList(context.trustFolders, { signal }).catch(() => []); // whoever verifies is told what is wrong there
      const warnings = trustedTwice(added, known);
      if (flags.json)
        return printJson(
          makeReport({ operation: 'trust add', errors: [], warnings, result: { publisher: added } }),
          context,
        );
      context.print(`${context.style.good(context.style.pass)} publisher "${name}" is trusted from now on`);
      printPublisher(added, context);
      for (const warning of warnings) context.tell(context.style.warn(field('warning', warning)));
    });

  trust
    .command('list')
    .summary('list the publishers you trust')
    .description('Lists the publishers that you trust, and the timestamp authorities.')
    .option('--json', 'print one JSON document')
    .addOption(
      new Option('--names', 'print the names alone, one a line, and look at nothing else').conflicts('json'),
    )
    .action(async (flags: { json?: boolean; names?: boolean }) => {
      if (flags.names) return printNames(context);
      const { trustList, trustListTimestamping } = await import('../../../operations/trust/trust.ts');
      const publishers = await trustList(context.trustFolders, { signal });
      const authorities = await trustListTimestamping(context.trustFolders, { signal });
      if (flags.json)
        return printJson(
          makeReport({ operation: 'trust list', errors: [], result: { publishers, authorities } }),
          context,
        );
      if (publishers.length === 0) context.print('nobody is trusted yet: bulla trust add NAME ca.pem');
      for (const publisher of publishers) {
        context.print(
          `${shown(publisher.name).padEnd(20)} ${shown(publisher.scopes.join(', ')).padEnd(24)} ${shown(publisher.folder)}`,
        );
      }
      for (const { file } of authorities) {
        context.print(
          `${shown(authorityOf(file)).padEnd(20)} ${'timestamps only'.padEnd(24)} ${shown(file)}`,
        );
      }
    });

  trust
    .command('show')
    .summary('show one publisher: scopes, subjects, lifetime, certificates; or a timestamp authority')
    .description('Shows one publisher: scopes, subjects, lifetime, certificates; or a timestamp authority.')
    .argument('<name>')
    .option('--json', 'print one JSON document')
    .action(async (name: string, flags: { json?: boolean }) => {
      const { trustList, trustListTimestamping, trustShow } = await import(
        '../../../operations/trust/trust.ts'
      );
      const all = await trustListTimestamping(context.trustFolders, { signal });
      const authorities = all.filter(({ file }) => authorityOf(file) === name);
      const result =
        authorities.length === 0
          ? { publisher: await trustShow(context.trustFolders, name, { signal }) }
          : { ...namesake(await trustList(context.trustFolders, { signal }), name), authorities };
      if (flags.json) return printJson(makeReport({ operation: 'trust show', errors: [], result }), context);
      if (result.publisher) printPublisher(result.publisher, context);
      for (const { file, certificate } of authorities) {
        context.print(field('timestamps', file));
        printCertificate(certificate, context);
      }
    });

  trust
    .command('remove')
    .summary('trust a publisher no more')
    .description('Trusts a publisher no more; what it has signed is not trusted from now on.')
    .argument('<name>')
    .option('--timestamping', 'a timestamp authority of that name')
    .option('--json', 'print one JSON document')
    .action(async (name: string, flags: { json?: boolean; timestamping?: boolean }) => {
      const { trustRemove } = await import('../../../operations/trust/trust.ts');
      const folder = await trustRemove(own, name, flags.timestamping ?? false);
      if (flags.json)
        return printJson(
          makeReport({ operation: 'trust remove', errors: [], result: { removed: folder } }),
          context,
        );
      const whose = flags.timestamping
        ? `timestamps of "${name}" are believed`
        : `publisher "${name}" is trusted`;
      context.print(`${context.style.good(context.style.pass)} ${whose} no more`);
    });

  trustCheckCommand(trust, context, exit);
}

/** What completion offers: it must say something also where one of them is broken. */
async function printNames({ trustFolders, print }: Context): Promise<void> {
  const { trustedNamesIn } = await import('../../../storage/trust/trust-folder.ts');
  const { isPublisherName } = await import('../../../trust/publisher.ts');
  const names = trustFolders.flatMap((folder) => [
    ...trustedNamesIn(folder, 'publisher'),
    ...trustedNamesIn(folder, 'timestamp authority'),
  ]);
  for (const name of [...new Set(names)].filter(isPublisherName).sort()) print(name);
}

/** An authority goes by the folder that its certificates are in. */
function authorityOf(file: string): string {
  return basename(dirname(file));
}

/** A timestamp authority signs nothing but timestamps: there is nothing to limit. */
function expectNoLimits({ scope, subject, from, until, at }: AddFlags): void {
  if (!scope && !subject && !from && !until && !at) return;
  throw new BundleError('USAGE', '--timestamping takes no --scope, --subject, --from, --until and --at', {
    fix: 'leave them out: a timestamp authority is believed about times, and about nothing else',
  });
}

function printJson(
  report: TrustAddReport | TrustListReport | TrustShowReport | TrustRemoveReport,
  context: Context,
): void {
  context.print(formatJson(report), 'data');
}

/** Under whose name a key is trusted already, in whatever certificate: what that one may sign no longer bounds it. [pub.26] */
function trustedTwice(added: PublisherReport, known: readonly PublisherReport[]): readonly string[] {
  const own = new Set(added.anchors.map(({ spkiSha256 }) => spkiSha256));
  return known
    .filter(
      ({ name, anchors }) => name !== added.name && anchors.some(({ spkiSha256 }) => own.has(spkiSha256)),
    )
    .map(
      ({ name, scopes }) =>
        `the key of one of its certificates is trusted already, as "${name}" for ${scopes.join(', ')}: from now on, what either of the two may sign is trusted`,
    );
}

/** The publisher that goes by the name of a timestamp authority, if there is one. */
function namesake(
  publishers: readonly PublisherReport[],
  name: string,
): { readonly publisher?: PublisherReport } {
  const publisher = publishers.find((one) => one.name === name);
  return { ...(publisher !== undefined && { publisher }) };
}

function printPublisher(publisher: PublisherReport, context: Context): void {
  const line = (label: string, text: string): void => context.print(field(label, text));
  line('publisher', publisher.name);
  line('folder', publisher.folder);
  line('may sign', publisher.scopes.join(', '));
  line('subjects', publisher.subjects.join('; ') || 'any');
  line('from', publisher.from ?? 'any time');
  line('until', publisher.until?.replace('T23:59:59.999Z', ', the end of the day (UTC)') ?? 'any time');
  if (publisher.revocation) line('revocation', publisher.revocation);
  if (publisher.timestamp) line('timestamp', publisher.timestamp);
  if (publisher.require) line('require', publisher.require.join(', '));
  for (const anchor of publisher.anchors) printCertificate(anchor, context);
}

function printCertificate(certificate: TrustedCertificateReport, context: Context): void {
  const { subject, key, notBefore, notAfter, fingerprint, matched } = certificate;
  context.print(field('certificate', subject));
  const valid = `valid ${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}`;
  context.print(field('', `${key}, ${valid}${lifetimeNow(certificate)}`));
  context.print(field('', `sha256:${fingerprint}`));
  if (matched) context.print(field('', MATCHED[matched]));
}

/** [pub.23] Which of both the fingerprint is of that was given. */
const MATCHED: Readonly<Record<NonNullable<TrustedCertificateReport['matched']>, string>> = {
  certificate: 'the fingerprint that you gave is of this certificate',
  key: 'the fingerprint that you gave is of its key, and says nothing about its name and dates',
};

/** [pub.18] Whoever trusts a certificate out of its time learns it now, and not from the first bundle. */
function lifetimeNow({ notBefore, notAfter }: TrustedCertificateReport): string {
  const now = new Date().toISOString();
  if (now > notAfter) return '; it has expired: what it signed counts only with a timestamp';
  return now < notBefore ? '; it is not valid yet' : '';
}
