import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readSeen, seenFolderOf, writeSeen } from '../../../src/storage/trust/seen-revocation.ts';
import { addTrusted } from '../../../src/storage/trust/trust-folder.ts';
import { MarkedFolder } from '../../../src/storage/unfinished/marked-folder.ts';
import type { Mark } from '../../../src/trust/revocation/evidence.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

const anchor = 'f'.repeat(64);
const namesIn = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);
const OLD = { thisUpdate: new Date('2026-01-01T00:00:00Z'), number: 7n, anchor };
const NEW = { thisUpdate: new Date('2026-02-01T00:00:00Z'), number: 2n ** 70n, anchor };
const marks = (entries: readonly (readonly [string, Mark])[]) => new Map(entries);

describe('seen revocation information', () => {
  test('[rev.9] is remembered across runs, numbers of any size included', async () => {
    using sandbox = makeSandbox();
    expect([...(await readSeen(sandbox.folder))]).toEqual([]);
    expect(await writeSeen(sandbox.folder, marks([['a', NEW]]))).toEqual({ count: 1, refused: 0 });
    expect([...(await readSeen(sandbox.folder))]).toEqual([['a', NEW]]);
    expect(sandbox.list()[1]).toBe('revocation/seen/');
  });

  test('[rev.9] a mark never goes back, and others stay', async () => {
    using sandbox = makeSandbox();
    await writeSeen(sandbox.folder, marks([['a', NEW]]));
    const { thisUpdate } = OLD;
    expect(
      await writeSeen(
        sandbox.folder,
        marks([
          ['a', OLD],
          ['b', { thisUpdate, anchor }],
        ]),
      ),
    ).toEqual({ count: 1, refused: 0 });
    const seen = await readSeen(sandbox.folder);
    expect(seen.get('a')).toEqual(NEW);
    expect(seen.get('b')).toEqual({ thisUpdate, anchor });
    expect(readdirSync(seenFolderOf(sandbox.folder))).toHaveLength(1);
  });

  test('[rev.9] of one second the higher number is the newer', async () => {
    using sandbox = makeSandbox();
    await writeSeen(sandbox.folder, marks([['a', OLD]]));
    await writeSeen(sandbox.folder, marks([['a', { ...OLD, number: 6n }]]));
    expect((await readSeen(sandbox.folder)).get('a')).toEqual(OLD);
    await writeSeen(sandbox.folder, marks([['a', { ...OLD, number: 8n }]]));
    expect((await readSeen(sandbox.folder)).get('a')?.number).toBe(8n);
  });

  test('[rev.9] what is known already is not written again', async () => {
    using sandbox = makeSandbox();
    await writeSeen(sandbox.folder, marks([['a', NEW]]));
    const before = sandbox.list();
    expect(await writeSeen(sandbox.folder, marks([['a', NEW]]))).toEqual({ count: 0, refused: 0 });
    expect(sandbox.list()).toEqual(before);
  });

  test('[rev.12] what killed runs have left beside it is removed by the next, and nothing else', async () => {
    using sandbox = makeSandbox();
    await writeSeen(sandbox.folder, marks([['a', OLD]]));
    const seen = seenFolderOf(sandbox.folder);
    const made = (base: string, isLeft = true): MarkedFolder => {
      const folder = MarkedFolder.make(seen, { kind: 'output', base });
      if (isLeft) folder.leave();
      return folder;
    };
    using first = made('.0123456789abcdef.json');
    using second = made('.fedcba9876543210.json');
    using working = made('.0123456789abcdee.json', false);
    using foreign = made('.photos.json');
    await writeSeen(sandbox.folder, marks([['b', NEW]]));
    expect([first, second, working, foreign].map((one) => one.isThere())).toEqual([false, false, true, true]);
  });

  test('[rev.12] a file that another run has taken over, and removed, is not missed', async () => {
    const text = JSON.stringify({
      format: 'bulla.seen/1',
      marks: { a: { thisUpdate: NEW.thisUpdate, number: String(NEW.number), anchor } },
    });
    /** What becomes of a writer whose file is removed as soon as it is there; undefined when it was looked at before that. */
    const writeAndRemove = async (isTakenOver: boolean): Promise<string | undefined> => {
      using sandbox = makeSandbox();
      const seen = seenFolderOf(sandbox.folder);
      let outcome: string | undefined;
      void writeSeen(sandbox.folder, marks([['a', NEW]])).then(
        () => {
          outcome = 'written';
        },
        () => {
          outcome = 'failed';
        },
      );
      let isRemoved = false;
      while (outcome === undefined) {
        const own = namesIn(seen).find((name) => /^[0-9a-f]{16}\.json$/.test(name));
        if (own !== undefined && isTakenOver) sandbox.write('revocation/seen/other.json', text);
        if (own !== undefined) unlinkSync(join(seen, own));
        isRemoved ||= own !== undefined;
        await new Promise(setImmediate);
      }
      return isRemoved ? outcome : undefined;
    };
    for (const isTakenOver of [true, false]) {
      let outcome: string | undefined;
      for (let tries = 0; tries < 200 && outcome === undefined; tries++)
        outcome = await writeAndRemove(isTakenOver);
      expect(outcome).toBe(isTakenOver ? 'written' : 'failed');
    }
  });

  test('[rev.12] what keeps the folder from being made is said as it is', async () => {
    using sandbox = makeSandbox();
    sandbox.write('trust', '');
    const folder = sandbox.path('trust/below');
    await expect(addTrusted('publisher', folder, 'acme', [])).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('ENOTDIR'),
      fix: expect.not.stringContaining('mkdir'),
    });
  });

  test('[rev.9] a record from before stays known', async () => {
    using sandbox = makeSandbox();
    sandbox.write(
      'revocation/seen.json',
      '{"format":"bulla.seen/1","marks":{"a":{"thisUpdate":"2026-01-01T00:00:00Z"}}}',
    );
    await writeSeen(sandbox.folder, marks([['b', NEW]]));
    expect([...(await readSeen(sandbox.folder)).keys()].sort()).toEqual(['a', 'b']);
    expect(sandbox.list()).not.toContain('revocation/seen.json');
  });

  test.each([
    'no json',
    '[]',
    'null',
    '{"format":"other/1","marks":{}}',
    '{"format":"bulla.seen/1","marks":[]}',
    '{"format":"bulla.seen/1","marks":{"a":{}}}',
    '{"format":"bulla.seen/1","marks":{"a":{"thisUpdate":"soon"}}}',
    '{"format":"bulla.seen/1","marks":{"a":{"thisUpdate":"2026-01-01T00:00:00Z","number":"x"}}}',
  ])('[rev.9] a damaged record is refused, not forgotten: %s', async (text) => {
    for (const name of ['revocation/seen/1.json', 'revocation/seen.json']) {
      using sandbox = makeSandbox();
      const file = sandbox.write(name, text);
      await expect(readSeen(sandbox.folder)).rejects.toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', where: { file } }),
      );
    }
  });

  test('[pub.16] a record behind a link that leads nowhere is no empty one', async () => {
    for (const name of ['revocation', 'revocation/seen', 'revocation/seen/1.json', 'revocation/seen.json']) {
      using sandbox = makeSandbox();
      mkdirSync(join(sandbox.path(name), '..'), { recursive: true });
      symlinkSync('/nowhere/at/all', sandbox.path(name));
      await expect(readSeen(sandbox.folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    }
  });
});

