import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DISK,
  descriptorFor,
  JUDGED_AT,
  makeBundle,
  noiseFile,
  testAuthority,
} from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/import-into-a-sink.md'), 'utf8');
const [, PROGRAM = ''] = /^```js\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];

/** Runs the program of the page over standard input with a bucket in memory, and says what is in it. */
const RUN = `
import { receive } from './program.mjs';
const [anchor, at] = process.argv.slice(2);
const objects = new Map();
const seen = new Set();
const put = async (key, bytes) => void objects.set(key, bytes) ?? seen.add(key);
const bucket = {
  put,
  begin: async (key) => {
    const parts = [];
    return { add: async (part) => void parts.push(part), complete: () => put(key, Buffer.concat(parts)), abort: async () => {} };
  },
  move: async (from, to) => {
    await put(to, objects.get(from));
    objects.delete(from);
  },
  removeAll: async (prefix) => {
    for (const key of [...objects.keys()]) if (key.startsWith(prefix)) objects.delete(key);
  },
};
const { report, names } = await receive(process.stdin, bucket, { target: 'web', anchor: Buffer.from(anchor, 'base64'), at: new Date(at) });
const codes = report.errors.map(({ code }) => code);
console.log(JSON.stringify({ codes, names, waited: seen.size, objects: [...objects].map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]) }));
`;

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = makeSandbox();
  sandbox.write('program.mjs', PROGRAM);
  sandbox.write('run.mjs', RUN);
  sandbox.write('node_modules/.keep', '');
  symlinkSync(ROOT, sandbox.path('node_modules/bulla'));
});
afterAll(() => sandbox[Symbol.dispose]());

interface Outcome {
  readonly codes: readonly string[];
  readonly names: readonly string[];
  readonly waited: number;
  readonly objects: readonly (readonly [key: string, base64: string])[];
}

async function run(bundle: Uint8Array): Promise<Outcome> {
  const anchor = Buffer.from((await testAuthority()).certificate.raw).toString('base64');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [sandbox.path('run.mjs'), anchor, JUDGED_AT.toISOString()],
    {
      input: bundle,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      env: { ...process.env, HOME: sandbox.folder, XDG_CONFIG_HOME: sandbox.path('config') },
    },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Outcome;
}

describe('[import.11] the program of the page', () => {
  const big = noiseFile('big.img', 3_000_000);
  const bundle = makeBundle({ files: [descriptorFor('app.ovf', [DISK, big]), DISK, big] });

  test('is short', () => {
    expect(PROGRAM.split('\n').length).toBeLessThanOrEqual(60);
  });

  test('has the members of a trusted bundle in its bucket, and none that waits', async () => {
    const { codes, names, objects } = await run(await bundle);
    expect([codes, names]).toEqual([[], ['app.ovf', 'app.mf', 'app.cert', DISK.name, big.name]]);
    const found = new Map(objects);
    expect([...found.keys()].sort()).toEqual(names.map((name) => `web/${name}`).sort());
    for (const { name, bytes } of [DISK, big]) {
      expect(found.get(`web/${name}`) === Buffer.from(bytes).toString('base64'), name).toBe(true);
    }
  });

  test('has nothing of another', async () => {
    const bytes = await bundle;
    const at = Buffer.from(bytes).indexOf(Buffer.from(big.bytes));
    const outcome = await run(flipped(bytes, at));
    expect(outcome).toMatchObject({ codes: ['DIGEST_MISMATCH'], names: [], objects: [] });
    expect(outcome.waited).toBeGreaterThan(0); // it was there, and is gone
  });
});
