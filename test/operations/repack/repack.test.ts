import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../../src/formats/ovf/manifest.ts';
import { decodeUtf8 } from '../../../src/kit/encoding.ts';
import type { RepackOptions, RepackReport } from '../../../src/operations/repack/options.ts';
import { repack } from '../../../src/operations/repack/repack.ts';
import type { SigningIdentity } from '../../../src/operations/sign/signing.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import {
  archiveOf,
  type BundleOptions,
  DISK,
  descriptorFor,
  JUDGED_AT,
  makeMembers,
  NOTES,
  noiseFile,
  signerUnder,
  testAuthority,
  textFile,
} from '../../factory/bundles.ts';
import { makeAuthority } from '../../factory/certificates.ts';
import { withFlipped } from '../../factory/damage.ts';
import { codeOfAsync } from '../../factory/errors.ts';
import { writePackage } from '../../factory/packages.ts';
import { identityOf, namesIn, verdictOn } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked, gatheringSink } from '../../factory/streams.ts';

async function repacked(
  sandbox: Sandbox,
  bytes: Uint8Array | string,
  options: Partial<RepackOptions> = {},
): Promise<RepackReport> {
  const identity = options.identity ?? (await identityOf(sandbox));
  const input = typeof bytes === 'string' ? bytes : chunked(bytes, 4000);
  const report = await repack(input, {
    at: JUDGED_AT,
    output: sandbox.path('out.ova'),
    format: 'tar',
    identity,
    ...options,
  });
  valid(report);
  return report;
}

async function bundle(options: BundleOptions = {}): Promise<Uint8Array> {
  return archiveOf(await makeMembers(options));
}

function made(sandbox: Sandbox): Uint8Array {
  return readFileSync(sandbox.path('out.ova'));
}

/** The text of a small member of a tar that is not long. */
async function textIn(sandbox: Sandbox, name: string): Promise<string> {
  const { writeFileSync } = await import('node:fs');
  const { execFileSync } = await import('node:child_process');
  writeFileSync(sandbox.path('look.tar'), made(sandbox));
  return execFileSync('tar', ['-xOf', sandbox.path('look.tar'), name], { encoding: 'utf8' });
}

const NAMED = [{ key: 'name', value: 'Renamed' }];

