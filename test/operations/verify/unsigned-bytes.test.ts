import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { formatPem } from '../../../src/formats/pem.ts';
import { decodeLatin1, encodeUtf8 } from '../../../src/kit/encoding.ts';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { asArchive, read } from '../../factory/archives.ts';
import {
  archiveOf,
  makeMembers,
  type NamedBytes,
  testAuthority,
  testSigner,
  withMember,
} from '../../factory/bundles.ts';
import type { TestCertificate } from '../../factory/certificates.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { importHere, left } from '../../factory/importing.ts';
import { makeOcspDer } from '../../factory/ocsp.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const LIMIT = 16 * 1024;

let root: TestCertificate;
let signer: TestCertificate;
let list: Uint8Array;
let pem: string;

beforeAll(async () => {
  root = await testAuthority();
  signer = await testSigner();
  list = makeCrlDer({ issuer: root });
  pem = formatPem('X509 CRL', list);
});

const evidence = (name: string, bytes: Uint8Array | string = list): NamedBytes => ({
  name: `revocation/${name}`,
  bytes: typeof bytes === 'string' ? encodeUtf8(bytes) : bytes,
});

async function bundle(
  added: readonly NamedBytes[],
  change: (text: string) => string = (text) => text,
): Promise<Uint8Array> {
  const members = withMember(await makeMembers(), 'app.cert', ({ name, bytes }) => [
    { name, bytes: encodeUtf8(change(decodeLatin1(bytes))) },
  ]);
  return archiveOf([...members, ...added]);
}

interface Seen {
  readonly codes: readonly string[];
  readonly warnings: string;
}

async function seen(bytes: Uint8Array, options: VerifyOptions): Promise<Seen> {
  const { report } = await verify(chunked(bytes), options);
  return { codes: codesOf(valid(report)), warnings: report.warnings.join('\n') };
}

/** Imports, and gives what is published in `revocation/`. */
async function publishedOf(sandbox: Sandbox, bytes: Uint8Array): Promise<readonly string[]> {
  const { report } = await importHere(sandbox, chunked(bytes), {});
  expect(report.errors).toEqual([]);
  return left(sandbox)
    .filter((name) => name.includes('revocation/') && !name.endsWith('/'))
    .map((name) => name.replace('home/here/', ''));
}

describe('the name of evidence that the manifest does not list', () => {
  const plain = ['a.crl', 'A.CRL', '0', 'acme-root_2026.1', 'x'.repeat(64)].map((name) =>
    /crl$/i.test(name) ? name : `${name}.crl`,
  );
  const odd = [
    '00 $(touch pwned)`id`; rm -rf ~ & # import os.crl',
    'two words.crl',
    'ü.crl',
    '-rf.crl',
    '_a.crl',
    '.a.crl',
    "it's.crl",
    `${'x'.repeat(65)}.crl`,
    'a.Crl',
    'a.cRL',
  ];

  test('[bundle.10] is plain', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    for (const name of plain)
      expect(await seen(await bundle([evidence(name)]), trust), name).toEqual({ codes: [], warnings: '' });
    for (const name of odd) {
      const bytes = await bundle([evidence(name)]);
      expect((await seen(bytes, trust)).codes, name).toEqual(['FILE_UNLISTED']);
    }
    const folder = [{ name: 'Revocation/a.crl', bytes: list }];
    expect((await seen(await bundle(folder), trust)).codes).toEqual(['FILE_UNLISTED']);
  });

  test('[bundle.10] is refused by whatever writes: import, normalize, sign', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const [name = ''] = odd;
    const bytes = await bundle([evidence(name)]);
    const { report, imported } = await importHere(sandbox, chunked(bytes), {});
    expect([imported, codesOf(report), left(sandbox)]).toEqual([false, ['FILE_UNLISTED'], []]);
    expect(report.errors[0]?.fix).toContain('revocation/NAME.crl');
    const input = sandbox.write('odd.ova', bytes);
    const output = sandbox.path('out.ova');
    const normalized = await normalize(input, { ...trust, output, format: 'tar' });
    expect(codesOf(valid(normalized))).toEqual(['FILE_UNLISTED']);
    const identity = await identityOf(sandbox, signer);
    const signed = await sign(input, { output, format: 'tar', identity });
    expect(codesOf(valid(signed))).toEqual(['FILE_UNLISTED']);
  });

  test('[bundle.10] is the signer’s where the manifest lists it', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const files = [evidence('Acme, root & all.crl', `${pem}${' \t'.repeat(LIMIT)}\n`)];
    const bytes = await archiveOf(await makeMembers({ files }));
    expect(await seen(bytes, trust)).toEqual({ codes: [], warnings: '' });
  });
});

describe('the case of an extension', () => {
  test.each([
    ['app.CERT', []],
    ['app.CeRt', ['PACKAGE_AMBIGUOUS']],
    ['app.Cert', ['PACKAGE_AMBIGUOUS']],
  ])('[bundle.10] %s', async (name, codes) => {
    using sandbox = makeSandbox();
    const members = withMember(await makeMembers(), 'app.cert', ({ bytes }) => [{ name, bytes }]);
    expect((await seen(await archiveOf(members), await trusting(sandbox))).codes).toEqual(codes);
  });
});

