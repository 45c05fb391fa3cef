import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasPeer } from './peer.ts';

const SAMPLES = join(import.meta.dirname, '../../samples');
const here = hasPeer('virt-v2v --version', 'virt-v2v on whole bundles of ours');

function printSource(bundle: string): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('virt-v2v', ['-i', 'ova', bundle, '--print-source'], {
    cwd: SAMPLES,
    encoding: 'utf8',
    env: { ...process.env, LIBGUESTFS_BACKEND: 'direct' },
  });
  return { code: status, output: stdout + stderr };
}

describe.skipIf(!here)('virt-v2v', () => {
  test.each(['appliance.ova', 'appliance-trailing.ova', 'appliance.tgz'])(
    'compares the manifest of %s and takes the machine',
    (bundle) => {
      const { code, output } = printSource(bundle);
      expect(code, output).toBe(0);
      expect(output).not.toMatch(/warning/); // it warns of each manifest line that it cannot read, and goes on
      expect(output).toMatch(/source name: appliance/);
      expect(output).toMatch(/disks:\s+0 \[scsi\]/);
    },
  );

  test('refuses the disk that was changed, as we do', () => {
    const { code, output } = printSource('tampered/disk-changed.ova');
    expect(code).toBe(1);
    expect(output).toMatch(/checksum of disk .*appliance-disk1\.vmdk does not match manifest/s);
  });
});
