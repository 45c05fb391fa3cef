import { describe, expect, test } from 'vitest';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import { inspect } from '../../../src/operations/verify/inspect.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { appliance, archiveOf, makeMembers, type NamedBytes, textFile } from '../../factory/bundles.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { END, header, MAGIC } from '../../factory/tar.ts';

/** A tar of members as another tool may write it. */
function tarOf(
  members: readonly NamedBytes[],
  { prefix = '', before = [] as readonly Uint8Array[], magic = MAGIC.posix as string, end = END } = {},
): Uint8Array {
  const entries = members.flatMap(({ name, bytes }) => [
    header({ name: `${prefix}${name}`, size: bytes.byteLength, magic }),
    bytes,
    new Uint8Array((512 - (bytes.byteLength % 512)) % 512),
  ]);
  return concat([...before, ...entries, end]);
}

describe('a signed bundle of a tool with habits', () => {
  test('[relax.1] tar -C DIR .: trusted when that is let pass, and reported', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const bytes = tarOf(await makeMembers(), {
      prefix: './',
      before: [header({ name: './', type: '5' })],
      magic: MAGIC.gnu,
    });
    const strict = await verify(chunked(bytes), trust);
    expect([strict.report.exitCode, strict.report.errors[0]?.advice]).toEqual([
      15,
      [expect.objectContaining({ advice: 'repair', of: 'folders,dot-prefix' })],
    ]);
    const { report } = await verify(chunked(bytes), {
      ...trust,
      relax: ['folders', 'dot-prefix', 'no-end-mark'],
    });
    expect([report.verdict, report.allowances]).toEqual([
      'trusted',
      ['relax:folders', 'relax:dot-prefix', 'relax:no-end-mark'],
    ]);
    expect(report.warnings).toEqual([
      'let pass: names that begin with "./", read without it (relax: dot-prefix)',
      'let pass: entries of folders, passed over (relax: folders)',
    ]);
    const inspected = await inspect(chunked(bytes), { relax: ['folders', 'dot-prefix'] });
    expect([inspected.report.exitCode, inspected.report.allowances]).toEqual([
      0,
      ['relax:folders', 'relax:dot-prefix'],
    ]);
  });

  test('[relax.8] [norm.2] is repaired by the command that the refusal names', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const members = await makeMembers();
    const odd = tarOf(members, { prefix: './', end: new Uint8Array(0) });
    const output = sandbox.path('new.ova');
    const report = await normalize(chunked(odd), {
      ...trust,
      output,
      format: 'tar',
      relax: ['dot-prefix', 'no-end-mark'],
    });
    expect(report.exitCode).toBe(0);
    expect((await verify(output, trust)).verdict).toBe('trusted');
  });

  test('[relax.4] a member that is cut away with the end mark is missed by the manifest', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const bytes = tarOf((await makeMembers()).slice(0, -1), { end: new Uint8Array(0) });
    const { report } = await verify(chunked(bytes), { ...trust, relax: ['no-end-mark'] });
    expect(codesOf(report)).toEqual(['FILE_MISSING']);
  });

  test('image-builder: a pax header with a fractional time comes first, and is read as it is', async () => {
    using sandbox = makeSandbox();
    const body = encodeUtf8('28 mtime=1700000000.1234567\n');
    const before = [
      header({ name: '././@PaxHeader', type: 'x', size: body.byteLength }),
      body,
      new Uint8Array(512 - body.byteLength),
    ];
    const { verdict } = await verify(
      chunked(tarOf(await makeMembers(), { before })),
      await trusting(sandbox),
    );
    expect(verdict).toBe('trusted');
  });
});

describe('a member that a tool added', () => {
  test.each([
    ['._disk.img', 'AppleDouble', 'COPYFILE_DISABLE=1'],
    ['sub/._x', 'AppleDouble', 'COPYFILE_DISABLE=1'],
    ['.DS_Store', 'Finder', 'find . -name .DS_Store -delete'],
    ['PaxHeader/disk.img', 'pax headers', 'pack what the descriptor names'],
    ['PaxHeaders.1234/disk.img', 'pax headers', 'pack what the descriptor names'],
    ['pad', 'oVirt', 'pack what the descriptor names'],
  ])('[relax.7] %s is refused, and explained by its name', async (name, why, fix) => {
    using sandbox = makeSandbox();
    const bytes = await archiveOf([...(await makeMembers()), textFile(name, 'x')]);
    const { report } = await verify(chunked(bytes), await trusting(sandbox));
    expect(report.errors).toEqual([
      expect.objectContaining({
        code: 'FILE_UNLISTED',
        why: expect.stringContaining(why),
        fix: expect.stringContaining(fix),
      }),
    ]);
  });

  test('[relax.7] is explained when it is named as the descriptor, and comes before it', async () => {
    using sandbox = makeSandbox();
    const members = await makeMembers();
    const name = `._${members.find((one) => one.name.endsWith('.ovf'))?.name}`;
    const { report } = await verify(
      chunked(await archiveOf([textFile(name, 'x'), ...members])),
      await trusting(sandbox),
    );
    expect(report.errors).toContainEqual(
      expect.objectContaining({ code: 'PACKAGE_AMBIGUOUS', why: expect.stringContaining('AppleDouble') }),
    );
  });

  test('[relax.7] is explained when it is signed and the descriptor does not name it', async () => {
    using sandbox = makeSandbox();
    const bytes = await archiveOf(
      await makeMembers({ files: [...appliance(), textFile('._disk.img', 'x')] }),
    );
    const { report } = await verify(chunked(bytes), await trusting(sandbox));
    expect(report.errors).toEqual([
      expect.objectContaining({ code: 'FILE_UNREFERENCED', why: expect.stringContaining('AppleDouble') }),
    ]);
  });
});

describe('an export that nobody signed', () => {
  test('[relax.8] oVirt: a GNU tar with a pad and without a manifest says how it is signed', async () => {
    using sandbox = makeSandbox();
    const members = [...appliance(), textFile('pad', '\0'.repeat(100))];
    const { report } = await verify(chunked(tarOf(members, { magic: MAGIC.gnu })), await trusting(sandbox));
    expect(codesOf(report)).toEqual(['MANIFEST_MISSING']);
    expect(report.errors[0]?.advice).toMatchObject([{ advice: 'sign-export', of: 'app.ovf' }]);
  });

  test('[relax.8] Proxmox: a VMA backup is called by its name, with the way out', async () => {
    const { report } = await inspect(chunked(concat([encodeUtf8('VMA\0'), new Uint8Array(12_288)])));
    expect(report.errors[0]).toMatchObject({
      code: 'FORMAT_UNSUPPORTED',
      message: 'the input is a Proxmox VMA backup',
      fix: expect.stringContaining('vma extract'),
    });
  });
});
