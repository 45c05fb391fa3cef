import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';
import { MAIN } from '../factory/workbench.ts';
import { hasPeer } from './peer.ts';

/** A Node whose OpenSSL knows ML-DSA, and with it the other implementation; where that runs already, both are the same. */
const OTHER = 'npm exec --yes --package=node@24 -- node';
const here = hasPeer(`${OTHER} --version`, 'that what one Node signs with ML-DSA another verifies');

describe.skipIf(!here)('ML-DSA of two Nodes', () => {
  let sandbox: Sandbox;
  let nodes: readonly string[];

  beforeAll(() => {
    sandbox = makeSandbox();
    const other = execFileSync(`${OTHER} -p process.execPath`, { shell: true, encoding: 'utf8' }).trim();
    nodes = [process.execPath, other];
    sandbox.write('disk.raw', 'a disk');
    sandbox.write('else.raw', 'a disK');
    run(other, 'dev-certs', 'keys', '--post-quantum');
  }, 120_000);
  afterAll(() => sandbox[Symbol.dispose]());

  const run = (node: string, ...words: readonly string[]): number | null =>
    spawnSync(node, [MAIN, ...words], { cwd: sandbox.folder }).status;

  test('[pq.2] one signs, the other verifies, and nothing that was changed', () => {
    for (const signing of nodes) {
      const signature = `by-${nodes.indexOf(signing)}.p7s`;
      const key = ['--key', 'keys/pq-signer.key', '--cert', 'keys/pq-signer.pem'];
      expect(run(signing, 'sign', 'disk.raw', '--detached', '-o', signature, ...key)).toBe(0);
      for (const verifying of nodes) {
        const trust = ['--signature', signature, '--trust', 'keys/pq-ca.pem'];
        expect(run(verifying, 'verify', 'disk.raw', ...trust)).toBe(0);
        expect(run(verifying, 'verify', 'else.raw', ...trust)).toBe(12);
      }
    }
  }, 120_000);
});
