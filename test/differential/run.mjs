// Runs the differential test over many archives: npm run differential -- --count 20000 [--from 1]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '20000' }, from: { type: 'string', default: '1' } },
});
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', 'test/differential'],
  {
    stdio: 'inherit',
    env: { ...process.env, DIFFERENTIAL_COUNT: values.count, DIFFERENTIAL_FROM: values.from },
  },
);
process.exit(status ?? 1);
