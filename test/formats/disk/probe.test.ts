import { describe, expect, test } from 'vitest';
import { type DiskProbe, isSelfContained } from '../../../src/formats/disk/disk-probe.ts';
import { PROBE_HEAD_BYTES, PROBE_TAIL_BYTES, probeDisk } from '../../../src/formats/disk/probe.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import {
  image,
  put,
  qcow2,
  vhdDynamic,
  vhdFooter,
  vhdx,
  vmdk,
  vmdkDescriptor,
} from '../../factory/disk-images.ts';

function probe(bytes: Uint8Array, size = bytes.byteLength): DiskProbe {
  return probeDisk(bytes.subarray(0, PROBE_HEAD_BYTES), bytes.subarray(-PROBE_TAIL_BYTES), size);
}

function fault(bytes: Uint8Array, size = bytes.byteLength): string {
  try {
    probe(bytes, size);
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'FORMAT_UNSUPPORTED') throw error;
    return error.message;
  }
  return 'accepted';
}

const GIB = 2 ** 30;

describe('any image', () => {
  test('[disk.1] the format is found by content', () => {
    expect(probe(qcow2()).format).toBe('qcow2');
    expect(probe(vmdk()).format).toBe('vmdk');
    expect(probe(vhdx()).format).toBe('vhdx');
    expect(probe(vhdDynamic()).format).toBe('vhd');
    expect(probe(image(1024))).toEqual({ format: 'raw', virtualSize: 1024 });
  });

  test('[disk.2] headers cut short at any byte are refused or another format, never another error', () => {
    for (const whole of [qcow2({ backing: 'x' }), vmdk(), vhdDynamic(), vhdx().subarray(0, 300 * 1024)]) {
      const step = whole.byteLength > 8192 ? 997 : 7;
      for (let length = 0; length < whole.byteLength; length += step) fault(whole.subarray(0, length));
    }
    expect(fault(qcow2().subarray(0, 100))).toMatch(/cut short/);
  });

  test('[disk.3] sizes over 2^53 − 1 are refused', () => {
    expect(fault(qcow2({ size: 2n ** 53n }))).toMatch(/the size of the qcow2 header is larger/);
    expect(fault(vmdk({ capacity: 2n ** 50n }))).toMatch(/capacity of the VMDK header is larger/);
    expect(fault(vhdx({ size: 2n ** 64n - 1n }))).toMatch(/larger than 2\^53/);
    expect(fault(image(512), 2 ** 53)).toMatch(/larger than 2\^53/);
  });

  test('[disk.4] an image that is two formats at once is refused', () => {
    const both = put(image(8192), 0, qcow2().subarray(0, 512));
    put(both, 8192 - 512, vhdFooter({ type: 2, size: 4096 }));
    expect(fault(both)).toBe('the image begins as qcow2 and ends as VHD');
  });
});

describe('qcow2', () => {
  test('[disk.5] versions 2 and 3', () => {
    expect(probe(qcow2({ version: 2, size: 5n * 2n ** 30n }))).toEqual({
      format: 'qcow2',
      variant: 'v2',
      virtualSize: 5 * GIB,
    });
    expect(probe(qcow2({ size: 512n }))).toEqual({ format: 'qcow2', variant: 'v3', virtualSize: 512 });
  });

  test('[disk.5] other versions, features and cluster sizes are refused', () => {
    expect(fault(qcow2({ version: 1 }))).toMatch(/qcow version 1/);
    expect(fault(qcow2({ version: 4 }))).toMatch(/qcow version 4/);
    expect(fault(qcow2({ features: 1n << 5n }))).toMatch(/features that are not known/);
    expect(fault(qcow2({ clusterBits: 8 }))).toMatch(/clusters of 2\^8/);
    expect(fault(qcow2({ clusterBits: 22 }))).toMatch(/clusters of 2\^22/);
    expect(fault(qcow2({ headerLength: 103 }))).toMatch(/103 bytes/);
  });

  test('[disk.11] a backing file shows', () => {
    const found = probe(qcow2({ backing: '/etc/passwd' }));
    expect(found.backingFile).toBe('/etc/passwd');
    expect(isSelfContained(found)).toBe(false);
    expect(isSelfContained(probe(qcow2()))).toBe(true);
    expect(probe(qcow2({ backing: '' })).backingFile).toBe('(unnamed)');
    expect(fault(qcow2({ backing: 'x'.repeat(1024) }))).toMatch(/outside of its first cluster/);
    expect(fault(qcow2({ backing: 'x', backingAt: 2n ** 63n }))).toMatch(/larger than 2\^53/);
    expect(fault(qcow2({ backing: 'x', backingAt: 65536n }))).toMatch(/outside of its first cluster/);
  });

  test('[disk.11] an external data file shows by its bit or by its name', () => {
    expect(probe(qcow2({ features: 4n, dataFile: 'd.raw' })).dataFile).toBe('d.raw');
    expect(probe(qcow2({ dataFile: 'd.raw' })).dataFile).toBe('d.raw');
    expect(probe(qcow2({ features: 4n })).dataFile).toBe('(unnamed)');
    expect(isSelfContained(probe(qcow2({ features: 4n })))).toBe(false);
    expect(fault(qcow2({ dataFile: 'x', extensionLength: 2 ** 32 - 1 }))).toMatch(/extension that leaves/);
  });

  test('[disk.11] what a person should know is noted', () => {
    expect(probe(qcow2({ features: 2n, encryption: 1, snapshots: 3 })).note).toBe(
      'marked as corrupt, encrypted, holds 3 internal snapshots',
    );
  });
});

