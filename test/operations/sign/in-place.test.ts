import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { clean } from '../../../src/operations/import/clean.ts';
import { type SignPackageOptions, signPackage } from '../../../src/operations/sign/in-place/sign-package.ts';
import { timestampPackage } from '../../../src/operations/sign/in-place/timestamp-package.ts';
import type { SigningIdentity, TimestampSource } from '../../../src/operations/sign/signing.ts';
import { timestamp } from '../../../src/operations/sign/timestamp.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { keptName, writePlan } from '../../../src/storage/output/exchange.ts';
import { MarkedFolder } from '../../../src/storage/unfinished/marked-folder.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import {
  archiveOf,
  DISK,
  JUDGED_AT,
  makeMembers,
  type NamedBytes,
  testAuthority,
} from '../../factory/bundles.ts';
import { makeAuthority, type TestCertificate } from '../../factory/certificates.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { writePackage } from '../../factory/packages.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { makeTimestampAuthority, makeTokenDer } from '../../factory/timestamps.ts';

let authority: TestCertificate;
beforeAll(async () => {
  authority = await makeTimestampAuthority(await makeAuthority({ subject: 'CN=Time Root,O=Time' }));
});

const stamping: TimestampSource = async (over) => makeTokenDer({ over, authority, time: JUDGED_AT });

/** A package in a folder `web` of a sandbox: descriptor, disk, notes, and what is asked for of the rest. */
async function laidOut(sandbox: Sandbox, parts: readonly ('mf' | 'cert')[]): Promise<string> {
  const members = await makeMembers();
  const wanted = members.filter(
    ({ name }) => !/\.(mf|cert)$/.test(name) || parts.some((part) => name.endsWith(`.${part}`)),
  );
  return writePackage(sandbox.path('web'), wanted);
}

async function signed(
  sandbox: Sandbox,
  options: Partial<SignPackageOptions> & { readonly input?: string } = {},
): Promise<Report> {
  const { input = sandbox.path('web'), identity = await identityOf(sandbox), ...others } = options;
  return valid(await signPackage(input, { identity, ...others }));
}

/** The codes of a refusal, reported or thrown. */
async function refusal(work: Promise<Report>): Promise<readonly string[]> {
  try {
    return codesOf(await work);
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return [error.code];
  }
}

async function verdictOn(sandbox: Sandbox, input = sandbox.path('web')): Promise<readonly string[]> {
  const { verdict, report } = await verify(input, { ...(await trusting(sandbox)), at: JUDGED_AT });
  return verdict === 'trusted' ? [verdict] : codesOf(report);
}

function contentOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder).filter((name) => lstatSync(join(folder, name)).isFile());
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'hex')]));
}

describe('[pkg.9] a package that is signed where it lies', () => {
  test.each(['', '/app.ovf', '/app.mf'])(
    'by the name %s of the folder: the manifest stays byte for byte',
    async (name) => {
      using sandbox = makeSandbox();
      const folder = await laidOut(sandbox, ['mf']);
      const before = contentOf(folder);
      const report = await signed(sandbox, { input: folder + name });
      expect(report).toMatchObject({
        errors: [],
        result: { written: [join(folder, 'app.cert')], format: 'files' },
      });
      const { 'app.cert': made, ...rest } = contentOf(folder);
      expect(made).toBeDefined();
      expect(rest).toEqual(before);
      expect(await verdictOn(sandbox)).toEqual(['trusted']);
    },
  );

  test('gets a manifest where it has none, of what the descriptor refers to and nothing else', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, []);
    sandbox.write('web/stranger.txt', 'not of the package');
    const report = await signed(sandbox, { digest: 'sha512' });
    expect(report.result).toMatchObject({ written: [join(folder, 'app.mf'), join(folder, 'app.cert')] });
    const lines = readFileSync(join(folder, 'app.mf'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/=.*/, ''))).toEqual([
      'SHA512(app.ovf)',
      'SHA512(disk.img)',
      'SHA512(notes.txt)',
    ]);
    expect(await verdictOn(sandbox)).toEqual(['trusted']);
  });

  test('[pkg.8] with large files hashed side by side', async () => {
    using sandbox = makeSandbox();
    await laidOut(sandbox, ['mf']);
    expect((await signed(sandbox, { limits: { laneBytes: 1000, threads: 2 } })).errors).toEqual([]);
    writeFileSync(
      sandbox.path('web/disk.img'),
      DISK.bytes.map((byte) => byte ^ 1),
    );
    const again = signed(sandbox, { overwrite: true, limits: { laneBytes: 1000, threads: 2 } });
    expect(await refusal(again)).toEqual(['DIGEST_MISMATCH']);
  });

  test('with a timestamp: beside it, or in the CMS signature', async () => {
    for (const cms of [false, true]) {
      using sandbox = makeSandbox();
      const folder = await laidOut(sandbox, ['mf']);
      const { result } = await signed(sandbox, { cms, timestamp: stamping });
      const names = cms ? ['app.cert'] : ['app.cert', 'app.tst'];
      expect(result).toMatchObject({ written: names.map((name) => join(folder, name)), timestamped: true });
      expect(await verdictOn(sandbox)).toEqual(['trusted']);
    }
  });

  test('refuses what is no package on this machine', async () => {
    using sandbox = makeSandbox();
    for (const input of ['-', 'https://host.example/web.ovf', sandbox.write('web.ova', 'x')])
      expect(await refusal(signed(sandbox, { input }))).toEqual(['USAGE']);
    mkdirSync(sandbox.path('empty'));
    expect(await refusal(signed(sandbox, { input: sandbox.path('empty') }))).toEqual(['PACKAGE_UNKNOWN']);
  });
});

