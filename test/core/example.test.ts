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

/** Runs the program of the page over each part of standard input, as it comes, and says what came of it. */
const RUN = `
import { receive } from './program.mjs';
const [at, ...asked] = process.argv.slice(2);
const chunks = process.stdin[Symbol.asyncIterator]();
let chunk = new Uint8Array(0);
for (const [size, anchor] of asked.map((each) => each.split(':'))) {
  let left = Number(size);
  const part = async function* () {
    while (left > 0) {
      if (chunk.byteLength === 0) chunk = (await chunks.next()).value;
      const some = chunk.subarray(0, left);
      chunk = chunk.subarray(some.byteLength);
      left -= some.byteLength;
      yield some;
    }
  };
  const { report, signer, files } = await receive(part(), Buffer.from(anchor, 'base64'), new Date(at));
  for await (const _ of part()); // what it did not want
  const codes = report.errors.map(({ code }) => code);
  console.log(JSON.stringify({ verdict: report.verdict, codes, signer: signer?.subject, files: [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]) }));
}
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

/** A bundle, and who is trusted. */
type Asked = readonly [bundle: Uint8Array, anchor: Uint8Array];

/** What came of each, in one run. */
function run(before: readonly string[], asked: readonly Asked[]): readonly Outcome[] {
  const parts = asked.map(
    ([bundle, anchor]) => `${bundle.byteLength}:${Buffer.from(anchor).toString('base64')}`,
  );
  const [command = '', ...rest] = [...before, sandbox.path('run.mjs'), JUDGED_AT.toISOString(), ...parts];
  const { stdout, stderr } = spawnSync(command, rest, {
    input: Buffer.concat(asked.map(([bundle]) => bundle)),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const lines = stdout.trimEnd().split('\n');
  if (lines.length !== asked.length || stdout === '') throw new Error(stderr);
  return lines.map((line) => JSON.parse(line) as Outcome);
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
    const bundle = await makeBundle({ files: [descriptorFor('app.ovf', [DISK, big]), DISK, big] });
    const anchors = [ca.certificate.raw, new TextEncoder().encode(ca.pem)];
    for (const { verdict, signer, files } of run(
      way(),
      anchors.map((anchor) => [bundle, anchor]),
    )) {
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
    const asked = [
      [flipped(bundle, at), certificate.raw, 'DIGEST_MISMATCH'],
      [bundle, other.certificate.raw, 'SIGNER_UNKNOWN'],
      [bundle.subarray(0, bundle.byteLength - 3000), certificate.raw, 'ARCHIVE_TRUNCATED'],
    ] as const;
    const outcomes = run(
      way(),
      asked.map(([bytes, anchor]) => [bytes, anchor]),
    );
    for (const [i, [, , code]] of asked.entries()) {
      const { codes = [], files } = outcomes[i] ?? {};
      expect([codes.includes(code), codes[0], files]).toEqual([true, expect.any(String), []]);
    }
  });
});
