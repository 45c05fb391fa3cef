import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import { available, contentOf, type Ended, launch, partialsIn, RUNS, until } from '../factory/faults.ts';
import { half as halfDone } from '../factory/half-exchange.ts';
import { makeSandbox } from '../factory/sandbox.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

const AT = join(import.meta.dirname, '../factory/stop-at.cjs');
/** Another size than that of the older volumes, so that a mixture is no set; one more of them, so that one has no older file. */
const SPLIT = ['split', 'big.bin', '--size', '30000', '--to', 'a', '--to', 'b', '--to', 'a', '--force', '-q'];

let workbench: Workbench;
let desk: Desk;
let older: Volumes;
let newer: Volumes;

type Volumes = readonly ReturnType<typeof contentOf>[];

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  writeFileSync(at('big.bin'), Buffer.alloc(70_000, 'bulla'));
  for (const media of ['a', 'b']) mkdirSync(at(media));
  const first = await desk.run(
    'bulla split big.bin --size 45000 --to a --to b -q && cp -r a old-a && cp -r b old-b',
  );
  expect([first.code, first.stderr]).toEqual([0, '']);
  older = volumesNow();
  expect((await launch(desk, [process.execPath, MAIN, ...SPLIT]).ended).code).toBe(0);
  newer = volumesNow();
  expect(newer).not.toEqual(older);
});
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

function at(name: string): string {
  return join(desk.folder, name);
}

function startAgain(): void {
  for (const media of ['a', 'b']) {
    rmSync(at(media), { recursive: true });
    cpSync(at(`old-${media}`), at(media), { recursive: true });
  }
}

/** What stands under the names of volumes, in each folder. */
function volumesNow(): Volumes {
  return ['a', 'b'].map((media) => {
    const all = Object.entries(contentOf(at(media)) ?? {});
    return Object.fromEntries(all.filter(([name]) => !name.includes('.partial-')));
  });
}

function stateNow(): 'older' | 'newer' | 'mixed' {
  const now = JSON.stringify(volumesNow());
  if (now === JSON.stringify(older)) return 'older';
  return now === JSON.stringify(newer) ? 'newer' : 'mixed';
}

/**
 * After a death: a mixture is named, with what becomes of it; and what was asked for is had, by `clean` or by the next run. What
 * has died was a process; what comes after it runs here, and as a process in the tests of one that was ended in the middle.
 */
async function expectRecovered(by: 'clean' | 'split'): Promise<string> {
  const state = stateNow();
  const told = (await runHere(desk, 'clean', 'a')).stdout + (await runHere(desk, 'clean', 'b')).stdout;
  if (state === 'mixed') expect(told).toMatch(/--remove (puts back|takes away) big\.bin\.00/);
  if (by === 'split') {
    expect((await runHere(desk, ...SPLIT)).code).toBe(0);
    expect(stateNow()).toBe('newer');
  } else {
    for (const media of ['a', 'b']) {
      const { code, stderr } = await runHere(desk, 'clean', media, '--remove');
      expect([code, stderr]).toEqual([0, '']);
    }
    expect(stateNow()).toBe(state === 'mixed' ? 'older' : state);
  }
  // A run that is killed before it could say what its folder is for leaves an empty one. [import.8]
  for (const media of ['a', 'b'])
    for (const name of partialsIn(at(media))) expect(readdirSync(at(`${media}/${name}`))).toEqual([]);
  return state;
}

function killedAt(call: number): Promise<Ended> {
  const env = { ...desk.env, STOP_AT: String(call), STOP_SIGNAL: 'SIGKILL' };
  return launch({ folder: desk.folder, env }, [process.execPath, '--require', AT, MAIN, ...SPLIT]).ended;
}

test('[vol.9] [clean.3] split --force, killed at changes of the file system: all older volumes, all new ones, or what clean puts right', {
  timeout: 3_600_000,
}, async () => {
  startAgain();
  const calls = Number(/calls: (\d+)/.exec((await killedAt(0)).stderr)?.[1]);
  expect(calls).toBeGreaterThan(20);
  const seen: Record<string, number> = {};
  const step = Math.max(1, Math.floor(calls / (5 * RUNS)));
  const first = 1 + Math.floor(Math.random() * step);
  for (let call = first; call <= calls; call += step) {
    startAgain();
    const { signal } = await killedAt(call);
    expect([call, signal]).toEqual([call, 'SIGKILL']);
    const state = await expectRecovered(call % 2 === 0 ? 'clean' : 'split');
    seen[state] = (seen[state] ?? 0) + 1;
  }
  console.info(`split --force, killed at each ${step}. of ${calls} changes: ${JSON.stringify(seen)}`);
  expect(seen['mixed']).toBeGreaterThan(0);
});

const traced = available('death at a system call', 'strace -f -e trace=rename true');

