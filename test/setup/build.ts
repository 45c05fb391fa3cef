import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Brings `dist` up to date before the tests, since some of them run the program itself. Types are for `npm run check`. */
export function setup(): void {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  if (!sources.some((name) => name.endsWith('.ts') && isStale(name))) return;
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '--noCheck'], { cwd: ROOT, stdio: 'inherit' });
}

function isStale(name: string): boolean {
  const built = statSync(join(ROOT, 'dist', name.replace(/\.ts$/, '.js')), { throwIfNoEntry: false });
  return built === undefined || built.mtimeMs < statSync(join(ROOT, 'src', name)).mtimeMs;
}
