import { cpSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import { digestOf, type Ended, launch, layOut, moments, partialsIn, RUNS } from '../factory/faults.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

const AT = join(import.meta.dirname, '../factory/stop-at.cjs');
const IN_TURN = join(import.meta.dirname, '../factory/in-turn.cjs');

let workbench: Workbench;
let desk: Desk;
let turns: Turns;

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 1_500_000);
  const made = await desk.run(
    'mkdir volumes empty && bulla split big.ova --size 700kB --to volumes -q && bulla trust add known ca.pem && ' +
      'bulla pack big.img --vendor Acme --name chunked -o chunked.ova --chunk-size 400kB --key signer.key --cert signer.pem -q',
  );
  expect([made.code, made.stderr]).toEqual([0, '']);
  turns = takeTurns();
}, 120_000);
afterAll(async () => {
  await turns[Symbol.asyncDispose]();
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

const SIGN = ['--key', 'signer.key', '--cert', 'signer.pem', '-q'];
const TRUST = ['--trust', 'ca.pem', '-q'];
/** Each command that writes. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  pack: ['pack', 'big.img', '--vendor', 'Acme', '--name', 'new', '-o', 'new.ova', ...SIGN],
  'pack of a zip': ['pack', 'big.img', '--vendor', 'Acme', '--name', 'new', '-o', 'new.zip', ...SIGN],
  'pack --force': [
    'pack',
    'big.img',
    '--vendor',
    'Acme',
    '--name',
    'new',
    '-o',
    'big.ova',
    '--force',
    ...SIGN,
  ],
  sign: ['sign', 'big.ova', '-o', 'new.ova', ...SIGN],
  'sign --detached': ['sign', 'big.ova', '--detached', ...SIGN],
  'timestamp --tsq-out': ['timestamp', 'big.ova', '--tsq-out', 'new.tsq', '-q'],
  normalize: ['normalize', 'big.ova', '-o', 'new.ova', ...TRUST],
  import: ['import', 'big.ova', '--to', 'machine', ...TRUST],
  'import into an empty folder': ['import', 'big.ova', '--to', 'empty', ...TRUST],
  'import --resume': ['import', 'big.ova', '--to', 'machine', '--resume', ...TRUST],
  'import of chunks': ['import', 'chunked.ova', '--to', 'machine', ...TRUST],
  split: ['split', 'big.ova', '--size', '700kB', '-q'],
  'split --force': ['split', 'big.ova', '--size', '800kB', '--to', 'volumes', '--force', '-q'],
  join: ['join', 'volumes', '-o', 'new.ova', '-q'],
  'glance sign': [
    'glance',
    'sign',
    'big.img',
    '--key',
    'signer.key',
    '--cert-uuid',
    '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d',
    '-o',
    'new.json',
    '-q',
  ],
  'trust add': ['trust', 'add', 'acme', 'ca.pem'],
  'trust remove': ['trust', 'remove', 'known'],
  'dev-certs': ['dev-certs', 'new'],
};

/** A desk as the first one, for one run. */
interface Try extends Disposable {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

function again(): Try {
  const folder = `${desk.folder}-try`;
  const home = `${folder}-home`;
  cpSync(desk.folder, folder, { recursive: true });
  cpSync(desk.home, home, { recursive: true });
  return {
    folder,
    env: { ...desk.env, HOME: home, BULLA_HOME: join(home, 'bulla') },
    [Symbol.dispose]: () => {
      for (const one of [folder, home]) rmSync(one, { recursive: true, force: true });
    },
  };
}

/** All files of a desk, and the names of its folders; signatures and keys that are made anew are another each time. */
function stateOf({ folder }: Pick<Try, 'folder'>, digests: boolean): readonly string[] {
  return [folder, `${folder}-home`].flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return `${path}${digests && entry.isFile() ? ` ${digestOf(path)}` : ''}`;
      })
      .sort(),
  );
}

function stopped(
  at: Try,
  words: readonly string[],
  { call, signal, twice }: Stop & { readonly twice?: boolean },
): Promise<Ended> {
  const env = { ...at.env, STOP_AT: String(call), STOP_SIGNAL: signal, ...(twice && { STOP_TWICE: '1' }) };
  return launch({ folder: at.folder, env }, [process.execPath, '--require', AT, MAIN, ...words]).ended;
}

/** Where a run is told to stop, by which signal; call 0 is none. */
interface Stop {
  readonly call: number;
  readonly signal: NodeJS.Signals;
}

/** What a run did. */
interface Left {
  readonly code: number;
  readonly told: string;
  readonly calls: number;
}

/**
 * One process for many runs, in each of which all of the program begins anew, gets its signals from the system, and stands
 * still where it leaves the process, until its folders have been looked at: what they show is what a process of its own
 * leaves. The first stop of each command, and whoever is told twice, has such a one.
 */
