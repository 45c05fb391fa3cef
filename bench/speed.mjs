// Speed and memory beside other programs that do the same, in rounds in which each has its turn.
// npm run bench [-- --quick] [--gib 4] [--rounds 5] [--case ID]... [--no-peers]
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { casesOf } from './cases.mjs';
import { openData, SMALL_FILES, TRUSTED } from './data.mjs';
import { isThere, machine, peakMib, timed } from './measure.mjs';
import { writePages } from './pages.mjs';
import { isTooLarge, lineOf, median, memoryOf, roundsLine } from './table.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Rounds of what takes a tenth of a second: the machine's own noise is a part of it. */
const START_ROUNDS = 25;
/** Of other programs, but for the one that a limit speaks of. */
const PEER_ROUNDS = 2;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    gib: { type: 'string' },
    rounds: { type: 'string' },
    case: { type: 'string', multiple: true },
    peers: { type: 'boolean', default: true },
    out: { type: 'string' },
  },
  allowNegative: true,
});
const gib = Number(values.gib ?? (values.quick ? 0.25 : 4));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const isChosen = ({ id }) => !values.case || values.case.includes(id);

/** The paired rounds of one case: first one goes first, then the other. */
async function measureCase(each, data) {
  const cwd = each.cwd === 'shm' ? data.shm : data.folder;
  await data.need(...each.needs);
  if (each.prepare) await timed(each.prepare, { cwd });
  const turn = async (line) => {
    if (each.before) await timed(each.before, { cwd });
    if (each.beforeWriting && !values.quick && line !== each.reference)
      await timed(each.beforeWriting, { cwd });
    return timed(line, { cwd });
  };
  const peers = {};
  for (const [name, line] of Object.entries(each.peers ?? {})) {
    const [program] = name.split(/[ ,;]/);
    if (values.peers && (await isThere(program))) peers[name] = { line, runs: [] };
    else console.log(`    (${name}: left out)`);
  }
  await turn(each.reference); // what is read comes into memory
  const done = [];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? ['reference', 'ours'] : ['ours', 'reference'];
    const result = {};
    for (const who of order) result[who] = await turn(each[who]);
    for (const [name, { line, runs }] of Object.entries(peers)) {
      if (round >= PEER_ROUNDS && name !== each.below) continue;
      const run = await turn(line);
      runs.push({ ...run, ratio: run.wall / result.reference.wall });
    }
    done.push({
      ...result,
      ratio: result.ours.wall / result.reference.wall,
      disturbed: result.ours.disturbed || result.reference.disturbed,
    });
  }
  if (each.before) await timed(each.before, { cwd });
  const peak = await peakMib(each.ours, { cwd });
  for (const { line, code } of each.checks) await timed(line, { cwd, code: code ?? 0 });
  const { id, title, must, aim, reference } = each;
  return {
    id,
    title,
    must,
    aim,
    unit: 'ratio',
    reference,
    value: median(done.map(({ ratio }) => ratio)),
    seconds: median(done.map(({ ours }) => ours.wall)),
    cpu: median(done.map(({ ours }) => ours.cpu)),
    peakMib: peak,
    rounds: done,
    peers: Object.entries(peers).map(([name, { runs }]) => ({
      name,
      value: median(runs.map(({ ratio }) => ratio)),
      seconds: median(runs.map(({ wall }) => wall)),
      ...(each.below === name && { below: true }),
    })),
  };
}

/** What the start of the program adds to the start of Node, in milliseconds. */
async function measureStart(id, title, line, limits, data) {
  await data.need('keys');
  const cwd = data.folder;
  const setup = `[ -e tiny.ova ] || { head -c 4096 /dev/zero > tiny.raw && bulla pack tiny.raw --name tiny -o tiny.ova --key keys/signer.key --cert keys/signer.pem --quiet; }`;
  await timed(setup, { cwd });
  const node = `'${process.execPath}' -e 0`;
  const done = [];
  for (let round = 0; round < (values.quick ? 3 : START_ROUNDS); round++) {
    const reference = await timed(node, { cwd });
    const ours = await timed(line, { cwd });
    done.push({
      reference,
      ours,
      ratio: (ours.wall - reference.wall) * 1000,
      disturbed: ours.disturbed || reference.disturbed,
    });
  }
  return {
    id,
    title,
    ...limits,
    unit: 'ms',
    reference: 'node -e 0',
    value: median(done.map(({ ratio }) => ratio)),
    seconds: median(done.map(({ ours }) => ours.wall)),
    cpu: median(done.map(({ ours }) => ours.cpu)),
    peakMib: await peakMib(line, { cwd }),
    rounds: done,
    peers: [],
  };
}

