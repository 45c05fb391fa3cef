import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { wholeFile, writeTar } from '../../../src/archive/tar/tar-writer.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { type SignOptions, sign } from '../../../src/operations/sign/sign.ts';
import { loadSigningIdentity } from '../../../src/operations/sign/signing-identity.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { asArchive, read } from '../../factory/archives.ts';
import {
  appliance,
  archiveOf,
  type BundleOptions,
  bytesOf,
  DISK,
  descriptorFor,
  JUDGED_AT,
  makeBundle,
  makeMembers,
  type NamedBytes,
  noiseFile,
  signerUnder,
  testAuthority,
  testSigner,
  textFile,
  withMember,
} from '../../factory/bundles.ts';
import { EKU, makeCertificate } from '../../factory/certificates.ts';
import { withFlipped } from '../../factory/damage.ts';
import { identityOf, namesIn, placeBundle, signingFiles, verdictOn } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { chunked, gatheringSink } from '../../factory/streams.ts';

const MIB = 1024 * 1024;

/** A tar of more members than `archiveOf` writes. */
function tarOf(members: readonly NamedBytes[]): Promise<Uint8Array> {
  const limits = { ...DEFAULT_LIMITS, members: members.length };
  return bytesOf(
    writeTar(
      members.map(({ name, bytes }) => wholeFile(name, bytes)),
      { mtime: 0, limits },
    ),
  );
}

/** Signs `in.ova` of the sandbox into `out.ova`. */
async function signed(sandbox: Sandbox, options: Partial<SignOptions> = {}): Promise<Report> {
  const identity = options.identity ?? (await identityOf(sandbox));
  const output = sandbox.path('out.ova');
  return valid(await sign(sandbox.path('in.ova'), { output, format: 'tar', identity, ...options }));
}

async function digestsOf(bytes: Uint8Array): Promise<Readonly<Record<string, string>>> {
  const { members } = await read(chunked(bytes), asArchive);
  return Object.fromEntries(members.map(({ name, sha256 }) => [name, sha256]));
}

describe('[pack.6] what goes to a reader at once', () => {
  test('is signed behind all files, and trusted', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox);
    const { output, gathered } = gatheringSink();
    expect(codesOf(await signed(sandbox, { output }))).toEqual([]);
    expect(await namesIn(gathered())).toEqual(['app.ovf', 'app.mf', 'disk.img', 'notes.txt', 'app.cert']);
    expect(await verdictOn(sandbox, gathered())).toEqual(['trusted']);
  });

  test('has no signature of ours in it when it is refused', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox, { members: (all) => withFlipped(all, 'disk.img', 1) });
    const { output, gathered } = gatheringSink();
    expect(codesOf(await signed(sandbox, { output }))).toEqual(['DIGEST_MISMATCH']);
    expect(gathered().byteLength).toBeGreaterThan(0);
    expect(gathered().includes('.cert')).toBe(false);
  });
});

