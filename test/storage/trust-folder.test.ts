import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addTrusted, readText, readTrustFolder, removeTrusted } from '../../src/storage/trust-folder.ts';
import { codeOf } from '../factory/errors.ts';
import { makeSandbox } from '../factory/sandbox.ts';

const FILES = [
  { name: 'publisher.toml', text: 'name = "acme"\n' },
  { name: 'ca.pem', text: 'one\n' },
];

describe('a trust folder', () => {
  test('has the publishers in it, by name', () => {
    using sandbox = makeSandbox();
    sandbox.write('publishers/beta/publisher.toml', 'b');
    sandbox.write('publishers/acme/z.pem', 'z');
    sandbox.write('publishers/acme/a.crt', 'a');
    sandbox.write('publishers/.acme.partial/ca.pem', 'unfinished');
    expect(
      readTrustFolder(sandbox.folder).map(({ name, settings, certificates }) => [
        name,
        settings?.text,
        certificates.map(({ text }) => text),
      ]),
    ).toEqual([
      ['acme', undefined, ['a', 'z']],
      ['beta', 'b', []],
    ]);
  });

  test('need not be there', () => {
    using sandbox = makeSandbox();
    expect(readTrustFolder(sandbox.path('nowhere'))).toEqual([]);
    mkdirSync(sandbox.path('publishers'));
    expect(readTrustFolder(sandbox.folder)).toEqual([]);
  });

  test('that is there and cannot be read is no empty one: it may forbid what the next allows', () => {
    using sandbox = makeSandbox();
    symlinkSync('publishers', sandbox.path('publishers'));
    expect(codeOf(() => readTrustFolder(sandbox.folder))).toBe('FILE_UNREADABLE');
    sandbox.write('other/publishers', 'a file');
    expect(codeOf(() => readTrustFolder(sandbox.path('other')))).toBe('FILE_UNREADABLE');
  });

  test('holds nothing but publishers', () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('publishers/Not A Publisher'), { recursive: true });
    expect(codeOf(() => readTrustFolder(sandbox.folder))).toBe('CONFIG_INVALID');
  });

  test('holds text', () => {
    using sandbox = makeSandbox();
    expect(codeOf(() => readText(sandbox.write('x', Uint8Array.of(0xff))))).toBe('FILE_UNREADABLE');
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
    sandbox.write('publishers/.acme.partial/left-over', 'of an attempt that was killed');
    await addTrusted('publisher', sandbox.folder, 'acme', FILES);
    expect(sandbox.list()).toEqual([
      'publishers/',
      'publishers/acme/',
      'publishers/acme/ca.pem',
      'publishers/acme/publisher.toml',
    ]);
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

  test('is removed, once', async () => {
    using sandbox = makeSandbox();
    const folder = await addTrusted('publisher', sandbox.folder, 'acme', FILES);
    expect(await removeTrusted('publisher', sandbox.folder, 'acme')).toBe(folder);
    expect(sandbox.list()).toEqual(['publishers/']);
    await expect(removeTrusted('publisher', sandbox.folder, 'acme')).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
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