describe('a bundle that is packed and signed anew', () => {
  test.each<[BundleOptions['order'], readonly string[]]>([
    ['leading', ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt']],
    ['trailing', ['app.ovf', 'disk.img', 'notes.txt', 'app.mf', 'app.cert']],
    ['split', ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt']],
    ['first', ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt']],
  ])('[repack.1] [repack.5] %s: has its members in their order, and is trusted', async (order, names) => {
    using sandbox = makeSandbox();
    const report = await repacked(sandbox, await bundle({ ...(order && { order }) }), { set: NAMED });
    expect(codesOf(report)).toEqual([]);
    expect(await namesIn(made(sandbox))).toEqual(names);
    expect(await verdictOn(sandbox, made(sandbox))).toEqual(['trusted']);
    expect(report.result?.changes).toMatchObject([{ key: 'name', new: 'Renamed' }]);
    expect(report.files.map(({ status }) => status)).not.toContain('mismatch');
  });

  test.each<[string, Partial<RepackOptions>, readonly string[]]>([
    ['a tar in a file', {}, ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt']],
    ['a tgz', { format: 'tgz' }, ['app.ovf', 'disk.img', 'notes.txt', 'app.mf', 'app.cert']],
    ['a zip', { format: 'zip' }, ['app.ovf', 'disk.img', 'notes.txt', 'app.mf', 'app.cert']],
  ])('[repack.5] [repack.6] %s with other digests', async (_, options, names) => {
    using sandbox = makeSandbox();
    const report = await repacked(sandbox, await bundle(), { ...options, digest: 'sha512' });
    expect(report.result?.digests).toEqual(['sha512']);
    if (options.format !== 'zip') expect(await namesIn(made(sandbox))).toEqual(names);
    const { verdict } = await verify(sandbox.path('out.ova'), await trusting(sandbox));
    expect(verdict).toBe('trusted');
  });

  test('[repack.6] room is filled whatever length signatures have', async () => {
    using sandbox = makeSandbox();
    const signer = await signerUnder(await testAuthority(), { key: 'p256' });
    await repacked(sandbox, await bundle(), {
      digest: 'sha512',
      identity: await identityOf(sandbox, signer),
    });
    expect(await verdictOn(sandbox, made(sandbox))).toEqual(['trusted']);
  });

  test('[repack.6] SHA-256 stands in place of SHA-1, and others stay', async () => {
    using sandbox = makeSandbox();
    const old = await repacked(sandbox, await bundle({ algorithm: 'sha1' }));
    expect(old.result?.digests).toEqual(['sha256']);
    expect(old.warnings).toContain('let pass, since nobody is trusted here: the manifest has SHA-1 digests');
    using other = makeSandbox();
    expect((await repacked(other, await bundle({ algorithm: 'sha384' }))).result?.digests).toEqual([
      'sha384',
    ]);
  });

  test('[repack.6] SHA-1 is written only by an option that says so, and shows', async () => {
    using sandbox = makeSandbox();
    const input = await bundle();
    await expect(repacked(sandbox, input, { digest: 'sha1' })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(repacked(sandbox, input, { sha1ForOldImporters: true })).rejects.toMatchObject({
      code: 'USAGE',
    });
    const report = await repacked(sandbox, input, { digest: 'sha1', sha1ForOldImporters: true });
    expect([report.result?.digests, report.allowances]).toEqual([['sha1'], ['sha1ForOldImporters']]);
    expect(report.warnings.join()).toContain('the new manifest has SHA-1 digests');
    expect(await verdictOn(sandbox, made(sandbox))).toEqual(['DIGEST_WEAK']);
  });

  test('[repack.4] [repack.5] another descriptor takes the name of the old one', async () => {
    using sandbox = makeSandbox();
    const other = descriptorFor('other.ovf', [NOTES, DISK]);
    const report = await repacked(sandbox, await bundle(), { descriptor: other });
    expect([report.result?.descriptor, await verdictOn(sandbox, made(sandbox))]).toEqual([
      'replaced',
      ['trusted'],
    ]);
    expect(await textIn(sandbox, 'app.ovf')).toBe(decodeUtf8(other.bytes));
  });

  test.each<[string, Uint8Array, string]>([
    [
      'names a file that is not there',
      descriptorFor('o.ovf', [DISK, NOTES, 'more.img']).bytes,
      'FILE_MISSING',
    ],
    ['drops a file', descriptorFor('o.ovf', [DISK]).bytes, 'FILE_UNREFERENCED'],
    ['is none', textFile('o.ovf', '<Envelope/>').bytes, 'DESCRIPTOR_SYNTAX'],
  ])('[repack.4] a descriptor that %s is refused, and nothing is written', async (_, bytes, code) => {
    using sandbox = makeSandbox();
    const report = await repacked(sandbox, await bundle(), { descriptor: { name: 'o.ovf', bytes } });
    expect(codesOf(report)).toContain(code);
    expect(report.exitCode).toBe(16);
    expect(sandbox.list()).not.toContain('out.ova');
  });

  test.each<[string, Partial<RepackOptions>]>([
    ['in order', {}],
    ['with room left', { digest: 'sha512' }],
    ['compressed', { digest: 'sha512', format: 'tgz' }],
  ])('[repack.1] a file that was changed is refused, %s', async (_, options) => {
    using sandbox = makeSandbox();
    const members = withFlipped(await makeMembers(), 'disk.img', 100);
    const report = await repacked(sandbox, await archiveOf(members), options);
    expect([codesOf(report), report.exitCode]).toEqual([['DIGEST_MISMATCH'], 11]);
    expect(sandbox.list().filter((name) => !name.startsWith('.'))).toEqual([]);
  });

  test('[repack.1] an archive that ends too early, and a member that nobody lists', async () => {
    using sandbox = makeSandbox();
    const input = await bundle();
    const cut = await repacked(sandbox, input.subarray(0, input.byteLength - 12_000));
    expect(cut.exitCode).toBe(15);
    const members = await makeMembers();
    const more = await repacked(sandbox, await archiveOf([...members, textFile('more.txt', 'x')]));
    expect(codesOf(more)).toEqual(['FILE_UNLISTED']);
    expect(sandbox.list()).not.toContain('out.ova');
  });

  test('[repack.8] what would be the same but for the signature is said, and nothing of a match where it is refused', async () => {
    using sandbox = makeSandbox();
    const same = await repacked(sandbox, await bundle());
    expect(same.warnings.join()).toContain('only the signature is new');
    for (const options of [{ set: NAMED }, { digest: 'sha512' as const }]) {
      const other = await repacked(sandbox, await bundle(), { ...options, overwrite: true });
      expect(other.warnings.join()).not.toContain('only the signature is new');
    }
    const unsigned = (await makeMembers()).filter(({ name }) => name !== 'app.cert');
    const matching = await repacked(sandbox, await archiveOf(unsigned), { overwrite: true });
    expect(matching.warnings.join()).toContain('its files match its manifest');
    const changed = await repacked(sandbox, await archiveOf(withFlipped(unsigned, 'disk.img', 100)), {
      overwrite: true,
    });
    expect(codesOf(changed)).toEqual(['DIGEST_MISMATCH']);
    expect(changed.warnings.join()).not.toContain('match');
  });

  test('[show.7] what is one\u2019s own is mended, and what another has signed is asked of him', async () => {
    using sandbox = makeSandbox();
    const members = withFlipped(await makeMembers(), 'disk.img', 100);
    const trusted = await trusting(sandbox);
    const adviceFor = async (identity: SigningIdentity): Promise<string | undefined> =>
      (await repacked(sandbox, await archiveOf(members), { ...trusted, identity })).errors[0]?.fix;
    const own = await identityOf(sandbox);
    expect(await adviceFor(own)).toContain('if you changed "disk.img" yourself');
    const other = await makeAuthority();
    const leaf = { ...own.leaf, spkiSha256: other.certificate.spkiSha256 };
    expect(await adviceFor({ ...own, leaf })).toContain('report it to the publisher');
  });

  test('[repack.1] a change to a descriptor that is not there is misuse', async () => {
    using sandbox = makeSandbox();
    const plain = await bundle({ files: [DISK, NOTES], base: 'data' });
    await expect(repacked(sandbox, plain, { set: NAMED })).rejects.toMatchObject({ code: 'USAGE' });
    expect(sandbox.list()).not.toContain('out.ova');
    expect((await repacked(sandbox, plain, { digest: 'sha512' })).exitCode).toBe(0);
  });
});

test('[repack.4] a size that the new descriptor has wrong is a warning, as to verify', async () => {
  using sandbox = makeSandbox();
  const descriptor = descriptorFor('o.ovf', [noiseFile('disk.img', 2999), NOTES]);
  const report = await repacked(sandbox, await bundle(), { descriptor });
  expect(report.warnings.join()).toContain('the descriptor gives "disk.img" 2999 bytes; it has 3000');
});

describe('[repack.5] what goes to a reader at once', () => {
  async function sent(
    input: Uint8Array,
    options: Partial<RepackOptions>,
  ): Promise<readonly [RepackReport, Buffer]> {
    using sandbox = makeSandbox();
    const { output, gathered } = gatheringSink();
    return [await repacked(sandbox, input, { output, ...options }), gathered()];
  }

  test.each(['tar', 'tgz'] as const)('%s: is signed behind all files, and trusted', async (format) => {
    using sandbox = makeSandbox();
    const [, bytes] = await sent(await bundle(), { format });
    expect(await namesIn(bytes)).toEqual(['app.ovf', 'disk.img', 'notes.txt', 'app.mf', 'app.cert']);
    expect(await verdictOn(sandbox, bytes)).toEqual(['trusted']);
  });

  test.each<[string, () => Promise<Uint8Array>]>([
    ['a signer who is not trusted', () => bundle()],
    ['a signature that does not fit', async () => archiveOf(withFlipped(await makeMembers(), 'app.mf', 20))],
    ['a damaged file', async () => archiveOf(withFlipped(await makeMembers(), 'disk.img', 1))],
  ])('%s: no signature of ours is in it', async (_, make) => {
    using sandbox = makeSandbox();
    const other = await makeAuthority({ subject: 'CN=Somebody else' });
    const anchors = [sandbox.write('other.pem', other.pem)];
    const [report, bytes] = await sent(await make(), { trust: { anchors } });
    expect(report.errors).not.toEqual([]);
    expect(bytes.byteLength).toBeGreaterThan(0);
    expect(bytes.includes('.cert')).toBe(false);
    expect(bytes.includes('BEGIN CERTIFICATE')).toBe(false);
  });
});

test.each([
  ['tar', 3],
  ['tgz', 3],
  ['zip', 3],
] as const)(
  '[repack.4] %s: a member too many in what is made refuses it, and an older output stays',
  async (format, most) => {
    using sandbox = makeSandbox();
    sandbox.write('out.ova', Buffer.from('older'));
    const unsigned = await archiveOf(
      await makeMembers({ signed: false, files: [descriptorFor('app.ovf', [DISK]), DISK] }),
    );
    const report = await repacked(sandbox, unsigned, {
      format,
      digest: 'sha512',
      overwrite: true,
      limits: { members: most },
    });
    expect(codesOf(report)).toEqual(['ARCHIVE_LIMIT']);
    expect(made(sandbox).toString()).toBe('older');
  },
);

test('[repack.4] what is wrong with a descriptor that is given is told under its own name', async () => {
  using sandbox = makeSandbox();
  const descriptor = sandbox.write('new.ovf', descriptorFor('new.ovf', [noiseFile('other.img', 10)]).bytes);
  const report = await repacked(sandbox, await bundle(), { descriptor });
  expect(report.errors[0]).toMatchObject({ code: 'FILE_MISSING', where: { file: descriptor } });
  expect(report.warnings.join()).not.toContain('is left out');
});

test.each(['app.cert', 'new.ovf', 'APP.TST'])(
  '[out.1] %s in the folder that is read would be a part of it',
  async (name) => {
    using sandbox = makeSandbox();
    const folder = writePackage(sandbox.path('loose'), await makeMembers({ signed: false }));
    for (const input of [folder, join(folder, 'app.ovf')])
      expect(await codeOfAsync(repacked(sandbox, input, { output: join(folder, name) }))).toBe('USAGE');
  },
);

test('[repack.1] a folder that changes under way is refused, also behind the judgement', async () => {
  using sandbox = makeSandbox();
  const folder = writePackage(sandbox.path('loose'), await makeMembers());
  const identity = await identityOf(sandbox);
  const signer: typeof identity.signer = {
    ...identity.signer,
    open: (...asked) => {
      writeFileSync(join(folder, 'app.ovf'), 'changed');
      return identity.signer.open(...asked);
    },
  };
  const report = await repacked(sandbox, folder, { identity: { ...identity, signer } });
  expect(codesOf(report)).toEqual(['FILE_CHANGED']);
  expect(sandbox.list()).not.toContain('out.ova');
});

describe('whose a bundle was', () => {
  test('[repack.2] where somebody is trusted, its signer must be', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const good = await repacked(sandbox, await bundle(), trust);
    expect([good.verdict, good.result?.replacedSigners.length]).toEqual(['trusted', 1]);
    const signer = await signerUnder(await makeAuthority({ subject: 'CN=Somebody else' }));
    const other = await repacked(sandbox, await bundle({ signed: { signer } }), {
      ...trust,
      overwrite: true,
    });
    expect(other.exitCode).toBe(18);
    const unsigned = await bundle({ signed: false });
    expect((await repacked(sandbox, unsigned, { ...trust, overwrite: true })).exitCode).toBe(10);
    const allowed = await repacked(sandbox, unsigned, {
      ...trust,
      allow: { unsigned: true },
      overwrite: true,
    });
    expect([allowed.exitCode, allowed.verdict, allowed.allowances]).toEqual([0, 'unsigned', ['unsigned']]);
  });

  test('[repack.3] [repack.7] where nobody is trusted that is told, and what spoke of the old signature is left out', async () => {
    using sandbox = makeSandbox();
    const stranger = await makeAuthority({ subject: 'CN=Somebody Else' });
    const theirs = await signerUnder(stranger, { key: 'p256' }); // another key than that which signs now
    const report = await repacked(sandbox, await bundle({ signed: { signer: theirs } }));
    expect([report.exitCode, report.verdict, report.trusted]).toEqual([0, 'none', false]);
    expect(report.warnings).toEqual(
      expect.arrayContaining([
        'nobody is trusted here, so that who signed it before was not judged: you answer for what you sign now',
      ]),
    );
    expect(report.warnings.join()).not.toContain('app.cert');
    const own = await repacked(sandbox, await bundle(), { overwrite: true });
    expect(own.warnings.join()).not.toContain('nobody is trusted'); // the same key signs now
    const unsigned = await repacked(sandbox, await bundle({ signed: false }), { overwrite: true });
    expect(unsigned.warnings.join()).toContain('the bundle was not signed');
    expect(await verdictOn(sandbox, made(sandbox))).toEqual(['trusted']);
  });

  test('[repack.3] a signature that does not fit is refused, whoever is trusted', async () => {
    using sandbox = makeSandbox();
    const members = await makeMembers();
    const changed = members.map((one) =>
      one.name === 'app.mf' ? { ...one, bytes: new Uint8Array([...one.bytes, 0x0a]) } : one,
    );
    const report = await repacked(sandbox, await archiveOf(changed));
    expect([codesOf(report), report.exitCode]).toEqual([['SIGNATURE_INVALID'], 12]);
    expect(sandbox.list()).not.toContain('out.ova');
  });

  test('[repack.1] a folder of loose files, and its own file as output', async () => {
    using sandbox = makeSandbox();
    const folder = writePackage(sandbox.path('loose'), await makeMembers());
    const report = await repacked(sandbox, folder, { set: NAMED });
    expect([report.exitCode, await verdictOn(sandbox, made(sandbox))]).toEqual([0, ['trusted']]);
    await expect(
      repacked(sandbox, folder, { output: `${folder}/disk.img`, overwrite: true }),
    ).rejects.toMatchObject({ code: 'USAGE' });
    expect(readFileSync(`${folder}/disk.img`).byteLength).toBe(DISK.bytes.byteLength);
  });
});

test('[repack.5] lines keep their order', async () => {
  using sandbox = makeSandbox();
  await repacked(sandbox, await bundle(), { digest: 'sha384' });
  const text = await textIn(sandbox, 'app.mf');
  const { entries } = parseManifest(new TextEncoder().encode(text));
  expect(entries.map(({ name }) => name)).toEqual(['app.ovf', 'disk.img', 'notes.txt']);
});