describe('[pkg.10] what is there already', () => {
  test('is replaced only when that is asked for', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf', 'cert']);
    const before = contentOf(folder);
    expect(await refusal(signed(sandbox))).toEqual(['DESTINATION_EXISTS']);
    expect(contentOf(folder)).toEqual(before);
    expect((await signed(sandbox, { overwrite: true, cms: true })).errors).toEqual([]);
    expect(contentOf(folder)['app.cert']).not.toEqual(before['app.cert']);
    expect(await verdictOn(sandbox)).toEqual(['trusted']);
  });

  test('[pack.19] is named by whose it was, and by why where it was none', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf', 'cert']);
    const { result, warnings } = await signed(sandbox, { overwrite: true });
    expect(result).toMatchObject({ replacedSigners: [{ fingerprint: expect.any(String) }] });
    expect(warnings.join()).not.toContain('was there before');
    writeFileSync(join(folder, 'app.cert'), 'nothing');
    const again = await signed(sandbox, { overwrite: true });
    expect([again.result, again.warnings]).toMatchObject([
      { replacedSigners: [] },
      expect.arrayContaining([
        expect.stringContaining('"app.cert" was there before, and was no good signature'),
      ]),
    ]);
  });

  test.each<[string, string, (folder: string) => void]>([
    ['a damaged disk', 'DIGEST_MISMATCH', (at) => writeFileSync(join(at, 'disk.img'), 'damaged')],
    ['a disk that is not there', 'FILE_MISSING', (at) => rmSync(join(at, 'disk.img'))],
    ['an edited descriptor', 'DIGEST_MISMATCH', (at) => writeFileSync(join(at, 'app.ovf'), edited(at))],
    ['a signature beside it that is none', 'CMS_SYNTAX', (at) => writeFileSync(join(at, 'app.p7s'), 'x')],
    ['a manifest that lists too little', 'FILE_UNLISTED', (at) => withoutLine(at, 'disk.img')],
    ['a manifest without the descriptor', 'DESCRIPTOR_UNLISTED', (at) => withoutLine(at, 'app.ovf')],
    ['a second descriptor', 'PACKAGE_AMBIGUOUS', (at) => writeFileSync(join(at, 'other.ovf'), '')],
    ['a manifest twice', 'PACKAGE_AMBIGUOUS', (at) => writeFileSync(join(at, 'app.MF'), '')],
    ['a certificate file twice', 'PACKAGE_AMBIGUOUS', (at) => writeFileSync(join(at, 'app.CERT'), '')],
    ['a disk that is a link', 'ARCHIVE_TYPE', (at) => linked(at, 'disk.img')],
    ['a certificate file that is a link', 'ARCHIVE_TYPE', (at) => linked(at, 'app.cert')],
    ['a timestamp that is a folder', 'ARCHIVE_TYPE', (at) => mkdirSync(join(at, 'app.tst'))],
  ])('[pack.5] %s is not signed over, whatever is asked for: %s', async (_, code, spoil) => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf', 'cert']);
    spoil(folder);
    const before = contentOf(folder);
    expect(await refusal(signed(sandbox, { overwrite: true }))).toContain(code);
    expect(contentOf(folder)).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.includes('.partial-'))).toEqual([]);
  });

  test('in other case is taken for what it is, and gets no second one beside it', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf', 'cert']);
    renameSync(join(folder, 'app.cert'), join(folder, 'app.CERT'));
    expect(await refusal(signed(sandbox))).toEqual(['DESTINATION_EXISTS']);
    expect((await signed(sandbox, { overwrite: true, cms: true })).result).toMatchObject({
      written: [join(folder, 'app.CERT')],
    });
    expect(existsSync(join(folder, 'app.cert'))).toBe(false);
    expect(await verdictOn(sandbox)).toEqual(['trusted']);
  });

  test('a timestamp of an older signature goes, and is named; also one that has lost its certificate file', async () => {
    for (const cert of [true, false]) {
      using sandbox = makeSandbox();
      const folder = await laidOut(sandbox, ['mf']);
      await signed(sandbox, { timestamp: stamping });
      if (!cert) rmSync(join(folder, 'app.cert'));
      expect(await refusal(signed(sandbox))).toEqual(['DESTINATION_EXISTS']);
      const report = await signed(sandbox, { overwrite: true, digest: 'sha384' });
      expect(report.warnings).toContainEqual(expect.stringContaining('"app.tst" was taken away'));
      expect(readdirSync(folder).sort()).toEqual(['app.cert', 'app.mf', 'app.ovf', 'disk.img', 'notes.txt']);
      expect(await verdictOn(sandbox)).toEqual(['trusted']);
    }
  });

  test('[pkg.10] a timestamp stays where the same signature is made again', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf']);
    await signed(sandbox, { timestamp: stamping });
    const report = await signed(sandbox, { overwrite: true });
    expect(report).toMatchObject({ errors: [], result: { written: [] } });
    expect(report.warnings.join()).not.toContain('app.tst');
    expect(existsSync(join(folder, 'app.tst'))).toBe(true);
  });

  test('[pkg.10] what is wrong with the files is told before what stands in the way', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf', 'cert']);
    writeFileSync(join(folder, 'disk.img'), 'other bytes');
    const { errors } = await signed(sandbox);
    expect(errors.map(({ code }) => code)).toContain('DIGEST_MISMATCH');
  });

  test('revocation information stays where it is about the signature, and refuses it where it is of strangers', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf', 'cert']);
    const of = async (issuer: TestCertificate): Promise<void> => {
      mkdirSync(join(folder, 'revocation'), { recursive: true });
      writeFileSync(join(folder, 'revocation/a.crl'), makeCrlDer({ issuer }));
    };
    await of(await testAuthority());
    expect((await signed(sandbox, { overwrite: true })).errors).toEqual([]);
    expect(existsSync(join(folder, 'revocation/a.crl'))).toBe(true);
    expect(await verdictOn(sandbox)).toEqual(['trusted']);
    await of(await makeAuthority({ subject: 'CN=Stranger' }));
    const before = contentOf(folder);
    expect(await refusal(signed(sandbox, { overwrite: true }))).toEqual(['FILE_UNLISTED']);
    expect(contentOf(folder)).toEqual(before);
  });

  test('of SHA-1 is refused, with what makes a manifest anew', async () => {
    using sandbox = makeSandbox();
    const members = await makeMembers({ algorithm: 'sha1' });
    writePackage(
      sandbox.path('web'),
      members.filter(({ name }) => !name.endsWith('.cert')),
    );
    const { errors } = await signed(sandbox);
    expect(errors).toMatchObject([{ code: 'DIGEST_WEAK', fix: expect.stringContaining('pack it') }]);
  });
});

