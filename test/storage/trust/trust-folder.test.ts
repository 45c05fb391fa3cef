import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { decodeUtf8 } from '../../../src/kit/encoding.ts';
import { sourceOptions } from '../../../src/kit/source.ts';
import { isAbsent } from '../../../src/storage/absence.ts';
import {
  addTrusted,
  readText,
  readTimestampAuthorities,
  readTrustFolder,
  removeTrusted,
  revocationFilesIn,
  shownNamesIn,
} from '../../../src/storage/trust/trust-folder.ts';
import { MarkedFolder } from '../../../src/storage/unfinished/marked-folder.ts';
import { codeOf } from '../../factory/errors.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

const FILES = [
  { name: 'publisher.toml', text: 'name = "acme"\n' },
  { name: 'ca.pem', text: 'one\n' },
];

describe('a trust folder', () => {
  test('has the publishers in it, by name', async () => {
    using sandbox = makeSandbox();
    sandbox.write('publishers/beta/publisher.toml', 'b');
    sandbox.write('publishers/acme/z.pem', 'z');
    sandbox.write('publishers/acme/a.crt', 'a');
    sandbox.write('publishers/.acme.partial/ca.pem', 'unfinished');
    expect(
      (await readTrustFolder(sandbox.folder)).map(({ name, settings, certificates }) => [
        name,
        settings?.text,
        certificates.map(({ bytes }) => decodeUtf8(bytes)),
      ]),
    ).toEqual([
      ['acme', undefined, ['a', 'z']],
      ['beta', 'b', []],
    ]);
  });

  test('need not be there', async () => {
    using sandbox = makeSandbox();
    expect(await readTrustFolder(sandbox.path('nowhere'))).toEqual([]);
    mkdirSync(sandbox.path('publishers'));
    expect(await readTrustFolder(sandbox.folder)).toEqual([]);
  });

  test('that is there and cannot be read is no empty one: it may forbid what the next allows', async () => {
    using sandbox = makeSandbox();
    symlinkSync('publishers', sandbox.path('publishers'));
    await expect(readTrustFolder(sandbox.folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    sandbox.write('other/publishers', 'a file');
    await expect(readTrustFolder(sandbox.path('other'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  test('[pub.16] behind a link that leads nowhere is no empty one, wherever the link stands', async () => {
    const ways: readonly (readonly [link: string, read: (folder: string) => unknown])[] = [
      ['home', readTrustFolder],
      ['home/publishers', readTrustFolder],
      ['home/publishers/acme', readTrustFolder],
      ['home/publishers/acme/publisher.toml', readTrustFolder],
      ['home/publishers/acme/ca.pem', readTrustFolder],
      ['home/timestamping', readTimestampAuthorities],
      ['home/timestamping/tsa', readTimestampAuthorities],
      ['home/timestamping/tsa/ca.pem', readTimestampAuthorities],
      ['home', revocationFilesIn],
      ['home/revocation', revocationFilesIn],
      [
        'home/revocation/a.crl',
        (folder) => Promise.all(revocationFilesIn(folder).map((file) => readText(file, sourceOptions({})))),
      ],
    ];
    for (const [link, read] of ways) {
      for (const target of ['nowhere', '/nowhere/at/all', '../nowhere']) {
        using sandbox = makeSandbox();
        mkdirSync(dirname(sandbox.path(link)), { recursive: true });
        symlinkSync(target, sandbox.path(link));
        await expect((async () => read(sandbox.path('home')))()).rejects.toMatchObject({
          code: 'FILE_UNREADABLE',
        });
      }
    }
  });

  test('[pub.16] a link on the way is followed as the system does', async () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('far/away'), { recursive: true });
    symlinkSync('far/away', sandbox.path('near'));
    symlinkSync('nowhere', sandbox.path('far/publishers'));
    // not beside the link, but above what it leads to
    expect(isAbsent(`${sandbox.path('near')}/../publishers`)).toBe(false);
    expect(isAbsent(`${sandbox.path('near')}/../others`)).toBe(true);
    expect(await readTrustFolder(sandbox.path('near/not/there'))).toEqual([]);
  });

  test('[rev.2] a file beside the revocation lists that is none by its name is refused', () => {
    using sandbox = makeSandbox();
    for (const name of ['a.crl', 'b.PEM', 'c.ocsp', '.hidden', 'seen/1.json'])
      sandbox.write(`revocation/${name}`, '');
    expect(revocationFilesIn(sandbox.folder)).toHaveLength(3);
    sandbox.write('revocation/revoked.der', '');
    expect(codeOf(() => revocationFilesIn(sandbox.folder))).toBe('CONFIG_INVALID');
  });

  test('holds nothing but publishers', async () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('publishers/Not A Publisher'), { recursive: true });
    await expect(readTrustFolder(sandbox.folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('holds text', async () => {
    using sandbox = makeSandbox();
    await expect(readText(sandbox.write('x', Uint8Array.of(0xff)), sourceOptions({}))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });
});

describe('a publisher', () => {
  test('is added, all of it', async () => {
    using sandbox = makeSandbox();
    expect(await addTrusted('publisher', sandbox.path('trust'), 'acme', FILES)).toBe(
      sandbox.path('trust/publishers/acme'),
    );
    expect(sandbox.list().slice(-2)).toEqual([
      'trust/publishers/acme/ca.pem',
      'trust/publishers/acme/publisher.toml',
    ]);
  });

  test('is added, or nothing of it', async () => {
    using sandbox = makeSandbox();
    const twice = [...FILES, { name: 'ca.pem', text: 'two\n' }];
    await expect(addTrusted('publisher', sandbox.folder, 'acme', twice)).rejects.toMatchObject({
      code: 'DESTINATION_EXISTS',
    });
    expect(sandbox.list()).toEqual(['publishers/']);
    await addTrusted('publisher', sandbox.folder, 'acme', FILES);
    expect(sandbox.list()).toEqual([
      'publishers/',
      'publishers/acme/',
      'publishers/acme/ca.pem',
      'publishers/acme/publisher.toml',
    ]);
  });

  test('[import.8] is added beside what others have there, and removes only what a run that is gone has left', async () => {
    using sandbox = makeSandbox();
    const own = ['publishers/.acme.partial/letter', 'publishers/.acme.partial-abc/letter'];
    for (const name of own) sandbox.write(name, 'of the user');
    const folder = sandbox.path('publishers');
    const purpose = { kind: 'output', base: '.acme' } as const;
    using left = MarkedFolder.make(folder, purpose);
    using working = MarkedFolder.make(folder, purpose);
    left.leave();
    await addTrusted('publisher', sandbox.folder, 'acme', FILES);
    expect([left.isThere(), working.isThere()]).toEqual([false, true]);
    expect(sandbox.list()).toEqual(
      expect.arrayContaining([...own, 'publishers/acme/ca.pem', 'publishers/acme/publisher.toml']),
    );
  });

  test('of several runs at once one adds all of it, and the others are told', async () => {
    using sandbox = makeSandbox();
    const runs = ['one', 'two', 'three'].map((text) =>
      addTrusted('publisher', sandbox.folder, 'acme', [
        { name: 'ca.pem', text },
        { name: 'more.pem', text },
      ]),
    );
    const ended = await Promise.allSettled(runs);
    const refused = ended.flatMap((run) => (run.status === 'rejected' ? [run.reason] : []));
    expect(refused.map(({ code }) => code)).toEqual(['DESTINATION_EXISTS', 'DESTINATION_EXISTS']);
    const [publisher] = await readTrustFolder(sandbox.folder);
    expect(new Set(publisher?.certificates.map(({ bytes }) => decodeUtf8(bytes))).size).toBe(1);
    expect(sandbox.list()).toHaveLength(4);
  });

  test('is not added to one that is there', async () => {
    using sandbox = makeSandbox();
    await addTrusted('publisher', sandbox.folder, 'acme', FILES);
    const before = sandbox.list();
    await expect(addTrusted('publisher', sandbox.folder, 'acme', FILES)).rejects.toMatchObject({
      code: 'DESTINATION_EXISTS',
    });
    expect(sandbox.list()).toEqual(before);
  });

  test('[pub.16] that is a link which leads nowhere is there: it is not added to, and can be removed', async () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('publishers'));
    symlinkSync('nowhere', sandbox.path('publishers/acme'));
    await expect(addTrusted('publisher', sandbox.folder, 'acme', FILES)).rejects.toMatchObject({
      code: 'DESTINATION_EXISTS',
    });
    await removeTrusted('publisher', sandbox.folder, 'acme');
    expect(sandbox.list()).toEqual(['publishers/']);
  });

  test('is removed, once', async () => {
    using sandbox = makeSandbox();
    const folder = await addTrusted('publisher', sandbox.folder, 'acme', FILES);
    expect(await removeTrusted('publisher', sandbox.folder, 'acme')).toBe(folder);
    expect(sandbox.list()).toEqual(['publishers/']);
    await expect(removeTrusted('publisher', sandbox.folder, 'acme')).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });

  test('[pub.17] is nowhere any more before anything of it is removed', async () => {
    using sandbox = makeSandbox();
    const folder = await addTrusted('publisher', sandbox.folder, 'acme', FILES);
    const seen: (readonly string[])[] = [];
    const remove = MarkedFolder.prototype.tryRemove;
    const spy = vi.spyOn(MarkedFolder.prototype, 'tryRemove').mockImplementation(function (
      this: MarkedFolder,
    ) {
      const trusted = shownNamesIn(sandbox.path('publishers'));
      seen.push([...trusted, ...readdirSync(join(this.path, 'acme')).sort()]);
      return remove.call(this);
    });
    await removeTrusted('publisher', sandbox.folder, 'acme');
    spy.mockRestore();
    expect(seen).toEqual([['ca.pem', 'publisher.toml']]);
    expect(existsSync(folder)).toBe(false);
  });

  test.each(['..', '../acme', 'a/b', '', '.acme', 'Acme', '-'])(
    'has a name that leads nowhere else: %j',
    async (name) => {
      using sandbox = makeSandbox();
      sandbox.write('acme/mine', 'mine');
      const before = sandbox.list();
      await expect(addTrusted('publisher', sandbox.path('trust'), name, FILES)).rejects.toMatchObject({
        code: 'USAGE',
      });
      await expect(removeTrusted('publisher', sandbox.path('trust'), name)).rejects.toMatchObject({
        code: 'USAGE',
      });
      expect(sandbox.list()).toEqual(before);
    },
  );

  test('is not added where nothing can be written', async () => {
    using sandbox = makeSandbox();
    sandbox.write('trust', 'a file');
    const adding = addTrusted('publisher', sandbox.path('trust'), 'acme', FILES);
    await expect(adding).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});
