import { fstatSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Settling } from '../../../src/storage/output/settling.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor);
    return true;
  } catch {
    return false;
  }
}

describe('[import.4] files on their way to the disk', () => {
  test('are closed when they are there, whatever the disk is like', async () => {
    using sandbox = makeSandbox();
    for (const patience of [undefined, 0]) {
      const settling = new Settling(patience);
      const opened = new Set<number>(); // a number is used again
      for (let i = 0; i < 100; i++) {
        const descriptor = openSync(sandbox.write(`f${i}`, 'text'), 'r+');
        opened.add(descriptor);
        await settling.add(descriptor, { name: `f${i}`, onSettled: () => {} });
        expect([...opened].filter(isOpen).length).toBeLessThanOrEqual(16);
      }
      await settling.settled();
      expect([...opened].filter(isOpen)).toEqual([]);
    }
  });

  test('are told of when they cannot be there: by the next, or in the end', async () => {
    for (const patience of [undefined, 0]) {
      const settling = new Settling(patience);
      const fault = { code: 'STORAGE_FAILED', where: { file: 'disk.img' } };
      const adding = async (): Promise<void> =>
        settling.add(1_000_000, { name: 'disk.img', onSettled: () => {} });
      if (patience === undefined) await expect(adding()).rejects.toMatchObject(fault);
      else await adding();
      await expect(settling.settled()).rejects.toMatchObject(fault);
      await expect(adding()).rejects.toMatchObject(fault);
    }
  });
});