test('[pkg.9] where it is refused, nothing matches a manifest that is not there', async () => {
  using sandbox = makeSandbox();
  const folder = await laidOut(sandbox, []);
  rmSync(join(folder, 'disk.img'));
  const { errors, checks } = await signed(sandbox);
  expect(errors).toMatchObject([{ code: 'FILE_MISSING' }]);
  expect(checks.find(({ id }) => id === 'manifest.digests')?.status).toBe('skip');
});

test('[show.7] what is thrown advises whoever has the files, in a program, too', async () => {
  using sandbox = makeSandbox();
  const folder = await laidOut(sandbox, ['mf']);
  writeFileSync(join(folder, 'app.cert'), 'no certificate file');
  const thrown = await timestampPackage(folder, { source: stamping }).catch((error) => error);
  expect(thrown).toMatchObject({ code: 'CERTIFICATE_FILE_SYNTAX' });
  expect(thrown.fix).toBe(thrown.forMaker().fix);
  expect(thrown.fix).not.toContain('publisher');
});

describe('[pkg.11] what happens meanwhile', () => {
  /** An identity whose signer does something before it signs. */
  async function delayed(sandbox: Sandbox, doing: () => void): Promise<SigningIdentity> {
    const identity = await identityOf(sandbox);
    const { signer } = identity;
    return {
      ...identity,
      signer: {
        publicKey: signer.publicKey,
        open: (form) => {
          doing();
          return signer.open(form);
        },
      },
    };
  }

  test.each<[string, string, (folder: string) => void]>([
    ['a file that is written to', 'FILE_CHANGED', (at) => writeFileSync(join(at, 'disk.img'), DISK.bytes)],
    ['a manifest that is exchanged', 'FILE_CHANGED', (at) => exchanged(at, 'app.mf')],
    [
      'a certificate file that appears',
      'DESTINATION_EXISTS',
      (at) => writeFileSync(join(at, 'app.cert'), 'of another'),
    ],
    ['a link that leads out', 'DESTINATION_EXISTS', (at) => linked(at, 'app.cert', '../target')],
  ])('%s: %s', async (_, code, doing) => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf']);
    sandbox.write('target', 'as it was');
    const identity = await delayed(sandbox, () => doing(folder));
    expect(await refusal(signed(sandbox, { identity }))).toEqual([code]);
    expect(readFileSync(sandbox.path('target'), 'utf8')).toBe('as it was');
    expect(readdirSync(folder).filter((name) => name.includes('.partial-'))).toEqual([]);
    if (existsSync(join(folder, 'app.cert')))
      expect(readFileSync(join(folder, 'app.cert'), 'utf8')).not.toMatch(/BEGIN/);
  });

  test('a link that leads nowhere is not written through either', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf']);
    const identity = await delayed(sandbox, () => linked(folder, 'app.cert', '../nothing'));
    expect(await refusal(signed(sandbox, { identity }))).not.toEqual([]);
    expect(existsSync(sandbox.path('nothing'))).toBe(false);
  });

  test('[import.10] others may rename there: refused before anything is read', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf']);
    chmodSync(folder, 0o777);
    expect(await refusal(signed(sandbox))).toEqual(['STORAGE_FAILED']);
    expect(readdirSync(folder).sort()).toEqual(['app.mf', 'app.ovf', 'disk.img', 'notes.txt']);
  });

  test.each([0, 1, 2, 3])(
    'a run that was killed after %i changes is undone by the next, or by clean',
    async (steps) => {
      for (const by of ['clean', 'sign'] as const) {
        using sandbox = makeSandbox();
        const folder = await laidOut(sandbox, []);
        await signed(sandbox, { timestamp: stamping });
        rmSync(join(folder, 'app.mf')); // so that a manifest is made anew, too
        const older = contentOf(folder);
        killed(folder, steps);
        if (by === 'clean') {
          clean(folder, { remove: true });
          expect(contentOf(folder)).toEqual(
            steps < 3 ? older : { ...older, 'app.mf': HALF, 'app.cert': HALF, 'app.tst': undefined },
          );
        } else {
          expect((await signed(sandbox, { overwrite: true })).warnings).toContainEqual(
            expect.stringContaining('.partial-'),
          );
          // with all three it stands as that run meant it, which had written nonsense
          expect(await verdictOn(sandbox)).toEqual(
            steps < 3 ? ['trusted'] : ['CERTIFICATE_FILE_SYNTAX', 'MANIFEST_SYNTAX'],
          );
        }
        expect(readdirSync(folder).filter((name) => name.includes('.partial-'))).toEqual([]);
      }
    },
  );
});

