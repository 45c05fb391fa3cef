import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type DiskProbe, isSelfContained } from '../../src/formats/disk/disk-probe.ts';
import { PROBE_HEAD_BYTES, PROBE_TAIL_BYTES, probeDisk } from '../../src/formats/disk/probe.ts';
import { vmdk, vmdkDescriptor } from '../factory/disk-images.ts';
import { folderForTests } from '../factory/sandbox.ts';
import { hasPeer } from './peer.ts';

const here = hasPeer('qemu-img --version', 'the disk probe beside that of qemu-img');

interface QemuInfo {
  readonly format: string;
  readonly 'virtual-size': number;
  readonly 'backing-filename'?: string;
}

const QEMU_NAMES: Readonly<Record<string, string>> = { vpc: 'vhd' };

describe.skipIf(!here)('qemu-img', () => {
  const folder = folderForTests();
  beforeAll(() => {
    // Content that does not compress, so that streams have something after their header.
    const bytes = Uint8Array.from({ length: 3 << 20 }, (_, at) => (Math.imul(at, 2654435761) >>> 13) & 0xff);
    writeFileSync(join(folder, 'content'), bytes);
  });

  const qemu = (...args: readonly string[]): string =>
    execFileSync('qemu-img', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  const info = (name: string, format?: string): QemuInfo =>
    JSON.parse(qemu('info', '--output=json', ...(format ? ['-f', format] : []), name));

  const probe = (name: string): DiskProbe => {
    const bytes = readFileSync(join(folder, name));
    return probeDisk(
      bytes.subarray(0, PROBE_HEAD_BYTES),
      bytes.subarray(-PROBE_TAIL_BYTES),
      bytes.byteLength,
    );
  };

  const VARIANTS = [
    { file: 'v2.qcow2', format: 'qcow2', options: 'compat=0.10', variant: 'v2' },
    { file: 'v3.qcow2', format: 'qcow2', options: 'compat=1.1', variant: 'v3' },
    { file: 'small.qcow2', format: 'qcow2', options: 'cluster_size=512', variant: 'v3' },
    { file: 'extended.qcow2', format: 'qcow2', options: 'extended_l2=on,cluster_size=2M', variant: 'v3' },
    {
      file: 'sparse.vmdk',
      format: 'vmdk',
      options: 'subformat=monolithicSparse',
      variant: 'monolithicSparse',
    },
    { file: 'stream.vmdk', format: 'vmdk', options: 'subformat=streamOptimized', variant: 'streamOptimized' },
    { file: 'dynamic.vhd', format: 'vpc', options: 'subformat=dynamic', variant: 'dynamic' },
    { file: 'fixed.vhd', format: 'vpc', options: 'subformat=fixed', variant: 'fixed' },
    { file: 'forced.vhd', format: 'vpc', options: 'subformat=dynamic,force_size=on', variant: 'dynamic' },
    { file: 'dynamic.vhdx', format: 'vhdx', options: 'subformat=dynamic', variant: 'dynamic' },
    { file: 'fixed.vhdx', format: 'vhdx', options: 'subformat=fixed', variant: 'fixed' },
  ];

  test.each(VARIANTS)(
    '[disk.1] $file: same format and virtual size',
    ({ file, format, options, variant }) => {
      qemu('convert', '-f', 'raw', '-O', format, '-o', options, 'content', file);
      // QEMU knows a fixed VHD only when it is told.
      const theirs = info(file, variant === 'fixed' ? format : undefined);
      const ours = probe(file);
      expect({ format: ours.format, size: ours.virtualSize }).toEqual({
        format: QEMU_NAMES[theirs.format] ?? theirs.format,
        size: theirs['virtual-size'],
      });
      expect(ours.variant).toBe(variant);
      expect(isSelfContained(ours)).toBe(true);
    },
  );

  test.each([
    ['qcow2', 'big.qcow2', '60T'],
    ['vmdk', 'big.vmdk', '2T'],
    ['vpc', 'big.vhd', '2040G'],
    ['vhdx', 'big.vhdx', '1T'],
  ])('[disk.3] a large empty %s image', (format, file, size) => {
    qemu('create', '-q', '-f', format, file, size);
    expect(probe(file).virtualSize).toBe(info(file)['virtual-size']);
  });

  test('[disk.13] raw sectors', () => {
    expect(probe('content').virtualSize).toBe(info('content')['virtual-size']);
  });

  test('[disk.11] backing and data files of qcow2 show as qemu-img sees them', () => {
    qemu('create', '-q', '-f', 'qcow2', '-b', 'content', '-F', 'raw', 'overlay.qcow2');
    expect(probe('overlay.qcow2').backingFile).toBe(info('overlay.qcow2')['backing-filename']);
    qemu('create', '-q', '-f', 'qcow2', '-o', 'data_file=outside.raw', 'outer.qcow2', '1M');
    expect(probe('outer.qcow2').dataFile).toBe('outside.raw');
  });

  test('[disk.8] VMDK descriptors and parents show', () => {
    qemu('create', '-q', '-f', 'vmdk', '-o', 'subformat=monolithicFlat', 'flat.vmdk', '4M');
    expect(probe('flat.vmdk')).toMatchObject({
      variant: 'monolithicFlat',
      virtualSize: 4 << 20,
      dataFile: 'flat-flat.vmdk',
    });
    qemu('create', '-q', '-f', 'vmdk', 'base.vmdk', '4M');
    qemu('create', '-q', '-f', 'vmdk', '-b', 'base.vmdk', '-F', 'vmdk', 'child.vmdk');
    expect(probe('child.vmdk').backingFile).toBe('base.vmdk');
  });

  test('[disk.7] an extent without capacity is indeed read from the file that its descriptor names', () => {
    const text = vmdkDescriptor({ type: 'monolithicFlat', extents: ['RW 6144 FLAT "content" 0'] });
    writeFileSync(join(folder, 'trap.vmdk'), vmdk({ capacity: 0n, text }));
    qemu('convert', '-f', 'vmdk', '-O', 'raw', 'trap.vmdk', 'stolen');
    expect(readFileSync(join(folder, 'stolen')).equals(readFileSync(join(folder, 'content')))).toBe(true);
    expect(probe('trap.vmdk').dataFile).toBe('content');
  });
});
