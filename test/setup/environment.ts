import { spawnSync } from 'node:child_process';

/**
 * What the machine trusts besides is nothing that a test asks for, and takes every process a tenth of a second to read; what
 * the tests start begins without it. What the tests cannot do without is missed here, before the first of them.
 */
export function setup(): void {
  const missing = ['bash', 'cmp', 'find', 'grep', 'gzip', 'sed', 'tar'].filter(
    (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0,
  );
  if (missing.length > 0)
    throw new Error(`the tests need these programs, which are not here: ${missing.join(', ')}`);
  delete process.env['NODE_EXTRA_CA_CERTS'];
}
