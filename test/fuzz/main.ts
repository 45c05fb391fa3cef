import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keepFindings } from './findings.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets/index.ts';
import { type Fed, feedTarget } from './watch.ts';

const USAGE = `npm run fuzz -- [--target NAME]... [--minutes N | --inputs N] [--seed S] [--findings FOLDER] [--replay FILE]

  --target    ${TARGETS.map(({ name }) => name).join(', ')}, or a group: crypto, archives; all when left out
  --minutes   how long, divided among the targets (1)
  --inputs    how many, divided among the targets
  --seed      a number; the same seed makes the same inputs (random, and printed)
  --findings  where inputs are kept that break something (fuzz-findings)
  --replay    feeds one kept input again`;

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    minutes: { type: 'string' },
    inputs: { type: 'string' },
    seed: { type: 'string' },
    findings: { type: 'string', default: 'fuzz-findings' },
    replay: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function numberOf(text: string, option: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  console.error(`${option} takes a number, not "${text}"`);
  process.exit(2);
}

function chosen(names: readonly string[]): readonly Target[] {
  const found = TARGETS.filter(
    ({ name, group }) => names.length === 0 || names.includes(name) || names.includes(group),
  );
  const unknown = names.find(
    (name) => !TARGETS.some((target) => target.name === name || target.group === name),
  );
  if (unknown === undefined) return found;
  console.error(`no target is called "${unknown}"\n\n${USAGE}`);
  process.exit(2);
}

function show(name: string, { inputs, words, slowestMs, peakRss }: Fed, seconds: number): void {
  const answers = [...words].sort(([, a], [, b]) => b - a).map(([word, count]) => `${word} ${count}`);
  const rest = answers.length > 6 ? `, ${answers.length - 6} more` : '';
  console.log(
    `${name.padEnd(16)} ${String(inputs).padStart(7)} inputs in ${seconds.toFixed(1)} s, slowest ${Math.ceil(slowestMs)} ms, ` +
      `${Math.round(peakRss / 2 ** 20)} MiB: ${answers.slice(0, 6).join(', ')}${rest}`,
  );
}

async function main(): Promise<number> {
  const targets = chosen(values.target ?? []);
  const seed = values.seed === undefined ? randomInt(2 ** 31) : numberOf(values.seed, '--seed');
  const minutes = numberOf(values.minutes ?? (values.inputs === undefined ? '1' : '1000'), '--minutes');
  const all = targets.reduce((sum, { share }) => sum + share, 0);
  const total = values.inputs === undefined ? 2 ** 31 - 1 : numberOf(values.inputs, '--inputs');
  const replay = values.replay === undefined ? {} : { replay: Uint8Array.from(readFileSync(values.replay)) };
  console.log(`seed ${seed}, ${targets.length} targets`);
  let kept = 0;
  mkdirSync(values.findings, { recursive: true });
  for (const { name, share } of targets) {
    const started = Date.now();
    const until = started + (minutes * 60_000) / targets.length;
    const to = values.replay ? 1 : Math.ceil((total * share) / all);
    const current = join(values.findings, `${name}-last.bin`);
    const fed = await feedTarget({ target: name, seed, from: 0, to, until, current, ...replay });
    rmSync(current, { force: true });
    show(name, fed, (Date.now() - started) / 1000);
    for (const { file, text, again } of keepFindings(values.findings, name, fed.findings)) {
      kept++;
      console.log(`\nFOUND ${file}\n${text}\nfeed it again: ${again}\n`);
    }
  }
  if (readdirSync(values.findings).length === 0) rmdirSync(values.findings);
  console.log(kept === 0 ? 'nothing found' : `${kept} found`);
  return kept === 0 ? 0 : 1;
}

if (values.help) console.log(USAGE);
// exit: a thread that hangs in foreign code would keep the process for ever
else process.exit(await main());
