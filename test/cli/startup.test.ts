import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

const CLI = 'src/cli';
const FILES = readdirSync(CLI, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

test.each(FILES)('%s imports operations when they are run, not before', (file) => {
  const text = readFileSync(join(CLI, file), 'utf8');
  const imports = [...text.matchAll(/^import (?!type )[^;]*? from '(\.[^']+)'/gm)];
  const targets = imports.map(([, target = '']) => posix.join('cli', posix.dirname(file), target));
  const early = targets.filter((target) => !/^(kit|cli)\//.test(target));
  // tables and types
  const light = ['report/exit-codes.ts', 'report/report.ts', 'report/telling.ts', 'targets/target.ts'];
  expect(early.filter((name) => !light.includes(name.replace('verdict/', '')))).toEqual([]);
});

describe('what is loaded', () => {
  /** The files and packages that a command line loads, as node's coverage lists them. */
  async function loadedBy(line: string, prepare?: (desk: Desk) => Promise<void>): Promise<readonly string[]> {
    using desk = workbench.desk('bundle', 'keys');
    await prepare?.(desk);
    const { code } = await desk.run(`NODE_V8_COVERAGE=coverage bulla ${line}`);
    expect(code).toBe(0);
    const folder = join(desk.folder, 'coverage');
    return readdirSync(folder).flatMap((name) => {
      const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
        result: { url: string }[];
      };
      return result.map(({ url }) => url.replace(/^.*\/(dist|node_modules)(\.partial-\d+)?\//, '$1/'));
    });
  }

  test('by --version is the command line alone', async () => {
    const loaded = await loadedBy('--version');
    expect(loaded).toContain('dist/cli/main.js');
    const chunks = loaded.flatMap((name) => /^dist\/cli\/chunks\/(.+)\.js$/.exec(name)?.[1] ?? []);
    // what other files need of it, and what ties them; what says whether standard output is a file that is named
    const few = ['start', 'rolldown-runtime', 'redirected'];
    expect(chunks.filter((name) => !few.includes(name))).toEqual([]);
    expect(loaded.filter((name) => name.startsWith('node_modules/'))).toEqual([]);
  });

  test('by verify --trust is nothing that makes certificates, descriptors or settings', async () => {
    const loaded = await loadedBy('verify web.ova --trust ca.pem');
    expect(loaded).toContain('dist/cli/chunks/common.js');
    const needless =
      /pkijs|noble|zod|smol-toml|yauzl|chunks\/(pack|sign|timestamp-source|copy-bundle|import|trust|writing)\.js/;
    expect(loaded.filter((name) => needless.test(name))).toEqual([]);
    expect(loaded.filter((name) => name.startsWith('dist/')).length).toBeLessThan(15);
  });

  test.each([
    ['import', 'import web.ova --to web --trust ca.pem'],
    ['sign', 'sign web.ova -o again.ova --key signer.key --cert signer.pem'],
    ['normalize --repair of a tar', 'normalize --repair web.ova -o again.ova --trust ca.pem'],
  ])('by %s is no package', async (_, line) => {
    const loaded = await loadedBy(line);
    expect(loaded).toContain('dist/cli/chunks/common.js');
    expect(loaded.filter((name) => name.startsWith('node_modules/'))).toEqual([]);
  });

  test('by normalize --repair of a zip that is odd is yauzl', async () => {
    const loaded = await loadedBy('normalize --repair odd.zip -o again.ova --trust ca.pem', async (desk) => {
      const signing = ['sign', 'web.ova', '-o', 'web.zip', '--key', 'signer.key', '--cert', 'signer.pem'];
      expect((await runHere(desk, ...signing)).code).toBe(0);
      const before = Buffer.from('a program');
      writeFileSync(
        join(desk.folder, 'odd.zip'),
        Buffer.concat([before, readFileSync(join(desk.folder, 'web.zip'))]),
      );
    });
    const packages = loaded.flatMap((name) => /^node_modules\/([^/]+)/.exec(name)?.[1] ?? []);
    expect(packages).toContain('yauzl');
    expect(packages.filter((name) => name !== 'yauzl' && name !== 'pend')).toEqual([]); // the other is what that needs
  });
});

test('[cli.10] verify opens no connection and asks no name server', async () => {
  using desk = workbench.desk('bundle', 'keys');
  const trap = join(desk.folder, 'trap.mjs');
  writeFileSync(
    trap,
    `import net from 'node:net'; import dns from 'node:dns';
     const caught = (what) => () => { console.error('CAUGHT', what); process.exit(99); };
     net.Socket.prototype.connect = caught('connect');
     dns.lookup = caught('lookup'); dns.promises.lookup = caught('lookup');
     globalThis.fetch = caught('fetch');`,
  );
  const armed = `NODE_OPTIONS='--import ${trap}'`;
  const quiet = await desk.run(`${armed} bulla verify web.ova --trust ca.pem --quiet`);
  expect(quiet).toEqual({ stdout: '', stderr: '', code: 0 });
  expect((await desk.run(`cat web.ova | ${armed} bulla verify - --trust ca.pem --quiet`)).code).toBe(0);
  const sprung = await desk.run(`${armed} bulla verify https://localhost/web.ova`);
  expect(sprung.stderr).toContain('CAUGHT'); // the trap works
});
