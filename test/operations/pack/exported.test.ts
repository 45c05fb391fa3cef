import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatManifest } from '../../../src/formats/ovf/manifest.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import type { PackOptions } from '../../../src/operations/pack/options.ts';
import { type PackReport, pack } from '../../../src/operations/pack/pack.ts';
import {
  appliance,
  type BundleOptions,
  DISK,
  descriptorFor,
  makeMembers,
  NOTES,
  noiseFile,
  signerUnder,
  testAuthority,
} from '../../factory/bundles.ts';
import { identityOf, verdictOn } from '../../factory/packing.ts';
import { valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

/** A sandbox with the files of an export in `in`: descriptor, manifest, certificate file, and what they speak of. */
async function exportedTo(options: BundleOptions = {}): Promise<Sandbox> {
  const sandbox = makeSandbox();
  for (const { name, bytes } of await makeMembers(options)) sandbox.write(`in/${name}`, bytes);
  return sandbox;
}

async function packed(
  sandbox: Sandbox,
  options: Partial<PackOptions> = {},
  input = 'in/app.ovf',
): Promise<PackReport> {
  const output = sandbox.path('out.ova');
  return valid(
    await pack([sandbox.path(input)], { output, format: 'tar', name: 'app', ...options }),
  ) as PackReport;
}

const WARNS_OF = (report: PackReport): string => report.warnings.join('\n');

/** A disk that is read in pieces. */
const LARGE = noiseFile('disk.img', 300_000);
const LARGE_FILES = [descriptorFor('app.ovf', [LARGE, NOTES]), LARGE, NOTES];

describe('a manifest beside the descriptor', () => {
  test.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)(
    '[pack.14] in %s, of files that it fits',
    async (algorithm) => {
      using sandbox = await exportedTo({ algorithm, signed: false });
      expect((await packed(sandbox)).warnings).toEqual([]);
      const report = await packed(sandbox, { identity: await identityOf(sandbox), overwrite: true });
      expect(report.allowances).toEqual([]);
      expect(await verdictOn(sandbox, readFileSync(sandbox.path('out.ova')))).toEqual(['trusted']);
    },
  );

  const ways: readonly [string, Partial<PackOptions>][] = [
    ['a tar', {}],
    ['a zip, which is read twice', { format: 'zip' }],
    ['a tar with the manifest last', { order: 'trailing' }],
    ['a tar with digests of blocks', { blockDigests: true }],
  ];
  for (const algorithm of ['sha1', 'sha256'] as const) {
    for (const [form, files] of [
      ['small', appliance()],
      ['large', LARGE_FILES],
    ] as const) {
      test.each(ways)(
        `[pack.14] in ${algorithm}, of a ${form} disk that was damaged since: nothing is written as %s`,
        async (_, way) => {
          using sandbox = await exportedTo({ algorithm, files, signed: false });
          const disk = readFileSync(sandbox.path('in/disk.img'));
          disk[700] = (disk[700] ?? 0) ^ 1;
          writeFileSync(sandbox.path('in/disk.img'), disk);
          await expect(packed(sandbox, way)).rejects.toMatchObject({
            code: 'DIGEST_MISMATCH',
            message: `"disk.img" does not match its ${algorithm} digest in "app.mf" line 2`,
            where: { file: sandbox.path('in/disk.img') },
          });
          expect(sandbox.list().filter((name) => !name.startsWith('in/'))).toEqual([]);
        },
      );
    }
  }

  test('[pack.14] an edited descriptor is packed with a warning, and the disks are still held against it', async () => {
    using sandbox = await exportedTo({ signed: false });
    const edited = concat([descriptorFor('app.ovf', [DISK, NOTES]).bytes, encodeUtf8('<!-- edited -->')]);
    sandbox.write('in/app.ovf', edited);
    expect(WARNS_OF(await packed(sandbox))).toMatch(
      /^the descriptor is not the one that "app.mf" lists[^\n]*$/,
    );
    sandbox.write('in/notes.txt', 'other');
    await expect(packed(sandbox, { overwrite: true })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('[pack.14] it is not asked where that is given up, and the report says so', async () => {
    using sandbox = await exportedTo({ signed: false });
    sandbox.write('in/notes.txt', NOTES.bytes.toReversed());
    const report = await packed(sandbox, { ignoreManifest: true });
    expect(report.allowances).toEqual(['ignoreManifest']);
    expect(report.warnings).toEqual([
      'the files are packed as they are, whatever "app.mf" beside them says (allowed: ignoreManifest)',
    ]);
  });

  test.each([
    ['in no form that is known', 'SHA256(disk.img) 12\n', 'MANIFEST_SYNTAX'],
    [
      'that lists a file twice',
      'SHA1(a)= aa\n'.replace('aa', 'a'.repeat(40)).repeat(2),
      'MANIFEST_DUPLICATE',
    ],
    ['by an algorithm that nobody computes', `MD5(disk.img)= ${'a'.repeat(32)}\n`, 'ALGORITHM_UNSUPPORTED'],
    ['larger than any', ' '.repeat(5 << 20), 'FILE_UNREADABLE'],
  ])('[pack.14] one %s is refused by its name', async (_, text, code) => {
    using sandbox = await exportedTo({ signed: false });
    sandbox.write('in/app.mf', text);
    await expect(packed(sandbox)).rejects.toMatchObject({ code, where: { file: sandbox.path('in/app.mf') } });
    expect(
      (await packed(sandbox, { ignoreManifest: code !== 'FILE_UNREADABLE' }).catch((e) => e)).exitCode ?? 3,
    ).toBe(code === 'FILE_UNREADABLE' ? 3 : 0);
  });

  test.each(['app.MF', 'app.Mf'])('[pack.14] "%s" beside it could be another', async (second) => {
    using sandbox = await exportedTo({ signed: false });
    sandbox.write(`in/${second}`, '');
    await expect(packed(sandbox)).rejects.toMatchObject({ code: 'PACKAGE_AMBIGUOUS' });
  });

  test('[pack.14] [links.1] one that is a link out of the folder is not read', async () => {
    using sandbox = await exportedTo({ signed: false });
    rmSync(sandbox.path('in/app.mf'));
    symlinkSync(sandbox.write('other.mf', ''), sandbox.path('in/app.mf'));
    await expect(packed(sandbox)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  test('[pack.14] a line for all of a file in chunks counts', async () => {
    const whole = noiseFile('disk.img', 2500);
    const attributes = 'ovf:chunkSize="1000"';
    const chunks = [0, 1, 2].map((i) => ({
      name: `disk.img.00000000${i}`,
      bytes: whole.bytes.subarray(1000 * i, 1000 * (i + 1)),
    }));
    const files = [descriptorFor('app.ovf', [whole], { attributes }), ...chunks];
    const digest = createHash('sha1').update(whole.bytes).digest('hex');
    const manifest = formatManifest([{ name: 'disk.img', algorithm: 'sha1', digest }]);
    using sandbox = await exportedTo({ files, signed: false });
    sandbox.write('in/app.mf', manifest);
    expect((await packed(sandbox)).warnings).toEqual([]);
    sandbox.write('in/disk.img.000000001', noiseFile('x', 1000).bytes);
    await expect(packed(sandbox, { overwrite: true })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: '"disk.img" does not match its sha1 digest in "app.mf" line 1',
    });
  });

  test('[pack.15] what only one of the two names is told', async () => {
    using sandbox = await exportedTo({
      signed: false,
      lines: (lines) => lines.filter(({ name }) => name !== 'notes.txt'),
    });
    expect((await packed(sandbox)).warnings).toEqual([
      '"app.mf" beside the descriptor does not list "notes.txt": nothing says whether that is as it was exported',
    ]);
    using other = await exportedTo({ signed: false, files: [descriptorFor('app.ovf', [DISK]), DISK, NOTES] });
    expect((await packed(other)).warnings).toEqual([
      '"notes.txt" is left out: "app.mf" lists it, and the descriptor does not name it',
    ]);
  });

  test('[pack.15] an export without a file that it is to have is not whole, unless its descriptor was edited', async () => {
    using sandbox = await exportedTo({
      signed: false,
      files: [descriptorFor('app.ovf', [DISK]), DISK, NOTES],
    });
    rmSync(sandbox.path('in/notes.txt'));
    await expect(packed(sandbox)).rejects.toMatchObject({
      code: 'FILE_MISSING',
      where: { file: sandbox.path('in/app.mf') },
    });
    sandbox.write('in/app.ovf', concat([descriptorFor('app.ovf', [DISK]).bytes, encodeUtf8('\n')]));
    expect(WARNS_OF(await packed(sandbox))).toMatch(/edited since.*\n.*is left out/);
  });

  test('[out.1] neither it nor the signature beside it is replaced', async () => {
    using sandbox = await exportedTo();
    for (const name of ['app.mf', 'app.cert', 'app.ovf']) {
      const output = sandbox.path(`in/${name}`);
      await expect(packed(sandbox, { output, overwrite: true })).rejects.toMatchObject({ code: 'USAGE' });
    }
    expect((await packed(sandbox, { output: sandbox.path('in/new.ova') })).exitCode).toBe(0);
  });
});

describe('[pack.16] a certificate file beside the descriptor', () => {
  const warning = async (sandbox: Sandbox): Promise<string> => WARNS_OF(await packed(sandbox));

  test('is told to be left, with whom its signature claims to be by', async () => {
    using sandbox = await exportedTo();
    expect(await warning(sandbox)).toMatch(
      /^the signature in "app.cert" is not packed: .* valid for "app.mf", .* by "CN=Acme Release,O=Acme"; nobody has checked .*$/,
    );
  });

  test('is told to be left, where it fits something else', async () => {
    using sandbox = await exportedTo({
      signed: { signer: await signerUnder(await testAuthority(), { key: 'p256' }) },
    });
    sandbox.write('in/app.mf', concat([readFileSync(sandbox.path('in/app.mf')), encodeUtf8('\n')]));
    expect(await warning(sandbox)).toMatch(
      /^the signature in "app.cert" is not packed: .* Nor is it valid for "app.mf": [^\n]*$/,
    );
  });

  test.each([
    ['cannot be read', 'in/app.cert', '', /It cannot be read: /],
    ['has no manifest', 'in/app.mf', undefined, /no manifest is beside it/],
  ] as const)('is told to be left, where it %s', async (_, name, text, message) => {
    using sandbox = await exportedTo();
    if (text === undefined) rmSync(sandbox.path(name));
    else sandbox.write(name, text);
    expect(await warning(sandbox)).toMatch(message);
  });
});

describe('[pack.17] a folder', () => {
  test('is packed as the descriptor in it', async () => {
    using sandbox = await exportedTo({ signed: false });
    await packed(sandbox);
    const named = readFileSync(sandbox.path('out.ova'));
    await packed(sandbox, { overwrite: true }, 'in');
    expect(readFileSync(sandbox.path('out.ova'))).toEqual(named);
    symlinkSync('in', sandbox.path('link'));
    await packed(sandbox, { output: sandbox.path('in/new.ova') }, 'link/');
    expect(readFileSync(sandbox.path('in/new.ova'))).toEqual(named);
  });

  test('without a descriptor, or with several, is refused', async () => {
    using sandbox = await exportedTo({ signed: false });
    mkdirSync(sandbox.path('none'));
    sandbox.write('none/deep/app.ovf', '');
    const where = { file: sandbox.path('none') };
    await expect(packed(sandbox, {}, 'none')).rejects.toMatchObject({ code: 'PACKAGE_UNKNOWN', where });
    linkSync(sandbox.path('in/app.ovf'), sandbox.path('in/B.OVF'));
    await expect(packed(sandbox, {}, 'in')).rejects.toMatchObject({ code: 'PACKAGE_AMBIGUOUS' });
    expect((await packed(sandbox)).exitCode).toBe(0);
  });

  test('[links.1] whose descriptor is a link out of it is refused', async () => {
    using sandbox = await exportedTo({ signed: false });
    mkdirSync(sandbox.path('out'));
    symlinkSync('../in/app.ovf', sandbox.path('out/app.ovf'));
    await expect(packed(sandbox, {}, 'out')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
