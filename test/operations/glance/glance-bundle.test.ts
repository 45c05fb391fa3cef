import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ImageSigner } from '../../../src/operations/glance/image-signer.ts';
import { readProperties } from '../../../src/operations/glance/read-properties.ts';
import { loadImageSigner } from '../../../src/operations/glance/sign-image.ts';
import { uploadCommand } from '../../../src/operations/glance/sign-on-import.ts';
import { verifyImage } from '../../../src/operations/glance/verify-image.ts';
import { importBundle } from '../../../src/operations/import/import.ts';
import type { ImportOptions } from '../../../src/operations/import/import-options.ts';
import type { ImportResult } from '../../../src/operations/import/import-result.ts';
import type { PackOptions } from '../../../src/operations/pack/options.ts';
import { pack } from '../../../src/operations/pack/pack.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { DISK, descriptorFor, JUDGED_AT, makeBundle } from '../../factory/bundles.ts';
import { qcow2 } from '../../factory/disk-images.ts';
import { codeOfAsync } from '../../factory/errors.ts';
import { keeping, rsaCertificate, UUID } from '../../factory/images.ts';
import { identityOf, namesIn, verdictOn } from '../../factory/packing.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';

async function signerIn(sandbox: Sandbox): Promise<ImageSigner> {
  const { privateKeyPem } = await rsaCertificate();
  const key = sandbox.write('.keys/glance.pem', privateKeyPem);
  return loadImageSigner({ key }, { certificateUuid: UUID, at: JUDGED_AT });
}

/** Packs with a signature for Glance, and gives the bundle. */
async function packed(
  sandbox: Sandbox,
  inputs: readonly string[],
  options: Partial<PackOptions> = {},
): Promise<{ readonly bundle: Uint8Array; readonly report: Report }> {
  const output = sandbox.path('out.ova');
  const report = await pack(inputs, {
    output,
    format: 'tar',
    name: 'web',
    identity: await identityOf(sandbox),
    imageSigner: await signerIn(sandbox),
    overwrite: true,
    ...options,
  });
  return { bundle: Uint8Array.from(readFileSync(output)), report };
}

/** Whether a disk verifies with the properties in a file. */
async function signatureOf(disk: string, properties: string): Promise<unknown> {
  const certificates = keeping(await rsaCertificate());
  const report = await verifyImage(disk, {
    properties: await readProperties(properties),
    certificates,
    at: JUDGED_AT,
  });
  return report.result?.signature;
}

describe('[glance.34] pack puts the properties of each disk image beside it', () => {
  test.each(['leading', 'trailing'] as const)('in a bundle with the manifest %s', async (order) => {
    using sandbox = makeSandbox();
    const disks = ['a.qcow2', 'b.qcow2'].map((name) => sandbox.write(name, qcow2({ size: 1n << 20n })));
    const { bundle, report } = await packed(sandbox, disks, { order });
    const names = await namesIn(bundle);
    expect(names.filter((name) => /qcow2/.test(name))).toEqual([
      'a.qcow2',
      'a.qcow2.glance.json',
      'b.qcow2',
      'b.qcow2.glance.json',
    ]);
    expect(await verdictOn(sandbox, bundle)).toEqual(['trusted']);
    expect(report.files.map(({ name }) => name)).toContain('b.qcow2.glance.json');
    sandbox.write('in.ova', bundle);
    await importBundle(sandbox.path('in.ova'), {
      ...(await trusting(sandbox)),
      destination: sandbox.path('to'),
    });
    expect(await signatureOf(sandbox.path('to/b.qcow2'), sandbox.path('to/b.qcow2.glance.json'))).toBe(
      'valid',
    );
  });

  test('of a descriptor whose bytes stay as they are', async () => {
    using sandbox = makeSandbox();
    sandbox.write(DISK.name, DISK.bytes);
    const ovf = sandbox.write('web.ovf', descriptorFor('web.ovf', [DISK]).bytes);
    const { bundle, report } = await packed(sandbox, [ovf]);
    expect(await namesIn(bundle)).toContain(`${DISK.name}.glance.json`);
    expect(report.warnings.join()).toMatch(/does not name "disk\.img\.glance\.json"/);
    expect(await verdictOn(sandbox, bundle)).toEqual(['trusted']);
  });

  test('and an importer takes no other member that References do not name, nor one that is not listed', async () => {
    using sandbox = makeSandbox();
    const files = [
      descriptorFor('app.ovf', [DISK]),
      DISK,
      { name: 'other.glance.json', bytes: new Uint8Array(2) },
    ];
    const bundle = await makeBundle({ files });
    expect(await verdictOn(sandbox, bundle)).toEqual(['FILE_UNREFERENCED']);
  });

  test.each(['ovf:compression="gzip"', 'ovf:chunkSize="5000"'])(
    'but not of a disk with %s',
    async (attributes) => {
      using sandbox = makeSandbox();
      sandbox.write(DISK.name, DISK.bytes);
      sandbox.write(`${DISK.name}.000000000`, DISK.bytes);
      const ovf = sandbox.write('web.ovf', descriptorFor('web.ovf', [DISK], { attributes }).bytes);
      expect(await codeOfAsync(packed(sandbox, [ovf]))).toBe('USAGE');
    },
  );

  test('but not of a disk that is packed in chunks', async () => {
    using sandbox = makeSandbox();
    const disk = sandbox.write('a.qcow2', qcow2({ size: 1n << 20n }));
    expect(await codeOfAsync(packed(sandbox, [disk], { chunkSize: 65_536 }))).toBe('USAGE');
  });

  test('but not where there is no disk image', async () => {
    using sandbox = makeSandbox();
    const notes = sandbox.write('notes.txt', 'x');
    expect(await codeOfAsync(packed(sandbox, [notes], { plain: true }))).toBe('USAGE');
  });
});

