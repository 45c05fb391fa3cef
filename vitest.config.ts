import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type UserWorkspaceConfig } from 'vitest/config';
import { SlowestFirst } from './test/setup/slowest-first.ts';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const TESTS = readdirSync(`${ROOT}test`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name}`);

/** The rooms without files and programs, and what takes long of them, which is in `whole`. */
const RULES =
  /^test\/((kit|formats|crypto|archive|trust|verdict)\/|(architecture|spec-coverage|errors-doc|public-api)\.test\.ts$)/;
const LONG =
  /^test\/(verdict\/(walk\/|bundle\/blocks|signers\/carried)|archive\/(deflate\/g(un)?zip|zip\/zip-reader))/;

/**
 * `alone`: what puts a module in the place of another, or measures work, in a process for each file. The others share
 * processes, which load each module once: `world` is what other programs read, what chance finds and what faults of the
 * system leave; `rules` the rules alone; `whole` the rest.
 */
function projectOf(file: string): 'alone' | 'world' | 'rules' | 'whole' {
  if (/\/growth\.test\.ts$/.test(file)) return 'alone';
  if (/\bvi\.(mock|doMock)\(/.test(readFileSync(ROOT + file, 'utf8'))) return 'alone';
  if (/^test\/(differential|faults|fuzz|interop)\//.test(file)) return 'world';
  return RULES.test(file) && !LONG.test(file) ? 'rules' : 'whole';
}

/** What holds for each. */
const EACH: UserWorkspaceConfig = {
  resolve: { alias: { '#engine': `${ROOT}src/engine/node/engine.ts` } },
  test: {
    setupFiles: ['test/setup/mode.ts', 'test/setup/bytes.ts', 'test/setup/temporary.ts'],
    // no measure of anything: they end what hangs, also on a machine that is busy with three runs at once
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
  },
};

const project = (name: ReturnType<typeof projectOf>): UserWorkspaceConfig => ({
  ...EACH,
  test: {
    ...EACH.test,
    name,
    isolate: name === 'alone',
    include: TESTS.filter((file) => projectOf(file) === name),
  },
});

export default defineConfig({
  test: {
    globalSetup: ['test/setup/environment.ts', 'test/setup/build.ts', 'test/setup/folders.ts'],
    // one more than two cores, since many of the tests wait
    maxWorkers: 3,
    sequence: { sequencer: SlowestFirst },
    projects: [project('alone'), project('world'), project('rules'), project('whole')],
  },
});
