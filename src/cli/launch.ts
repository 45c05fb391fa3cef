import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

/** As a file of the program knows it; `import` is for packages that stay outside of the program. */
type Require = ((name: string) => unknown) & { import?: (name: string) => Promise<unknown> };
/** What a file of the program is called with, as Node calls a CommonJS module. */
type Start = (exports: object, require: Require, module: object, filename: string) => void;

/** The code that V8 has made of a file stands beside it, behind a copy of the file, under its name and this. */
export const CACHE_SUFFIX = '.cache';

const system = createRequire(import.meta.url);
const loaded = new Map<string, { readonly exports: object }>();
/** The files that have been loaded, with what V8 has compiled of them. */
export const scripts: { readonly file: string; readonly source: Buffer; readonly script: Script }[] = [];

/**
 * Loads a file of the program, as `require` would, but with the code that V8 made of it when it was built: compiling
 * takes longer than everything that `verify` does to a small bundle. (decision 0007)
 *
 * Without that code, or when it belongs to another file or another Node, the file is compiled.
 */
export function load(file: string): object {
  const known = loaded.get(file);
  if (known) return known.exports;
  const module = { exports: {} };
  loaded.set(file, module);
  const source = readFileSync(file); // a function around ASCII, as `build.mjs` writes it
  const cachedData = compiledOf(file, source);
  const script = new Script(source.toString('latin1'), {
    filename: pathToFileURL(file).href,
    ...(cachedData !== undefined && { cachedData }),
  });
  scripts.push({ file, source, script });
  const require: Require = (name) =>
    name.startsWith('.') ? load(resolve(dirname(file), name)) : system(name);
  require.import = (name) => import(name);
  (script.runInThisContext() as Start)(module.exports, require, module, file);
  return module.exports;
}

function compiledOf(file: string, source: Buffer): Buffer | undefined {
  let cache: Buffer;
  try {
    cache = readFileSync(file + CACHE_SUFFIX);
  } catch {
    return undefined;
  }
  // V8 itself compares no more than the length of the source
  const same = cache.subarray(0, source.byteLength).equals(source);
  return same ? cache.subarray(source.byteLength) : undefined;
}

/** What is to stand in the cache of a file that has been loaded. */
export function cacheOf({ source, script }: { readonly source: Buffer; readonly script: Script }): Buffer {
  return Buffer.concat([source, script.createCachedData()]);
}

/** Starts the program whose files are in `folder`. */
export function start(folder: string): void {
  load(join(folder, 'program.js'));
}