describe('[glance.35] import signs the verified disk images with the site’s own key', () => {
  async function imported(
    sandbox: Sandbox,
    bundle: Uint8Array,
    more: Partial<ImportOptions> = {},
  ): Promise<ImportResult> {
    const input = sandbox.write('in.ova', bundle);
    const options = { destination: sandbox.path('to'), imageSigner: await signerIn(sandbox), ...more };
    return importBundle(input, { ...(await trusting(sandbox)), ...options });
  }

  test('and tells how to upload them', async () => {
    using sandbox = makeSandbox();
    const disk = sandbox.write('my disk.qcow2', qcow2({ size: 1n << 20n }));
    const { bundle } = await packed(sandbox, [disk]);
    const { images, report } = await imported(sandbox, bundle);
    expect(images?.map(({ name, propertiesFile }) => [name, propertiesFile])).toEqual([
      ['my disk.qcow2', 'my disk.qcow2.site.glance.json'],
    ]);
    expect(report.result?.images).toEqual(images);
    const [image] = images ?? [];
    if (!image) throw new Error('no image');
    expect(
      await signatureOf(sandbox.path('to/my disk.qcow2'), sandbox.path(`to/${image.propertiesFile}`)),
    ).toBe('valid');
    const command = await uploadCommand(sandbox.path('to'), image);
    expect(command).toMatch(
      /^openstack image create 'my disk' --file '.*\/my disk\.qcow2' --disk-format qcow2 --container-format bare /,
    );
    expect(command.match(/--property/g)).toHaveLength(4);
  });

  test.each([{}, { keepChunks: true }])(
    'but not a disk in chunks, and leaves nothing behind: %o',
    async (more) => {
      using sandbox = makeSandbox();
      const disk = sandbox.write('a.raw', new Uint8Array(1 << 20));
      const output = sandbox.path('chunks.ova');
      const identity = await identityOf(sandbox);
      await pack([disk], { output, format: 'tar', name: 'web', identity, chunkSize: 65_536 });
      const bundle = Uint8Array.from(readFileSync(output));
      const { report } = await imported(sandbox, bundle, more);
      expect(report.errors.map(({ code }) => code)).toEqual(['USAGE']);
      expect(existsSync(sandbox.path('to'))).toBe(false);
    },
  );

  test('with --images-only, too', async () => {
    using sandbox = makeSandbox();
    const bundle = await makeBundle({ files: [descriptorFor('app.ovf', [DISK]), DISK] });
    const { imported: done } = await imported(sandbox, bundle, { imagesOnly: true });
    expect(done).toBe(true);
    expect(sandbox.list().filter((name) => name.startsWith('to/'))).toEqual([
      'to/',
      `to/${DISK.name}`,
      `to/${DISK.name}.site.glance.json`,
    ]);
  });

  test('and leaves nothing when the bundle is not trusted', async () => {
    using sandbox = makeSandbox();
    const bundle = await makeBundle({ files: [descriptorFor('app.ovf', [DISK]), DISK] });
    const { kind, report, images } = await imported(sandbox, bundle, { trust: {} });
    expect(report.exitCode).toBe(20);
    expect([kind, images]).toEqual(['refused', undefined]);
    expect(sandbox.list().filter((name) => name.startsWith('to'))).toEqual([]);
  });

  test('and replaces no file of the bundle', async () => {
    using sandbox = makeSandbox();
    const other = { name: `${DISK.name}.SITE.glance.json`, bytes: new Uint8Array(2) };
    const bundle = await makeBundle({ files: [descriptorFor('app.ovf', [DISK, other]), DISK, other] });
    const { report } = await imported(sandbox, bundle);
    expect(report.errors.map(({ code }) => code)).toEqual(['USAGE']);
    expect(sandbox.list()).not.toContain('to/');
  });

  test('a word of the command that a shell would take apart is quoted', async () => {
    using sandbox = makeSandbox();
    writeFileSync(join(sandbox.folder, "it's"), 'x');
    const image = { name: "it's", propertiesFile: '', properties: {} };
    expect(await uploadCommand(sandbox.folder, image)).toContain(`'it'"'"'s'`);
  });
});
