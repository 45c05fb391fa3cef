import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Linux has a file system in memory, and how much of it must be free. */
const MEMORY = '/dev/shm';
const ENOUGH = 2 ** 31;

/**
 * Folders for one run of the tests, gone when it has ended: for keys, see `test/factory/keys.ts`, and for what tests write,
 * in memory where there is room, see `test/setup/temporary.ts`.
 */
export function setup(): () => void {
  const keys = mkdtempSync(join(tmpdir(), 'bulla-test-keys-'));
  const memory = mkdtempSync(join(hasRoom() ? MEMORY : tmpdir(), 'bulla-tests-'));
  process.env['BULLA_TEST_KEYS'] = keys;
  process.env['BULLA_TEST_DISK'] = tmpdir();
  process.env['BULLA_TEST_MEMORY'] = memory;
  return () => {
    for (const folder of [keys, memory]) rmSync(folder, { recursive: true, force: true });
  };
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ENOUGH;
  } catch {
    return false;
  }
}
