import { appendFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inspect } from '../../../src/operations/verify/inspect.ts';
import { sha256 } from '../../factory/archives.ts';
import {
  appliance,
  archiveOf,
  makeBundle,
  makeMembers,
  noiseFile,
  testSigner,
  textFile,
} from '../../factory/bundles.ts';
import { withFlipped } from '../../factory/damage.ts';
import { qcow2 } from '../../factory/disk-images.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

describe('inspect', () => {
  test('lists what is there, and says that nothing is verified', async () => {
    const members = await makeMembers();
    const { report, inspection } = await inspect(chunked(await archiveOf(members), 777));
    expect(valid(report)).toMatchObject({
      exitCode: 0,
      verdict: 'none',
      trusted: false,
      checks: [],
      signatures: [],
    });
    expect(report.warnings.join()).toContain('NOT VERIFIED');
    expect(report.files.map(({ name, role, actual, status }) => ({ name, role, actual, status }))).toEqual(
      members.map(({ name, bytes }) => ({
        name,
        role: { ovf: 'descriptor', '.mf': 'manifest', ert: 'certificate' }[name.slice(-3)] ?? 'file',
        actual: sha256(bytes),
        status: 'unchecked',
      })),
    );
    expect(inspection).toMatchObject({
      format: 'tar',
      kind: 'ovf',
      manifestLines: 3,
      claimedSigner: { fingerprint: (await testSigner()).certificate.fingerprint },
      descriptor: { products: [{ name: 'Web', vendor: 'Acme' }] },
    });
  });

  test('says what the headers of disk images say, whatever they are called', async () => {
    const disks = ['a.qcow2', '__proto__'].map((name) => ({ name, bytes: qcow2({ size: 1n << 30n }) }));
    const files = [...disks, textFile('constructor', 'no image, but for raw')];
    const { inspection, report } = await inspect(chunked(await makeBundle({ files }), 1000));
    expect(Object.keys(inspection.disks).sort()).toEqual(['__proto__', 'a.qcow2', 'constructor']);
    expect(inspection.disks['a.qcow2']).toMatchObject({ format: 'qcow2', virtualSize: 2 ** 30 });
    expect(inspection.kind).toBe('plain');
    valid(report);
  });

  test('[cover.7] shows a descriptor that nothing vouches for only under that warning', async () => {
    const bytes = await makeBundle({
      members: (members) => withFlipped(members, 'disk.img', 1),
      signed: false,
    });
    const { report, inspection } = await inspect(chunked(bytes));
    expect(inspection).toMatchObject({ kind: 'ovf', descriptor: { version: 1 } });
    expect([report.exitCode, report.trusted]).toEqual([0, false]);
    expect(report.warnings[0]).toContain('NOT VERIFIED');
  });

  test.each([
    ['nothing that says what the files are', () => archiveOf([noiseFile('a.img', 10)]), ['PACKAGE_UNKNOWN']],
    ['two descriptors', () => archiveOf([...appliance(), textFile('b.ovf', '')]), ['PACKAGE_AMBIGUOUS']],
    [
      'a manifest that is not understood',
      () => makeBundle({ manifest: () => textFile('', 'x').bytes }),
      ['MANIFEST_SYNTAX'],
    ],
    [
      'a descriptor that is not understood',
      () => makeBundle({ files: [textFile('app.ovf', '<x/>')] }),
      ['DESCRIPTOR_SYNTAX'],
    ],
    ['no signature', () => makeBundle({ certificate: () => new Uint8Array(0) }), ['CERTIFICATE_FILE_SYNTAX']],
    ['half an archive', async () => (await makeBundle()).subarray(0, 5000), ['ARCHIVE_TRUNCATED']],
  ] as const)('tells what it cannot read, and lists the rest: %s', async (_, build, codes) => {
    const { report } = await inspect(chunked(await build()));
    expect(codesOf(valid(report))).toEqual(codes);
    expect(report.files.length).toBeGreaterThan(0);
  });

  test('[judge.6] does not vouch for a list of a file that changes', async () => {
    using sandbox = makeSandbox();
    const path = sandbox.write('in.ova', await makeBundle());
    const { report } = await inspect(path, { onProgress: () => appendFileSync(path, new Uint8Array(512)) });
    expect(codesOf(report)).toEqual(['FILE_CHANGED']);
  });

  test('throws when there is nothing to inspect', async () => {
    await expect(inspect('nowhere.ova')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
