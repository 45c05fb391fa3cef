import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { archiveOf, type NamedBytes, testAuthority } from '../factory/bundles.ts';
import { runHere } from '../factory/command-line.ts';
import { contentOf, partialsIn, RUNS, start, until } from '../factory/faults.ts';
import { resumable } from '../factory/resuming.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';

const PART_BYTES = 500_000;

let workbench: Workbench;
let desk: Desk;
let members: readonly NamedBytes[];
let disk: NamedBytes;
let bundle: Uint8Array;

beforeAll(async () => {
  workbench = await makeWorkbench();
  ({ disk, members } = await resumable(16_000_000));
  bundle = await archiveOf(members);
});
afterAll(() => workbench[Symbol.dispose]());

beforeEach(async () => {
  desk = workbench.desk();
  writeFileSync(join(desk.folder, 'acme.pem'), (await testAuthority()).pem);
  writeFileSync(join(desk.folder, 'app.ova'), bundle);
});

const RESUME = ['--to', 'machine', '--trust', 'acme.pem', '--resume'];

/** Begins an import from a pipe, gives it the first bytes, and ends it by a signal. */
async function interrupt(
  bytes: number,
  signal: NodeJS.Signals,
  isFar = () => partialsIn(desk.folder).length > 0,
): Promise<number | null> {
  const { child, ended } = start(desk, 'import', '-', ...RESUME);
  for (let at = 0; at < bytes; at += PART_BYTES) {
    child.stdin.write(bundle.subarray(at, Math.min(bytes, at + PART_BYTES)));
    await setTimeout(1);
  }
  await until(isFar);
  await setTimeout(100 + Math.random() * 60);
  child.kill(signal);
  return (await ended).code;
}

/** Goes on from the file, to the end. */
async function goOn(): Promise<void> {
  const { code, stderr } = await start(desk, 'import', 'app.ova', ...RESUME).ended;
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('FAILED')]);
  expect(partialsIn(desk.folder)).toEqual([]);
  const content = contentOf(join(desk.folder, 'machine'));
  expect(Object.keys(content ?? {}).sort()).toEqual(members.map(({ name }) => name).sort());
  expect(readFileSync(join(desk.folder, 'machine/disk.img'))).toEqual(Buffer.from(disk.bytes));
}

test.each(Array.from({ length: RUNS }, (_, i) => i))(
  '[resume.1] killed twice in the middle, and gone on with (%i)',
  async () => {
    const first = Math.floor(Math.random() * bundle.byteLength);
    expect(await interrupt(first, 'SIGKILL')).toBe(null);
    expect(await interrupt(first + Math.floor(Math.random() * (bundle.byteLength - first)), 'SIGKILL')).toBe(
      null,
    );
    await goOn();
    desk[Symbol.dispose]();
  },
);

/** Whether so many bytes of the disk have come that some of its blocks are whole. */
function hasBlocks(): boolean {
  return partialsIn(desk.folder).some((name) => {
    const file = join(desk.folder, name, 'content/disk.img');
    return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 3_000_000;
  });
}

test('[resume.1] interrupted, says so, and leaves what it had; without the option nothing', async () => {
  expect(await interrupt(9_000_000, 'SIGINT', hasBlocks)).toBe(130);
  expect((await runHere(desk, 'clean', '.')).stdout).toContain('kept for import --resume');
  const { stderr, code } = await desk.run('bulla import app.ova --to machine --trust acme.pem --resume');
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/"disk\.img" was gone on with: \d{7} bytes were there, and right/),
  ]);
  rmSync(join(desk.folder, 'machine'), { recursive: true });
  expect(await interrupt(9_000_000, 'SIGTERM')).toBe(143);
  expect((await runHere(desk, 'import', 'app.ova', '--to', 'machine', '--trust', 'acme.pem')).code).toBe(0);
  expect(partialsIn(desk.folder)).toEqual([]);
  desk[Symbol.dispose]();
});
