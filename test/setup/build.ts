import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const BUILT = join(ROOT, 'dist');

/**
 * Brings `dist` up to date before the tests, since some of them run the program itself. Types are for `npm run check`.
 *
 * File by file in one step each: another run of the tests may be loading them.
 */
export function setup(): void {
  if (!isStale()) return;
  const fresh = join(ROOT, `dist.partial-${process.pid}`);
  const started = new Date();
  try {
    execFileSync(process.execPath, ['build.mjs', '--no-check', '--out', fresh], {
      cwd: ROOT,
      stdio: 'inherit',
    });
    for (const name of readdirSync(fresh, { recursive: true, encoding: 'utf8' })) {
      if (statSync(join(fresh, name)).isDirectory()) continue;
      mkdirSync(dirname(join(BUILT, name)), { recursive: true });
      utimesSync(join(fresh, name), started, started); // a source may have changed since it was read
      renameSync(join(fresh, name), join(BUILT, name));
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function isStale(): boolean {
  const built = statSync(join(BUILT, 'cli/main.js'), { throwIfNoEntry: false });
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  return sources.some(
    (name) => built === undefined || built.mtimeMs < statSync(join(ROOT, 'src', name)).mtimeMs,
  );
}
