import { appendFileSync, mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { PackOptions } from '../../../src/operations/pack/options.ts';
import { pack } from '../../../src/operations/pack/pack.ts';
import { DISK, descriptorFor, NOTES, noiseFile, signerUnder, testAuthority } from '../../factory/bundles.ts';
import { qcow2, vmdk, vmdkDescriptor } from '../../factory/disk-images.ts';
import { identityOf, namesIn, verdictOn } from '../../factory/packing.ts';
import { valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

const MIB = 1024 * 1024;

/** Packs files of the sandbox into `out.ova`, and gives its bytes. */
async function packed(
  sandbox: Sandbox,
  names: readonly string[],
  options: Partial<PackOptions> = {},
): Promise<Uint8Array> {
  const inputs = names.map((name) => sandbox.path(name));
  const output = sandbox.path('out.ova');
  const report = await pack(inputs, { output, format: 'tar', name: 'app', ...options });
  expect(valid(report)).toMatchObject({ operation: 'pack', exitCode: 0, verdict: 'none', trusted: false });
  return readFileSync(String(options.output ?? output));
}

/** A sandbox with an appliance: a descriptor and its two files, the second in a folder. */
function applianceSandbox(): Sandbox {
  const sandbox = makeSandbox();
  const files = [DISK, { ...NOTES, name: 'docs/notes.txt' }];
  for (const { name, bytes } of [descriptorFor('web.ovf', files), ...files]) sandbox.write(name, bytes);
  return sandbox;
}

describe('what is packed is what importers trust', () => {
  test('disk images, for which a descriptor is made', async () => {
    using sandbox = makeSandbox();
    sandbox.write('a.qcow2', qcow2());
    sandbox.write('b.vmdk', vmdk());
    const appliance = { product: 'Web', vendor: 'Acme', version: '1.0', cpus: 2, memoryMiB: 2048 };
    const bytes = await packed(sandbox, ['a.qcow2', 'b.vmdk'], {
      identity: await identityOf(sandbox),
      appliance,
    });
    expect(await namesIn(bytes)).toEqual(['app.ovf', 'app.mf', 'app.cert', 'a.qcow2', 'b.vmdk']);
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test.each(['sha256', 'sha384', 'sha512'] as const)('a descriptor with its files, %s', async (digest) => {
    using sandbox = applianceSandbox();
    const bytes = await packed(sandbox, ['web.ovf'], { identity: await identityOf(sandbox), digest });
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test('plain files, compressed', async () => {
    using sandbox = applianceSandbox();
    const options = { identity: await identityOf(sandbox), plain: true, format: 'tgz' } as const;
    const bytes = await packed(sandbox, ['disk.img', 'docs/notes.txt'], options);
    expect(await namesIn(bytes)).toEqual(['app.mf', 'app.cert', 'disk.img', 'notes.txt']);
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test.each(['p256', 'p384', 'ed25519'] as const)(
    'signed with a key of the kind %s, with a warning',
    async (key) => {
      using sandbox = applianceSandbox();
      const identity = await identityOf(sandbox, await signerUnder(await testAuthority(), { key }));
      expect(identity.warnings.join()).toContain('VMware and VirtualBox read RSA signatures only');
      expect(await verdictOn(sandbox, await packed(sandbox, ['web.ovf'], { identity }))).toEqual(['trusted']);
    },
  );

  test('but for the signature, when nobody signs', async () => {
    using sandbox = applianceSandbox();
    expect(await verdictOn(sandbox, await packed(sandbox, ['web.ovf']))).toEqual(['SIGNATURE_MISSING']);
  });
});

describe('the archive', () => {
  test.each([
    ['leading', ['web.ovf', 'web.mf', 'web.cert', 'disk.img', 'docs/notes.txt']],
    ['trailing', ['web.ovf', 'disk.img', 'docs/notes.txt', 'web.mf', 'web.cert']],
  ] as const)('[pack.1] has its members in %s order', async (order, names) => {
    using sandbox = applianceSandbox();
    const bytes = await packed(sandbox, ['web.ovf'], { identity: await identityOf(sandbox), order });
    expect(await namesIn(bytes)).toEqual(names);
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test.each(['tar', 'tgz', 'zip'] as const)(
    '[pack.2] is the same, byte for byte, wherever and whenever it is made: %s',
    async (format) => {
      const made = await Promise.all(
        [1, 2].map(async (time) => {
          using sandbox = applianceSandbox();
          for (const name of ['web.ovf', 'disk.img']) utimesSync(sandbox.path(name), time, time);
          return await packed(sandbox, ['web.ovf'], { identity: await identityOf(sandbox), format });
        }),
      );
      expect(Buffer.compare(made[0] ?? new Uint8Array(0), made[1] ?? new Uint8Array(0))).toBe(0);
    },
  );

  test('[pack.2] has mode 0644, owner 0 and the time that is asked for', async () => {
    using sandbox = applianceSandbox();
    const field = (bytes: Uint8Array, from: number, to: number): number =>
      Number.parseInt(new TextDecoder().decode(bytes.subarray(from, to)), 8);
    const plain = await packed(sandbox, ['web.ovf']);
    const [mode, user, group, time] = [
      field(plain, 100, 108),
      field(plain, 108, 116),
      field(plain, 116, 124),
      field(plain, 136, 148),
    ];
    expect({ mode, user, group, time }).toEqual({ mode: 0o644, user: 0, group: 0, time: 0 });
    const timed = await packed(sandbox, ['web.ovf'], { mtime: 1_234_567_890, overwrite: true });
    expect(field(timed, 136, 148)).toBe(1_234_567_890);
  });

  test('[pack.7] has the descriptor as it was', async () => {
    using sandbox = makeSandbox();
    const text = new TextDecoder().decode(descriptorFor('web.ovf', [DISK]).bytes);
    const odd = `\uFEFF<?xml version='1.0'?>\r\n<!-- kept -->  ${text}\r\n\r\n`;
    sandbox.write('web.ovf', odd);
    sandbox.write('disk.img', DISK.bytes);
    const bytes = await packed(sandbox, ['web.ovf'], { name: 'ignored' });
    const stored = bytes.subarray(512, 512 + Buffer.byteLength(odd));
    expect(Buffer.compare(stored, Buffer.from(odd))).toBe(0);
  });

  test('the report has the digest of every file', async () => {
    using sandbox = applianceSandbox();
    const inputs = [sandbox.path('web.ovf')];
    const report = await pack(inputs, { output: sandbox.path('out.ova'), format: 'tar', name: 'app' });
    expect(valid(report).files.map(({ name, role, status }) => [name, role, status])).toEqual([
      ['web.ovf', 'descriptor', 'ok'],
      ['disk.img', 'file', 'ok'],
      ['docs/notes.txt', 'file', 'ok'],
    ]);
    expect(report.result).toMatchObject({
      signed: false,
      bytes: readFileSync(sandbox.path('out.ova')).length,
    });
  });
});

describe('a file that is written to meanwhile', () => {
  const large = noiseFile('large.img', 3 * MIB);

  test.each<[string, 'leading' | 'trailing', (path: string) => void]>([
    ['changes', 'leading', (path) => writeFileSync(path, new Uint8Array(3 * MIB))],
    ['shrinks', 'leading', (path) => truncateSync(path, MIB)],
    ['grows', 'leading', (path) => appendFileSync(path, 'x')],
    ['shrinks', 'trailing', (path) => truncateSync(path, 2 * MIB)],
    ['grows', 'trailing', (path) => appendFileSync(path, 'x')],
  ])('[pack.3] ends the packing when it %s, %s order', async (_, order, change) => {
    for (const format of ['tar', 'tgz', 'zip'] as const) {
      using sandbox = makeSandbox();
      const path = sandbox.write('large.img', large.bytes);
      let done = false;
      const onProgress = (): void => {
        if (!done) change(path);
        done = true;
      };
      const before = sandbox.list();
      const packing = packed(sandbox, ['large.img'], { plain: true, order, format, onProgress });
      await expect(packing).rejects.toMatchObject({ code: 'FILE_CHANGED' });
      expect(sandbox.list()).toEqual(before);
    }
  });

  test.each(['tar', 'tgz'] as const)(
    '[pack.3] is found out between two readings, too: %s',
    async (format) => {
      using sandbox = makeSandbox();
      const path = sandbox.write('large.img', large.bytes);
      const onProgress = ({ phase }: { phase: string }): void => {
        if (phase === 'write') writeFileSync(path, new Uint8Array(3 * MIB));
      };
      const packing = packed(sandbox, ['large.img'], { plain: true, format, onProgress });
      await expect(packing).rejects.toMatchObject({ code: 'FILE_CHANGED' });
      expect(sandbox.list()).toEqual(['large.img']);
    },
  );
});

describe('the output', () => {
  test('[pack.4] does not replace a file unasked, and then as a whole', async () => {
    using sandbox = applianceSandbox();
    sandbox.write('out.ova', 'mine');
    await expect(packed(sandbox, ['web.ovf'])).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(readFileSync(sandbox.path('out.ova'), 'utf8')).toBe('mine');
    expect((await packed(sandbox, ['web.ovf'], { overwrite: true })).length).toBeGreaterThan(4);
  });

  test('[pack.4] does not replace a file that appears meanwhile', async () => {
    using sandbox = applianceSandbox();
    const onProgress = (): void => writeFileSync(sandbox.path('out.ova'), 'theirs');
    const packing = packed(sandbox, ['web.ovf'], { onProgress });
    await expect(packing).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(readFileSync(sandbox.path('out.ova'), 'utf8')).toBe('theirs');
    expect(sandbox.list().filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('[pack.4] is not there before it is complete', async () => {
    using sandbox = applianceSandbox();
    const seen = new Set<string>();
    await packed(sandbox, ['web.ovf'], {
      onProgress: () => {
        for (const name of sandbox.list()) seen.add(name.replace(/partial-[\w-]+/, 'partial-*'));
      },
    });
    expect(seen).toContain('.out.ova.partial-*/output');
    expect(seen).not.toContain('out.ova');
    expect(sandbox.list().filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('[pack.4] leaves nothing when it is interrupted', async () => {
    using sandbox = makeSandbox();
    sandbox.write('large.img', new Uint8Array(3 * MIB));
    const stop = new AbortController();
    const options = { plain: true, signal: stop.signal, onProgress: () => stop.abort() };
    await expect(packed(sandbox, ['large.img'], options)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(sandbox.list()).toEqual(['large.img']);
  });

  test('is refused where it cannot be', async () => {
    using sandbox = applianceSandbox();
    mkdirSync(sandbox.path('folder'));
    const onto = (name: string) =>
      packed(sandbox, ['web.ovf'], { output: sandbox.path(name), overwrite: true });
    await expect(onto('folder')).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    await expect(onto('no/where.ova')).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      where: { file: sandbox.path('no/where.ova') },
    });
  });
});

describe('what an importer would refuse is refused', () => {
  /** The refusal of these files, which are made first. */
  async function refusal(
    files: Readonly<Record<string, Uint8Array | string>>,
    inputs: readonly string[],
    options: Partial<PackOptions> = {},
  ): Promise<unknown> {
    using sandbox = makeSandbox();
    for (const [name, content] of Object.entries(files)) sandbox.write(name, content);
    const before = sandbox.list();
    const code = await packed(sandbox, inputs, options).catch(({ code }: { code: string }) => code);
    expect(sandbox.list()).toEqual(before);
    return code;
  }
  const descriptor = (...hrefs: string[]): Uint8Array => descriptorFor('', hrefs).bytes;
  const plain = { plain: true };

  test.each([
    ['a name that is none', { 'a:b.img': 'x' }, ['a:b.img'], plain, 'ARCHIVE_NAME'],
    [
      'two files of one name',
      { 'a/x.img': '1', 'b/x.img': '2' },
      ['a/x.img', 'b/x.img'],
      plain,
      'ARCHIVE_DUPLICATE',
    ],
    [
      'two names that fold together',
      { 'a/x.img': '1', 'b/X.img': '2' },
      ['a/x.img', 'b/X.img'],
      plain,
      'ARCHIVE_DUPLICATE',
    ],
    ['the name of the manifest', { 'app.mf': 'x' }, ['app.mf'], plain, 'ARCHIVE_DUPLICATE'],
    ['another manifest', { 'b.mf': 'x' }, ['b.mf'], plain, 'PACKAGE_AMBIGUOUS'],
    ['a descriptor among plain files', { 'b.ovf': 'x' }, ['b.ovf'], plain, 'PACKAGE_AMBIGUOUS'],
    ['a base name with a folder', { 'x.img': 'x' }, ['x.img'], { ...plain, name: 'a/b' }, 'USAGE'],
    ['nothing at all', {}, [], plain, 'USAGE'],
    ['two descriptors', { 'a.ovf': descriptor(), 'b.ovf': descriptor() }, ['a.ovf', 'b.ovf'], {}, 'USAGE'],
    ['a descriptor that is none', { 'a.ovf': '<x/>' }, ['a.ovf'], {}, 'DESCRIPTOR_SYNTAX'],
    ['a reference to nothing', { 'a.ovf': descriptor('x.img') }, ['a.ovf'], {}, 'FILE_NOT_FOUND'],
    [
      'a reference to another descriptor',
      { 'a.ovf': descriptor('b.ovf'), 'b.ovf': 'x' },
      ['a.ovf'],
      {},
      'PACKAGE_AMBIGUOUS',
    ],
    [
      'a reference to the manifest',
      { 'a.ovf': descriptor('a.mf'), 'a.mf': 'x' },
      ['a.ovf'],
      {},
      'ARCHIVE_DUPLICATE',
    ],
    [
      'references to another manifest and its signature',
      { 'a.ovf': descriptor('b.mf', 'b.cert'), 'b.mf': 'x', 'b.cert': 'x' },
      ['a.ovf'],
      {},
      'PACKAGE_AMBIGUOUS',
    ],
    [
      'a file and a folder of one name',
      { 'a.ovf': descriptor('X.img', 'x.img/b'), 'X.img': 'x', 'x.img/b': 'x' },
      ['a.ovf'],
      {},
      'ARCHIVE_DUPLICATE',
    ],
    [
      'a file that has the name of the timestamp',
      { 'n.tst': 'x' },
      ['n.tst'],
      { ...plain, name: 'n' },
      'ARCHIVE_DUPLICATE',
    ],
    ['the same in another case', { 'N.TST': 'x' }, ['N.TST'], { ...plain, name: 'n' }, 'ARCHIVE_DUPLICATE'],
    [
      'a reference to the timestamp',
      { 'a.ovf': descriptor('a.tst'), 'a.tst': 'x' },
      ['a.ovf'],
      {},
      'ARCHIVE_DUPLICATE',
    ],
    [
      'a reference to a list that is none',
      { 'a.ovf': descriptor('revocation/a.crl'), 'revocation/a.crl': 'x' },
      ['a.ovf'],
      {},
      'REVOCATION_MALFORMED',
    ],
    [
      'a reference to an answer that is none',
      { 'a.ovf': descriptor('revocation/a.OCSP'), 'revocation/a.OCSP': 'x' },
      ['a.ovf'],
      {},
      'REVOCATION_MALFORMED',
    ],
    ['a folder', { 'sub/x': 'x' }, ['sub'], plain, 'FILE_UNREADABLE'],
  ] as const)('[pack.5] %s', async (_, files, inputs, options, code) => {
    expect(await refusal(files, inputs, options)).toBe(code);
  });

  const backed = qcow2({ backing: '/etc/passwd' });
  const flat = vmdkDescriptor({ type: 'monolithicFlat', extents: ['RW 8 FLAT "a-flat.vmdk" 0'] });
  test.each([
    ['a backing file', { 'a.qcow2': backed }, ['a.qcow2'], {}],
    ['a backing file, the image called raw', { 'a.img': backed }, ['a.img'], {}],
    [
      'a backing file, named by a descriptor',
      { 'a.ovf': descriptor('a.qcow2'), 'a.qcow2': backed },
      ['a.ovf'],
      {},
    ],
    ['a backing file, plain', { 'a.qcow2': backed, 'n.txt': 'x' }, ['n.txt', 'a.qcow2'], plain],
    ['a data file', { 'a.qcow2': qcow2({ dataFile: '/dev/sda', features: 4n }) }, ['a.qcow2'], {}],
    ['an extent', { 'a.vmdk': flat }, ['a.vmdk'], {}],
  ])('[pack.8] an image that needs %s', async (_, files, inputs, options) => {
    expect(await refusal(files as Record<string, string>, inputs, options)).toBe('FORMAT_UNSUPPORTED');
  });

  test('[pack.8] an image that is not understood is no matter among plain files', async () => {
    using sandbox = makeSandbox();
    sandbox.write('a.qcow2', qcow2({ version: 9 }));
    expect((await packed(sandbox, ['a.qcow2'], plain)).length).toBeGreaterThan(0);
  });
});
