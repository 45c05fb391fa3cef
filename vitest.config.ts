import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { '#engine': new URL('./src/engine/node/engine.ts', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/build.ts', 'test/setup/keys.ts'],
    setupFiles: ['test/setup/mode.ts', 'test/setup/bytes.ts'],
    // no measure of anything: they end what hangs, also on a machine that is busy with three runs at once
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
