import { spawnSync } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FULL = '/dev/full';
if (!existsSync(FULL)) console.warn(`SKIPPED: there is no ${FULL} to write to`);

describe('an answer that nobody gets', () => {
  it.skipIf(!existsSync(FULL))('[cli.14] ends with 3 on a full disk, and says so', () => {
    for (const words of [
      ['help', 'formats'],
      ['trust', 'list', '--json'],
    ]) {
      const full = openSync(FULL, 'w');
      const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', ...words], {
        stdio: ['ignore', full, 'pipe'],
      });
      expect([status, stderr.toString()]).toEqual([3, expect.stringContaining('STORAGE_FULL')]);
    }
  });

  it('[cli.14] is not asked for with an empty argument', () => {
    const words = ['verify', 'x.ova', '--trust', ''];
    const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', ...words]);
    expect([status, stderr.toString()]).toEqual([
      2,
      expect.stringContaining('the value of --trust is empty'),
    ]);
  });
});
