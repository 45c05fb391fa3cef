import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import { digestOf, layOut, moments, partialsIn, RUNS, start } from '../factory/faults.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
let desk: Desk;
const PACK =
  'pack big.img --vendor Acme --name big --key signer.key --cert signer.pem --block-digests --quiet';

/** So many runs die, each over what those before it have left, until one comes to its end and finds everything right. */
const DEATHS = 3;

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 40_000_000);
  expect((await runHere(desk, ...PACK.split(' '), '-o', 'reference.ova')).code).toBe(0);
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
  for (const [i, moment] of moments(RUNS).entries()) {
    const { child, ended } = start(desk, ...PACK.split(' '), '-o', 'new.ova');
    await setTimeout(moment * 600);
    child.kill('SIGKILL');
    const outcome = await ended;
    if (outcome.signal === null) expect(outcome.code).toBe(0);
    if (readdirSync(desk.folder).includes('new.ova')) {
      expect(digestOf(at('new.ova'))).toBe(digestOf(at('reference.ova')));
      rmSync(at('new.ova'));
    }
    if ((i + 1) % DEATHS !== 0 && i + 1 < RUNS) continue;
    const { code } = await runHere(desk, ...PACK.split(' '), '-o', 'new.ova');
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
  truncateSync(at('hole.img'), 200_416_000);
  const pack =
    'bulla pack hole.img --vendor Acme -o hole.ova --key signer.key --cert signer.pem --block-digests --quiet';
  expect((await desk.run(pack)).code).toBe(0);
  const before = readdirSync(desk.folder);
  const { ino, size, mtimeNs } = statSync(at('hole.ova'), { bigint: true });
  const begun = performance.now();
  const { code, stdout } = await start(desk, 'verify', 'hole.ova', '--trust', 'ca.pem').ended;
  let whole = performance.now() - begun;
  expect(code).toBe(0);
  expect(stdout).toContain('3 of 3 match the manifest');
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    for (const moment of moments(RUNS)) {
      const started = performance.now();
      const { child, ended } = start(desk, 'verify', 'hole.ova', '--trust', 'ca.pem');
      await Promise.race([setTimeout(moment * whole), ended]);
      child.kill(signal);
      const { code, stdout } = await ended;
      if (code === 0) whole = performance.now() - started;
      if (code !== 0) expect(stdout).not.toMatch(/hole\.ova {2}trusted/);
      expect([null, 0, 130]).toContain(code);
    }
  }
  expect(readdirSync(desk.folder)).toEqual(before);
  expect(statSync(at('hole.ova'), { bigint: true })).toMatchObject({ ino, size, mtimeNs });
  const last = await runHere(desk, 'verify', 'hole.ova', '--trust', 'ca.pem');
  expect([last.code, last.stdout]).toEqual([0, expect.stringContaining('3 of 3 match the manifest')]);
});
