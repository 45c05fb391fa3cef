import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf, layOut, moments, partialsIn, RUNS, start } from '../factory/faults.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
let desk: Desk;
const PACK =
  'pack big.img --vendor Acme --name big --key signer.key --cert signer.pem --block-digests --quiet';

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 40_000_000);
  expect((await desk.run(`bulla ${PACK} -o reference.ova`)).code).toBe(0);
});
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

function at(name: string): string {
  return join(desk.folder, name);
}

test('[pack.4] [blocks.9] packing with block digests that is killed leaves nothing that looks complete', {
  timeout: 600_000,
}, async () => {
  for (const moment of moments(RUNS)) {
    const { child, ended } = start(desk, ...PACK.split(' '), '-o', 'new.ova');
    await setTimeout(moment * 600);
    child.kill('SIGKILL');
    await ended;
    if (readdirSync(desk.folder).includes('new.ova')) {
      expect(digestOf(at('new.ova'))).toBe(digestOf(at('reference.ova')));
      rmSync(at('new.ova'));
    }
    const { code } = await desk.run(`bulla ${PACK} -o new.ova`);
    expect([code, digestOf(at('new.ova')), partialsIn(desk.folder)]).toEqual([
      0,
      digestOf(at('reference.ova')),
      [],
    ]);
    rmSync(at('new.ova'));
  }
});

test('[blocks.7] [lane.3] a verification by blocks that is killed or stopped trusts nothing and leaves nothing', {
  timeout: 600_000,
}, async () => {
  writeFileSync(at('hole.img'), '');
  truncateSync(at('hole.img'), 700_416_000);
  const pack =
    'bulla pack hole.img --vendor Acme -o hole.ova --key signer.key --cert signer.pem --block-digests --quiet';
  expect((await desk.run(pack)).code).toBe(0);
  const before = readdirSync(desk.folder);
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    for (const moment of moments(RUNS)) {
      const { child, ended } = start(desk, 'verify', 'hole.ova', '--trust', 'ca.pem');
      await setTimeout(moment * 500);
      child.kill(signal);
      const { code, stdout } = await ended;
      if (code !== 0) expect(stdout).not.toMatch(/hole\.ova {2}trusted/);
      expect([null, 0, 130]).toContain(code);
    }
  }
  expect(readdirSync(desk.folder)).toEqual(before);
  const { code, stdout } = await desk.run('bulla verify hole.ova --trust ca.pem');
  expect(code).toBe(0);
  expect(stdout).toContain('3 of 3 match the manifest');
});