describe('the same evidence twice', () => {
  test('[bundle.11] is written once', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const answer = makeOcspDer({ issuer: root, answers: [{ certificate: signer }] });
    const copies = [
      evidence('b.crl'),
      evidence('a.crl', pem),
      evidence('a.ocsp', answer),
      evidence('b.ocsp', answer),
    ];
    const bytes = await bundle(copies);
    const { codes, warnings } = await seen(bytes, trust);
    expect(codes).toEqual([]);
    expect(warnings).toMatch(/"revocation\/a\.crl" holds what is in the bundle already/);
    expect(warnings).toMatch(/"revocation\/b\.ocsp" holds what is in the bundle already/);
    expect(await publishedOf(sandbox, bytes)).toEqual(['revocation/a.ocsp', 'revocation/b.crl']);
    const output = sandbox.path('out.ova');
    const report = await normalize(sandbox.write('in.ova', bytes), { ...trust, output, format: 'tar' });
    expect(codesOf(valid(report))).toEqual([]);
    const { members } = await read(chunked(Uint8Array.from(readFileSync(output))), asArchive);
    expect(members.flatMap(({ name }) => (name.startsWith('revocation/') ? [name] : []))).toEqual([
      'revocation/b.crl',
      'revocation/a.ocsp',
    ]);
  });

  test('[bundle.11] counts as what nobody has signed where it stands in one file', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const fits = Math.floor(LIMIT / pem.length);
    const few = await bundle([evidence('a.crl', pem.repeat(1 + fits))]);
    const { codes, warnings } = await seen(few, trust);
    expect([codes, warnings]).toEqual([[], expect.stringContaining(`${fits * pem.length} bytes`)]);
    expect((await seen(await bundle([evidence('a.crl', pem.repeat(2 + fits))]), trust)).codes).toEqual([
      'FILE_UNLISTED',
    ]);
    await publishedOf(sandbox, few);
    expect(readFileSync(sandbox.path('home/here/revocation/a.crl'), 'latin1')).toBe(pem);
  });
});

describe('blanks in evidence and in the certificate file', () => {
  /** Blanks within the first block, one bit each. */
  const within = (text: string, count: number): string =>
    text.replace(/(-----BEGIN [A-Z0-9 ]+-----)/, (edge) => edge + ' \t'.repeat(count).slice(0, count));

  test('[bundle.9] a list may have 16 KiB of them, with a warning, and none of them is published', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const most = await bundle([evidence('a.crl', within(pem, LIMIT))]);
    const { codes, warnings } = await seen(most, trust);
    expect([codes, warnings]).toEqual([[], expect.stringContaining(`${LIMIT} bytes of "revocation/a.crl"`)]);
    await publishedOf(sandbox, most);
    expect(readFileSync(sandbox.path('home/here/revocation/a.crl'), 'latin1')).toBe(pem);
    const more = await bundle([evidence('a.crl', within(pem, LIMIT + 1))]);
    expect((await seen(more, trust)).codes).toEqual(['FILE_UNLISTED']);
    expect(await seen(await bundle([evidence('a.crl', within(pem, 64))]), trust)).toEqual({
      codes: [],
      warnings: '',
    });
  });

  test('[cert.10] [bundle.9] a certificate file may, and all of it counts together', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const most = await seen(await bundle([], (text) => within(text, LIMIT)), trust);
    expect([most.codes, most.warnings]).toEqual([
      [],
      expect.stringContaining(`${LIMIT} bytes of "app.cert"`),
    ]);
    expect((await seen(await bundle([], (text) => within(text, LIMIT + 1)), trust)).codes).toEqual([
      'CERTIFICATE_FILE_SYNTAX',
    ]);
    const half = (text: string): string => within(text, LIMIT / 2);
    expect((await seen(await bundle([evidence('a.crl', half(pem))], half), trust)).codes).toEqual([]);
    const both = await bundle([evidence('a.crl', within(pem, LIMIT / 2 + 1))], half);
    expect((await seen(both, trust)).codes).toEqual(['FILE_UNLISTED']);
    const line = await bundle([], (text) => text.replace('= ', `=${' \t'.repeat(LIMIT)}`));
    expect((await seen(line, trust)).codes).toEqual(['CERTIFICATE_FILE_SYNTAX']);
  });

  test('[cert.7] what tools write is no word worth: line ends, lines of any length, the filling of ovftool', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const habits: readonly ((text: string) => string)[] = [
      (text) => text.replaceAll('\n', '\r\n'),
      (text) => `${text}${' '.repeat(100 * 1024)}`,
      (text) => text.replace(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/=])/g, ''),
      (text) => text.replace(/\n(?=-----BEGIN)/g, '\n\n\n'),
      (text) => text.replace('= ', ' = '),
      (text) => text.replace(/(?<== )[0-9a-f]+/, (hex) => hex.toUpperCase()),
    ];
    for (const habit of habits)
      expect(await seen(await bundle([], habit), trust), String(habit)).toEqual({ codes: [], warnings: '' });
  });
});
