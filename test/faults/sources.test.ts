import {
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import { contentOf, digestOf, type Ended, layOut, moments, RUNS, start } from '../factory/faults.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
let desk: Desk;
let bundle: Buffer;
let machine: ReturnType<typeof contentOf>;

const TRUST = ['--trust', 'ca.pem'] as const;
const PACK = [
  'big.img',
  '--vendor',
  'Acme',
  '--name',
  'big',
  '--key',
  'signer.key',
  '--cert',
  'signer.pem',
] as const;

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 12_000_000);
  bundle = readFileSync(at('big.ova'));
  expect((await runHere(desk, 'import', 'big.ova', '--to', 'reference', '--trust', 'ca.pem')).code).toBe(0);
  machine = contentOf(at('reference'));
});
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

function at(name: string): string {
  return join(desk.folder, name);
}

/** Whatever happened: nothing is in the destination, or all and right; nothing else is left. */
function expectAllOrNothing(code: number | null, before: readonly string[]): void {
  const left = readdirSync(desk.folder).filter((name) => !before.includes(name));
  expect(left).toEqual(code === 0 ? ['machine'] : []);
  if (code === 0) expect(contentOf(at('machine'))).toEqual(machine);
  rmSync(at('machine'), { recursive: true, force: true });
}

/** What may happen to a file while it is read, and the codes that may be said then. */
const HARMS: readonly (readonly [what: string, harm: (path: string) => void, codes: RegExp])[] = [
  ['cut', (path) => truncateSync(path, 5_000_000), /FILE_CHANGED|ARCHIVE_TRUNCATED/],
  ['emptied', (path) => truncateSync(path, 0), /FILE_CHANGED|ARCHIVE_(TRUNCATED|EMPTY)/],
  [
    'longer',
    (path) => writeFileSync(path, 'more', { flag: 'a' }),
    /FILE_CHANGED|ARCHIVE_TRAILING|ARCHIVE_TRUNCATED/,
  ],
  ['overwritten', (path) => overwrite(path, 9_000_000), /FILE_CHANGED|DIGEST_MISMATCH/],
  ['replaced by another', (path) => replace(path), /FILE_CHANGED|FILE_NOT_FOUND|FORMAT_UNSUPPORTED/],
  ['removed', (path) => rmSync(path), /FILE_CHANGED|FILE_NOT_FOUND/],
];

function overwrite(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4096, 0x55), 0, 4096, offset);
}

function replace(path: string): void {
  writeFileSync(`${path}.next`, 'something else');
  renameSync(`${path}.next`, path);
}

/** How long the last run of a command has taken that came to its end, in milliseconds, so that harm can come in the middle. */
const whole = { import: 0, pack: 0 };

/** Runs a command, the first time only to see how long it takes, and harms what it reads at a moment of that. */
async function harmed(
  command: keyof typeof whole,
  words: readonly string[],
  { moment, harm, clear }: { readonly moment: number; harm(): void; clear(): void },
): Promise<Ended> {
  if (whole[command] === 0) {
    const begun = performance.now();
    expect((await start(desk, command, ...words).ended).code).toBe(0);
    whole[command] = performance.now() - begun;
    clear();
  }
  const begun = performance.now();
  const { ended } = start(desk, command, ...words);
  await setTimeout((0.3 + 0.7 * moment) * whole[command]);
  harm();
  const outcome = await ended;
  if (outcome.code === 0) whole[command] = performance.now() - begun; // other work makes it slower and faster
  return outcome;
}

