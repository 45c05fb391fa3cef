import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import {
  available,
  contentOf,
  type Ended,
  launch,
  layOut,
  RUNS,
  type Started,
  start,
  until,
} from '../factory/faults.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

/** Numbers of users and of a group that no machine has given to anybody. */
const [ALICE, BOB, GROUP] = [54_321, 54_322, 54_323];

const as = (user: number): readonly string[] => [
  'setpriv',
  `--reuid=${user}`,
  `--regid=${GROUP}`,
  '--clear-groups',
];
const able = available(
  'races with another user',
  `test $(id -u) = 0 && ${as(BOB).join(' ')} ${process.execPath} -e "require('fs').readFileSync('${MAIN}')"`,
);

let workbench: Workbench;
let desk: Desk;
let machine: ReturnType<typeof contentOf>;

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 3_000_000);
  expect((await runHere(desk, 'import', 'big.ova', '--to', 'reference', '--trust', 'ca.pem')).code).toBe(0);
  machine = contentOf(at('reference'));
  for (let up = desk.folder; statSync(up).uid === process.geteuid?.() && up.length > 4; up = dirname(up)) {
    if ((statSync(up).mode & 0o077) === 0) chmodSync(up, 0o755); // the others come in
  }
});
afterEach(() => rmSync(at('place'), { recursive: true, force: true }));
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

function at(name: string): string {
  return join(desk.folder, name);
}

/** Puts a folder of the attacker's in place of each that an import or a packing works in, at some moment. */
const ATTACK = `
  const fs = require('node:fs');
  const [place, user] = process.argv.slice(1);
  const seen = new Map();
  for (let i = 0; ; i++) {
    let names = [];
    try { names = fs.readdirSync(place); } catch {}
    for (const name of names.filter((one) => one.includes('.partial-'))) {
      const path = place + '/' + name;
      const began = seen.get(path) ?? { at: Date.now(), delay: Math.random() * 1500 };
      seen.set(path, began);
      if (Date.now() - began.at < began.delay) continue;
      try {
        if (fs.lstatSync(path).uid === Number(user)) continue;
        const mine = place + '/mine' + i;
        fs.mkdirSync(mine + '/content', { recursive: true });
        for (const file of ['content/big.ovf', 'output']) fs.writeFileSync(mine + '/' + file, 'theirs');
        fs.chmodSync(mine, 0o777);
        fs.renameSync(path, place + '/taken' + i);
        fs.renameSync(mine, path);
      } catch {}
    }
  }`;

function attack(place: string): Started {
  return launch(desk, [...as(BOB), process.execPath, '-e', ATTACK, at(place), String(BOB)]);
}

function run(user: number, ...words: readonly string[]): Promise<Ended> {
  return launch(desk, [...as(user), process.execPath, MAIN, ...words]).ended;
}

describe.skipIf(!able)('another user who may rename', () => {
  test.each<[string, string, () => void]>([
    ['by the group of the folder', `the group ${GROUP} may rename`, () => share(ALICE, 0o2775)],
    ['as its owner', `the user ${BOB} may rename`, () => share(BOB, 0o2775)],
  ])('[import.10] %s: nothing is published there', { timeout: 600_000 }, async (_, who, prepare) => {
    prepare();
    const attacker = attack('place');
    try {
      for (let i = 0; i < RUNS; i++) {
        const { code, stderr } = await run(ALICE, ...importTo(i), '--quiet');
        expect([code, stderr]).toEqual([3, expect.stringContaining(who)]);
      }
      expect(readdirSync(at('place'))).toEqual([]);
    } finally {
      attacker.child.kill('SIGKILL');
      await attacker.ended;
    }
  });

  test('[import.9] [import.10] but for a sticky bit: none of his is published', {
    timeout: 600_000,
  }, async () => {
    share(ALICE, 0o3777);
    const attacker = attack('place');
    try {
      for (let i = 0; i < RUNS; i++) {
        const { code, stderr } = await run(ALICE, ...importTo(i), '--quiet');
        expect([code, stderr]).toEqual([0, '']);
        expect(contentOf(at(`place/m${i}`))).toEqual(machine);
        for (const name of readdirSync(at(`place/m${i}`)))
          expect(lstatSync(at(`place/m${i}/${name}`)).uid).toBe(ALICE);
      }
    } finally {
      attacker.child.kill('SIGKILL');
      await attacker.ended;
    }
  });

  test('[pack.4] by the group: what is packed is what was written', { timeout: 600_000 }, async () => {
    share(ALICE, 0o2775);
    const attacker = attack('place');
    try {
      for (let i = 0; i < RUNS; i++) {
        const words = ['pack', 'big.img', '--vendor', 'Acme', '--name', 'big', '-o', `place/${i}.ova`];
        const { code, stderr } = await run(ALICE, ...words);
        expect([0, 3], stderr).toContain(code);
        if (code === 0) expect(statSync(at(`place/${i}.ova`)).size).toBeGreaterThan(3_000_000);
        else expect(readdirSync(at('place'))).not.toContain(`${i}.ova`);
      }
    } finally {
      attacker.child.kill('SIGKILL');
      await attacker.ended;
    }
  });

  test('[resume.2] [import.8] what he has left is neither gone on with nor removed', async () => {
    share(0, 0o3777);
    const { child, ended } = launch(desk, [
      ...[...as(BOB), process.execPath, MAIN],
      ...['import', '-', '--to', 'place/machine', '--trust', 'ca.pem', '--resume'],
    ]);
    await until(() => readdirSync(at('place')).length > 0);
    await setTimeout(50);
    child.kill('SIGKILL');
    await ended;
    const theirs = readdirSync(at('place'));
    const words = ['import', 'big.ova', '--to', 'place/machine', '--trust', 'ca.pem', '--resume', '--quiet'];
    // As root, too, who may do everything.
    for (const mine of [await run(ALICE, ...words), await again(words)])
      expect([mine.code, mine.stderr]).toEqual([0, '']);
    expect(readdirSync(at('place')).sort()).toEqual(['machine', ...theirs].sort());
    expect((await runHere(desk, 'clean', 'place', '--remove')).stdout).toContain('nothing was left there');
    expect(readdirSync(at('place')).sort()).toEqual(['machine', ...theirs].sort());
  });
});

async function again(words: readonly string[]): Promise<Ended> {
  rmSync(at('place/machine'), { recursive: true });
  return start(desk, ...words).ended;
}

function importTo(i: number): readonly string[] {
  return ['import', 'big.ova', '--to', `place/m${i}`, '--trust', 'ca.pem'];
}

function share(owner: number, mode: number): void {
  mkdirSync(at('place'));
  chownSync(at('place'), owner, GROUP);
  chmodSync(at('place'), mode);
}
