import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JUDGED_AT, makeBundle } from '../factory/bundles.ts';
import { flipped } from '../factory/damage.ts';
import { identityOf, verdictOn } from '../factory/packing.ts';
import { makeSandbox } from '../factory/sandbox.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/write-into-a-sink.md'), 'utf8');
const [, PROGRAM = ''] = /^```js\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];

/** Signs the bundle that is named into a stream, and says what came of it. */
const RUN = `
import { loadSigningIdentity } from 'bulla';
import { signedInto } from './program.mjs';
const [bundle, key, certificate, at] = process.argv.slice(2);
const parts = [];
const calls = [];
const writable = new WritableStream({
  write: (chunk) => void parts.push(Buffer.from(chunk)),
  close: () => void calls.push('close'),
  abort: () => void calls.push('abort'),
});
const faults = await signedInto(writable, bundle, await loadSigningIdentity({ key, certificate }, new Date(at)));
console.log(JSON.stringify({ calls, faults, signed: Buffer.concat(parts).toString('base64') }));
`;

test('[sink.1] the program of the page signs on the way into a stream', async () => {
  using sandbox = makeSandbox();
  await identityOf(sandbox);
  sandbox.write('program.mjs', PROGRAM);
  sandbox.write('run.mjs', RUN);
  sandbox.write('node_modules/.keep', '');
  symlinkSync(ROOT, sandbox.path('node_modules/bulla'));
  const good = await makeBundle();
  const run = (bundle: Uint8Array): { calls: string[]; faults: string[]; signed: string } => {
    const files = [
      sandbox.write('in.ova', bundle),
      sandbox.path('.keys/key.pem'),
      sandbox.path('.keys/cert.pem'),
    ];
    const args = [sandbox.path('run.mjs'), ...files, JUDGED_AT.toISOString()];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 28 }));
  };
  const { calls, faults, signed } = run(good);
  expect([calls, faults]).toEqual([['close'], []]);
  expect(await verdictOn(sandbox, Buffer.from(signed, 'base64'))).toEqual(['trusted']);
  const refused = run(flipped(good, good.byteLength - 3000));
  expect([refused.calls, refused.faults.length > 0]).toEqual([['abort'], true]);
}, 60_000);
