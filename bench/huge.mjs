// Packs, verifies and imports an appliance whose disk is huge, and tells time and memory of each step.
// npm run bench -- --gib 20
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BULLA, measure, piped } from './measure.mjs';

const FOLDER = fileURLToPath(new URL('data', import.meta.url));
const GIB = 1024 ** 3;
const MOST_MIB = 120;
const HASH = ['openssl', 'dgst', '-sha256'];

/** A disk of holes with 8 MiB of random bytes here and there. */
async function makeDisk(path, bytes) {
  const file = await open(path, 'wx');
  const block = randomBytes(8 * 1024 * 1024);
  for (const part of [0, 0.25, 0.5, 0.75]) await file.write(block, 0, block.length, Math.floor(bytes * part));
  await file.write(block, 0, block.length, bytes - block.length);
  await file.close();
}

const UUID = '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d';
const GLANCE_SIGN = [
  'glance',
  'sign',
  'disk.raw',
  '--key',
  'keys/signer.key',
  '--cert-uuid',
  UUID,
  '-o',
  'disk.json',
];
const GLANCE_VERIFY = ['glance', 'verify', 'disk.raw', '--properties', 'disk.json', '--certificates', 'keys'];
GLANCE_VERIFY.push('--trust', 'keys/ca.pem');

/**
 * What is measured, in this order; `reads` is the file that the speed is counted over. Each file is read once by
 * `cat` before, so that no other step pays for bringing it into the page cache (while it fits there).
 */
const STEPS = [
  { name: 'cat, the disk', command: ['cat', 'disk.raw'], reads: 'disk.raw' },
  { name: 'openssl dgst, the disk', command: [...HASH, 'disk.raw'], reads: 'disk.raw' },
  { name: 'pack, signed', command: [...BULLA, ...signedPack('huge.ova')], reads: 'disk.raw' },
  {
    name: 'pack, signed, trailing',
    command: [...BULLA, ...signedPack('trailing.ova'), '--order', 'trailing'],
    reads: 'disk.raw',
  },
  { name: 'pack, signed, zip', command: [...BULLA, ...signedPack('huge.zip')], reads: 'disk.raw' },
  { name: 'verify, a zip', command: [...BULLA, ...trusting('verify', 'huge.zip')], reads: 'disk.raw' },
  { name: 'glance sign', command: [...BULLA, ...GLANCE_SIGN], reads: 'disk.raw' },
  { name: 'glance verify', command: [...BULLA, ...GLANCE_VERIFY], reads: 'disk.raw' },
  { name: 'cat, the bundle', command: ['cat', 'huge.ova'], reads: 'huge.ova' },
  { name: 'openssl dgst, the bundle', command: [...HASH, 'huge.ova'], reads: 'huge.ova' },
  { name: 'verify, a file', command: [...BULLA, ...trusting('verify', 'huge.ova')], reads: 'huge.ova' },
  {
    name: 'verify, a pipe',
    command: piped(['cat', 'huge.ova'], [...BULLA, ...trusting('verify', '-')]),
    reads: 'huge.ova',
  },
  {
    name: 'import, a file',
    command: [...BULLA, ...trusting('import', 'huge.ova'), '--to', 'imported'],
    reads: 'huge.ova',
  },
];

function signedPack(output) {
  return ['pack', 'disk.raw', '-o', output, '--key', 'keys/signer.key', '--cert', 'keys/signer.pem'];
}

function trusting(verb, input) {
  return [verb, input, '--trust', 'keys/ca.pem'];
}

/** Runs the steps and prints a line for each; true when none took too much memory. */
async function runSteps() {
  let floor;
  let modest = true;
  console.log('step                        seconds     MB/s  x openssl  peak MiB');
  for (const { name, command, reads } of STEPS) {
    const { seconds, peakMib } = await measure(command, { cwd: FOLDER });
    if (command[0] === HASH[0]) floor = seconds;
    const speed = statSync(`${FOLDER}/${reads}`).size / 1e6 / seconds;
    console.log(
      [
        name.padEnd(26),
        seconds.toFixed(2).padStart(8),
        speed.toFixed(0).padStart(8),
        (floor ? (seconds / floor).toFixed(2) : '-').padStart(10),
        (peakMib?.toFixed(0) ?? '-').padStart(9),
      ].join(' '),
    );
    modest &&= peakMib === undefined || peakMib < MOST_MIB;
  }
  return modest;
}

/** Bytes as the file system counts them, for holes must stay holes. */
function tellAllocated(...names) {
  for (const name of names) {
    const { size, blocks } = statSync(`${FOLDER}/${name}`);
    console.log(
      `${name}: ${(size / GIB).toFixed(1)} GiB, ${((blocks * 512) / 1024 ** 2).toFixed(0)} MiB allocated`,
    );
  }
}

const { values } = parseArgs({ options: { gib: { type: 'string', default: '20' } } });
const gib = Number(values.gib);
if (!(gib >= 0.1 && gib <= 1024)) throw new Error(`--gib ${values.gib}: a number from 0.1 to 1024 is wanted`);
if (!existsSync(BULLA.at(-1))) throw new Error('build it first: npm run build');

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
try {
  console.log(`a disk of ${gib} GiB, 40 MiB of it not zero`);
  await makeDisk(`${FOLDER}/disk.raw`, Math.floor(gib * GIB));
  await measure([...BULLA, 'dev-certs', 'keys'], { cwd: FOLDER });
  cpSync(`${FOLDER}/keys/signer.pem`, `${FOLDER}/keys/${UUID}.pem`);
  const modest = await runSteps();
  tellAllocated('disk.raw', 'huge.ova', 'imported/disk.raw');
  if (!modest) {
    console.error(`FAILED: a step held ${MOST_MIB} MiB of memory or more`);
    process.exitCode = 1;
  }
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
