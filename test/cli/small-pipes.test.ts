import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UUID } from '../factory/images.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

const VERIFY = ['verify', 'web.ova'];
const JUDGE = [...VERIFY, '--trust', 'ca.pem'];
const OUT = ['-o', 'out.ova'];
const SIGN = ['sign', 'web.ova', ...OUT];
const KEYS = ['--key', 'signer.key', '--cert', 'signer.pem'];
const IMAGE = ['glance', 'verify', 'disk.qcow2'];
const CHECK = ['trust', 'check', 'signer.pem'];
const HOME = 'home/.config/bulla';

/** Where a small file is read; the pipe is `pipe`, or lies where it says. Those with a deadline take --deadline. */
const PLACES: Readonly<Record<string, { words: readonly string[]; at?: string; deadline?: true }>> = {
  '--trust': { words: [...VERIFY, '--trust', 'pipe'], deadline: true },
  '--trust-tsa': { words: [...JUDGE, '--trust-tsa', 'pipe'], deadline: true },
  '--crl': { words: [...JUDGE, '--crl', 'pipe'], deadline: true },
  '--ocsp': { words: [...JUDGE, '--ocsp', 'pipe'], deadline: true },
  '--signature': { words: [...JUDGE, '--signature', 'pipe'], deadline: true },
  'import --crl': {
    words: ['import', 'web.ova', '--to', 'new', '--trust', 'ca.pem', '--crl', 'pipe'],
    deadline: true,
  },
  'a list at home': { words: JUDGE, at: `${HOME}/revocation/x.crl`, deadline: true },
  'a record at home': { words: JUDGE, at: `${HOME}/revocation/seen/1.json`, deadline: true },
  'a publisher at home': { words: VERIFY, at: `${HOME}/publishers/acme/publisher.toml`, deadline: true },
  'a certificate at home': { words: ['trust', 'list'], at: `${HOME}/publishers/acme/ca.pem` },
  'an authority at home': { words: ['trust', 'list'], at: `${HOME}/timestamping/acme/ca.pem` },
  'trust show': { words: ['trust', 'show', 'acme'], at: `${HOME}/publishers/acme/publisher.toml` },
  'sign --key': { words: [...SIGN, '--key', 'pipe', '--cert', 'signer.pem'], deadline: true },
  'sign --cert': { words: [...SIGN, '--key', 'signer.key', '--cert', 'pipe'], deadline: true },
  'sign --chain': { words: [...SIGN, ...KEYS, '--chain', 'pipe'], deadline: true },
  '--passphrase-file': {
    words: [...SIGN, '--key', 'locked.key', '--cert', 'signer.pem', '--passphrase-file', 'pipe'],
    deadline: true,
  },
  'pack --key': { words: ['pack', 'disk.qcow2', ...OUT, '--key', 'pipe', '--cert', 'signer.pem'] },
  'pack of a descriptor': { words: ['pack', 'x.ovf', ...OUT], at: 'x.ovf' },
  'timestamp --tsr-in': { words: ['timestamp', 'web.ova', ...OUT, '--tsr-in', 'pipe'], deadline: true },
  'glance sign --key': {
    words: ['glance', 'sign', 'disk.qcow2', '--key', 'pipe', '--cert-uuid', UUID],
    deadline: true,
  },
  'glance sign --cert': {
    words: ['glance', 'sign', 'disk.qcow2', '--key', 'signer.key', '--cert-uuid', UUID, '--cert', 'pipe'],
    deadline: true,
  },
  '--properties': { words: [...IMAGE, '--properties', 'pipe', '--certificates', '.'], deadline: true },
  'store-certificate': { words: ['glance', 'store-certificate', 'pipe', '--barbican', 'catalog'] },
  'trust add': { words: ['trust', 'add', 'acme', 'pipe'] },
  'trust add --timestamping': { words: ['trust', 'add', 'acme', 'pipe', '--timestamping'] },
  'trust check': { words: ['trust', 'check', 'pipe', '--anchor', 'ca.pem'] },
  '--anchor': { words: [...CHECK, '--anchor', 'pipe'] },
  '--untrusted': { words: [...CHECK, '--anchor', 'ca.pem', '--untrusted', 'pipe'] },
  'trust check --crl': { words: [...CHECK, '--anchor', 'ca.pem', '--crl', 'pipe'] },
};

describe.each(Object.entries(PLACES))(
  'a pipe that brings nothing: %s',
  (_, { words, at = 'pipe', deadline }) => {
    test('[cli.21] [cli.9] SIGINT ends the waiting, and nothing is left', async () => {
      using desk = workbench.desk('bundle', 'keys', 'disk');
      const pipe = makePipe(desk, at);
      const before = readdirSync(desk.folder);
      const child = start(desk, words);
      const end = ended(child);
      await until(() => isOpen(child, pipe) || child.exitCode !== null);
      child.kill('SIGINT');
      expect(await end).toMatchObject({
        code: 130,
        stderr: expect.stringContaining('[INTERRUPTED, exit 130]'),
      });
      expect(readdirSync(desk.folder)).toEqual(before);
    });

    test.runIf(deadline)(
      '[cli.21] [cli.15] the deadline ends the waiting, though somebody holds it',
      async () => {
        using desk = workbench.desk('bundle', 'keys', 'disk');
        const writer = openSync(makePipe(desk, at), 'r+');
        const { code, stderr } = await ended(start(desk, [...words, '--deadline', '0.2']));
        closeSync(writer);
        expect(stderr).toContain('not done within 0.2 seconds');
        expect(stderr).toContain('[INPUT_STALLED, exit 3]');
        expect(code).toBe(3);
      },
    );
  },
);

test('[cli.21] [cli.12] a small file from a pipe that brings nothing is given up after the idle time', async () => {
  using desk = workbench.desk('bundle', 'keys');
  const pipe = makePipe(desk, 'pipe');
  const { code, stderr } = await ended(start(desk, [...VERIFY, '--trust', pipe, '--idle-timeout', '0.2']));
  expect(stderr).toContain('no byte has arrived for 0.2 seconds');
  expect(code).toBe(3);
});

test('[cli.21] small files may come from pipes, in parts and late', async () => {
  using desk = workbench.desk('bundle', 'keys');
  const pipe = makePipe(desk, 'pipe');
  const child = start(desk, [...VERIFY, '--trust', pipe]);
  const end = ended(child);
  await desk.run('(head -c 100 ca.pem; sleep 0.1; tail -c +101 ca.pem) > pipe');
  expect(await end).toMatchObject({ code: 0 });
});

function makePipe(desk: Desk, at: string): string {
  const pipe = join(desk.folder, at.startsWith(HOME) ? '' : at);
  const path = at.startsWith(HOME) ? join(desk.home, at.slice(HOME.length + 1)) : pipe;
  mkdirSync(dirname(path), { recursive: true });
  execFileSync('mkfifo', [path]);
  return path;
}

function start(desk: Desk, words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...words], {
    cwd: desk.folder,
    env: { ...desk.env, BULLA_HOME: desk.home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = '';
  child.stdout?.resume();
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })));
}

function isOpen({ pid }: ChildProcess, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
  } catch {
    return false; // one of them was closed meanwhile
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries++) await setTimeout(20);
}
