import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { probeDisk } from '../../src/formats/disk/probe.ts';
import { concat } from '../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import {
  image,
  put,
  qcow2,
  vhdDynamic,
  vhdFooter,
  vhdx,
  vmdk,
  vmdkDescriptor,
} from '../factory/disk-images.ts';
import { mutated } from '../factory/mutation.ts';

function survives(head: Uint8Array, tail: Uint8Array, size: number): void {
  try {
    const { virtualSize, format } = probeDisk(head, tail, size);
    expect(Number.isSafeInteger(virtualSize) && virtualSize >= 0, format).toBe(true);
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'FORMAT_UNSUPPORTED') throw error;
  }
}

const MAGICS = [
  'QFI\u{FB}',
  'KDMV',
  'conectix',
  'vhdxfile',
  '# Disk DescriptorFile\n',
  'version=1\n',
  '',
].map((text) => Uint8Array.from(text, (char) => char.charCodeAt(0)));

test('[disk.2] any bytes give a result or FORMAT_UNSUPPORTED', () => {
  const bytes = fc.tuple(fc.constantFrom(...MAGICS), fc.uint8Array({ maxLength: 2048 }));
  const size = fc.oneof(fc.nat(10_000), fc.maxSafeNat(), fc.double());
  fc.assert(
    fc.property(bytes, bytes, size, (head, tail, length) =>
      survives(concat([...head]), concat([...tail]), length),
    ),
    { numRuns: 3000 },
  );
});

describe('[disk.2] a valid image with any bytes changed gives a result or FORMAT_UNSUPPORTED', () => {
  const small = {
    qcow2: qcow2({ backing: 'base', dataFile: 'data', features: 4n }),
    'VMDK with footer': vmdk({ capacity: 0n, footerCapacity: 8n, compressed: true }),
    'VMDK descriptor': encodeUtf8(vmdkDescriptor({ hint: 'base', parent: '1' })),
    'dynamic VHD': vhdDynamic({ type: 4, parent: 'base' }),
    'fixed VHD': put(image(1024), 512, vhdFooter({ type: 2, size: 512 })),
  };
  test.each(Object.entries(small))('[disk.2] %s', (_, valid) => {
    fc.assert(
      fc.property(mutated(valid), (bytes) => survives(bytes, bytes.subarray(-1536), bytes.byteLength)),
      { numRuns: 1500 },
    );
  });

  test('[disk.2] VHDX', () => {
    // Only the parts that mean something, so that the changes hit them.
    const valid = vhdx({ parent: 'base' });
    const parts = [0, 64, 128, 192, 1024, 1088, 1089, 1090].map((kib) => kib * 1024);
    const change = fc.tuple(fc.constantFrom(...parts), fc.nat(127), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
        const bytes = valid.slice();
        for (const [part, at, value] of changes) bytes[part + at] = value;
        survives(bytes, bytes.subarray(-1536), bytes.byteLength);
      }),
      { numRuns: 500 },
    );
  });
});
