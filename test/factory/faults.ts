import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { runHere } from './command-line.ts';
import { type Desk, MAIN } from './workbench.ts';

/** How many times each kind of fault is made: few in the whole suite, many with `npm run test:faults`. */
export const RUNS = Number(process.env['BULLA_FAULT_RUNS'] ?? 3);

/** What a program did. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program under way. */
export interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
}

/** Starts the program itself, without a shell between it and its signals. */
export function start(desk: Pick<Desk, 'folder' | 'env'>, ...words: readonly string[]): Started {
  return launch(desk, [process.execPath, MAIN, ...words]);
}

/** Starts any program on a desk. */
export function launch(
  desk: Pick<Desk, 'folder' | 'env'>,
  [command = '', ...words]: readonly string[],
): Started {
  const child = spawn(command, words, { cwd: desk.folder, env: desk.env });
  child.stdin.on('error', () => {}); // it may end before it has read everything
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** Waits for something to become true, half a minute at most. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 5000 && !condition(); tries++) await setTimeout(20);
  expect(condition()).toBe(true);
}

/** Everything in a folder with its digest; `undefined` when there is no such folder. */
export function contentOf(folder: string): Readonly<Record<string, string>> | undefined {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, digestOf(join(folder, name))]),
  );
}

/** The SHA-256 of a file. */
export function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Names of what is not complete in a folder. */
export function partialsIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.includes('.partial-'));
}

/** What is not complete in a folder, but for what a run has left that was killed before it had said whose it is. [import.8] */
export function provenPartialsIn(folder: string): readonly string[] {
  const sizes = (name: string): readonly number[] =>
    readdirSync(join(folder, name)).map((file) => statSync(join(folder, name, file)).size);
  return partialsIn(folder).filter((name) => sizes(name).some((size) => size > 0));
}

/** A desk with keys, an image of random bytes and a bundle of it: large enough to be caught in the middle. */
export async function layOut(desk: Desk, bytes: number): Promise<void> {
  writeFileSync(join(desk.folder, 'big.img'), randomBytes(bytes));
  const words = 'pack big.img --vendor Acme -o big.ova --key signer.key --cert signer.pem --quiet';
  const { code, stderr } = await runHere(desk, ...words.split(' '));
  expect([code, stderr]).toEqual([0, '']);
}

/** Whether a command works here; when not, that is said, and what for it is needed. */
export function available(what: string, line: string): boolean {
  const works = spawnSync('bash', ['-c', line], { stdio: 'ignore' }).status === 0;
  if (!works) console.warn(`SKIPPED: ${what}, since this does not work here: ${line}`);
  return works;
}

/** Moments between 0 and 1, spread evenly and each a little off, the same in no two runs. */
export function moments(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => (i + Math.random()) / count);
}
