import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderForTests } from '../factory/sandbox.ts';
import { hasPeer } from './peer.ts';

const ROOT = join(import.meta.dirname, '../..');
const GREETING = 'bulla sample appliance: booted';
const BOOT_MS = 30_000;

const images = hasPeer('qemu-img --version', 'that an imported disk is an image to QEMU');
const machines = hasPeer('qemu-system-x86_64 --version', 'that the imported sample appliance boots');

describe.skipIf(!images && !machines).each(['appliance.ova', 'appliance-trailing.ova', 'appliance.tgz'])(
  '%s, imported',
  (bundle) => {
    const folder = folderForTests();
    let disk = '';
    beforeAll(() => {
      const trust = join(ROOT, 'samples/ca/ca.pem');
      const argv = ['import', join(ROOT, 'samples', bundle), '--to', 'machine', '--trust', trust];
      const program = join(ROOT, 'dist/cli/main.js');
      execFileSync(process.execPath, [program, ...argv, '--at', '2026-12-01'], { cwd: folder });
      disk = join(folder, 'machine/appliance-disk1.vmdk');
    });

    test.skipIf(!images)('the disk is what qemu-img says it should be', () => {
      const info = execFileSync('qemu-img', ['info', '--output=json', disk], { encoding: 'utf8' });
      expect(JSON.parse(info)).toMatchObject({ format: 'vmdk', 'virtual-size': 1024 * 1024 });
    });

    test.skipIf(!machines)('the machine boots and says so', async () => {
      const machine = spawn('qemu-system-x86_64', [
        ...['-accel', 'tcg', '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-nic', 'none'],
        ...['-m', '64', '-snapshot', '-drive', `file=${disk},format=vmdk`],
      ]);
      try {
        expect(await consoleUntil(machine, GREETING)).toContain(GREETING);
      } finally {
        machine.kill('SIGKILL');
      }
    });
  },
);

/** What the machine prints until it has printed `text`, ends, or has had its time. */
function consoleUntil(machine: ChildProcess, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const timer = setTimeout(() => resolve(seen), BOOT_MS);
    const finish = (): void => {
      clearTimeout(timer);
      resolve(seen);
    };
    const read = (bytes: Buffer): void => {
      seen += bytes.toString('latin1');
      if (seen.includes(text)) finish();
    };
    machine.stdout?.on('data', read);
    machine.stderr?.on('data', read);
    machine.on('error', reject);
    machine.on('close', finish);
  });
}
