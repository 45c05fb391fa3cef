import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createContext } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import { BundleError } from '../../src/kit/errors/errors.ts';
import { REPORT_SCHEMA } from '../../src/operations/report/any-report-schema.ts';
import { runHere } from '../factory/command-line.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { makeScreen } from './screen.ts';

vi.mock('../../src/operations/verify/verify.ts', async (original) => {
  const real = await original<typeof import('../../src/operations/verify/verify.ts')>();
  const examineAndReport: typeof real.examineAndReport = async (operation, input, ...rest) => {
    if (input === 'broken.ova') throw new TypeError('out of paper');
    return real.examineAndReport(operation, input, ...rest);
  };
  return { ...real, examineAndReport };
});

let workbench: Workbench;
let desk: Desk;

/** Good, in three forms; refused for three reasons; not to be judged for three more. */
const GOOD = ['web.ova', 'copy.ova', 'loose'];
const BAD = ['bad.ova', 'unsigned.ova', 'text.ova'];
const NONE = ['empty', 'missing.ova', 'https://nobody:secret@127.0.0.1:1/web.ova'];
const TRUST = ['--trust', 'ca.pem'];

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('unsigned');
  const at = (name: string): string => join(desk.folder, name);
  cpSync(at('web.ova'), at('unsigned.ova'));
  for (const set of ['bundle', 'keys', 'chain']) desk.add(set);
  const bytes = readFileSync(at('web.ova'));
  writeFileSync(at('copy.ova'), bytes);
  const bad = Buffer.from(bytes);
  const disk = bad.indexOf('QFI\xfb', 0, 'latin1');
  bad[disk + 100] = 1;
  writeFileSync(at('bad.ova'), bad);
  writeFileSync(at('text.ova'), 'not here\n');
  mkdirSync(at('empty'));
  mkdirSync(at('loose'));
  execFileSync('tar', ['-xf', 'web.ova', '-C', 'loose'], { cwd: desk.folder });
});
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

const verify = (...words: readonly string[]) => runHere(desk, 'verify', ...words);

/** The documents, each held to the schema. */
async function documents(...words: readonly string[]) {
  const { stdout, stderr, code } = await verify(...words, '--json');
  expect(stderr).toBe('');
  const lines = stdout.trimEnd().split('\n');
  return { code, reports: lines.map((line) => REPORT_SCHEMA.parse(JSON.parse(line))) };
}

