import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  available,
  contentOf,
  digestOf,
  launch,
  layOut,
  moments,
  partialsIn,
  RUNS,
  type Started,
  start,
} from '../factory/faults.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
let desk: Desk;
/** what is complete and right */
let machine: ReturnType<typeof contentOf>;
let bundle: string;

const IMPORT = ['--to', 'machine', '--trust', 'ca.pem'];
const PACK = ['big.img', '--vendor', 'Acme', '--name', 'big', '--key', 'signer.key', '--cert', 'signer.pem'];

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 12_000_000);
  expect((await desk.run('bulla import big.ova --to reference --trust ca.pem')).code).toBe(0);
  machine = contentOf(at('reference'));
  bundle = digestOf(at('big.ova'));
});
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

function at(name: string): string {
  return join(desk.folder, name);
}

/** What is killed, and what the same command must come to when it is run again. */
interface Victim {
  readonly name: string;
  readonly words: readonly string[];
  /** whether the bundle comes through a pipe */
  readonly piped?: boolean;
  /** absent, or complete and right */
  state(): 'absent' | 'complete' | 'BROKEN';
  clear(): void;
}

function begin({ words, piped }: Victim): Started {
  const started = start(desk, ...words);
  if (piped) createReadStream(at('big.ova')).pipe(started.child.stdin);
  return started;
}

const intoFolder = (): 'absent' | 'complete' | 'BROKEN' => {
  const content = contentOf(at('machine'));
  if (!content) return 'absent';
  return JSON.stringify(content) === JSON.stringify(machine) ? 'complete' : 'BROKEN';
};

const clearMachine = (): void => rmSync(at('machine'), { recursive: true, force: true });
const clearOutput = (): void => rmSync(at('new.ova'), { force: true });
const intoFile = (): 'absent' | 'complete' | 'BROKEN' => outputState('new.ova');

const VICTIMS: readonly Victim[] = [
  {
    name: 'import of a file',
    words: ['import', 'big.ova', ...IMPORT],
    state: intoFolder,
    clear: clearMachine,
  },
  {
    name: 'import from a pipe',
    words: ['import', '-', ...IMPORT],
    piped: true,
    state: intoFolder,
    clear: clearMachine,
  },
  { name: 'pack', words: ['pack', ...PACK, '-o', 'new.ova'], state: intoFile, clear: clearOutput },
  {
    name: 'normalize',
    words: ['normalize', 'big.ova', '-o', 'new.ova', '--trust', 'ca.pem', '--quiet'],
    state: intoFile,
    clear: clearOutput,
  },
];

function outputState(name: string): 'absent' | 'complete' | 'BROKEN' {
  try {
    return digestOf(at(name)) === bundle ? 'complete' : 'BROKEN';
  } catch {
    return 'absent';
  }
}

/** Runs it again after its death: what was left is gone, and it is complete. */
async function expectMended(victim: Victim): Promise<number | undefined> {
  const begun = performance.now();
  let took: number | undefined;
  if (victim.state() === 'absent') {
    const { code, stderr } = await begin(victim).ended;
    took = performance.now() - begun;
    expect([code, stderr.replace(/^.*removed .* an earlier run had left .*$/m, '').trim()]).toEqual([0, '']);
  } else {
    // The destination is there, so the next run says so; what lies beside it is swept by any run that stores something.
    expect((await desk.run('bulla import big.ova --to other --trust ca.pem --quiet')).code).toBe(0);
    rmSync(at('other'), { recursive: true });
  }
  expect(victim.state()).toBe('complete');
  expect(partialsIn(desk.folder)).toEqual([]);
  return took;
}

describe('killed at a random moment', () => {
  test.each(VICTIMS)(
    '[import.3] [import.8] [pack.4] $name: absent, or complete and right',
    { timeout: 3_600_000 },
    async (victim) => {
      const begun = performance.now();
      expect((await begin(victim).ended).code).toBe(0);
      let whole = performance.now() - begun;
      victim.clear();
      const seen = { absent: 0, complete: 0, 'left something': 0, 'had ended': 0 };
      for (const moment of moments(RUNS)) {
        const { child, ended } = begin(victim);
        await Promise.race([setTimeout(moment * whole * 1.05), ended]);
        child.kill('SIGKILL');
        if ((await ended).signal !== 'SIGKILL') seen['had ended']++;
        const state = victim.state();
        expect(state).not.toBe('BROKEN');
        if (state !== 'BROKEN') seen[state]++;
        if (partialsIn(desk.folder).length > 0) seen['left something']++;
        whole = (await expectMended(victim)) ?? whole; // other work on the machine makes it slower and faster
        victim.clear();
      }
      console.info(`${victim.name}, killed ${RUNS} times: ${JSON.stringify(seen)}`);
    },
  );
});

/** Where a death would hurt most: between the steps that make something final. */
const STEPS = ['mkdir', 'fsync', 'ftruncate', 'rename', 'link', 'unlink', 'pwrite64'] as const;
const traced = available('death at a system call', 'strace -f -e trace=rename true');

describe.skipIf(!traced)('killed at a system call', () => {
  test.each(VICTIMS)(
    '[import.3] [import.8] [pack.4] $name: absent, or complete and right',
    { timeout: 3_600_000 },
    async (victim) => {
      const seen = { absent: 0, complete: 0, 'not reached': 0 };
      const most = Math.min(RUNS, 8);
      for (const step of STEPS) {
        for (let nth = 1; nth <= most; nth++) {
          const { child, ended } = underTrace(victim, `${step}:signal=KILL:when=${nth}`);
          if (victim.piped) createReadStream(at('big.ova')).pipe(child.stdin);
          const { code } = await ended;
          const state = victim.state();
          expect(state, `${step} ${nth}`).not.toBe('BROKEN');
          if (code === 0) {
            seen['not reached']++;
            victim.clear();
            break;
          }
          if (state !== 'BROKEN') seen[state]++;
          await expectMended(victim);
          victim.clear();
        }
      }
      console.info(`${victim.name}, killed at system calls: ${JSON.stringify(seen)}`);
      expect(seen.absent).toBeGreaterThan(0);
    },
  );
});

function underTrace({ words }: Victim, inject: string): Started {
  const call = inject.split(':')[0] ?? '';
  const trace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${inject}`];
  return launch(desk, [...trace, process.execPath, MAIN, ...words]);
}