describe('VMDK', () => {
  test('[disk.7] capacity from the header, or from the footer of a stream', () => {
    expect(probe(vmdk({ capacity: 8n }))).toEqual({
      format: 'vmdk',
      variant: 'monolithicSparse',
      virtualSize: 4096,
    });
    expect(probe(vmdk({ capacity: 0n, footerCapacity: 16n, compressed: true, text: '' }))).toEqual({
      format: 'vmdk',
      variant: 'streamOptimized',
      virtualSize: 8192,
    });
    expect(fault(vmdk({ footerCapacity: 16n }).subarray(0, -512))).toMatch(/footer is missing/);
    expect(fault(vmdk({ capacity: 0n, text: '' }))).toMatch(/no capacity/);
    expect(fault(vmdk({ version: 4 }))).toMatch(/version 4/);
  });

  test('[disk.7] an extent without capacity shows the files of its descriptor', () => {
    const text = vmdkDescriptor({ extents: ['RW 16 FLAT "/etc/shadow" 0'] });
    expect(probe(vmdk({ capacity: 0n, text }))).toMatchObject({ dataFile: '/etc/shadow', virtualSize: 8192 });
    expect(probe(vmdk({ capacity: 0n, footerCapacity: 16n, text })).dataFile).toBe('/etc/shadow');
  });

  test('[disk.8] a text descriptor alone names the files that hold the content', () => {
    const text = vmdkDescriptor({
      type: 'monolithicFlat',
      extents: ['RW 16 FLAT "a-flat.vmdk" 0', 'RW 4 ZERO'],
    });
    const found = probe(encodeUtf8(text));
    expect(found).toMatchObject({ format: 'vmdk', variant: 'monolithicFlat', virtualSize: 10240 });
    expect(found.dataFile).toBe('a-flat.vmdk, (unnamed)');
    expect(isSelfContained(found)).toBe(false);
    expect(probe(encodeUtf8('# anything\n\nversion=1\n')).dataFile).toBe('(unnamed)');
    expect(fault(encodeUtf8(text.padEnd(70_000)))).toMatch(/larger than 64 KiB/);
  });

  test('[disk.8] parents and further extents show', () => {
    const backing = (more: Parameters<typeof vmdkDescriptor>[0]) =>
      probe(vmdk({ text: vmdkDescriptor(more) })).backingFile;
    expect(backing({})).toBeUndefined();
    expect(backing({ parent: '12345678' })).toBe('(unnamed)');
    expect(backing({ parent: '12345678', hint: 'base.vmdk' })).toBe('base.vmdk');
    expect(backing({ hint: '/etc/passwd' })).toBe('/etc/passwd');
    const two = vmdkDescriptor({ extents: ['RW 8 SPARSE "a.vmdk"', 'RW 8 SPARSE "b.vmdk"'] });
    expect(probe(vmdk({ text: two })).dataFile).toBe('a.vmdk, b.vmdk');
    expect(probe(vmdk({ text: vmdkDescriptor({ extents: ['RW 8 FLAT "a" 0'] }) })).dataFile).toBe('a');
    expect(fault(vmdk({ descriptorAt: 2n ** 40n }))).toMatch(/outside of the start/);
    expect(fault(vmdk({ descriptorSize: 2n ** 40n }))).toMatch(/larger than 64 KiB/);
  });
});

