import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderForTests } from '../factory/sandbox.ts';

const ROOT = join(import.meta.dirname, '../..');
/** beside the packages that the program needs; threads cannot load TypeScript */
const built = join(ROOT, `build.partial-${process.pid}`);
const findings = folderForTests();

beforeAll(() => {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['--noCheck', '--sourceMap', 'false', '-p', 'tsconfig.fuzz.json', '--outDir', built];
  execFileSync(process.execPath, [compiler, ...options], { cwd: ROOT, stdio: 'inherit' });
}, 120_000);

afterAll(() => rmSync(built, { recursive: true, force: true }));

/** Without the vectors, so that the inputs are the same everywhere. */
function fuzz(...options: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(built, 'test/fuzz/main.js'), '--findings', findings, ...options],
    { encoding: 'utf8', env: { ...process.env, BULLA_VECTORS: '' } },
  );
  return { status, output: stdout + stderr };
}

describe('inputs that nobody has thought of', () => {
  test('[rob.1] [rob.2] [rob.3] [rob.4] [rob.5] 2500 of certificates, lists, signatures, timestamps, paths', () => {
    const { status, output } = fuzz('--target', 'crypto', '--inputs', '2500', '--seed', '1');
    expect(status, output).toBe(0);
    expect(output).toMatch(/nothing found\n$/);
  });

  test('[rob.1] [rob.2] [rob.3] [rob.6] 2000 of archives, manifests, certificate files', () => {
    const { status, output } = fuzz('--target', 'archives', '--inputs', '2000', '--seed', '1');
    expect(status, output).toBe(0);
    expect(output).toMatch(/nothing found\n$/);
  });

  test('[rob.7] the same seed makes the same inputs', () => {
    const run = () =>
      fuzz('--target', 'cms', '--inputs', '60', '--seed', '5').output.replace(/ in .*MiB/, '');
    expect(run()).toBe(run());
  });
});

describe('the fuzzer itself', () => {
  test('[rob.7] finds an exception, another code, a broken property, slowness, a hang and a leak, and goes on', () => {
    const script = join(built, 'self-test.mjs');
    writeFileSync(
      script,
      `import { feedTarget } from './test/fuzz/watch.js';
      import { keepFindings } from './test/fuzz/findings.js';
      const task = { target: 'faulty', seed: 1, from: 0, to: 9, current: process.argv[2] + '.last', until: Date.now() + 600000, module: './faulty.js' };
      const { inputs, findings } = await feedTarget(task, 6000);
      keepFindings(process.argv[2], 'faulty', findings);
      console.log(inputs, findings.map(({ index, fault }) => index + ' ' + fault.kind).join(', '));
      process.exit();`,
    );
    const { stdout, stderr } = spawnSync(process.execPath, [script, findings], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe('9 2 exception, 3 exception, 4 violation, 5 slow, 6 hang, 7 memory\n');
    expect(readdirSync(findings).length).toBe(6);
  });

  test('[rob.7] leaves the input behind that ends the whole process', () => {
    const script = join(built, 'abort.mjs');
    const last = join(built, 'faulty-last.bin');
    writeFileSync(
      script,
      `import { feedTarget } from './test/fuzz/watch.js';
      const task = { target: 'faulty', seed: 1, from: 9, to: 10, current: process.argv[2], until: Date.now() + 600000, module: './faulty.js' };
      await feedTarget(task, 6000);`,
    );
    expect(spawnSync(process.execPath, [script, last]).signal).toBe('SIGABRT');
    expect(readFileSync(last, 'utf8')).toBe('abort');
  });

  test('[rob.7] says what it does not understand', () => {
    expect(fuzz('--target', 'zip-of-doom').output).toContain('no target is called "zip-of-doom"');
    expect(fuzz('--inputs', 'many').status).toBe(2);
  });
});