describe('a source that is harmed while it is read', () => {
  test.each(HARMS)(
    '[judge.6] [import.3] a bundle, %s: imported as it was, or not at all',
    { timeout: 600_000 },
    async (_, harm, codes) => {
      const seen: Record<string, number> = {};
      for (const moment of moments(RUNS)) {
        writeFileSync(at('in.ova'), bundle);
        const before = readdirSync(desk.folder).filter((name) => name !== 'in.ova');
        const { code, stderr } = await harmed('import', ['in.ova', '--to', 'machine', ...TRUST], {
          moment,
          harm: () => harm(at('in.ova')),
          clear: () => rmSync(at('machine'), { recursive: true }),
        });
        const said = /\[([A-Z_]+), exit/.exec(stderr)?.[1] ?? 'imported';
        seen[said] = (seen[said] ?? 0) + 1;
        rmSync(at('in.ova'), { force: true });
        if (code !== 0) expect(said).toMatch(codes);
        expectAllOrNothing(code, before);
      }
      console.info(`a bundle, ${_} while it was imported: ${JSON.stringify(seen)}`);
    },
  );

  test.each(HARMS)(
    '[pack.3] [pack.4] an image, %s: packed as it was at one time, or not at all',
    { timeout: 600_000 },
    async (_, harm) => {
      const seen: Record<string, number> = {};
      copyFileSync(at('big.img'), at('kept.img'));
      for (const moment of moments(RUNS)) {
        for (const order of ['leading', 'trailing']) {
          const { code, stderr } = await harmed('pack', [...PACK, '-o', 'new.ova', '--order', order], {
            moment,
            harm: () => harm(at('big.img')),
            clear: () => rmSync(at('new.ova')),
          });
          const said = /\[([A-Z_]+), exit/.exec(stderr)?.[1] ?? 'packed';
          seen[said] = (seen[said] ?? 0) + 1;
          if (code !== 0)
            expect([code, said]).toEqual([
              expect.any(Number),
              expect.stringMatching(/^FILE_(CHANGED|NOT_FOUND|UNREADABLE)|FORMAT_UNSUPPORTED/),
            ]);
          const left = readdirSync(desk.folder).filter((name) => name.includes('new.ova'));
          expect(left).toEqual(code === 0 ? ['new.ova'] : []);
          if (code === 0) expect((await runHere(desk, 'verify', 'new.ova', ...TRUST)).code).toBe(0);
          rmSync(at('new.ova'), { force: true });
          copyFileSync(at('kept.img'), at('big.img'));
        }
      }
      console.info(`an image, ${_} while it was packed: ${JSON.stringify(seen)}`);
    },
  );
});

describe('a pipe', () => {
  test.each([0, 100, 9000, 11_999_000])(
    '[cli.12] that stalls after %d bytes is given up, and nothing is left',
    async (bytes) => {
      const before = readdirSync(desk.folder);
      const { child, ended } = start(
        desk,
        'import',
        '-',
        '--to',
        'machine',
        '--idle-timeout',
        '0.5',
        ...TRUST,
      );
      child.stdin.write(bundle.subarray(0, bytes));
      const { code, stderr } = await ended;
      expect([code, stderr]).toEqual([
        3,
        expect.stringMatching(/no byte has arrived for 0\.5 seconds {2}\[INPUT_STALLED, exit 3\]/),
      ]);
      expectAllOrNothing(code, before);
    },
  );

  test('[cli.12] that is slow, and not too slow, is read to its end', async () => {
    const before = readdirSync(desk.folder);
    const { child, ended } = start(desk, 'import', '-', '--to', 'machine', '--idle-timeout', '20', ...TRUST);
    for (let offset = 0; offset < bundle.byteLength; offset += 1_500_001) {
      child.stdin.write(bundle.subarray(offset, offset + 1_500_001));
      await setTimeout(100);
    }
    child.stdin.end();
    const { code } = await ended;
    expect(code).toBe(0);
    expectAllOrNothing(code, before);
  });

  test.each([
    ['import', 'deadline', ['--deadline', '1.5', '--to', 'machine', ...TRUST]],
    ['verify', 'deadline', ['--deadline', '1.5', ...TRUST]],
    ['inspect', 'deadline', ['--deadline', '1.5']],
    ['import', 'rate', ['--minimum-rate', '1MB', '--idle-timeout', '2', '--to', 'machine', ...TRUST]],
    ['verify', 'rate', ['--minimum-rate', '1000000', '--idle-timeout', '2', ...TRUST]],
  ] as const)(
    '[cli.15] [net.5] that never stops trickling is given up by %s at the %s',
    async (command, limit, words) => {
      const before = readdirSync(desk.folder);
      const { child, ended } = start(desk, command, '-', ...words);
      let offset = 0;
      const trickle = setInterval(() => {
        child.stdin.write(bundle.subarray(offset, offset + 10));
        offset += 10;
      }, 20);
      const { code, stderr } = await ended;
      clearInterval(trickle);
      const said =
        limit === 'deadline' ? /it was not done within 1\.5 seconds/ : /arrived (in|for) 2 seconds/;
      expect([code, stderr]).toEqual([3, expect.stringMatching(said)]);
      expectAllOrNothing(code, before);
    },
  );

  test('[cli.15] that ends in time meets no deadline', async () => {
    const { code } = await desk.run('bulla verify - --deadline 100 --trust ca.pem < big.ova');
    expect(code).toBe(0);
    const fast = await desk.run('cat big.ova | bulla verify - --minimum-rate 1 --trust ca.pem');
    expect(fast.code).toBe(0);
    for (const [option, value, said] of [
      ['--minimum-rate', '0', /[Gg]ive bytes/],
      ['--minimum-rate', '2s', /[Gg]ive bytes/],
      ['--deadline', '0', /[Gg]ive seconds/],
      ['--idle-timeout', 'x', /[Gg]ive seconds/],
    ] as const) {
      const refused = await runHere(desk, 'verify', 'big.ova', option, value);
      expect([option, refused.code, refused.stderr]).toEqual([option, 2, expect.stringMatching(said)]);
    }
  });

  test('[import.3] that ends early, at any byte: nothing is left', { timeout: 600_000 }, async () => {
    for (const moment of moments(RUNS)) {
      const before = readdirSync(desk.folder);
      const { child, ended } = start(desk, 'import', '-', '--to', 'machine', ...TRUST);
      child.stdin.end(bundle.subarray(0, Math.floor(moment * (bundle.byteLength - 10_240))));
      const { code, stderr } = await ended;
      expect([code, stderr]).toEqual([15, expect.stringMatching(/ARCHIVE_(TRUNCATED|EMPTY)|FORMAT/)]);
      expectAllOrNothing(code, before);
    }
    expect(digestOf(at('big.ova'))).toBeDefined();
  });
});
