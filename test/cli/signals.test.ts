import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

/** The program itself, without a shell between it and the signal. */
function start(desk: Desk, ...words: readonly string[]): ChildProcess & { stdin: NonNullable<unknown> } {
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: desk.folder, env: desk.env });
  child.stdin.on('error', () => {}); // it may end before it has read everything
  return child as ChildProcess & { stdin: NonNullable<unknown> };
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 5000 && !condition(); tries++) await setTimeout(20);
  expect(condition()).toBe(true);
}

describe('a command that is told to stop', () => {
  test.each([
    ['SIGINT', 130, 'INTERRUPTED'],
    ['SIGTERM', 143, 'TERMINATED'],
    ['SIGHUP', 143, 'TERMINATED'],
  ] as const)(
    '[cli.9] %s during an import from a slow pipe: exit %d, and nothing is left',
    async (signal, code, name) => {
      using desk = workbench.desk('bundle', 'keys');
      const before = readdirSync(desk.folder);
      const child = start(desk, 'import', '-', '--to', 'machine', '--trust', 'ca.pem');
      const end = ended(child);
      child.stdin?.write(readFileSync(join(desk.folder, 'web.ova')).subarray(0, 9000));
      await until(() =>
        readdirSync(desk.folder, { recursive: true }).some((path) => String(path).endsWith('/web.cert')),
      );
      child.kill(signal);
      const outcome = await end;
      expect(outcome.code).toBe(code);
      expect(outcome.stdout).toBe('');
      expect(outcome.stderr).toContain(`[${name}, exit ${code}]`);
      expect(outcome.stderr).not.toMatch(/signed by|claims to be|trusted via|known via/);
      expect(readdirSync(desk.folder)).toEqual(before);
    },
  );

  test('[cli.9] with --json it still is one document', async () => {
    using desk = workbench.desk('bundle', 'keys');
    const child = start(desk, 'verify', '-', '--json', '--progress', 'json');
    const end = ended(child);
    child.stdin?.write(readFileSync(join(desk.folder, 'web.ova')).subarray(0, 9000));
    await new Promise((resolve) => child.stderr?.once('data', resolve)); // it has begun to read
    child.kill('SIGINT');
    const { code, stdout } = await end;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 130, verdict: 'error', trusted: false });
  });
});

test('[cli.11] a bundle from a pipe is judged as it comes, without a copy anywhere', async () => {
  using desk = workbench.desk('bundle', 'keys');
  const bundle = readFileSync(join(desk.folder, 'web.ova'));
  const child = start(desk, 'verify', '-', '--trust', 'ca.pem', '--progress', 'json');
  const end = ended(child);
  child.stdin?.write(bundle.subarray(0, 9000));
  await new Promise((resolve) => child.stderr?.once('data', resolve));
  if (process.platform === 'linux') {
    const files = readdirSync(`/proc/${child.pid}/fd`).map((fd) =>
      readlinkSync(`/proc/${child.pid}/fd/${fd}`),
    );
    expect(files.filter((path) => path.startsWith('/') && !path.startsWith('/dev/'))).toEqual([]);
  }
  child.stdin?.end(bundle.subarray(9000));
  expect((await end).code).toBe(0);
});

test('a reader that goes away ends a command quietly', async () => {
  using desk = workbench.desk();
  const { stdout, stderr, code } = await desk.run('bulla help exit-codes | head -1');
  expect({ stdout: stdout.split(' ')[0], stderr, code }).toEqual({ stdout: 'Exit', stderr: '', code: 0 });
});
