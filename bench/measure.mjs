import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const PEAK_RSS = pathToFileURL(fileURLToPath(new URL('peak-rss.mjs', import.meta.url))).href;
/** Jiffies a second, as /proc/stat counts them. */
const TICKS = 100;
/** Processor time of others, as a part of what a command takes, from which on its round counts as disturbed. */
const DISTURBED = 0.1;
const DISTURBED_SECONDS = 0.05;

/**
 * Runs a line of bash to its end, where `bulla` is the built program: seconds by the clock (`wall`) and of processors
 * (`cpu`), and whether others kept the machine busy meanwhile. A failure is an error, unless its exit code was expected.
 */
export async function timed(line, { cwd, code: expected = 0, env = {} }) {
  const script = `
    bulla() { '${process.execPath}' $BULLA_NODE_OPTIONS '${MAIN}' "$@"; }
    TIMEFORMAT='%3R %3U %3S'
    exec 3>&2
    time { ${line} ; } >/dev/null 2>&3`;
  const before = busySeconds();
  const { code, output } = await run('bash', ['-o', 'pipefail', '-c', script], {
    cwd,
    env: { ...process.env, LC_ALL: 'C', ...env },
  });
  const lines = output.trimEnd().split('\n');
  if (code !== expected)
    throw new Error(`${line}\nended with ${code}, not ${expected}:\n${lines.slice(-20).join('\n')}`);
  const [wall, user, system] = (lines.at(-1) ?? '').split(' ').map(Number);
  const cpu = user + system;
  const others = busySeconds() - before - cpu;
  return { wall, cpu, load: loadavg()[0], disturbed: others > Math.max(DISTURBED * wall, DISTURBED_SECONDS) };
}

/** The most memory that the program holds in this line, in MiB. */
export async function peakMib(line, { cwd }) {
  const file = `${cwd}/peak-rss`;
  rmSync(file, { force: true });
  await timed(line, { cwd, env: { BULLA_NODE_OPTIONS: `--import ${PEAK_RSS}`, PEAK_RSS_FILE: file } });
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) / 1024 : undefined;
}

/** Whether a program is there to be measured beside ours. */
export async function isThere(program) {
  return (await run('bash', ['-c', `command -v ${program}`], {})).code === 0;
}

/** What the machine is, as far as the numbers depend on it. */
export async function machine() {
  const [cpu] = cpus();
  const version = async (line) => (await run('bash', ['-c', `${line} 2>&1 | head -1 >&2`], {})).output.trim();
  return {
    processor: cpu?.model.trim(),
    processors: cpus().length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    openssl: (await version('openssl version')).split(' ').slice(0, 2).join(' '),
    tar: await version('tar --version'),
  };
}

/** Seconds that all processors together have been busy, for anybody. */
function busySeconds() {
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8').split(/\s+/);
  return [user, nice, system, irq, softirq, steal].reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
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
