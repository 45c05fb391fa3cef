import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = makeSandbox();
  cpSync('dist', sandbox.path('dist'), { recursive: true });
  cpSync('package.json', sandbox.path('package.json'));
  symlinkSync(resolve('node_modules'), sandbox.path('node_modules'));
});
afterEach(() => sandbox[Symbol.dispose]());

const file = (name: string): string => join(sandbox.path('dist/cli'), name);
const run = (...words: readonly string[]): string => {
  const { stdout, stderr } = spawnSync(process.execPath, [file('main.js'), ...words], { encoding: 'utf8' });
  return stdout + stderr;
};

describe('the code that V8 has made', () => {
  test('is used by the Node that built it', () => {
    const main = JSON.stringify(file('main.js'));
    const script = `const { start, scripts, cacheOf, CACHE_SUFFIX } = require(${main});
      process.argv[2] = '--version';
      process.on('exit', () => {
        console.log(scripts.map(({ script }) => script.cachedDataRejected));
        for (const each of scripts) require('node:fs').writeFileSync(each.file + CACHE_SUFFIX, cacheOf(each));
      });
      start(require('node:path').dirname(${main}));`;
    const load = (): string => spawnSync(process.execPath, ['--eval', script], { encoding: 'utf8' }).stdout;
    expect(load()).toContain(version()); // the suite is run by another Node as well, with the program that the first one has built
    expect(load()).toMatch(/^[\d.]+\n\[ false(, false)* \]\n$/);
  });

  test('does not outlive a change of the file, not even one that keeps its length', () => {
    const program = readFileSync(file('program.js'), 'latin1');
    expect(program).toContain('Packs, signs, verifies');
    writeFileSync(file('program.js'), program.replace('Packs, signs, verifies', 'PACKS, signs, verifies'));
    expect(run('--help')).toContain('PACKS, signs, verifies');
  });

  test.each([0, 2, 1000])('is done without when only %i bytes of it are there', (length) => {
    truncateSync(file('program.js.cache'), length);
    expect(run('--version')).toBe(`${version()}\n`);
  });

  test('is done without when it is gone, or of another version of V8', () => {
    rmSync(file('chunks/common.js.cache'));
    const cache = readFileSync(file('program.js.cache'));
    const at = readFileSync(file('program.js')).byteLength;
    cache.writeUInt32LE((cache.readUInt32LE(at + 4) + 1) % 2 ** 32, at + 4); // the hash of the version
    writeFileSync(file('program.js.cache'), cache);
    expect(run('trust', 'list')).toContain('bulla trust add');
  });
});

function version(): string {
  return (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;
}