const mark = (second: number, of: string): Mark => ({
  thisUpdate: new Date(second * 1000),
  number: 2n ** 500n,
  anchor: of.repeat(64).slice(0, 64),
});

test('[rev.9] the marks of one anchor drive out none, of another or its own', async () => {
  using sandbox = makeSandbox();
  await writeSeen(
    sandbox.folder,
    marks([
      ['crl a ', mark(1, 'a')],
      ['crl b ', mark(1, 'b')],
    ]),
  );
  const many = Array.from({ length: 5000 }, (_, i) => [`ocsp b ${i}`, mark(1000 + i, 'b')] as const);
  expect(await writeSeen(sandbox.folder, marks(many))).toEqual({ count: 511, refused: 4489 });
  const seen = await readSeen(sandbox.folder);
  expect(seen.get('crl a ')).toEqual(mark(1, 'a'));
  expect(seen.get('crl b ')).toEqual(mark(1, 'b'));
  expect(
    await writeSeen(
      sandbox.folder,
      marks([
        ['crl b ', mark(2, 'b')],
        ['crl c ', mark(1, 'c')],
      ]),
    ),
  ).toEqual({ count: 2, refused: 0 });
});

test('[rev.9] the marks of one issuer leave room for those of another under the same anchor, and for what revokes', async () => {
  using sandbox = makeSandbox();
  const list = (issuer: string, i: number) => [`crl ${issuer} ${i}`, mark(i, 'a')] as const;
  const many = Array.from({ length: 600 }, (_, i) => list('pb', i));
  expect(await writeSeen(sandbox.folder, marks(many))).toEqual({ count: 512, refused: 88 });
  expect(await writeSeen(sandbox.folder, marks([list('pa', 1)]))).toEqual({ count: 1, refused: 0 });
  const revoked = (i: number) => [`revocation pb ${i} then`, mark(i, 'a')] as const;
  expect(await writeSeen(sandbox.folder, marks([revoked(1)]))).toEqual({ count: 1, refused: 0 });
  const issuers = Array.from({ length: 20 }, (_, of) =>
    Array.from({ length: 500 }, (__, i) => list(`${of}x`, i)),
  );
  expect((await writeSeen(sandbox.folder, marks(issuers.flat()))).refused).toBe(10_000 - (4096 - 513));
  expect(await writeSeen(sandbox.folder, marks([revoked(2)]))).toEqual({ count: 1, refused: 0 });
  expect(await writeSeen(sandbox.folder, marks([['crl pc 1', mark(1, 'c')]]))).toEqual({
    count: 1,
    refused: 0,
  });
});

