import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The command line of the built program, its peak memory recorded. */
export const BULLA = [
  process.execPath,
  '--import',
  pathToFileURL(fileURLToPath(new URL('peak-rss.mjs', import.meta.url))).href,
  fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)),
];

/** Runs a command to its end: seconds, and the peak memory in MiB if it was one of ours. A failure is an error. */
export async function measure(command, { cwd }) {
  const peakFile = `${cwd}/peak-rss`;
  rmSync(peakFile, { force: true });
  const [program, ...args] = command;
  const start = process.hrtime.bigint();
  const { code, output } = await run(program, args, {
    cwd,
    env: { ...process.env, PEAK_RSS_FILE: peakFile },
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${output}`);
  const peakMib = existsSync(peakFile) ? Number(readFileSync(peakFile, 'utf8')) / 1024 : undefined;
  return { seconds, peakMib };
}

/** `producer | consumer`, by a real pipe. */
export function piped(producer, consumer) {
  const quote = (word) => `'${word.replaceAll("'", "'\\''")}'`;
  return ['sh', '-c', `${producer.map(quote).join(' ')} | ${consumer.map(quote).join(' ')}`];
}

function run(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.on('data', (bytes) => {
      output += bytes;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