describe('VHD', () => {
  const fixed = (footer: Uint8Array): Uint8Array => put(image(8192 + 512), 8192, footer);

  test('[disk.9] fixed by the footer, dynamic by the copy at the start', () => {
    expect(probe(fixed(vhdFooter({ type: 2, size: 8192 })))).toEqual({
      format: 'vhd',
      variant: 'fixed',
      virtualSize: 8192,
    });
    expect(probe(vhdDynamic({ size: 3 * GIB }))).toEqual({
      format: 'vhd',
      variant: 'dynamic',
      virtualSize: 3 * GIB,
    });
  });

  test('[disk.9] wrong checksums, types and sizes are refused', () => {
    expect(fault(put(fixed(vhdFooter({ type: 2, size: 8192 })), 8192 + 100, Uint8Array.of(1)))).toMatch(
      /checksum/,
    );
    expect(fault(fixed(vhdFooter({ type: 2, size: 8193 })))).toMatch(/shorter than the size/);
    expect(fault(fixed(vhdFooter({ type: 3, size: 8192 })))).toMatch(/disk type 3/);
    expect(fault(vhdDynamic({ type: 2 }))).toMatch(/disk type 2/);
    expect(fault(put(vhdDynamic(), 512, encodeUtf8('x')))).toMatch(/dynamic VHD header is missing/);
  });

  test('[disk.9] the parent of a differencing VHD shows', () => {
    expect(probe(vhdDynamic({ type: 4, parent: 'base.vhd' }))).toMatchObject({
      variant: 'differencing',
      backingFile: 'base.vhd',
    });
    expect(probe(vhdDynamic({ type: 4 })).backingFile).toBe('(unnamed)');
  });
});

describe('VHDX', () => {
  test('[disk.10] the size comes from the metadata', () => {
    expect(probe(vhdx({ size: 7n * 2n ** 30n }))).toEqual({
      format: 'vhdx',
      variant: 'dynamic',
      virtualSize: 7 * GIB,
    });
    expect(probe(vhdx({ flags: 1 })).variant).toBe('fixed');
    expect(probe(vhdx({ log: true })).note).toMatch(/log/);
  });

  test('[disk.10] metadata that is missing, out of reach or ambiguous is refused', () => {
    expect(fault(vhdx({ regions: 0 }))).toMatch(/no metadata region/);
    expect(fault(vhdx({ regions: 3000 }))).toMatch(/3000 entries/);
    expect(fault(vhdx({ metadataAt: 2n ** 33n }))).toMatch(/lies at byte 8589934592/);
    expect(fault(vhdx({ items: ['size'] }))).toMatch(/no size or no parameters/);
    expect(fault(vhdx({ items: ['size', 'size', 'parameters'] }))).toMatch(/item twice/);
    expect(fault(put(vhdx(), 1024 * 1024, encodeUtf8('x')))).toMatch(/table is missing/);
    expect(fault(put(vhdx(), 192 * 1024, encodeUtf8('x')))).toMatch(/region table is missing/);
  });

  test('[disk.10] a parent shows', () => {
    expect(probe(vhdx({ flags: 2 }))).toMatchObject({ variant: 'differencing', backingFile: '(unnamed)' });
    expect(probe(vhdx({ parent: 'base.vhdx' }))).toMatchObject({
      variant: 'differencing',
      backingFile: 'base.vhdx',
    });
  });
});

describe('content', () => {
  test.each([
    ['QED', 0, 'QED\0'],
    ['VDI', 64, '\x7F\x10\xDA\xBE'],
    ['COWD', 0, 'COWD'],
    ['Parallels', 0, 'WithoutFreeSpace'],
    ['gzip', 0, '\x1F\x8B\x08'],
    ['xz', 0, '\xFD7zXZ\0'],
    ['zip', 0, 'PK\x03\x04'],
  ])('[disk.6] %s is refused', (_, at, magic) => {
    const bytes = put(
      image(1024),
      at,
      Uint8Array.from(magic, (char) => char.charCodeAt(0)),
    );
    expect(fault(bytes)).toMatch(/which is not packed/);
  });

  test('[disk.12] an ISO by its primary volume descriptor', () => {
    const iso = put(image(40 * 1024), 32 * 1024, encodeUtf8('\x01CD001\x01'));
    expect(probe(iso)).toEqual({ format: 'iso', virtualSize: 40 * 1024 });
    expect(probe(put(iso, 0, encodeUtf8('MBR'))).format).toBe('iso');
    expect(probe(put(image(40 * 1024), 32 * 1024, encodeUtf8('\x02CD001\x01'))).format).toBe('raw');
  });

  test('[disk.13] anything else is raw; an empty file is refused', () => {
    expect(probe(image(513))).toEqual({
      format: 'raw',
      virtualSize: 513,
      note: 'the size is not a multiple of 512 bytes',
    });
    expect(fault(image(0))).toBe('the image is empty');
  });
});
