import type { Command } from 'commander';
import { formatJson } from '../../../kit/json.ts';
import type { EnvFindings, FoundFolder, FoundPublisher } from '../../../operations/report/env-report.ts';
import type { ErrorReport } from '../../../verdict/report/report.ts';
import { wordedReport } from '../../advice.ts';
import type { Context, Exit } from '../../context.ts';
import { field, shown } from '../../render/field.ts';

/** `bulla env` */
export function envCommand(program: Command, context: Context, exit: Exit): void {
  program
    .command('env')
    .summary('show what is configured here, and whether it can be used')
    .description(
      'Shows what bulla finds on this machine: whom you trust and by which folder, what is configured and where, which ' +
        'variables count, and which programs that its advice names are here. It asks no network and changes nothing. ' +
        'Exit code 0 means that no fault was found, 2 that something configured cannot be used.',
    )
    .option('--json', 'print one JSON document')
    .action(async (flags: { readonly json?: boolean }) => {
      const { lookAround } = await import('./look-around.ts');
      const report = wordedReport(await lookAround(context));
      if (flags.json) context.print(formatJson(report), 'data');
      else {
        if (report.result) for (const line of linesOf(report.result)) context.print(line);
        for (const warning of report.warnings) context.print(context.style.warn(field('warning', warning)));
        for (const error of report.errors)
          for (const line of problemLines(error, context)) context.print(line);
        const { style } = context;
        context.print(
          report.exitCode === 0
            ? `${style.good(style.pass)} no fault was found in what is configured`
            : `${style.bad(style.fail)} some of what is configured cannot be used`,
        );
      }
      exit(report.exitCode);
    });
}

function linesOf(found: EnvFindings): readonly string[] {
  const { bulla, node, openssl, system, threads, folders, defaults, variables, programs } = found;
  const here = programs.filter(({ file }) => file !== undefined);
  const absent = programs.filter(({ file }) => file === undefined).map(({ name }) => name);
  return [
    field('bulla', bulla.version, bulla.file),
    field('node', node.version, node.file),
    field('openssl', `${openssl}, within node`),
    field('machine', system, `${threads} ${threads === 1 ? 'file' : 'files'} hashed at a time`),
    ...folders.flatMap(folderLines),
    ...(defaults.length === 0 ? [field('defaults', 'none; see bulla help configuration')] : []),
    ...defaults.map(({ option, value, from }, i) =>
      field(i === 0 ? 'defaults' : '', `${option} ${value}`, `from ${from}`),
    ),
    ...(variables.length === 0 ? [field('variables', 'none that counts is set')] : []),
    ...variables.map(({ name, value }, i) =>
      field(i === 0 ? 'variables' : '', value === undefined ? `${name} is set` : `${name}=${value}`),
    ),
    ...here.map(({ name, file = '' }, i) => field(i === 0 ? 'programs' : '', name, file)),
    ...(absent.length > 0
      ? [
          field(
            here.length === 0 ? 'programs' : '',
            `not here, and not needed by bulla itself: ${absent.join(', ')}`,
          ),
        ]
      : []),
  ];
}

function folderLines({ folder, from, exists, publishers, lists, settings }: FoundFolder): readonly string[] {
  if (!exists) return [field('folder', folder, `${from}; not there`)];
  const of = (kind: FoundPublisher['kind']): readonly FoundPublisher[] =>
    publishers.filter((one) => one.kind === kind);
  const authorities = of('timestamp authority');
  return [
    field('folder', folder, from),
    field('', `publishers: ${namesOf(of('publisher')) || 'none; bulla trust add NAME ca.pem'}`),
    ...(authorities.length > 0 ? [field('', `timestamps are believed of: ${namesOf(authorities)}`)] : []),
    ...(lists > 0 ? [field('', `revocation lists and responses: ${lists}`)] : []),
    ...(settings !== undefined ? [field('', `settings: ${settings}`)] : []),
  ];
}

function namesOf(publishers: readonly FoundPublisher[]): string {
  return publishers
    .map(({ name, problem }) => (problem === undefined ? name : `${name} (cannot be used)`))
    .join(', ');
}

function problemLines({ message, where, fix }: ErrorReport, { style }: Context): readonly string[] {
  return [
    style.bad(field('problem', message)),
    ...(where.file === undefined ? [] : [field('where', where.file)]),
    field('do', shown(fix)),
  ];
}
