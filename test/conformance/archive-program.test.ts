import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test, vi } from 'vitest';
import type { Report } from '../../src/verdict/report/report.ts';
import { runWithin } from '../factory/command-line.ts';
import { makeSandbox } from '../factory/sandbox.ts';
import { MAIN } from '../factory/workbench.ts';
import { type ArchiveVector, archives, found, named, ourVerdict, pathOf } from './archive-vectors.ts';

/** One in so many is tried with the program itself; `BULLA_EVERY=1` tries all. */
const EVERY = Number(process.env['BULLA_EVERY'] ?? 15);
const sample = archives.filter((_, i) => i % EVERY === 0);

/** What the program may take, in KiB. */
const MEMORY = 110 * 1024;
/** Says, when the program ends, how much memory it had at most. */
const PEAK_RSS = new URL('../../bench/peak-rss.mjs', import.meta.url).href;

interface Run {
  readonly code: number;
  readonly report: Report;
  /** KiB */
  readonly peak: number;
}

function run(args: readonly string[], cwd: string, input?: string): Promise<Run> {
  const stdin = input === undefined ? undefined : openSync(input, 'r');
  const peak = join(cwd, 'peak');
  const child = spawn(process.execPath, ['--import', PEAK_RSS, MAIN, ...args, '--json'], {
    cwd,
    env: { HOME: cwd, TMPDIR: join(cwd, 'tmp'), PEAK_RSS_FILE: peak },
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const cat = stdin === undefined ? undefined : spawn('cat', { stdio: [stdin, 'pipe', 'ignore'] });
  if (stdin !== undefined) closeSync(stdin);
  if (cat?.stdout && child.stdin) {
    child.stdin.on('error', () => {}); // it may have refused before all had come
    cat.stdout.pipe(child.stdin);
  }
  let out = '';
  let err = '';
  child.stdout?.on('data', (text) => {
    out += text;
  });
  child.stderr?.on('data', (text) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      cat?.kill();
      try {
        resolve({ code: code ?? -1, report: JSON.parse(out), peak: Number(readFileSync(peak, 'utf8')) });
        rmSync(peak);
      } catch {
        reject(new Error(`exit ${code}: ${err}`));
      }
    });
  });
}

/** The code and place of what is wrong, which must not depend on the way in. */
function faults({ errors }: Report): unknown {
  return errors.map(({ code, where }) => [code, where.member, where.offset]);
}

function expectCode(vector: ArchiveVector, { code, peak }: Run): void {
  if (ourVerdict(vector) === 'ok') expect([0, 16]).toContain(code);
  else expect([15, 17]).toContain(code);
  expect(peak).toBeGreaterThan(0);
  expect(peak).toBeLessThan(MEMORY);
}

describe.skipIf(!found)('the program on archives of other makers', () => {
  it('[inspect.1] tries some of them', () => {
    console.info(`${sample.length} of ${archives.length} archives; BULLA_EVERY=1 tries all`);
    expect(sample.length).toBeGreaterThan(40);
  });

  test.each(named(sample))('[inspect.1] %s', { timeout: 60_000 }, async (_, vector) => {
    using sandbox = makeSandbox();
    const { folder } = sandbox;
    mkdirSync(join(folder, 'tmp'));
    const path = pathOf(vector);
    const inspected = await run(['inspect', path], folder);
    expectCode(vector, inspected);
    const piped = await run(['inspect', '-'], folder, path);
    expect(piped.code).toBe(inspected.code);
    expect(faults(piped.report)).toEqual(faults(inspected.report));
    expect(piped.report.files).toEqual(inspected.report.files);
    vi.stubEnv('TMPDIR', join(folder, 'tmp'));
    const env = { HOME: folder, BULLA_HOME: join(folder, 'home') };
    const imported = await runWithin({ folder, env }, `bulla import '${path}' --to out --json`).finally(() =>
      vi.unstubAllEnvs(),
    );
    expect(imported.code, 'nobody is trusted').not.toBe(0);
    expect((JSON.parse(imported.stdout) as Report).exitCode).toBe(imported.code);
    expect(readdirSync(folder, { recursive: true }), 'nothing is left').toEqual(['tmp']);
  });
});
