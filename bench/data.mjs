import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { totalmem } from 'node:os';
import { timed } from './measure.mjs';

const MIB = 1024 ** 2;
/** The disk that is mostly empty: of each 100 MiB, so many are not. */
const FILLED_MIB = 30;
export const SMALL_FILES = 20_000;
const SMALL_BYTES = 8100;

const SIGNED = '--key keys/signer.key --cert keys/signer.pem';
export const TRUSTED = '--trust keys/ca.pem --quiet';

/** Bytes that look random and are the same each time. */
function noise() {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  return () => cipher.update(zeros);
}

/** A file of so many MiB; those for which `isFilled` says no are holes. */
function writeDisk(path, mib, isFilled = () => true) {
  const next = noise();
  const file = openSync(path, 'w');
  for (let at = 0; at < mib; at++) if (isFilled(at)) writeSync(file, next(), 0, MIB, at * MIB);
  ftruncateSync(file, mib * MIB);
  closeSync(file);
}

/** Text as configuration files have it, each file another one. */
function writeSmallFiles(folder) {
  mkdirSync(folder);
  const next = noise();
  let words = next().toString('base64');
  for (let at = 0, number = 0; number < SMALL_FILES; number++, at += SMALL_BYTES) {
    if (at + SMALL_BYTES > words.length) [at, words] = [0, next().toString('base64')];
    const text = words.slice(at, at + SMALL_BYTES).replaceAll(/.{63}/g, '$&\n');
    writeFileSync(`${folder}/f${String(number).padStart(5, '0')}.txt`, text);
  }
}

/** An empty MiB, as images begin with, and then what a system is made of: programs, libraries, texts. */
function writeRealDisk(path, mib) {
  const files = 'find /usr/bin /usr/lib /usr/share -type f -print0 | LC_ALL=C sort -z | xargs -0 cat';
  execFileSync('bash', ['-c', `{ head -c 1M /dev/zero; ${files} 2>/dev/null; } | head -c ${mib}M > ${path}`]);
}

/** Makes each set of data when it is asked for, and once; `gib` is the size of a large disk, `shm` a folder in memory. */
export function openData({ folder, gib, shm }) {
  const mib = Math.round(gib * 1024);
  const made = new Map();
  const run = (line) => timed(line, { cwd: folder });
  const pack = (inputs, output, options = '') =>
    run(`bulla pack ${inputs} -o ${output} ${options} ${SIGNED} --quiet`);
  const sets = {
    keys: () => run('bulla dev-certs keys'),
    /** as large as the memory, and takes no room */
    fill: () => run(`truncate -s ${totalmem()} fill`),
    disk: () => writeDisk(`${folder}/disk.raw`, mib),
    one: async () => {
      await need('keys', 'disk');
      await pack('disk.raw --name one', 'one.ova');
    },
    two: async () => {
      await need('keys');
      writeDisk(`${folder}/a.raw`, mib / 2);
      writeDisk(`${folder}/b.raw`, mib / 2);
      await pack('a.raw b.raw --name two', 'two.ova');
      await run('rm a.raw b.raw');
    },
    blocks: async () => {
      await need('keys', 'disk');
      await pack('disk.raw --name blocks', 'blocks.ova', '--block-digests');
    },
    zero: async () => {
      await need('keys');
      writeDisk(`${folder}/zero.raw`, mib, (at) => at % 100 < FILLED_MIB);
      await pack('zero.raw --name zero', 'zero.ova');
    },
    real: async () => {
      await need('keys');
      writeRealDisk(`${folder}/real.raw`, mib / 4);
    },
    tgz: async () => {
      await need('real');
      await pack('real.raw --name real', 'real.tgz');
    },
    zip: async () => {
      await need('real');
      await pack('real.raw --name real', 'real.zip');
    },
    small: async () => {
      await need('keys');
      writeSmallFiles(`${shm}/small`);
      await run(`cp -r keys ${shm}`);
      await timed(
        `(cd small && sha256sum * > ../sums) && bulla pack small/* --plain --name small --max-members ${SMALL_FILES + 10} -o small.ova ${SIGNED} --quiet`,
        { cwd: shm },
      );
    },
    growth: async () => {
      await need('keys');
      for (const each of [1, 4, 16]) {
        writeDisk(`${folder}/grow${each}.raw`, each * gib * 256, (at) => at % 100 === 0);
        await pack(`grow${each}.raw --name grow${each}`, `grow${each}.ova`);
        await run(`rm grow${each}.raw`);
      }
    },
  };
  async function need(...names) {
    for (const name of names) {
      made.set(name, made.get(name) ?? sets[name]());
      await made.get(name);
    }
  }
  return { need, folder, shm };
}

/** What peers want that check a signed OVA step by step: the manifest as sha256sum reads it, signature and public key. */
export const FOR_PEERS = `mkdir -p peer && cd peer && tar xf ../one.ova one.mf one.cert && cd .. &&
  sed -nE 's/^SHA256\\((.*)\\)= (.*)$/\\2  \\1/p' peer/one.mf > peer/sums &&
  sed -nE 's/^SHA256\\(.*\\)= (.*)$/\\1/p' peer/one.cert | xxd -r -p > peer/signature &&
  openssl x509 -in peer/one.cert -pubkey -noout > peer/key.pem`;