describe('a bundle that is signed again', () => {
  test.each<[string, BundleOptions, readonly string[]]>([
    ['unsigned', { signed: false }, ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt']],
    ['signed by another', {}, ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt']],
    ['files first', { order: 'trailing' }, ['app.ovf', 'disk.img', 'notes.txt', 'app.mf', 'app.cert']],
    [
      'the certificate file last',
      { order: 'split' },
      ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt'],
    ],
    ['the manifest first', { order: 'first' }, ['app.mf', 'app.cert', 'app.ovf', 'disk.img', 'notes.txt']],
    [
      'the certificate file at the very front',
      {
        members: (all) =>
          [...all].sort((a, b) => Number(b.name === 'app.cert') - Number(a.name === 'app.cert')),
      },
      ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt'],
    ],
    [
      'its certificate file in capitals',
      { members: (all) => all.map(({ name, bytes }) => ({ name: name.replace('cert', 'CERT'), bytes })) },
      ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt'],
    ],
    ['plain', { files: [DISK] }, ['app.mf', 'app.cert', 'disk.img']],
    ['compressed', { gzip: true }, ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt']],
    [
      'of SHA-512',
      { algorithm: 'sha512', order: 'trailing' },
      ['app.ovf', 'disk.img', 'notes.txt', 'app.mf', 'app.cert'],
    ],
    [
      'with another manifest as a file',
      { files: [descriptorFor('app.ovf', [textFile('b.mf', 'x')]), textFile('b.mf', 'x')] },
      ['app.ovf', 'app.mf', 'app.cert', 'b.mf'],
    ],
  ])('[pack.6] keeps its files and its manifest: %s', async (_, options, names) => {
    using sandbox = makeSandbox();
    const stranger = await makeCertificate({ subject: 'CN=Stranger', key: 'rsa2048' });
    const before = await makeBundle({
      ...(options.signed === false ? {} : { signed: { signer: stranger } }),
      ...options,
    });
    sandbox.write('in.ova', before);
    expect((await signed(sandbox)).exitCode).toBe(0);
    const after = readFileSync(sandbox.path('out.ova'));
    expect(await namesIn(after)).toEqual(names);
    expect(await verdictOn(sandbox, after)).toEqual(['trusted']);
    const was = await digestsOf(before);
    for (const [name, digest] of Object.entries(await digestsOf(after))) {
      if (name !== 'app.cert') expect(digest, name).toBe(was[name]);
    }
  });

  test('[pack.6] keeps revocation information that is too much to be held in memory', async () => {
    using sandbox = makeSandbox();
    const lists = [noiseFile('revocation/a.crl', 17 * 1024 * 1024)];
    const before = await makeBundle({ files: [DISK, ...lists] });
    sandbox.write('in.ova', before);
    expect((await signed(sandbox)).exitCode).toBe(0);
    const after = await digestsOf(readFileSync(sandbox.path('out.ova')));
    for (const { name } of lists) expect(after[name]).toBe((await digestsOf(before))[name]);
  });

  test('[pack.6] takes as many files as the caller allows', async () => {
    using sandbox = makeSandbox();
    const files = Array.from({ length: 300 }, (_, i) => textFile(`f${i}.txt`, 'x'));
    sandbox.write('in.tar', await tarOf(await makeMembers({ files, signed: false })));
    const identity = await identityOf(sandbox);
    const options = { output: sandbox.path('out.tar'), format: 'tar', identity } as const;
    const limits = { members: 1000 };
    await expect(sign(sandbox.path('in.tar'), options)).rejects.toMatchObject({ code: 'MANIFEST_SYNTAX' });
    expect(codesOf(valid(await sign(sandbox.path('in.tar'), { ...options, limits })))).toEqual([]);
  });

  test('[pack.6] is the same every time', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox, { signed: false });
    await signed(sandbox);
    const once = readFileSync(sandbox.path('out.ova'));
    writeFileSync(sandbox.path('in.ova'), once);
    await signed(sandbox, { overwrite: true });
    expect(Buffer.compare(readFileSync(sandbox.path('out.ova')), once)).toBe(0);
  });
});

describe('what an importer would refuse is not signed', () => {
  const swap = (members: readonly NamedBytes[]) => withFlipped(members, 'disk.img', 1);
  const pair = [textFile('b.mf', `SHA256(x)= ${'0'.repeat(64)}`), textFile('b.cert', 'x')];
  const late = [textFile('x.cert', 'an ordinary file')];
  const stamp = [textFile('app.tst', 'a note')];
  const list = [textFile('revocation/a.crl', 'a note')];

  test.each<[string, BundleOptions, readonly string[]]>([
    ['a changed disk', { members: swap }, ['DIGEST_MISMATCH']],
    ['a changed disk, files first', { members: swap, order: 'trailing' }, ['DIGEST_MISMATCH']],
    ['an unlisted file', { members: (all) => [...all, textFile('x', 'x')] }, ['FILE_UNLISTED']],
    ['an unlisted descriptor', { lines: (entries) => entries.slice(1) }, ['DESCRIPTOR_UNLISTED']],
    ['a missing file', { members: (all) => all.slice(0, -1) }, ['FILE_MISSING']],
    [
      'a file that the descriptor does not know',
      { files: [...appliance(), textFile('x', 'x')] },
      ['FILE_UNREFERENCED'],
    ],
    ['a descriptor that is not understood', { files: [textFile('app.ovf', '<x/>')] }, ['DESCRIPTOR_SYNTAX']],
    ['SHA-1 digests', { algorithm: 'sha1' }, ['DIGEST_WEAK']],
    ['no manifest', { members: (all) => withMember(all, 'app.mf', () => []) }, ['MANIFEST_MISSING']],
    [
      'a listed file that has the name of the timestamp',
      { files: [descriptorFor('app.ovf', stamp), ...stamp] },
      ['MANIFEST_SYNTAX'],
    ],
    [
      'a listed revocation list that is none',
      { files: [descriptorFor('app.ovf', list), ...list] },
      ['REVOCATION_MALFORMED'],
    ],
    ['two manifests of a plain bundle', { files: [DISK, textFile('b.mf', '')] }, ['PACKAGE_AMBIGUOUS']],
    ['another signed manifest', { members: (all) => [...all, ...pair] }, ['PACKAGE_AMBIGUOUS']],
    [
      'another manifest before the one that counts',
      { files: appliance(), members: (all) => [...pair.slice(0, 1), ...all] },
      ['PACKAGE_AMBIGUOUS'],
    ],
    [
      'a file that was taken for the old signature',
      {
        files: [descriptorFor('app.ovf', late), ...late],
        members: (all) => [...late, ...all.filter((member) => member !== late[0])],
      },
      ['PACKAGE_AMBIGUOUS'],
    ],
  ])('[pack.5] %s', async (_, options, codes) => {
    using sandbox = makeSandbox();
    sandbox.write('in.ova', await makeBundle({ ...options, order: options.order ?? 'leading' }));
    const report = await signed(sandbox);
    expect([codesOf(report), report.exitCode !== 0, report.trusted]).toEqual([codes, true, false]);
    expect(report.result).toBeUndefined(); // nothing was written
    expect(sandbox.list().filter((name) => name.includes('out.ova'))).toEqual([]);
  });

  test.each<[string, (members: readonly NamedBytes[]) => Promise<Uint8Array> | Uint8Array, string]>([
    ['two descriptors', (all) => archiveOf([textFile('b.ovf', ''), ...all]), 'PACKAGE_AMBIGUOUS'],
    [
      'a manifest that is not understood',
      (all) => archiveOf(withMember(all, 'app.mf', () => [textFile('app.mf', 'x')])),
      'MANIFEST_SYNTAX',
    ],
  ])('[pack.5] %s', async (_, make, code) => {
    using sandbox = makeSandbox();
    sandbox.write('in.ova', await make(await makeMembers()));
    await expect(signed(sandbox)).rejects.toMatchObject({ code });
    expect(sandbox.list().filter((name) => name.includes('out.ova'))).toEqual([]);
  });

  test.each([
    ['is cut', async () => (await makeBundle()).subarray(0, 6000), 'ARCHIVE_TRUNCATED'],
    ['is empty', async () => new Uint8Array(1024), 'ARCHIVE_EMPTY'],
    ['is none', async () => textFile('', 'x'.repeat(2000)).bytes, 'FORMAT_UNSUPPORTED'],
  ])('[judge.7] an archive that %s is a verdict', async (_, make, code) => {
    using sandbox = makeSandbox();
    sandbox.write('in.ova', await make());
    expect(codesOf(await signed(sandbox))).toEqual([code]);
    expect(sandbox.list().filter((name) => name.includes('out.ova'))).toEqual([]);
  });
});

describe('the output', () => {
  test('[pack.4] replaces a file only when asked', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox);
    sandbox.write('out.ova', 'mine');
    await expect(signed(sandbox)).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect((await signed(sandbox, { overwrite: true, format: 'tgz' })).exitCode).toBe(0);
    expect(await verdictOn(sandbox, readFileSync(sandbox.path('out.ova')))).toEqual(['trusted']);
  });

  test('[out.1] [pack.4] never takes the place of the input', async () => {
    using sandbox = makeSandbox();
    const path = await placeBundle(sandbox, { signed: false });
    const before = readFileSync(path);
    await expect(signed(sandbox, { overwrite: true, output: path })).rejects.toMatchObject({ code: 'USAGE' });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('[pack.4] leaves nothing when it is interrupted, or the input changes', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox, { files: [noiseFile('large.img', 3 * MIB)] });
    const stop = new AbortController();
    const identity = await identityOf(sandbox);
    const before = sandbox.list();
    const stopped = signed(sandbox, { identity, signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const path = sandbox.path('in.ova');
    const changed = await signed(sandbox, {
      identity,
      onProgress: () => writeFileSync(path, readFileSync(path)),
    });
    expect(codesOf(changed)).toEqual(['FILE_CHANGED']);
    expect(sandbox.list()).toEqual(before);
  });
});

describe('a signer', () => {
  const at = JUDGED_AT;
  const leaf = async (options: Parameters<typeof signerUnder>[1]) =>
    signerUnder(await testAuthority(), options);

  test('[sig.6] has a key that belongs to the certificate', async () => {
    using sandbox = makeSandbox();
    const { privateKeyPem } = await makeCertificate({ key: 'rsa2048', subject: 'CN=Other' });
    const files = signingFiles(sandbox, { ...(await testSigner()), privateKeyPem });
    await expect(loadSigningIdentity(files, at)).rejects.toMatchObject({ code: 'KEY_MISMATCH' });
  });

  test.each([
    ['expired', { subject: 'CN=Old', notAfter: new Date('2021-01-01T00:00:00Z') }, 'CERTIFICATE_EXPIRED'],
    [
      'not yet valid',
      { subject: 'CN=New', notBefore: new Date('2040-01-01T00:00:00Z') },
      'CERTIFICATE_NOT_YET_VALID',
    ],
    ['for web servers', { subject: 'CN=www', eku: [EKU.serverAuth] }, 'PURPOSE_REFUSED'],
    ['with a weak key', { subject: 'CN=Weak', key: 'rsa1024' as const }, 'KEY_WEAK'],
    ['that may not sign', { keyUsage: ['keyEncipherment' as const] }, 'PURPOSE_REFUSED'],
  ])('[sig.6] [pack.5] has no certificate that is %s', async (_, options, code) => {
    using sandbox = makeSandbox();
    const identity = loadSigningIdentity(signingFiles(sandbox, await leaf(options)), at);
    await expect(identity).rejects.toMatchObject({ code, where: { file: sandbox.path('.keys/cert.pem') } });
  });

  test('brings the intermediates of its file and of another, each once', async () => {
    using sandbox = makeSandbox();
    const [ca, signer] = [await testAuthority(), await testSigner()];
    const files = signingFiles(sandbox, { ...signer, pem: `${signer.pem}${ca.pem}` });
    const chain = sandbox.write('.keys/chain.pem', `note\n${ca.pem}${signer.pem}`);
    const { intermediates, leaf: own, warnings } = await loadSigningIdentity({ ...files, chain }, at);
    expect(intermediates.map(({ fingerprint }) => fingerprint)).toEqual([ca.certificate.fingerprint]);
    expect([own.fingerprint, warnings]).toEqual([signer.certificate.fingerprint, []]);
  });

  test('asks for a passphrase, and only when the key is locked', async () => {
    using sandbox = makeSandbox();
    const signer = await testSigner();
    const format = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'mice' } as const;
    const locked = signingFiles(sandbox, {
      ...signer,
      privateKeyPem: signer.privateKey.export(format).toString(),
    });
    const asking = (answer: string) => loadSigningIdentity({ ...locked, passphrase: async () => answer }, at);
    expect((await asking('mice')).leaf.fingerprint).toBe(signer.certificate.fingerprint);
    await expect(asking('men')).rejects.toMatchObject({ code: 'PASSPHRASE_WRONG' });
    await expect(loadSigningIdentity(locked, at)).rejects.toMatchObject({ code: 'PASSPHRASE_NEEDED' });
    const passphrase = async (): Promise<string> => Promise.reject(new Error('asked'));
    await loadSigningIdentity({ ...signingFiles(sandbox, signer), passphrase }, at);
  });

  test('with a chain longer than importers read is refused', async () => {
    using sandbox = makeSandbox();
    const many = await Promise.all(Array.from({ length: 16 }, () => makeCertificate()));
    const signer = await testSigner();
    const files = signingFiles(sandbox, { ...signer, pem: [signer, ...many].map(({ pem }) => pem).join('') });
    await expect(loadSigningIdentity(files, at)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
