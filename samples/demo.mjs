// Shows pack, sign, verify, refuse and import with an appliance made on the spot. npm run demo
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootDisk } from './boot-disk.mjs';
import { find, flipByte } from './tamper.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROGRAM = join(ROOT, 'dist/cli/main.js');
const NO_TRUST = [20, 18]; // 18 where the machine's own /etc/bulla trusts somebody

const desk = mkdtempSync(join(tmpdir(), 'bulla-demo-'));
try {
  build();
  demonstrate();
  console.log('\nEvery step ended as it should.');
} catch (error) {
  console.error(`\nFAILED: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(desk, { recursive: true, force: true });
}

function demonstrate() {
  say('A disk that boots and says so on its serial port: disk.img, 1 MiB.');
  writeFileSync(join(desk, 'disk.img'), bootDisk());

  say('A CA and a signer under it, for trying things out:');
  bulla('dev-certs keys');

  say('The disk becomes a signed appliance:');
  bulla('pack disk.img -o appliance.ova --product Demo --key keys/signer.key --cert keys/signer.pem');

  say('Whoever trusts the CA accepts it:');
  bulla('verify appliance.ova --trust keys/ca.pem');

  say('Whoever trusts nobody does not. A signature alone is no reason to:');
  bulla('verify appliance.ova', NO_TRUST);

  say('On its way, one bit of the disk is changed: tampered.ova.');
  const ova = readFileSync(join(desk, 'appliance.ova'));
  writeFileSync(join(desk, 'tampered.ova'), flipByte(ova, find(ova, '.img').data + 100));
  bulla('verify tampered.ova --trust keys/ca.pem', [11]);

  say('It is not imported either, and nothing is left behind:');
  bulla('import tampered.ova --to machine --trust keys/ca.pem', [11]);
  if (existsSync(join(desk, 'machine'))) throw new Error('the refused import left a folder');

  say('The right one is imported:');
  bulla('import appliance.ova --to machine --trust keys/ca.pem');
  const imported = readFileSync(join(desk, 'machine/disk.img'));
  if (!imported.equals(bootDisk())) throw new Error('the imported disk is another');
  say('machine/disk.img is disk.img, byte for byte. With QEMU at hand, it boots:');
  console.log('$ qemu-system-x86_64 -nographic -drive file=machine/disk.img,format=raw');
}

/** Runs one command line as a user would, its output on the terminal. */
function bulla(line, expected = [0]) {
  console.log(`$ bulla ${line}`);
  const { status, error } = spawnSync(process.execPath, [PROGRAM, ...line.split(' ')], {
    cwd: desk,
    env: { ...process.env, BULLA_HOME: join(desk, 'home') },
    stdio: 'inherit',
  });
  if (error) throw error;
  console.log(`(exit code ${status})`);
  if (!expected.includes(status)) {
    throw new Error(`bulla ${line} ended with ${status}, not ${expected.join(' or ')}`);
  }
}

function build() {
  if (existsSync(PROGRAM)) return;
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Error('the program could not be built');
}

function say(text) {
  console.log(`\n# ${text}`);
}
