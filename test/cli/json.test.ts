import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { run } from '../../src/cli/run.ts';
import { REPORT_SCHEMA } from '../../src/operations/report/any-report-schema.ts';
import { runLine, runWithin } from '../factory/command-line.ts';
import { makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { makeScreen } from './screen.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

const SIGNER = '--key signer.key --cert signer.pem';

const LINES: readonly (readonly [words: string, exitCode: number, verdict: string])[] = [
  ['verify web.ova --trust ca.pem', 0, 'trusted'],
  ['verify web.ova', 20, 'untrusted'],
  ['verify web.ova --trust other-ca.pem', 18, 'untrusted'],
  ['verify disk.qcow2', 17, 'malformed'],
  ['verify nope.ova', 3, 'error'],
  ['verify web.ova --nonsense', 2, 'error'],
  ['verify', 2, 'error'],
  ['nonsense', 2, 'error'],
  ['', 2, 'error'],
  ['import web.ova --to machine --trust ca.pem', 0, 'trusted'],
  ['import web.ova --to keys.d --trust ca.pem --dry-run', 0, 'trusted'],
  ['import web.ova', 2, 'error'],
  ['inspect web.ova', 0, 'none'],
  ['inspect notes.txt', 17, 'malformed'],
  ['pack disk.qcow2 -o new.ova', 0, 'none'],
  ['pack disk.qcow2 -o web.ova', 2, 'error'],
  [`pack disk.qcow2 -o new.ova --key locked.key --cert signer.pem`, 2, 'error'],
  [`sign web.ova -o new.ova ${SIGNER}`, 0, 'none'],
  ['dev-certs new', 0, 'none'],
  ['dev-certs .', 2, 'error'],
  ['trust add acme ca.pem', 0, 'none'],
  ['trust list', 0, 'none'],
  ['trust show nobody', 3, 'error'],
  ['trust', 2, 'error'],
];
/** Each command as a program, once; how it ends otherwise is said within this process. */
const isFirst = (words: string): boolean =>
  LINES.find(([other]) => other.split(' ', 1)[0] === words.split(' ', 1)[0])?.[0] === words;

describe('[cli.3] [rep.1] --json is one document on standard output', () => {
  test.each(LINES)('bulla %s', async (words, exitCode, verdict) => {
    using desk = workbench.desk('bundle', 'keys', 'disk');
    const line = `bulla ${words} --json`;
    const { stdout, stderr, code } = await (isFirst(words) ? desk.run(line) : runWithin(desk, line));
    expect(code).toBe(exitCode);
    const report = JSON.parse(stdout); // which takes one document and no more
    expect(REPORT_SCHEMA.safeParse(report).error).toBeUndefined();
    expect(report).toMatchObject({
      schema: 'bulla.report/1',
      exitCode,
      verdict,
      trusted: verdict === 'trusted',
    });
    expect(stderr).toBe('');
    expect(report.errors.length > 0).toBe(exitCode !== 0);
    for (const error of report.errors) {
      expect(Object.keys(error)).toEqual(['code', 'message', 'where', 'why', 'fix']);
    }
  });
});

const UUID = '214b497e-d4a3-4540-a50b-c07289344e38';
const IMAGE_SIGNER = `--key signer.key --cert-uuid ${UUID}`;
const PROPERTIES = '--properties p.json --certificates certs';
const SIGNED_IMAGE = [
  `mkdir certs; cp signer.pem certs/${UUID}.pem`,
  `bulla glance sign disk.qcow2 ${IMAGE_SIGNER} -o p.json -q`,
];
const VOLUMES = ['mkdir parts', 'bulla split web.ova --size 8KiB --to parts -q'];

/**
 * Every operation when it does its work, in each form that its result has, and what must be there first; a bundle with its
 * timestamp needs an authority (test/operations/sign/timestamp.test.ts). Each operation is the program once.
 */
const DONE: readonly (readonly [operation: string, words: string, before?: readonly string[]])[] = [
  ['verify', 'web.ova --trust ca.pem'],
  ['import', 'web.ova --to machine --trust ca.pem'],
  ['import', `web.ova --to machine --trust ca.pem --glance-properties ${UUID} --glance-key signer.key`],
  ['pack', 'disk.qcow2 -o new.ova'],
  ['pack', `disk.qcow2 -o new.ova ${SIGNER}`],
  ['sign', `web.ova -o new.ova ${SIGNER}`],
  ['sign', `disk.qcow2 --detached ${SIGNER}`],
  ['timestamp', 'web.ova --tsq-out web.tsq'],
  ['normalize', 'web.ova -o new.ova --trust ca.pem'],
  ['repack', `web.ova -o new.ova --set product.version=2 ${SIGNER}`],
  ['inspect', 'web.ova'],
  ['diff', 'web.ova old.ova'],
  ['split', 'web.ova --size 8KiB --to parts', ['mkdir parts']],
  ['join', 'parts -o new.ova', VOLUMES],
  ['join', '--check parts/web.ova.002', VOLUMES],
  ['clean', '.'],
  ['env', ''],
  ['dev-certs', 'new'],
  ['glance sign', `disk.qcow2 ${IMAGE_SIGNER}`],
  ['glance sign', `disk.qcow2 ${IMAGE_SIGNER} -o p.json`],
  ['glance verify', `disk.qcow2 --trust ca.pem ${PROPERTIES}`, SIGNED_IMAGE],
  ['glance verify', `disk.qcow2 --compat ${PROPERTIES}`, SIGNED_IMAGE],
  ['glance store-certificate', 'signer.pem --barbican $BARBICAN'],
  ['trust add', 'acme ca.pem'],
  ['trust add', 'time ca.pem --timestamping'],
  ['trust list', '', ['bulla trust add acme ca.pem', 'bulla trust add time tsa-ca.pem --timestamping']],
  ['trust show', 'acme', ['bulla trust add acme ca.pem']],
  ['trust show', 'acme', ['bulla trust add acme ca.pem', 'bulla trust add acme tsa-ca.pem --timestamping']],
  ['trust remove', 'acme', ['bulla trust add acme ca.pem']],
  ['trust check', 'signer.pem --anchor ca.pem'],
  ['trust check', 'release.pem --untrusted sub.pem --anchor ca.pem --crl revoked.crl'],
];

/** The words that a report may have for what was asked for. */
const OPERATIONS = REPORT_SCHEMA.options.flatMap(({ shape }) => [...shape.operation.values]);
/** Those that nothing is done under: families of commands, and commands that print text. */
const REFUSED_ONLY = ['help', 'version', 'completion', 'glance', 'trust'];

describe('[rep.1] what each operation makes or finds is as the schema describes it', () => {
  test('for all of them', () => {
    const done = new Set(DONE.map(([operation]) => operation));
    expect([...done, ...REFUSED_ONLY].sort()).toEqual([...OPERATIONS].sort());
  });

  test.each(DONE)('bulla %s %s', async (operation, words, before = []) => {
    using desk = workbench.desk('bundle', 'keys', 'disk', 'chain', 'stamped');
    for (const line of before) {
      const prepared = await runLine(desk, line);
      expect(prepared.code, prepared.stderr).toBe(0);
    }
    const line = `bulla ${operation} ${words} --json`;
    const isFirst = DONE.find(([other]) => other === operation)?.[1] === words;
    const { stdout } = await (isFirst ? desk.run(line) : runWithin(desk, line));
    const report = JSON.parse(stdout);
    expect(REPORT_SCHEMA.safeParse(report).error?.issues).toBeUndefined();
    expect(report.operation).toBe(operation);
    if (operation === 'verify') return; // which has no result, as its report has none of another shape
    const { [Object.keys(report.result)[0] ?? '']: _, ...less } = report.result;
    for (const result of [{ ...report.result, extra: 1 }, {}, { ...less, extra: 1 }])
      expect(REPORT_SCHEMA.safeParse({ ...report, result }).success).toBe(false);
  });

  test.each(OPERATIONS)('bulla %s with an option that there is none of', async (operation) => {
    const screen = makeScreen();
    const words = operation === 'help' ? [] : operation.split(' ');
    expect(await run([...words, '--nonsense', '--json'], screen.context)).toBe(2);
    const report: unknown = JSON.parse(screen.out.join('\n'));
    expect(REPORT_SCHEMA.safeParse(report).error?.issues).toBeUndefined();
    expect(report).toMatchObject({ operation, exitCode: 2 });
  });

  test('and there is no command without its word', () => {
    const program = createProgram(makeScreen().context, () => {});
    const named = program.commands.flatMap((one) => [
      one.name(),
      ...one.commands.map((sub) => `${one.name()} ${sub.name()}`),
    ]);
    expect(named.sort()).toEqual([...OPERATIONS].sort());
  });
});

test('[cli.3] beside a bundle on standard output, the document goes to standard error', async () => {
  using desk = workbench.desk('disk', 'keys');
  const good = await desk.run(
    `bulla pack disk.qcow2 ${SIGNER} -o - --json | bulla verify - --trust ca.pem -q`,
  );
  expect(good).toMatchObject({ code: 0, stdout: '' });
  expect(JSON.parse(good.stderr)).toMatchObject({ exitCode: 0, operation: 'pack' });
  for (const output of ['-o -', '-o-', '--output -', '--output=-']) {
    const line = `bulla pack nope.qcow2 ${output} --json`;
    const bad = await (output === '-o -' ? desk.run(line) : runWithin(desk, line));
    expect(bad).toMatchObject({ code: 3, stdout: '' });
    expect(JSON.parse(bad.stderr)).toMatchObject({ exitCode: 3, operation: 'pack' });
  }
});

test('[cli.5] [rep.4] an allowance shows in the report, and as a warning where it mattered', async () => {
  using desk = workbench.desk('unsigned', 'keys');
  const { stdout } = await runWithin(desk, 'bulla verify web.ova --allow-unsigned --allow-sha1 --json');
  expect(JSON.parse(stdout)).toMatchObject({
    exitCode: 0,
    verdict: 'unsigned',
    trusted: false,
    allowances: ['unsigned', 'sha1'],
    warnings: [expect.stringContaining('--allow-unsigned')],
  });
});

test('[cli.2] progress stays on standard error', async () => {
  using desk = workbench.desk('bundle', 'keys');
  const { stdout, stderr } = await desk.run('bulla verify web.ova --trust ca.pem --json --progress json');
  expect(JSON.parse(stdout)).toMatchObject({ exitCode: 0 });
  const [line = ''] = stderr.split('\n');
  expect(JSON.parse(line)).toMatchObject({ phase: 'read', bytes: expect.any(Number) });
});

test('[show.1] of clean shows no name as something else', async () => {
  using desk = workbench.desk('bundle');
  const name = 'a\u202eb';
  const { stdout } = await desk.run(`mkdir '${name}' && bulla clean '${name}' --json`);
  expect(stdout).toContain('a\\u202eb');
  expect(stdout).not.toContain(name);
});
