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
  const env = { ...process.env, BULLA_HOME: sandbox.path('none') }; // whoever runs the tests may trust somebody
  const { stdout, stderr } = spawnSync(process.execPath, [file('main.js'), ...words], {
    encoding: 'utf8',
    env,
  });
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
    expect(load()).toMatch(/^[\d.]+\n\[\s+false(,\s+false)*\s+\]\n$/);
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

describe('[cli.27] a Node that is too old', () => {
  /** The program under a Node that calls itself so. */
  function underNode(name: string): {
    readonly stdout: string;
    readonly stderr: string;
    readonly status: number | null;
  } {
    const versions = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${name}' } });
      Object.defineProperty(process, 'version', { value: 'v${name}' });`;
    const pretends = sandbox.write('pretends.cjs', versions);
    return spawnSync(process.execPath, ['--require', pretends, file('main.js'), '--version'], {
      encoding: 'utf8',
    });
  }

  test.each(['0.12.18', '9.0.0', '18.19.0', '20.19.9'])('%s is told in one line', (name) => {
    const { stdout, stderr, status } = underNode(name);
    expect([stdout, status]).toEqual(['', 2]);
    expect(stderr).toMatch(
      /^bulla needs Node 20\.20 or later, and this is v[\d.]+ \(.+\): get a newer one .+\n$/,
    );
    expect(stderr).toContain(`v${name}`);
  });

  test.each(['20.20.0', '22.0.0', '100.1.0'])('%s is none', (name) => {
    expect(underNode(name)).toMatchObject({ stdout: `${version()}\n`, stderr: '', status: 0 });
  });

  test('reads the file that says so: it has no grammar of after 2009', () => {
    const source = readFileSync(file('main.js'), 'utf8').replace(/^#!.*/, '');
    const words = source.replaceAll(/'[^']*'/g, '');
    expect(words).not.toMatch(/\b(const|let|class|async|await|import|export|of)\b|=>|`|\?\.|\?\?|\.\.\./);
  });

  test('ends npm ci with a message, not with what it stumbles over', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe('>=20.20');
    expect(readFileSync('.npmrc', 'utf8')).toMatch(/^engine-strict=true$/m);
  });
});

function version(): string {
  return (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;
}
