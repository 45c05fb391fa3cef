import { copyFileSync, createReadStream, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  available,
  contentOf,
  digestOf,
  type Ended,
  launch,
  layOut,
  moments,
  partialsIn,
  provenPartialsIn,
  RUNS,
  type Started,
  start,
} from '../factory/faults.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
let desk: Desk;
/** what is complete and right */
let machine: ReturnType<typeof contentOf>;

const IMPORT = ['--to', 'machine', '--trust', 'ca.pem'];
const PACK = ['big.img', '--vendor', 'Acme', '--name', 'big', '--key', 'signer.key', '--cert', 'signer.pem'];
const SMALL = Array.from({ length: 200 }, (_, i) => `small${i}.txt`);
const PACK_SMALL = [
  'pack',
  ...SMALL,
  '--plain',
  '--name',
  'small',
  '--key',
  'signer.key',
  '--cert',
  'signer.pem',
];

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 12_000_000);
  expect((await desk.run('bulla import big.ova --to reference --trust ca.pem')).code).toBe(0);
  machine = contentOf(at('reference'));
  for (const [i, name] of SMALL.entries()) writeFileSync(at(name), `${name}\n`.repeat(100 * i));
  copyFileSync(at('big.ova'), at('whole-new.ova'));
  for (const { words } of [TGZ, MANY]) {
    const output = words.at(-1) ?? '';
    expect((await start(desk, ...words.slice(0, -1), `whole-${output}`).ended).code).toBe(0);
  }
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
const clearOutput = (): void => {
  for (const name of ['new.ova', 'new.tgz', 'small.ova']) rmSync(at(name), { force: true });
};
const intoFile = (): 'absent' | 'complete' | 'BROKEN' => outputState('new.ova');

const TGZ: Victim = {
  name: 'pack, compressed on all cores',
  words: ['pack', ...PACK, '-o', 'new.tgz'],
  state: () => outputState('new.tgz'),
  clear: clearOutput,
};
const MANY: Victim = {
  name: 'pack of many small files',
  words: [...PACK_SMALL, '-o', 'small.ova'],
  state: () => outputState('small.ova'),
  clear: clearOutput,
};
/** The one that leaves room, and fills it in the end. */
const ONE_READING: Victim = {
  name: 'pack',
  words: ['pack', ...PACK, '-o', 'new.ova'],
  state: intoFile,
  clear: clearOutput,
};

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
  ONE_READING,
  TGZ,
  MANY,
  {
    name: 'normalize',
    words: ['normalize', 'big.ova', '-o', 'new.ova', '--trust', 'ca.pem', '--quiet'],
    state: intoFile,
    clear: clearOutput,
  },
];

function outputState(name: string): 'absent' | 'complete' | 'BROKEN' {
  try {
    return digestOf(at(name)) === digestOf(at(`whole-${name}`)) ? 'complete' : 'BROKEN';
  } catch {
    return 'absent';
  }
}

/** What a run says that nobody has killed: nothing, but for what others have left, and who refuses such a disk. */
function expectQuiet({ code, stderr }: Ended): void {
  const said = stderr
    .replaceAll(
      /^.*(removed .* an earlier run had left|; for vSphere: |is not a root that importers have).*$/gm,
      '',
    )
    .trim();
  expect([code, said]).toEqual([0, '']);
}

/** After a run that came to its end, over whatever was left before it: it is complete, and that is gone. */
function expectWhole(victim: Victim): void {
  expect(victim.state()).toBe('complete');
  expect(provenPartialsIn(desk.folder)).toEqual([]);
  for (const name of partialsIn(desk.folder)) rmSync(at(name), { recursive: true });
  victim.clear();
}

/** The destination is there, so the next run says so; what lies beside it belongs to it alone. */
async function expectCleaned(victim: Victim): Promise<void> {
  expect((await desk.run('bulla clean . --remove')).code).toBe(0);
  expectWhole(victim);
}