describe('several bundles', () => {
  test('[many.1] [many.4] each has the report that it has by itself, and its name', async () => {
    const inputs = [...GOOD, ...BAD, ...NONE, 'web.ova'];
    const at = ['--at', '2026-11-27'];
    const { code, reports } = await documents(...inputs, ...TRUST, ...at);
    expect(code).toBe(3);
    expect(reports.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 11, 10, 17, 16, 3, 4, 0]);
    for (const [i, input] of inputs.entries()) {
      const alone = JSON.parse((await verify(input, ...TRUST, ...at, '--json')).stdout);
      const name = input.replace('nobody:secret@', '');
      expect(reports[i]).toEqual({ ...alone, input: { name, ...alone.input } });
    }
  });

  test('[many.2] [many.7] the same is printed whatever number is worked on at a time', async () => {
    const inputs = [...NONE, ...GOOD, ...BAD, ...GOOD];
    const outcomes = [];
    for (const jobs of ['1', '3', '64']) outcomes.push(await verify(...inputs, ...TRUST, '--jobs', jobs));
    const [one] = outcomes;
    expect(outcomes).toEqual([one, one, one]);
    const heads = `${one?.stdout}${one?.stderr}`.match(/^[✓✗] \S+(?= {2}(trusted|NOT|no))/gm);
    const [good, bad] = [GOOD.map((name) => `✓ ${name}`), BAD.map((name) => `✗ ${name}`)];
    expect(heads?.slice(0, 6)).toEqual([...good, ...good]);
    expect(heads?.slice(-3)).toEqual(bad);
    expect(one?.stdout).toContain('✓ web.ova  trusted, signed by CN=Acme Release,O=Acme\n');
    expect(one?.stdout).toMatch(/\n✗ 6 of 12 trusted; 4 NOT trusted, 2 without a verdict {2}\[exit 3\]\n$/);
    expect(one?.stderr).not.toContain('secret');
    expect(one?.stderr.match(/^ {2}why /gm)).toHaveLength(6);
    expect(one?.stderr.match(/^ {2}do /gm)).toHaveLength(6);
  });

  test('[many.2] what is accepted as allowed is no bundle that is trusted', async () => {
    const { code, stdout, stderr } = await verify('web.ova', 'unsigned.ova', ...TRUST, '--allow-unsigned');
    expect(code).toBe(0);
    expect(stdout).toContain('⚠ unsigned.ova  NOT trusted, accepted as allowed\n');
    expect(stdout).toContain('⚠ 1 of 2 trusted; 1 accepted as allowed\n');
    expect(stderr).toMatch(/^ {2}warning +unsigned bundle accepted/);
    expect(await verify('web.ova', 'copy.ova', ...TRUST, '-q')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test.each([
    [['web.ova', 'copy.ova'], 0],
    [['bad.ova', 'missing.ova', 'ca.pem'], 2],
    [['bad.ova', 'https://127.0.0.1:1/a', 'missing.ova'], 3],
    [['bad.ova', 'https://127.0.0.1:1/a', 'web.ova'], 4],
    [['unsigned.ova', 'text.ova', 'empty', 'bad.ova'], 11],
    [['unsigned.ova', 'text.ova', 'empty', 'web.ova'], 16],
    [['web.ova', 'unsigned.ova', 'text.ova'], 17],
    [['web.ova', 'unsigned.ova'], 10],
  ])('[many.5] %j: %d', async (inputs, expected) => {
    expect((await verify(...inputs, ...TRUST)).code).toBe(expected);
  });

  test.each([
    [['web.ova', 'copy.ova', '--signature', 'ca.pem'], 2, /--signature is the signature of one file/],
    [['-', 'web.ova', '-'], 2, /named twice/],
    [['web.ova', 'copy.ova', '--jobs', '0'], 2, /--jobs .* is invalid/],
    [['web.ova', 'copy.ova', '--jobs', '65'], 2, /--jobs .* is invalid/],
    [['web.ova', '--trust', 'ca.pem', 'copy.ova'], 2, /would take the bundle/],
    [['web.ova', 'copy.ova', '--revocation', 'off', '--crl', 'clean.crl'], 2, /--crl/],
    [['web.ova', 'copy.ova', '--trust', 'missing.pem'], 3, /no such file/],
    [['web.ova', 'copy.ova', '--crl', 'ca.pem'], 2, /./],
  ])('[many.3] [many.4] [many.6] %j: exit %d, one document on a line', async (words, expected, message) => {
    const { code, reports } = await documents(...words);
    expect(code).toBe(expected);
    expect(reports).toMatchObject([{ exitCode: expected, trusted: false, signatures: [] }]);
    expect(reports[0]?.errors[0]?.message).toMatch(message);
  });

  test('[many.1] an error that nobody expected ends none of the others', async () => {
    const { code, stdout } = await verify('broken.ova', 'web.ova', ...TRUST, '--json');
    const [first, second] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect({ code, first, second }).toMatchObject({
      code: 1,
      first: { exitCode: 1, input: { name: 'broken.ova' }, errors: [{ code: 'INTERNAL' }] },
      second: { exitCode: 0 },
    });
  });

  test('[many.3] trust is read once, from a pipe, too, and none vouches for itself', async () => {
    const piped = await desk.run('bulla verify web.ova copy.ova --trust <(cat ca.pem)');
    expect(piped).toMatchObject({ code: 0, stdout: expect.stringContaining('2 of 2 trusted') });
    const { reports } = await documents('ca.pem', 'web.ova', ...TRUST);
    expect(reports.map(({ exitCode }) => exitCode)).toEqual([2, 0]);
  });

  test.each(['1', '8'])(
    '[many.3] what is seen of revocation is written down in order, %s at a time',
    async (jobs) => {
      const signed = ['--key', 'release.key', '--cert', 'release.pem', '--chain', 'sub.pem'];
      await runHere(desk, 'pack', '--plain', 'ca.pem', '-o', 'release.ova', '--force', ...signed);
      rmSync(join(desk.home, 'bulla'), { recursive: true, force: true });
      const inputs = Array.from({ length: 6 }, () => 'release.ova');
      const words = [...inputs, ...TRUST, '--crl', 'clean.crl', '--jobs', jobs];
      const { code, reports } = await documents(...words);
      expect(code).toBe(0);
      expect(reports.map(({ remembered }) => (remembered?.count ?? 0) > 0)).toEqual([
        true,
        ...Array.from({ length: 5 }, () => false),
      ]);
    },
  );
});

/** Runs a command that is told to stop when its first line has been printed. */
async function stopped(...words: readonly string[]) {
  const stop = new AbortController();
  const { context, out, err } = makeScreen();
  const print = (line: string): void => {
    context.print(line);
    stop.abort(new BundleError('INTERRUPTED', 'interrupted'));
  };
  const code = await run(['verify', ...words], { ...context, print, signal: stop.signal });
  return { code, out, err };
}

describe('several bundles, and the word to stop', () => {
  test('[many.5] [many.7] [cli.9] what is done is told, what is in work without signer, the rest counted', async () => {
    const at = (name: string): string => join(desk.folder, name);
    execFileSync('mkfifo', [at('pipe')]);
    const words = [
      ...['web.ova', 'pipe', 'copy.ova', 'bad.ova'].map(at),
      '--trust',
      at('ca.pem'),
      '--jobs',
      '1',
    ];
    const { code, out, err } = await stopped(...words);
    expect(code).toBe(130);
    expect(out).toEqual([
      expect.stringMatching(/^OK .*web\.ova {2}trusted/),
      'FAILED 1 of 4 trusted; 1 without a verdict, 2 not begun  [exit 130]',
    ]);
    expect(err[0]).toMatch(/^FAILED .*pipe {2}no verdict: interrupted {2}\[INTERRUPTED, exit 130\]$/);
    expect(err.join('\n')).not.toMatch(/signed by|claims to be|copy\.ova|bad\.ova/);

    const { code: same, out: lines } = await stopped(...words, '--json');
    const reports = lines.map((line) => JSON.parse(line));
    expect(same).toBe(130);
    expect(reports.map(({ exitCode }) => exitCode)).toEqual([0, 130, 130, 130]);
    expect(reports.map(({ input }) => input.name)).toEqual(words.slice(0, 4));
  });
});

test('[cli.6] progress counts the bytes of all bundles', async () => {
  const told: string[] = [];
  const stream = { isTTY: false, on: () => stream, write: (text: string) => told.push(text) };
  const signal = new AbortController().signal;
  const context = createContext({ env: desk.env, stdout: stream, stderr: stream } as never, signal);
  const at = (name: string): string => join(desk.folder, name);
  await run(
    ['verify', at('web.ova'), at('copy.ova'), '--progress', 'json', '--trust', at('ca.pem')],
    context,
  );
  const [first] = told.filter((line) => line.startsWith('{'));
  expect(JSON.parse(first ?? '')).toMatchObject({
    phase: 'read',
    member: expect.stringMatching(/(web|copy)\.ova$/),
  });
});
