import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the keys of one run of the tests, see `test/factory/keys.ts`; gone when it has ended. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'bulla-test-keys-'));
  process.env['BULLA_TEST_KEYS'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
