import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DISK, descriptorFor, JUDGED_AT, makeBundle, noiseFile, testAuthority } from '../factory/bundles.ts';
import { makeAuthority } from '../factory/certificates.ts';
import { flipped } from '../factory/damage.ts';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';
import { hasPeer } from '../interop/peer.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/verify-a-stream.md'), 'utf8');
const [, PROGRAM = ''] = /^```js\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];

/** Runs the program of the page over standard input, and says what came of it. */
const RUN = `
import { receive } from './program.mjs';
const [anchor, at] = process.argv.slice(2);
const { report, signer, files } = await receive(process.stdin, Buffer.from(anchor, 'base64'), new Date(at));
const codes = report.errors.map(({ code }) => code);
console.log(JSON.stringify({ verdict: report.verdict, codes, signer: signer?.subject, files: [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]) }));
`;

/** Nothing can be written anywhere; that it is so is tried first. */
const READ_ONLY = `
awk '{ print $5 }' /proc/self/mountinfo | while read -r place; do mount -o remount,bind,ro "$place" 2>/dev/null; done
for place in "$1" /tmp /dev/shm "$HOME" /; do if touch "$place/bulla-written" 2>/dev/null; then echo "$place can be written to" >&2; exit 99; fi; done
shift
exec "$@"`;
const namespaces = hasPeer(
  'unshare -m mount -o remount,bind,ro /',
  'that the core touches no file under a read-only root',
);

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = makeSandbox();
  sandbox.write('program.mjs', PROGRAM);
  sandbox.write('run.mjs', RUN);
  sandbox.write('node_modules/.keep', '');
  symlinkSync(ROOT, sandbox.path('node_modules/bulla'));
});
afterAll(() => sandbox[Symbol.dispose]());

interface Outcome {
  readonly verdict: string;
  readonly codes: readonly string[];
  readonly signer?: string;
  readonly files: readonly (readonly [name: string, base64: string])[];
}

function run(before: readonly string[], bundle: Uint8Array, anchor: Uint8Array): Outcome {
  const args = [sandbox.path('run.mjs'), Buffer.from(anchor).toString('base64'), JUDGED_AT.toISOString()];
  const [command = '', ...rest] = [...before, ...args];
  const { stdout, stderr } = spawnSync(command, rest, {
    input: bundle,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Outcome;
}

/** Node's own permissions: the program and what it imports may be read, nothing else, and nothing written, started or threaded. */
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';
const PERMITTED = (): readonly string[] => [
  process.execPath,
  permission,
  `--allow-fs-read=${ROOT}/*`,
  `--allow-fs-read=${sandbox.folder}/*`,
];
const UNDER_READ_ONLY_ROOT = (): readonly string[] => [
  'unshare',
  '-m',
  'sh',
  '-c',
  READ_ONLY,
  'sh',
  sandbox.folder,
  process.execPath,
];

test('the program of the page is short', () => {
  expect(PROGRAM.split('\n').length).toBeLessThanOrEqual(60);
  expect(PROGRAM).not.toMatch(/node:|process|Buffer/);
});

describe.each([
  ['where nothing may be written or started', PERMITTED, true],
  ['under a read-only root', UNDER_READ_ONLY_ROOT, namespaces],
] as const)('[core.2] the program of the page, %s', (_, way, possible) => {
  test.skipIf(!possible)('gives the files of a trusted bundle', async () => {
    const ca = await testAuthority();
    const big = noiseFile('big.img', 3_000_000);
    for (const anchor of [ca.certificate.raw, new TextEncoder().encode(ca.pem)]) {
      const bundle = await makeBundle({ files: [descriptorFor('app.ovf', [DISK, big]), DISK, big] });
      const { verdict, signer, files } = run(way(), bundle, anchor);
      expect([verdict, signer !== undefined]).toEqual(['trusted', true]);
      const found = new Map(files.map(([name, base64]) => [name, base64]));
      for (const { name, bytes } of [DISK, big]) {
        expect(found.get(name) === Buffer.from(bytes).toString('base64'), name).toBe(true);
      }
      expect(found.has('app.mf')).toBe(false); // nobody's but the verdict's
    }
  });

  test.skipIf(!possible)('gives no file of another', async () => {
    const { certificate } = await testAuthority();
    const bundle = await makeBundle();
    const other = await makeAuthority({ subject: 'CN=Other' });
    const at = Buffer.from(bundle).indexOf(Buffer.from(DISK.bytes));
    expect(at).toBeGreaterThan(0);
    for (const [bytes, anchor, code] of [
      [flipped(bundle, at), certificate.raw, 'DIGEST_MISMATCH'],
      [bundle, other.certificate.raw, 'SIGNER_UNKNOWN'],
      [bundle.subarray(0, bundle.byteLength - 3000), certificate.raw, 'ARCHIVE_TRUNCATED'],
    ] as const) {
      const { codes, files } = run(way(), bytes, anchor);
      expect([codes.includes(code), codes[0], files]).toEqual([true, expect.any(String), []]);
    }
  });
});
