import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

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

const CALLS = {
  verify: '(stream, end) => library.verify(stream, end)',
  inspect: '(stream, end) => library.inspect(stream, end)',
  signImage: `(stream, end) => library.signImage(stream, { ...end, signer: {
    signer: {
      publicKey: { spki: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' }) },
      open: () => ({ update: () => {}, finish: async () => new Uint8Array(256) }),
    },
    keyType: 'RSA-PSS', hash: 'SHA-256',
    certificateUuid: '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d', files: [], warnings: [] } })`,
} as const;

/** What a program prints that hands in such a stream. It runs apart, since nothing in its own process could end it. */
function run(give: string, call: string, end: string): string {
  const program = `
    import { generateKeyPairSync } from 'node:crypto';
    import * as library from './dist/index.js';
    ${give}
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    const stream = { [Symbol.asyncIterator]: () => ({ next: give }) };
    const call = ${call};
    const code = await call(stream, ${end}).then((result) => (result.report ?? result).errors[0]?.code, (error) => error.code);
    clearInterval(ticking);
    console.log(code, ticks > 0 ? 'and all else went on' : 'and all else stood still');`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return `${stdout}${stderr}`.trim();
}

describe.each(Object.entries(STREAMS))('a stream of %s', (what, give) => {
  for (const [name, call] of [['signImage', CALLS.signImage] as const, ['inspect', CALLS.inspect] as const]) {
    // an archive of zeros has its end at once
    if (name === 'inspect' && what === 'chunks without end') continue;
    test.each(Object.entries(ENDS))(
      `[stream.3] ends by %s in ${name}`,
      { timeout: 120_000 },
      (_, [end, code]) => {
        expect(run(give, call, end)).toBe(`${code} and all else went on`);
      },
    );
  }
});

test('[stream.3] [net.4] empty chunks are no progress', { timeout: 120_000 }, () => {
  const end = '{ limits: { idleMs: 100 } }';
  for (const call of [CALLS.verify, CALLS.inspect, CALLS.signImage]) {
    expect(run(STREAMS['empty chunks'], call, end)).toBe('INPUT_STALLED and all else went on');
  }
});