describe('[pkg.12] a package that is timestamped where it lies', () => {
  test('gets the token beside the certificate file, the rest byte for byte; and once', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf']);
    await signed(sandbox);
    const before = contentOf(folder);
    const report = valid(await timestampPackage(folder, { source: stamping }));
    expect(report.result).toEqual({ written: [join(folder, 'app.tst')], format: 'files', timestamped: true });
    const { 'app.tst': _, ...rest } = contentOf(folder);
    expect(rest).toEqual(before);
    expect(await verdictOn(sandbox)).toEqual(['trusted']);
    const again = timestampPackage(folder, { source: stamping, overwrite: true });
    expect(await refusal(again)).toEqual(['USAGE']);
  });

  test('in the CMS signature only where the certificate file may be replaced, as the copy of an archive has it', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf']);
    await signed(sandbox, { cms: true });
    let asked = 0;
    let token: Promise<Uint8Array> | undefined;
    const source: TimestampSource = (over) => {
      asked++;
      token ??= stamping(over); // each is another
      return token;
    };
    expect(await refusal(timestampPackage(folder, { source }))).toEqual(['DESTINATION_EXISTS']);
    expect(asked).toBe(0);
    const members: NamedBytes[] = ['app.ovf', 'app.mf', 'app.cert', 'disk.img', 'notes.txt'].map((name) => {
      return { name, bytes: readFileSync(join(folder, name)) };
    });
    sandbox.write('web.ova', await archiveOf(members));
    expect((await timestampPackage(folder, { source, overwrite: true })).errors).toEqual([]);
    expect(await verdictOn(sandbox)).toEqual(['trusted']);
    const copy = sandbox.path('copy.ova');
    await timestamp(sandbox.path('web.ova'), { source, output: copy, format: 'tar' });
    expect(readFileSync(copy).includes(readFileSync(join(folder, 'app.cert')))).toBe(true);
  });

  test('an unsigned one is refused, and so is one whose timestamp is over something else without leave to replace it', async () => {
    using sandbox = makeSandbox();
    const folder = await laidOut(sandbox, ['mf']);
    expect(await refusal(timestampPackage(folder, { source: stamping }))).toEqual(['SIGNATURE_MISSING']);
    await signed(sandbox);
    writeFileSync(join(folder, 'app.tst'), await stamping(Uint8Array.of(1)));
    expect(await refusal(timestampPackage(folder, { source: stamping }))).toEqual(['DESTINATION_EXISTS']);
    expect((await timestampPackage(folder, { source: stamping, overwrite: true })).errors).toEqual([]);
    expect(await verdictOn(sandbox)).toEqual(['trusted']);
  });
});