/** Runs it after some deaths, to its end; tells how long that took, in milliseconds. */
async function expectMended(victim: Victim): Promise<number> {
  const begun = performance.now();
  expectQuiet(await begin(victim).ended);
  const took = performance.now() - begun;
  expectWhole(victim);
  return took;
}

/** So many runs die, each over what those before it have left, until one comes to its end. */
const DEATHS = 3;

describe('killed at a random moment', () => {
  test.each(VICTIMS)(
    '[import.3] [import.8] [pack.4] $name: absent, or complete and right',
    { timeout: 3_600_000 },
    async (victim) => {
      let whole = await expectMended(victim);
      const seen = { absent: 0, complete: 0, 'left something': 0, 'had ended': 0 };
      for (const [i, moment] of moments(RUNS).entries()) {
        const { child, ended } = begin(victim);
        await Promise.race([setTimeout(moment * whole * 1.05), ended]);
        child.kill('SIGKILL');
        const outcome = await ended;
        if (outcome.signal !== 'SIGKILL') {
          seen['had ended']++;
          expectQuiet(outcome);
        }
        const state = victim.state();
        expect(state).not.toBe('BROKEN');
        if (state !== 'BROKEN') seen[state]++;
        if (partialsIn(desk.folder).length > 0) seen['left something']++;
        if (state === 'complete') await expectCleaned(victim);
        // other work on the machine makes it slower and faster
        if ((i + 1) % DEATHS === 0 || i + 1 === RUNS) whole = await expectMended(victim);
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
          const outcome = await ended;
          const state = victim.state();
          expect(state, `${step} ${nth}`).not.toBe('BROKEN');
          if (outcome.code === 0) {
            seen['not reached']++;
            expectQuiet(outcome);
            expectWhole(victim);
            break;
          }
          expect(outcome, `${step} ${nth}`).toMatchObject({ code: null, signal: 'SIGKILL' });
          if (state !== 'BROKEN') seen[state]++;
          if (state === 'complete') await expectCleaned(victim);
          if (nth % DEATHS === 0 || nth === most) await expectMended(victim);
        }
      }
      console.info(`${victim.name}, killed at system calls: ${JSON.stringify(seen)}`);
      expect(seen.absent).toBeGreaterThan(0);
    },
  );
});

describe.skipIf(!traced)('killed while the room before the files is filled', () => {
  test.each([ONE_READING, MANY])(
    '[pack.3] [pack.4] $name: nothing is there',
    { timeout: 600_000 },
    async (victim) => {
      const writes = await writesOf(victim);
      for (let back = 0; back < 3; back++) {
        const inject = ['-e', `inject=pwrite64:signal=KILL:when=${writes - back}`];
        const { ended } = writing(victim, ...inject);
        expect(await ended, `${back} before the last`).toMatchObject({ code: null, signal: 'SIGKILL' });
        expect([victim.state(), partialsIn(desk.folder).length]).toEqual(['absent', 1]);
      }
      await expectMended(victim);
    },
  );
});

/** How many times a command writes, the last of them into the room that was left. */
async function writesOf(victim: Victim): Promise<number> {
  expect((await writing(victim).ended).code).toBe(0);
  victim.clear();
  return readFileSync(at('trace'), 'utf8').match(/pwrite64\(/g)?.length ?? 0;
}

/** All writes by one thread, since they are counted by threads. */
function writing({ words }: Victim, ...inject: readonly string[]): Started {
  const trace = ['strace', '-f', '-qq', '-o', at('trace'), '-e', 'trace=pwrite64', ...inject];
  return launch(desk, ['env', 'UV_THREADPOOL_SIZE=1', ...trace, process.execPath, MAIN, ...words]);
}

/** Calls are counted for each thread; and with --seccomp-bpf strace 6.1 counts the first alone. */
function underTrace({ words }: Victim, inject: string): Started {
  const call = inject.split(':')[0] ?? '';
  const trace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${inject}`];
  return launch(desk, ['env', 'UV_THREADPOOL_SIZE=1', ...trace, process.execPath, MAIN, ...words]);
}