test('[rev.9] as many marks as are kept can be read again', async () => {
  using sandbox = makeSandbox();
  const many = Array.from(
    { length: 10_000 },
    (_, i) => [`ocsp ${'e'.repeat(64)} ${'f'.repeat(120)}${i}`, mark(i, `${i % 100}x`)] as const,
  );
  expect(await writeSeen(sandbox.folder, marks(many))).toEqual({ count: 8192, refused: 1808 });
  expect((await readSeen(sandbox.folder)).size).toBe(8192);
  const [name = ''] = readdirSync(seenFolderOf(sandbox.folder));
  expect(statSync(join(seenFolderOf(sandbox.folder), name)).size).toBeLessThan(16 * 1024 * 1024);
});

const MODULE = pathToFileURL(
  new URL('../../../dist/storage/trust/seen-revocation.js', import.meta.url).pathname,
).href;

/** A run that remembers one mark after the other, as a process of its own. */
function writer(folder: string, name: string, count: number): ReturnType<typeof spawn> {
  const program = `const { writeSeen } = await import(${JSON.stringify(MODULE)});
    for (let i = 0; i < ${count}; i++) {
      await writeSeen(${JSON.stringify(folder)}, new Map([[${JSON.stringify(name)} + i, { thisUpdate: new Date(i), anchor: ${JSON.stringify(name)} }]]));
      process.stdout.write(String(i) + '\\n');
    }`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** How many marks a run had said to be remembered when it ended. */
function ended(run: ReturnType<typeof spawn>, killAt?: number): Promise<number> {
  return new Promise((done) => {
    let said = '';
    run.stdout?.on('data', (chunk) => {
      said += chunk;
      if (killAt !== undefined && said.split('\n').length > killAt) run.kill('SIGKILL');
    });
    run.on('close', () => done(said.split('\n').length - 1));
  });
}

test('[rev.12] eight runs at once, some of them killed, lose nothing that one had remembered', async () => {
  using sandbox = makeSandbox();
  const runs = Array.from({ length: 8 }, (_, i) => {
    const name = 'abcdefgh'.charAt(i);
    const run = writer(sandbox.folder, name, 6);
    return ended(run, i % 2 === 0 ? 1 + (i % 4) : undefined).then((said) => ({ name, said }));
  });
  const results = await Promise.all(runs);
  const seen = await readSeen(sandbox.folder);
  for (const { name, said } of results) {
    for (let i = 0; i < said; i++) expect([...seen.keys()]).toContain(`${name}${i}`);
  }
  await writeSeen(sandbox.folder, marks([['last', NEW]])); // what was left by those that were killed is in nobody's way
  expect((await readSeen(sandbox.folder)).size).toBeGreaterThan(
    results.reduce((sum, { said }) => sum + said, 0),
  );
  expect(readdirSync(seenFolderOf(sandbox.folder)).filter((name) => name.endsWith('.json'))).toHaveLength(1);
});