test.skipIf(!traced)('[vol.9] split --force, killed at a system call', { timeout: 3_600_000 }, async () => {
  const seen: Record<string, number> = {};
  for (const call of ['link', 'rename', 'unlink', 'fsync', 'rmdir']) {
    for (let nth = 1; nth <= Math.min(RUNS, 12); nth++) {
      startAgain();
      // Calls are counted for each thread; and with --seccomp-bpf strace 6.1 counts the first alone.
      const trace = [
        'env',
        'UV_THREADPOOL_SIZE=1',
        'strace',
        '-f',
        '-qq',
        '-o',
        '/dev/null',
        '-e',
        `trace=${call}`,
      ];
      const inject = ['-e', `inject=${call}:signal=KILL:when=${nth}`];
      const { code } = await launch(desk, [...trace, ...inject, process.execPath, MAIN, ...SPLIT]).ended;
      if (code === 0) {
        expect(stateNow()).toBe('newer');
        break; // not so many
      }
      const state = await expectRecovered(nth % 2 === 0 ? 'clean' : 'split');
      seen[state] = (seen[state] ?? 0) + 1;
    }
  }
  console.info(`split --force, killed at system calls: ${JSON.stringify(seen)}`);
  expect(seen['mixed']).toBeGreaterThan(0);
});

describe('an exchange that was ended in the middle', () => {
  /** the change of the file system at which it is killed, once that is found */
  let call = 20;

  /** Kills it where some volumes have their names, and some not. */
  async function half(): Promise<void> {
    for (; ; call++) {
      startAgain();
      expect((await killedAt(call)).signal).toBe('SIGKILL');
      if (stateNow() === 'mixed') return;
      for (const media of ['a', 'b'])
        for (const name of partialsIn(at(media))) rmSync(at(`${media}/${name}`), { recursive: true });
    }
  }

  test('[vol.9] keeps its hands off a file that somebody else has put there, and the older one kept', async () => {
    await half();
    writeFileSync(at('a/big.bin.001'), 'of somebody');
    const { stdout, stderr } = await desk.run('bulla clean a --remove; bulla clean b --remove');
    expect(stderr).toContain('keeps the older "big.bin.001", and another file has that name by now');
    expect(stdout).not.toMatch(/a\/.*removed/);
    expect(contentOf(at('a'))).toMatchObject({ 'big.bin.001': expect.any(String) });
    expect(readFileSync(at('a/big.bin.001'), 'utf8')).toBe('of somebody');
    rmSync(at('a/big.bin.001'));
    expect((await desk.run('bulla clean a --remove')).stderr).toBe('');
    expect(stateNow()).toBe('older');
  });

  test('[vol.9] and is being undone by a run that is held up: no other does, and no volume is put there meanwhile', async () => {
    await half();
    const env = { ...desk.env, STOP_AT: '5', STOP_SIGNAL: 'SIGSTOP', STOP_UNHEARD: '1' };
    const words = [process.execPath, '--require', AT, MAIN, 'clean', 'a', '--remove'];
    const { child, ended } = launch({ folder: desk.folder, env }, words);
    try {
      await until(() => readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ').at(-1)?.[0] === 'T');
      const other = await desk.run('bulla clean a --remove');
      expect(other.stderr).toContain('a run is at work on it');
      expect(other.stdout).not.toMatch(/puts? back|takes? away/);
      const split = await launch(desk, [process.execPath, MAIN, ...SPLIT]).ended;
      expect([split.code, split.stderr]).toEqual([
        3,
        expect.stringContaining('another run is just removing'),
      ]);
    } finally {
      child.kill('SIGCONT');
    }
    expect((await ended).code).toBe(0);
    expect((await launch(desk, [process.execPath, MAIN, ...SPLIT]).ended).code).toBe(0);
    expect(stateNow()).toBe('newer');
  });

  test('[clean.3] is told as it was done, where something stays; and not at all of a run at work', async () => {
    using sandbox = makeSandbox();
    halfDone(sandbox, 3);
    sandbox.write('a/web.001', 'of somebody');
    const foreign = 'stays while another file has the name of the older web.001';
    const listed = await runHere(desk, 'clean', sandbox.path('a'));
    for (const line of ['--remove puts back web.002', foreign]) expect(listed.stdout).toContain(line);
    const { stdout, stderr } = await desk.run(`bulla clean ${sandbox.path('a')} --remove`);
    expect(stdout).toContain('    put back: web.002');
    expect(stdout).not.toContain('--remove');
    expect(stderr).toContain('keeps the older "web.001"');

    using other = makeSandbox();
    halfDone(other, 2, { leave: false });
    for (const flag of ['', '--remove'])
      expect((await desk.run(`bulla clean ${other.path('a')} ${flag}`)).stdout).not.toMatch(/puts? back/);
  });

  test('[clean.3] is told in JSON, too; and stays where its list was damaged', async () => {
    await half();
    const listed = JSON.parse((await runHere(desk, 'clean', 'a', '--json')).stdout);
    expect(listed.result.leftovers).toMatchObject([
      { state: 'left', putBack: ['big.bin.001'], removed: false },
    ]);
    const [work = ''] = partialsIn(at('a'));
    for (const text of [
      '',
      '{}',
      '[]',
      '{"format":"bulla.exchange/1","files":[{"target":"/..","waiting":"x","is":""}]}',
    ]) {
      writeFileSync(at(`a/${work}/exchange`), text);
      const { stderr } = await runHere(desk, 'clean', 'a', '--remove');
      expect(stderr).toContain('could not be removed');
      expect(readdirSync(at(`a/${work}`))).toContain('volume-1.older');
    }
  });
});
