import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  trustAdd,
  trustAddTimestamping,
  trustList,
  trustRemove,
  trustShow,
} from '../../../src/operations/trust/trust.ts';
import { loadPublishers, loadTrust } from '../../../src/operations/verify/load-trust.ts';
import { certificatesIn } from '../../../src/trust/given-certificates.ts';
import { JUDGED_AT, testAuthority, testSigner } from '../../factory/bundles.ts';
import { codeOf } from '../../factory/errors.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

/** Writes the test CA into the sandbox. */
async function caFile(sandbox: Sandbox): Promise<string> {
  return sandbox.write('ca.pem', (await testAuthority()).pem);
}

describe('trust add', () => {
  test('[pub.1] writes what is then read', async () => {
    using sandbox = makeSandbox();
    const from = new Date('2026-01-01T00:00:00Z');
    const until = new Date('2027-12-31T23:59:59.999Z');
    const options = {
      scopes: ['acme/*'],
      subjects: ['CN=Acme "Release",O=Acme'],
      from,
      until,
      at: JUDGED_AT,
    };
    const added = await trustAdd(sandbox.path('trust'), 'acme', [await caFile(sandbox)], options);
    const settings = {
      scopes: options.scopes,
      subjects: options.subjects,
      from: from.toISOString(),
      until: until.toISOString(),
    };
    expect(added).toMatchObject({
      name: 'acme',
      folder: sandbox.path('trust/publishers/acme'),
      threshold: 1,
      ...settings,
    });
    expect(await trustList([sandbox.path('trust')])).toEqual([added]);
    expect(await trustShow([sandbox.path('trust')], 'acme')).toEqual(added);
    const { fingerprint } = (await testAuthority()).certificate;
    expect(added.anchors.map((anchor) => anchor.fingerprint)).toEqual([fingerprint]);
    expect(sandbox.list()).toContain(`trust/publishers/acme/${fingerprint.slice(0, 16)}.pem`);
  });

  test('takes every certificate of every file, each once, and no key', async () => {
    using sandbox = makeSandbox();
    const [ca, signer] = [await testAuthority(), await testSigner()];
    const files = [
      await caFile(sandbox),
      sandbox.write('both.pem', `${signer.privateKeyPem}${signer.pem}text\n${ca.pem}`),
    ];
    const { anchors, folder } = await trustAdd(sandbox.path('trust'), 'acme', files);
    expect(anchors.length).toBe(2);
    for (const name of sandbox.list().filter((each) => each.startsWith('trust/') && each.endsWith('.pem'))) {
      expect(readFileSync(sandbox.path(name), 'utf8')).not.toContain('PRIVATE');
    }
    expect(folder).toBe(sandbox.path('trust/publishers/acme'));
  });

  test.each([
    ['no certificate', [], {}, 'USAGE'],
    ['a file that is none', ['notes.txt'], {}, 'CONFIG_INVALID'],
    ['a file that is not there', ['nowhere.pem'], {}, 'FILE_NOT_FOUND'],
    ['a scope that can match nothing', ['ca.pem'], { scopes: ['ACME/*'] }, 'CONFIG_INVALID'],
    ['a subject that is none', ['ca.pem'], { subjects: ['Acme'] }, 'CONFIG_INVALID'],
    ['an end before the beginning', ['ca.pem'], { from: new Date(2), until: new Date(1) }, 'CONFIG_INVALID'],
    ['[pub.18] an end that is over', ['ca.pem'], { until: new Date(+JUDGED_AT - 1), at: JUDGED_AT }, 'USAGE'],
  ])('adds nothing for %s', async (_, files, options, code) => {
    using sandbox = makeSandbox();
    await caFile(sandbox);
    sandbox.write('notes.txt', 'no certificate');
    const adding = trustAdd(sandbox.path('trust'), 'acme', files.map(sandbox.path), options);
    await expect(adding).rejects.toMatchObject({ code });
    expect(sandbox.list()).toEqual(['ca.pem', 'notes.txt']);
  });

  test('does not widen a publisher that is trusted already', async () => {
    using sandbox = makeSandbox();
    const files = [await caFile(sandbox)];
    await trustAdd(sandbox.path('trust'), 'acme', files, { scopes: ['acme/web'] });
    await expect(trustAdd(sandbox.path('trust'), 'acme', files)).rejects.toMatchObject({
      code: 'DESTINATION_EXISTS',
    });
    expect((await trustShow([sandbox.path('trust')], 'acme')).scopes).toEqual(['acme/web']);
  });
});

