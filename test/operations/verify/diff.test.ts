import { describe, expect, test } from 'vitest';
import { type Comparison, diff } from '../../../src/operations/verify/diff.ts';
import {
  type BundleOptions,
  DISK,
  descriptorFor,
  makeBundle,
  NOTES,
  signerUnder,
  testAuthority,
  textFile,
} from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { chunked } from '../../factory/streams.ts';

async function compared(a: BundleOptions, b: BundleOptions): Promise<{ code: number } & Partial<Comparison>> {
  const { report, comparison } = await diff(chunked(await makeBundle(a)), chunked(await makeBundle(b)));
  valid(report);
  expect(report.verdict).toBe('none');
  expect(codesOf(report)).toEqual(report.exitCode === 0 ? [] : ['BUNDLES_DIFFER']);
  return { code: report.exitCode, ...comparison };
}

describe('two bundles', () => {
  test('[diff.1] [diff.3] are the same, however they are packed', async () => {
    expect(await compared({}, {})).toEqual({ code: 0, same: true, differences: [], packing: [] });
    expect(await compared({}, { order: 'trailing', gzip: true })).toEqual({
      code: 0,
      same: true,
      differences: [],
      packing: ['container: tar and tgz', 'order of the members'],
    });
  });

  test('[diff.1] [diff.2] differ in a member, one that only one has, and one that is longer', async () => {
    const { code, differences = [] } = await compared(
      { files: [DISK, NOTES] },
      { files: [{ ...DISK, bytes: flipped(DISK.bytes, 7) }, textFile('other.txt', 'x')] },
    );
    expect(code).toBe(6);
    const told = differences.map(({ kind, what, a, b }) => [kind, what, a !== undefined, b !== undefined]);
    expect(told).toEqual([
      ['member', 'app.mf', true, true],
      ['member', 'app.cert', true, true],
      ['member', 'disk.img', true, true],
      ['member', 'notes.txt', true, false],
      ['member', 'other.txt', false, true],
    ]);
    expect(differences[2]).toMatchObject({ a: expect.stringMatching(/^3000 bytes, sha256:[0-9a-f]{64}$/) });
  });

  test('[diff.2] differ in what their descriptors say', async () => {
    const other = descriptorFor('app.ovf', [DISK], { vendor: 'Other' });
    const changed = textFile(
      'app.ovf',
      new TextDecoder().decode(other.bytes).replace('ovf:capacity="1"', 'ovf:capacity="2"'),
    );
    const { differences = [] } = await compared(
      { files: [descriptorFor('app.ovf', [DISK]), DISK] },
      { files: [changed, DISK] },
    );
    expect(differences.filter(({ kind }) => kind === 'descriptor')).toEqual([
      { kind: 'descriptor', what: 'product: vendor', a: 'Acme', b: 'Other' },
      { kind: 'descriptor', what: 'disk d: capacity', a: '1', b: '2' },
    ]);
  });

  test('[diff.2] differ in who claims to have signed them', async () => {
    const signer = await signerUnder(await testAuthority(), { subject: 'CN=Somebody Else' });
    const { differences = [] } = await compared({}, { signed: { signer } });
    const ofSigner = differences.filter(({ kind }) => kind === 'signer');
    expect(ofSigner.map(({ what }) => what)).toEqual(['subject', 'certificate']);
    expect(ofSigner[0]).toMatchObject({ a: 'CN=Acme Release,O=Acme', b: 'CN=Somebody Else' });
    const none = await compared({}, { signed: false });
    expect(none.differences?.filter(({ kind, b }) => kind === 'signer' && b !== undefined)).toEqual([]);
  });
});

test('[diff.1] an archive that cannot be read ends it as inspect does', async () => {
  const good = await makeBundle();
  const { report, comparison } = await diff(chunked(good), chunked(good.subarray(0, 2000)));
  expect([report.exitCode, report.operation, comparison]).toEqual([15, 'diff', undefined]);
  await expect(diff('-', '-')).rejects.toMatchObject({ code: 'USAGE' });
});