/** Whether what is added takes as long for each GiB, however much there is already: sparse disks, four and sixteen times as large. */
async function measureGrowth(data) {
  await data.need('growth');
  const cwd = data.folder;
  const sizes = [1, 4, 16];
  const lineOfSize = (size) => `bulla verify grow${size}.ova ${TRUSTED}`;
  const runs = new Map(sizes.map((size) => [size, []]));
  for (let round = 0; round < rounds; round++) {
    for (const size of sizes) runs.get(size).push(await timed(lineOfSize(size), { cwd }));
  }
  const seconds = sizes.map((size) => median(runs.get(size).map(({ cpu }) => cpu)));
  const peaks = [];
  for (const size of sizes) peaks.push(await peakMib(lineOfSize(size), { cwd }));
  const [first, second] = [(seconds[1] - seconds[0]) / 3, (seconds[2] - seconds[1]) / 12];
  return {
    id: 'growth',
    title: `growth, ${sizes.map((size) => size * gib * 0.25).join(' → ')} GiB (processor time; ${peaks.map((mib) => mib.toFixed(0)).join(', ')} MiB)`,
    must: 1.05,
    aim: 1.0,
    unit: 'ratio',
    reference: 'the time for each GiB more, the second step over the first',
    value: second / first,
    seconds: seconds[2],
    cpu: seconds[2],
    peakMib: Math.max(...peaks),
    rounds: [],
    peers: [],
  };
}

/** Measures one case after another, and tells of each as soon as it is done. */
async function measureAll(data, onResults) {
  const results = [];
  const add = (result) => {
    results.push(result);
    console.log(lineOf(result));
    if (result.rounds.length > 0) console.log(roundsLine(result));
    for (const { name, value, seconds } of result.peers) {
      console.log(
        `    ${name.padEnd(52)} ${value.toFixed(2).padStart(7)} ${seconds.toFixed(2).padStart(8)} s`,
      );
    }
    onResults(results);
  };
  for (const each of casesOf({ gib }).filter(isChosen)) add(await measureCase(each, data));
  const starts = [
    ['start', 'bulla --version', 'bulla --version', { must: 20, aim: 8 }],
    ['start-verify', 'verify a tiny bundle', `bulla verify tiny.ova ${TRUSTED}`, { must: 60, aim: 40 }],
  ];
  for (const [id, title, line, limits] of starts) {
    if (isChosen({ id })) add(await measureStart(id, title, line, limits, data));
  }
  if (isChosen({ id: 'growth' })) add(await measureGrowth(data));
  return results;
}

/** Writes what has been measured so far. */
function writeResults(folder, results, conditions) {
  const date = new Date().toISOString().slice(0, 10);
  const document = { date, gib, rounds, ...conditions, smallFiles: SMALL_FILES, cases: results };
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/speed.json`, `${JSON.stringify(document, undefined, 1)}\n`);
}

if (!existsSync(`${HERE}../dist/cli/main.js`)) throw new Error('build it first: npm run build');
const isWhole = !values.quick && !values.case;
const out = values.out ?? (isWhole ? `${HERE}results` : undefined);
const folder = `${HERE}data`;
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const shm = mkdtempSync(existsSync('/dev/shm') ? '/dev/shm/bulla-bench-' : `${folder}/shm-`);
try {
  const conditions = { machine: await machine(), load: loadavg()[0] };
  const { processor, processors, memoryGib, node, openssl } = conditions.machine;
  console.log(
    `${processor}, ${processors} processors, ${memoryGib} GiB; Node ${node}, ${openssl}; load ${conditions.load}`,
  );
  console.log(`median of ${rounds} rounds; * a round in which others kept the machine busy\n`);
  const results = await measureAll(openData({ folder, gib, shm }), (sofar) => {
    if (out) writeResults(out, sofar, conditions);
  });
  console.log(`\n${memoryOf(results)}`);
  if (isWhole && !values.out) writePages();
  const missed = results.filter(({ value, must }) => value > must);
  if (!values.quick && (missed.length > 0 || isTooLarge(results))) process.exitCode = 1;
} finally {
  rmSync(shm, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