interface Turns extends AsyncDisposable {
  run(at: Try, words: readonly string[], stop: Stop): Promise<Left>;
}

function takeTurns(): Turns {
  const { child, ended } = launch(desk, [process.execPath, '--require', AT, IN_TURN, MAIN]);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    run: async ({ folder, env }, words, stop) => {
      child.stdin.write(`${JSON.stringify({ folder, env, words, ...stop })}\n`);
      const { value } = await lines.next();
      if (value === undefined) throw new Error((await ended).stderr);
      return JSON.parse(value) as Left;
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** What a command does that nobody stops: how often it changes the file system, and what there was before and is after. */
interface Whole {
  readonly calls: number;
  readonly before: readonly string[];
  readonly done: readonly string[];
}

const wholeRuns = new Map<string, Whole>();

/** Runs a command to its end, once for all tests. */
async function wholeRun(name: string, words: readonly string[]): Promise<Whole> {
  const known = wholeRuns.get(name);
  if (known) return known;
  using whole = again();
  const before = stateOf(whole, true);
  const { code, calls } = await turns.run(whole, words, { call: 0, signal: 'SIGINT' });
  expect([code, calls > 0]).toEqual([0, true]);
  const run = { calls, before, done: stateOf(whole, false) };
  wholeRuns.set(name, run);
  return run;
}

/** Calls that are tried, spread over all there are. */
function spread(all: number): readonly number[] {
  const step = Math.max(1, Math.floor(all / (RUNS + 1)));
  return Array.from({ length: all }, (_, i) => i + 1).filter((call) => (call + all) % step === 0);
}

test.each(Object.entries(COMMANDS))(
  '[cli.9] [import.3] [pack.4] [vol.4] [pub.17] %s, told to stop at each change of the file system: done, or nothing',
  { timeout: 3_600_000 },
  async (name, words) => {
    const { calls, done, before } = await wholeRun(name, words);
    const seen: Record<string, number> = {};
    for (const [i, call] of spread(calls).entries()) {
      const [signal, ending] = i % 2 === 0 ? (['SIGINT', 130] as const) : (['SIGTERM', 143] as const);
      using one = again();
      const { code, told } = await (i === 0 ? alone : turns.run)(one, words, { call, signal });
      const word = `exit ${code}`;
      seen[word] = (seen[word] ?? 0) + 1;
      expect([`exit ${ending}`, 'exit 0']).toContain(word);
      if (code === 0) {
        expect([call, stateOf(one, false)]).toEqual([call, done]);
        continue;
      }
      if (/goes on with what has come/.test(told)) {
        expect([name, partialsIn(one.folder).length]).toEqual(['import --resume', 1]);
      } else {
        expect(told).toContain('nothing was left behind');
        expect([call, stateOf(one, true)]).toEqual([call, before]);
      }
    }
    console.info(`${name}: ${calls} changes, ${JSON.stringify(seen)}`);
  },
);

/** As in turn with others, by a process of its own. */
async function alone(at: Try, words: readonly string[], stop: Stop): Promise<Pick<Left, 'told'> & Ended> {
  const ended = await stopped(at, words, stop);
  return { ...ended, told: ended.stderr + ended.stdout };
}

/** The folders in which something waits that is not complete; what is inside of that goes with it. */
function placesOfPartials(at: Try): readonly string[] {
  const partials = [at.folder, `${at.folder}-home`].flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map((name) => join(root, name))
      .filter((path) => !dirname(path).includes('.partial-') && /\.partial-[^/]*$/.test(path)),
  );
  return [...new Set(partials.map((path) => dirname(path)))];
}

test.each(Object.entries(COMMANDS))(
  '[cli.23] %s, told twice to stop: ended at once, and what stays is found by clean',
  { timeout: 3_600_000 },
  async (name, words) => {
    const { calls, done, before } = await wholeRun(name, words);
    const seen: Record<string, number> = {};
    for (const moment of moments(Math.max(1, Math.floor(RUNS / 2)))) {
      const call = 1 + Math.floor(moment * calls);
      using one = again();
      const { code, signal } = await stopped(one, words, { call, signal: 'SIGINT', twice: true });
      const word = signal ?? `exit ${code}`;
      seen[word] = (seen[word] ?? 0) + 1;
      expect([name, call, ['SIGINT', 'exit 130', 'exit 0']]).toEqual([
        name,
        call,
        expect.arrayContaining([word]),
      ]);
      for (const folder of placesOfPartials(one)) {
        const cleaned = await runHere(one, 'clean', folder, '--remove');
        expect([cleaned.code, cleaned.stderr]).toEqual([0, '']);
      }
      const isBefore = JSON.stringify(stateOf(one, true)) === JSON.stringify(before);
      if (!isBefore) expect([call, stateOf(one, false)]).toEqual([call, done]);
    }
    console.info(`${name}, told twice: ${JSON.stringify(seen)}`);
  },
);