describe('trust remove and show', () => {
  test('are for publishers that are there', async () => {
    using sandbox = makeSandbox();
    await trustAdd(sandbox.folder, 'acme', [await caFile(sandbox)]);
    await expect(trustRemove(sandbox.folder, 'acme', true)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      advice: [{ advice: 'is-publisher', of: 'acme' }],
    });
    await trustRemove(sandbox.folder, 'acme');
    await trustAddTimestamping(sandbox.folder, 'tsa', [await caFile(sandbox)]);
    await expect(trustRemove(sandbox.folder, 'tsa')).rejects.toMatchObject({
      message: '"tsa" is an authority for timestamps',
      advice: [{ advice: 'is-authority', of: 'tsa' }],
    });
    await trustRemove(sandbox.folder, 'tsa', true);
    expect(await trustList([sandbox.folder])).toEqual([]);
    await expect(trustRemove(sandbox.folder, 'acme')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(trustShow([sandbox.folder], 'acme')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('what is loaded', () => {
  test('[pub.13] of several folders is what the first of them says', async () => {
    using sandbox = makeSandbox();
    const files = [await caFile(sandbox)];
    const [system, user] = [sandbox.path('etc'), sandbox.path('home')];
    await trustAdd(system, 'acme', files, { scopes: ['acme/web'] });
    await trustAdd(user, 'acme', files);
    await trustAdd(user, 'beta', files);
    const found = await loadPublishers([system, user]);
    expect(found.map(({ publisher, folder }) => [publisher.name, publisher.scopes, folder])).toEqual([
      ['acme', ['acme/web'], `${system}/publishers/acme`],
      ['beta', ['*'], `${user}/publishers/beta`],
    ]);
  });

  test.each([
    ['has no settings', { 'ca.pem': 'x' }],
    ['has another name than its folder', { 'publisher.toml': 'name = "beta"\n' }],
    ['has a key that is not known', { 'publisher.toml': 'name = "acme"\nrevoked = "never"\n' }],
    ['is no TOML', { 'publisher.toml': 'name: acme\n' }],
  ])('[pub.3] is refused when a publisher %s', async (_, files) => {
    using sandbox = makeSandbox();
    for (const [name, text] of Object.entries(files)) sandbox.write(`publishers/acme/${name}`, text);
    await expect(loadTrust({ folders: [sandbox.folder] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('[rev.2] is refused when revocation information lies where nobody looks at it', async () => {
    for (const place of ['publishers/acme', 'timestamping/tsa'])
      for (const name of ['acme.crl', 'acme.OCSP', 'revocation/acme.crl']) {
        using sandbox = makeSandbox();
        sandbox.write(`${place}/ca.pem`, (await testAuthority()).pem);
        if (place.startsWith('publishers')) sandbox.write(`${place}/publisher.toml`, 'name = "acme"\n');
        await loadTrust({ folders: [sandbox.folder] });
        sandbox.write(`${place}/${name}`, '');
        await expect(loadTrust({ folders: [sandbox.folder] })).rejects.toMatchObject({
          code: 'CONFIG_INVALID',
          fix: expect.stringContaining('"revocation"'),
        });
      }
  });

  test('of a folder of certificates is every one in it', async () => {
    using sandbox = makeSandbox();
    sandbox.write('anchors/a.pem', (await testAuthority()).pem);
    sandbox.write('anchors/b.crt', (await testSigner()).pem);
    sandbox.write('anchors/notes.txt', 'notes');
    const { signers } = await loadTrust({ anchors: [sandbox.path('anchors')] });
    expect(signers.anchors.map(({ source }) => source)).toEqual(
      ['a.pem', 'b.crt'].map((name) => sandbox.path(`anchors/${name}`)),
    );
    sandbox.write('empty/notes.txt', 'notes');
    await expect(loadTrust({ anchors: [sandbox.path('empty')] })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });

  test('of pins is their digits, and nothing that is none', async () => {
    const digits = 'AB'.repeat(32);
    expect((await loadTrust({ pins: [`sha256:${digits}`, ` sha256:${digits}\n`] })).signers.pins).toEqual([
      digits.toLowerCase(),
      digits.toLowerCase(),
    ]);
    for (const pin of [`sha1:${'ab'.repeat(20)}`, 'sha256:', `sha256:${digits}00`]) {
      await expect(loadTrust({ pins: [pin] })).rejects.toMatchObject({ code: 'USAGE' });
    }
  });

  test('of a PEM file that is damaged is nothing, and the line is told', async () => {
    const { pem } = await testAuthority();
    const read = (text: string) => certificatesIn({ name: 'f', bytes: new TextEncoder().encode(text) });
    expect(read(`notes\n${pem}more notes\n`).length).toBe(1);
    for (const text of [
      '',
      'notes',
      pem.slice(0, -10),
      pem.replace('MII', 'M!I'),
      pem.replace('MII', 'AAA'),
    ]) {
      expect(
        codeOf(() => read(text)),
        text,
      ).toBe('CONFIG_INVALID');
    }
  });
});
