import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';

/** Streams that never let go: each always has something at hand, so that no timer would fire by itself. */
const STREAMS = {
  'empty chunks': 'const give = () => ({ done: false, value: new Uint8Array(0) });',
  'promises of empty chunks': 'const give = async () => ({ done: false, value: new Uint8Array(0) });',
  'chunks without end': 'const give = () => ({ done: false, value: new Uint8Array(65536) });',
} as const;

/** What ends them. */
const ENDS = {
  'a signal': ['{ signal: AbortSignal.timeout(100) }', 'INTERRUPTED'],
  'a deadline': ['{ deadlineMs: 100 }', 'INPUT_STALLED'],
} as const;

/** A key, made once: what signs with it here reads no file and computes nothing. */
const SPKI = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
  type: 'spki',
  format: 'der',
});

const CALLS = {
  verify: '(stream, end) => library.verify(stream, end)',
  inspect: '(stream, end) => library.inspect(stream, end)',
  signImage: `(stream, end) => library.signImage(stream, { ...end, signer: {
    signer: {
      publicKey: { spki: Buffer.from('${SPKI.toString('base64')}', 'base64') },
      open: () => ({ update: () => {}, finish: async () => new Uint8Array(256) }),
    },
    keyType: 'RSA-PSS', hash: 'SHA-256',
    certificateUuid: '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d', files: [], warnings: [] } })`,
} as const;

/** One of the calls, and what is to end it. */
type Case = readonly [call: string, end: string];

const casesOf = (what: string): readonly Case[] => {
  // an archive of zeros has its end at once
  const calls = what === 'chunks without end' ? [CALLS.signImage] : [CALLS.signImage, CALLS.inspect];
  return calls.flatMap((call) => Object.values(ENDS).map(([end]) => [call, end] as const));
};

/**
 * What a program prints that hands in such a stream in each case, one after the other, a line for each. It runs apart, since
 * nothing in its own process could end it: what never ends, and what would have come behind it, has no line.
 */
function run(give: string, cases: readonly Case[]): readonly string[] {
  const program = `
    import * as library from './dist/index.js';
    ${give}
    let ticks = 0;
    setInterval(() => ticks++, 1).unref();
    const stream = { [Symbol.asyncIterator]: () => ({ next: give }) };
    const judge = async (call, end) => {
      ticks = 0;
      const code = await call(stream, end).then((result) => (result.report ?? result).errors[0]?.code, (error) => error.code);
      console.log(code, ticks > 0 ? 'and all else went on' : 'and all else stood still');
    };
    ${cases.map(([call, end]) => `await judge(${call}, ${end});`).join('\n')}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: cases.length * 60_000,
    killSignal: 'SIGKILL',
  });
  return `${stdout}${stderr}`.trim().split('\n');
}

describe.each(Object.entries(STREAMS))('a stream of %s', (what, give) => {
  const cases = casesOf(what);
  let printed: readonly string[];
  beforeAll(() => {
    printed = run(give, cases);
  });

  for (const [name, call] of [['signImage', CALLS.signImage] as const, ['inspect', CALLS.inspect] as const]) {
    if (!cases.some(([other]) => other === call)) continue;
    test.each(Object.entries(ENDS))(`[stream.3] ends by %s in ${name}`, (_, [end, code]) => {
      const at = cases.findIndex((one) => one[0] === call && one[1] === end);
      expect(printed).toHaveLength(cases.length);
      expect(printed[at], printed.join('\n')).toBe(`${code} and all else went on`);
    });
  }
});

test('[stream.3] [net.4] empty chunks are no progress', () => {
  const end = '{ limits: { idleMs: 100 } }';
  const calls = [CALLS.verify, CALLS.inspect, CALLS.signImage];
  const printed = run(
    STREAMS['empty chunks'],
    calls.map((call) => [call, end]),
  );
  expect(printed).toEqual(calls.map(() => 'INPUT_STALLED and all else went on'));
});