function edited(folder: string): string {
  return readFileSync(join(folder, 'app.ovf'), 'utf8').replace('</Envelope>', '<!-- edited --></Envelope>');
}

function withoutLine(folder: string, name: string): void {
  const path = join(folder, 'app.mf');
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, lines.filter((line) => !line.includes(`(${name})`)).join('\n'));
}

/** Moves a file away, and puts a link to it in its place, or one that leads elsewhere. */
function linked(folder: string, name: string, target = `../.${name}`): void {
  const path = join(folder, name);
  if (existsSync(path)) renameSync(path, join(folder, '..', `.${name}`));
  symlinkSync(target, path);
}

function exchanged(folder: string, name: string): void {
  const bytes = readFileSync(join(folder, name));
  rmSync(join(folder, name));
  writeFileSync(join(folder, name), bytes);
}

const HALF = Buffer.from('half').toString('hex');

/** What a run leaves that was killed after so many of its three changes: the timestamp taken away, a manifest and a certificate file put there. */
function killed(folder: string, steps: number): void {
  const work = MarkedFolder.make(folder, { kind: 'package', base: '.signature' });
  const made = ['app.mf', 'app.cert'].map((name, i) => {
    const waiting = `volume-${i + 1}`;
    writeFileSync(join(work.path, waiting), 'half');
    const { ino, size, mtimeNs } = lstatSync(join(work.path, waiting), { bigint: true });
    return { target: join(folder, name), waiting, ino, size: Number(size), mtimeNs };
  });
  const stale = { target: join(folder, 'app.tst'), waiting: 'volume-3', removed: true } as const;
  writePlan(work.path, [stale, ...made]);
  const changes = [
    () => renameSync(stale.target, join(work.path, keptName(stale.waiting))),
    ...made.map(({ target, waiting }) => () => {
      if (existsSync(target)) renameSync(target, join(work.path, keptName(waiting)));
      renameSync(join(work.path, waiting), target);
    }),
  ];
  for (const change of changes.slice(0, steps)) change();
  work.leave();
  work.rest();
}
