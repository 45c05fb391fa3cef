import { type KeyObject, sign as makeSignature } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { derElement, derOctets, derOid } from '../../../src/formats/der/writer.ts';
import { parseCertificateFile } from '../../../src/formats/ovf/certificate-file.ts';
import { formatPem } from '../../../src/formats/pem.ts';
import { parseTimestampToken } from '../../../src/formats/tsp/token.ts';
import { concat, equalBytes } from '../../../src/kit/bytes.ts';
import { decodeLatin1, encodeUtf8 } from '../../../src/kit/encoding.ts';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import { timestamp } from '../../../src/operations/sign/timestamp.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { asArchive, read } from '../../factory/archives.ts';
import { extension } from '../../factory/asn1.ts';
import {
  archiveOf,
  JUDGED_AT,
  makeMembers,
  type NamedBytes,
  signerUnder,
  testAuthority,
  testSigner,
  withMember,
} from '../../factory/bundles.ts';
import { makeAuthority, makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { attribute, makeCms, OID, type TestCmsOptions, usualAttributes } from '../../factory/cms.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { importHere, left, recordingSink } from '../../factory/importing.ts';
import { makeOcspDer } from '../../factory/ocsp.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { makeTimestampAuthority, makeTokenDer } from '../../factory/timestamps.ts';

/** What must never be found at the destination. */
const SCRIPT = encodeUtf8('#!/bin/sh\necho smuggled\n');
const isSmuggled = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes(Buffer.from(SCRIPT));

let root: TestCertificate;
let signer: TestCertificate;
let stranger: TestCertificate;
/** with the script in an extension of its certificate */
let carrier: TestCertificate;
let timeRoot: TestCertificate;
let authority: TestCertificate;

beforeAll(async () => {
  root = await testAuthority();
  signer = await testSigner();
  stranger = await makeAuthority({ subject: 'CN=Stranger' });
  carrier = await withPayload(SCRIPT);
  timeRoot = await makeAuthority({ subject: 'CN=Time Root,O=Time' });
  authority = await makeTimestampAuthority(timeRoot);
});

/** A certificate of nobody, valid like a signer's, with bytes in an extension that no reader knows. */
function withPayload(value: Uint8Array): Promise<TestCertificate> {
  return signerUnder(stranger, {
    subject: 'CN=Carrier',
    extensions: [{ oid: '1.2.3.4.5', critical: false, value: derOctets(value) }],
  });
}

async function manifestBytes(): Promise<Uint8Array> {
  const members = await makeMembers();
  return members.find(({ name }) => name === 'app.mf')?.bytes ?? new Uint8Array();
}

/** The usual bundle with other bytes for the certificate file, and more members. */
async function bundle(
  change: (bytes: Uint8Array) => Uint8Array,
  added: readonly NamedBytes[] = [],
): Promise<Uint8Array> {
  const members = withMember(await makeMembers(), 'app.cert', ({ name, bytes }) => [
    { name, bytes: change(bytes) },
  ]);
  return archiveOf([...members, ...added]);
}

const same = (bytes: Uint8Array): Uint8Array => bytes;
const and =
  (...texts: readonly string[]) =>
  (bytes: Uint8Array): Uint8Array =>
    concat([bytes, ...texts.map(encodeUtf8)]);
const withCms = async (options: Partial<TestCmsOptions>): Promise<(bytes: Uint8Array) => Uint8Array> => {
  const content = await manifestBytes();
  const cms = makeCms({ content, signers: [{ by: signer }], ...options });
  return and(formatPem('CMS', cms));
};

/** Trust in the signer's CA, and in the authority of timestamps. */
async function trustingTime(sandbox: Sandbox): Promise<VerifyOptions> {
  const { trust, ...rest } = await trusting(sandbox);
  return { ...rest, trust: { ...trust, timestampAnchors: [sandbox.write('.trust/tsa.pem', timeRoot.pem)] } };
}

async function judged(bytes: Uint8Array, options: VerifyOptions): Promise<readonly string[]> {
  const { verdict, report } = await verify(chunked(bytes), options);
  return verdict === 'trusted' ? [verdict] : codesOf(valid(report));
}

/** The members that an import publishes, which must be a bundle that is trusted in turn, and imported as it is. */
async function published(
  bytes: Uint8Array,
  options?: VerifyOptions,
): Promise<ReadonlyMap<string, Uint8Array>> {
  using sandbox = makeSandbox();
  const { report } = await importHere(sandbox, chunked(bytes), options ?? {});
  expect(report.errors).toEqual([]);
  const members = filesIn(sandbox);
  const sink = recordingSink();
  await importHere(sandbox, chunked(bytes), { ...options, destination: sink });
  expect(sink.published).toEqual(new Map(members.map((member) => [member.name, member.bytes])));
  using again = makeSandbox();
  const second = await importHere(again, chunked(await archiveOf(members)), options ?? {});
  expect([second.report.errors, filesIn(again)]).toEqual([[], members]);
  return new Map(members.map((member) => [member.name, member.bytes]));
}

function filesIn(sandbox: Sandbox): readonly NamedBytes[] {
  const order = ['app.ovf', 'app.mf', 'app.cert', 'app.tst'];
  const rank = ({ name }: NamedBytes): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return left(sandbox)
    .filter((name) => !name.endsWith('/'))
    .map((name) => ({
      name: name.replace('home/here/', ''),
      bytes: Uint8Array.from(readFileSync(sandbox.path(name))),
    }))
    .sort((a, b) => rank(a) - rank(b));
}

/** Refused by verify and import, with nothing at the destination. */
async function refused(bytes: Uint8Array, options?: VerifyOptions): Promise<readonly string[]> {
  using sandbox = makeSandbox();
  const codes = await judged(bytes, options ?? (await trusting(sandbox)));
  const { report, imported } = await importHere(sandbox, chunked(bytes), options ?? {});
  expect([imported, codesOf(report), left(sandbox)]).toEqual([false, codes, []]);
  return codes;
}

describe('the certificate file', () => {
  test('[cert.11] [import.7] is published in one form, whatever blanks and line ends it came with', async () => {
    const plain = (await published(await bundle(same))).get('app.cert') ?? new Uint8Array();
    const spellings: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
      and(' '.repeat(40_000)),
      (bytes) => encodeUtf8(`\uFEFF${decodeLatin1(bytes).replaceAll('\n', '  \r\n')}\r\n\r\n`),
      (bytes) => encodeUtf8(decodeLatin1(bytes).replace(/([A-Za-z0-9+/]{64})\n(?=[A-Za-z0-9+/])/g, '$1')),
      (bytes) => {
        const [line = '', ...blocks] = decodeLatin1(bytes).split(/(?<=\n)/);
        return encodeUtf8(blocks.join('') + line.replace('SHA256(', ' \t SHA2-256 ( '.trimEnd()));
      },
      and(formatPem('CERTIFICATE', signer.der)),
    ];
    for (const change of spellings)
      expect((await published(await bundle(change))).get('app.cert')).toEqual(plain);
  });

  test('[cert.10] [cert.11] of certificates that are on no path little may be there, and nothing is published', async () => {
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const old = await makeAuthority({ subject: 'CN=Acme CA,O=Acme' });
    for (const der of [carrier.der, old.der]) {
      const bytes = await bundle(and(formatPem('CERTIFICATE', der)));
      const { report } = await verify(chunked(bytes), trust);
      expect([report.verdict, report.warnings.join()]).toEqual([
        'trusted',
        expect.stringContaining('1 certificate in "app.cert" is on no path to whom you trust'),
      ]);
      const file = parseCertificateFile((await published(bytes)).get('app.cert') ?? new Uint8Array());
      expect(file.certificates.map((one) => equalBytes(one, signer.der))).toEqual([true]);
    }
    const large = await withPayload(new Uint8Array(16 * 1024).fill(0x23));
    expect(await refused(await bundle(and(formatPem('CERTIFICATE', large.der))))).toEqual([
      'CERTIFICATE_FILE_SYNTAX',
    ]);
    const inside = await withCms({ certificates: [signer, large] });
    expect(await refused(await bundle(inside))).toEqual(['CERTIFICATE_FILE_SYNTAX']);
  });

  test('[cert.10] what stays though nobody answers for it has 4 KiB at most', async () => {
    using sandbox = makeSandbox();
    const pins = { at: JUDGED_AT, trust: { pins: [`sha256:${signer.certificate.spkiSha256}`] } };
    const trust = await trustingTime(sandbox);
    const cases: readonly (readonly [size: number, codes: readonly string[]])[] = [
      [100, ['trusted']],
      [4096, ['CERTIFICATE_FILE_SYNTAX']],
    ];
    for (const [size, codes] of cases) {
      const value = derOctets(new Uint8Array(size).fill(0x23));
      const extensions = [{ oid: '1.2.3.4.5', critical: false, value }];
      // the key that is pinned, in a certificate that anybody could have made
      const spki = signer.certificate.fields.spki;
      const forged = await signerUnder(stranger, { subject: 'CN=Forged', spki, extensions });
      const own = { ...forged, privateKey: signer.privateKey };
      expect(await judged(await archiveOf(await makeMembers({ signed: { signer: own } })), pins)).toEqual(
        codes,
      );

      // the signature line of a stranger before the CMS signature of a signer
      const other = await signerUnder(stranger, { subject: 'CN=Other', extensions });
      const members = await makeMembers({ signed: { signer: other } });
      const cms = makeCms({ content: await manifestBytes(), signers: [{ by: signer }] });
      const file = members.find(({ name }) => name === 'app.cert')?.bytes ?? SCRIPT;
      expect(await judged(await bundle(() => and(formatPem('CMS', cms))(file)), trust)).toEqual(codes);

      // all of a file that a timestamp is over
      const plain = (await makeMembers()).find(({ name }) => name === 'app.cert')?.bytes ?? SCRIPT;
      const over = and(formatPem('CERTIFICATE', other.der))(plain);
      const token = makeTokenDer({ over, authority, time: JUDGED_AT });
      const stamped = await bundle(() => over, [{ name: 'app.tst', bytes: token }]);
      expect(await judged(stamped, { ...trust, timestamp: 'require' })).toEqual(codes);
    }
  });

  test('[cms.11] what nobody has signed and nobody reads is refused in a CMS signature', async () => {
    const payload = [attribute('1.2.3.4.5', derOctets(SCRIPT))];
    const attributeCertificate = derElement(0xa2, SCRIPT);
    const otherInfo = derElement(0xa1, derOid('1.2.3.4.5'), derOctets(SCRIPT));
    const all: readonly Partial<TestCmsOptions>[] = [
      { signers: [{ by: signer, unsigned: payload }] },
      { certificates: [signer, attributeCertificate] },
      { crls: [otherInfo] },
    ];
    for (const options of all)
      expect(await refused(await bundle(await withCms(options)))).toEqual(['CMS_SYNTAX']);
  });

  test('[cms.11] carries the signers that are trusted, and what a path answers for', async () => {
    const sub = await makeAuthority({ subject: 'CN=Sub,O=Acme', issuer: root });
    const below = await signerUnder(sub, { subject: 'CN=Below,O=Acme' });
    const list = makeCrlDer({ issuer: sub });
    const content = await manifestBytes();
    const smuggling = [...usualAttributes(content), attribute('1.2.3.4.5', derOctets(SCRIPT))];
    const change = await withCms({
      signers: [{ by: below }, { by: carrier, attributes: smuggling }],
      certificates: [below, sub, carrier, stranger],
      crls: [
        list,
        makeCrlDer({ issuer: stranger, extensions: [extension('1.2.3.4.5', false, derOctets(SCRIPT))] }),
      ],
    });
    using sandbox = makeSandbox();
    const asked: VerifyOptions = { ...(await trusting(sandbox)), revocation: { mode: 'if-present' } };
    const cert = (await published(await bundle(change), asked)).get('app.cert') ?? new Uint8Array();
    const { cms = new Uint8Array() } = parseCertificateFile(cert);
    expect([isSmuggled(cms), Buffer.from(cms).includes(Buffer.from(sub.der))]).toEqual([false, true]);
    expect(Buffer.from(cms).includes(Buffer.from(list))).toBe(true);
  });

  test('[cert.11] what leads to an anchor stays, though nobody in the CMS signature is trusted', async () => {
    const sub = await makeAuthority({ subject: 'CN=Sub,O=Acme', issuer: root });
    const below = await signerUnder(sub, { subject: 'CN=Below,O=Acme' });
    const members = await makeMembers({ signed: { signer: below } });
    const content = members.find(({ name }) => name === 'app.mf')?.bytes ?? new Uint8Array();
    const cms = makeCms({ content, signers: [{ by: carrier }], certificates: [carrier, sub] });
    const bytes = await archiveOf(
      withMember(members, 'app.cert', ({ name, bytes: file }) => [
        { name, bytes: and(formatPem('CMS', cms))(file) },
      ]),
    );
    const file = parseCertificateFile((await published(bytes)).get('app.cert') ?? new Uint8Array());
    expect([file.cms, file.certificates.length]).toEqual([undefined, 2]);
  });

  test('[sigalg.1] parameters of a digest are refused, wherever it is named', async () => {
    const cms = makeCms({ content: await manifestBytes(), signers: [{ by: signer }] });
    const nothing = Buffer.from('0500', 'hex');
    const at = Buffer.from(cms).indexOf(nothing);
    const boolean = Uint8Array.from(cms);
    boolean[at] = 0x04; // an empty OCTET STRING in place of NULL
    expect(await refused(await bundle(and(formatPem('CMS', boolean))))).toEqual(['CMS_SYNTAX']);
  });
});

describe('evidence that the manifest does not list', () => {
  const evidence = (bytes: Uint8Array, name = 'revocation/a.crl'): NamedBytes => ({ name, bytes });

  test('[bundle.6] counts when a path answers for it, and is an unlisted file otherwise', async () => {
    using sandbox = makeSandbox();
    const payload = extension('1.2.3.4.5', false, derOctets(SCRIPT));
    const ofStranger = makeCrlDer({ issuer: stranger, extensions: [payload] });
    const namesake = await makeAuthority({ subject: 'CN=Acme CA,O=Acme' });
    const forged = makeCrlDer({ issuer: namesake, extensions: [payload] });
    const answers = [{ certificate: signer }];
    const byStranger = makeOcspDer({ issuer: root, answers, signer: carrier, certificates: [carrier] });
    const ofOther = makeOcspDer({ issuer: stranger, answers: [{ certificate: carrier }] });
    const others: readonly NamedBytes[] = [
      evidence(ofStranger),
      evidence(forged),
      evidence(
        encodeUtf8(formatPem('X509 CRL', makeCrlDer({ issuer: root })) + formatPem('X509 CRL', ofStranger)),
      ),
      evidence(byStranger, 'revocation/a.ocsp'),
      evidence(ofOther, 'revocation/a.ocsp'),
    ];
    const trust = await trusting(sandbox);
    for (const mode of ['if-present', 'off'] as const) {
      const options: VerifyOptions = { ...trust, revocation: { mode } };
      for (const other of others)
        expect(await refused(await bundle(same, [other]), options), other.name).toEqual(['FILE_UNLISTED']);
      const own = [
        evidence(makeCrlDer({ issuer: root })),
        evidence(makeOcspDer({ issuer: root, answers }), 'revocation/a.ocsp'),
      ];
      const { report } = await verify(chunked(await bundle(same, own)), options);
      expect(codesOf(valid(report))).toEqual([]);
      expect([...(await published(await bundle(same, own), options)).keys()]).toContain('revocation/a.ocsp');
    }
    const unsigned = await archiveOf([
      ...(await makeMembers({ signed: false })),
      evidence(makeCrlDer({ issuer: root })),
    ]);
    expect(await judged(unsigned, { ...trust, allow: { unsigned: true } })).toEqual(['FILE_UNLISTED']);
  });

  test('[bundle.6] is an unlisted file where nobody can know its issuer, whatever certificate of it comes along', async () => {
    using sandbox = makeSandbox();
    // whoever carries a bundle can have the pinned key certified by an authority of his own, and publish its lists
    const own = await signerUnder(stranger);
    const payload = extension('1.2.3.4.5', false, derOctets(SCRIPT));
    const added = evidence(makeCrlDer({ issuer: stranger, extensions: [payload] }));
    const answer = evidence(
      makeOcspDer({ issuer: stranger, answers: [{ certificate: own }] }),
      'revocation/a.ocsp',
    );
    const pinned: VerifyOptions = {
      at: JUDGED_AT,
      trust: { pins: [`sha256:${own.certificate.spkiSha256}`] },
    };
    const itself: VerifyOptions = { at: JUDGED_AT, trust: { anchors: [sandbox.write('own.pem', own.pem)] } };
    const anchors = [sandbox.write('stranger.pem', stranger.pem)];
    const members = await makeMembers({ signed: { signer: own, chain: [stranger] } });
    for (const options of [pinned, itself]) {
      expect(await judged(await archiveOf(members), options)).toEqual(['trusted']);
      for (const one of [added, answer]) {
        const bytes = await archiveOf([...members, one]);
        expect(await refused(bytes, options), one.name).toEqual(['FILE_UNLISTED']);
        const known = { ...options, trust: { ...options.trust, anchors } };
        expect([...(await published(bytes, known)).keys()]).toContain(one.name);
      }
    }
  });

  test('[bundle.9] may hold little that nobody has signed, all together', async () => {
    using sandbox = makeSandbox();
    const trust = await trustingTime(sandbox);
    const answers = [{ certificate: signer }];
    const response = async (bytes: number): Promise<Uint8Array> =>
      makeOcspDer({
        issuer: root,
        answers,
        certificates: [await withPayload(new Uint8Array(bytes).fill(0x23))],
      });
    const plain = (await makeMembers()).find(({ name }) => name === 'app.cert')?.bytes ?? new Uint8Array();
    const stamped = (bytes: number): NamedBytes => ({
      name: 'app.tst',
      bytes: makeTokenDer({
        ...{ over: plain, authority, time: JUDGED_AT },
        signer: { unsigned: [attribute('1.2.3.4.5', derOctets(new Uint8Array(bytes).fill(0x23)))] },
      }),
    });
    const answer = async (name: string, bytes: number): Promise<NamedBytes> =>
      evidence(await response(bytes), `revocation/${name}.ocsp`);
    for (const added of [
      [await answer('a', 17_000)],
      [await answer('a', 9_000), await answer('b', 9_000)],
      [stamped(17_000)],
      [await answer('a', 9_000), stamped(9_000)],
    ]) {
      expect(await refused(await bundle(same, added), trust)).toEqual(['FILE_UNLISTED']);
    }
    const heavy = await withPayload(new Uint8Array(9_000).fill(0x23));
    const certificate = and(formatPem('CERTIFICATE', heavy.der));
    expect(await refused(await bundle(certificate, [await answer('a', 9_000)]), trust)).toEqual([
      'FILE_UNLISTED',
    ]);

    const little = [await answer('a', 7_000), stamped(7_000)];
    const { report, files } = await importHere(sandbox, chunked(await bundle(same, little)), trust);
    expect(report.errors).toEqual([]);
    for (const name of ['revocation/a.ocsp', 'app.tst']) {
      expect(report.warnings.join('\n')).toMatch(
        new RegExp(`\\d{4} bytes of "${name}" are signed by nobody`),
      );
      const { size } = statSync(sandbox.path(`home/here/${name}`));
      expect(size).toBeLessThan(3_000);
      expect(files?.find((file) => file.name === name)?.size).toBe(size);
    }
  });

  test('[rep.5] each says who answers for it', async () => {
    using sandbox = makeSandbox();
    const vouchers = (report: Report): unknown =>
      Object.fromEntries(report.files.map(({ name, vouchedBy }) => [name, vouchedBy]));
    const certificate =
      (await makeMembers()).find(({ name }) => name === 'app.cert')?.bytes ?? new Uint8Array();
    const token = makeTokenDer({ over: certificate, authority, time: JUDGED_AT });
    const added = [evidence(makeCrlDer({ issuer: root })), { name: 'app.tst', bytes: token }];
    const { report } = await verify(chunked(await bundle(same, added)), await trustingTime(sandbox));
    expect(vouchers(valid(report))).toEqual({
      'app.ovf': undefined,
      'app.mf': 'signer',
      'app.cert': 'signer',
      'disk.img': undefined,
      'notes.txt': undefined,
      'revocation/a.crl': 'issuer',
      'app.tst': 'authority',
    });
    // an authority that is not trusted answers for nothing, in JSON and so for people
    const { report: untimed } = await verify(chunked(await bundle(same, added)), await trusting(sandbox));
    expect(untimed.verdict).toBe('trusted');
    expect(vouchers(valid(untimed))).toMatchObject({ 'revocation/a.crl': 'issuer', 'app.tst': 'nobody' });
    const { report: unknown } = await verify(chunked(await bundle(same, added)), { at: JUDGED_AT });
    expect(vouchers(valid(unknown))).toMatchObject({ 'app.mf': 'nobody', 'revocation/a.crl': 'nobody' });
  });

  test('[crl.12] a PEM file with anything around the lists is refused', async () => {
    const pem = formatPem('X509 CRL', makeCrlDer({ issuer: root }));
    for (const text of [
      `${decodeLatin1(SCRIPT)}${pem}`,
      `${pem}exit 0\n`,
      `${pem}${formatPem('SCRIPT', SCRIPT)}`,
      `${formatPem('CERTIFICATE', root.der)}${pem}`,
    ])
      expect(await refused(await bundle(same, [evidence(encodeUtf8(text))]))).toEqual([
        'REVOCATION_MALFORMED',
      ]);
  });

  test('[bundle.8] is published as its issuer signed it, and nothing beside that', async () => {
    using sandbox = makeSandbox();
    const der = makeCrlDer({ issuer: root });
    const newer = makeCrlDer({ issuer: root, number: 2 });
    const responder = await makeCertificate({
      subject: 'CN=Responder',
      issuer: root,
      keyUsage: ['digitalSignature'],
      eku: ['1.3.6.1.5.5.7.3.9'],
    });
    const response = { issuer: root, answers: [{ certificate: signer }], signer: responder } as const;
    const files = await published(
      await bundle(same, [
        evidence(der, 'revocation/der.crl'),
        evidence(
          encodeUtf8(`\r\n${formatPem('X509 CRL', newer).replaceAll('\n', ' \r\n')}   `),
          'revocation/pem.crl',
        ),
        evidence(makeOcspDer({ ...response, certificates: [responder, carrier] }), 'revocation/a.ocsp'),
      ]),
      await trusting(sandbox),
    );
    expect(files.get('revocation/der.crl')).toEqual(der);
    expect(decodeLatin1(files.get('revocation/pem.crl') ?? SCRIPT)).toBe(formatPem('X509 CRL', newer));
    const kept = files.get('revocation/a.ocsp') ?? SCRIPT;
    expect([isSmuggled(kept), Buffer.from(kept).includes(Buffer.from(responder.der))]).toEqual([false, true]);
  });

  test('[pack.6] is not carried on by who knows nobody to trust: left out, or refused when it is about nobody there', async () => {
    using sandbox = makeSandbox();
    const identity = await identityOf(sandbox, signer);
    const output = sandbox.path('out.ova');
    const own = await bundle(same, [evidence(makeCrlDer({ issuer: root }))]);
    const foreign = await bundle(same, [evidence(makeCrlDer({ issuer: stranger }))]);
    const scripted = await bundle(same, [
      evidence(concat([SCRIPT, encodeUtf8(formatPem('X509 CRL', makeCrlDer({ issuer: root })))])),
    ]);
    const source = async (over: Uint8Array): Promise<Uint8Array> =>
      makeTokenDer({ over, authority, time: JUDGED_AT });
    const common = { output, format: 'tar', overwrite: true } as const;
    for (const run of [
      (input: string) => sign(input, { ...common, identity }),
      (input: string) => timestamp(input, { ...common, source }),
    ]) {
      const report = valid(await run(sandbox.write('own.ova', own)));
      expect([codesOf(report), report.warnings.join()]).toEqual([
        [],
        expect.stringContaining('"revocation/a.crl"'),
      ]);
      const { members } = await read(chunked(Uint8Array.from(readFileSync(output))), asArchive);
      expect(members.map(({ name }) => name)).not.toContain('revocation/a.crl');
      expect(codesOf(valid(await run(sandbox.write('foreign.ova', foreign))))).toEqual(['FILE_UNLISTED']);
      expect(codesOf(valid(await run(sandbox.write('scripted.ova', scripted))))).toEqual([
        'REVOCATION_MALFORMED',
      ]);
    }
  });
});

/** What normalize says is not in the result. */
async function normalized(bytes: Uint8Array, how: VerifyOptions): Promise<readonly string[]> {
  using sandbox = makeSandbox();
  const report = await normalize(chunked(bytes), { ...how, output: sandbox.path('out.ova'), format: 'tar' });
  return valid(report).warnings.filter((warning) => warning.includes('not in the result'));
}

describe('a timestamp beside the certificate file', () => {
  const beside = async (
    options: Partial<Parameters<typeof makeTokenDer>[0]> = {},
    change: (bytes: Uint8Array) => Uint8Array = same,
  ): Promise<Uint8Array> => {
    const plain = (await makeMembers()).find(({ name }) => name === 'app.cert')?.bytes ?? new Uint8Array();
    const token = makeTokenDer({ over: change(plain), authority, time: JUDGED_AT, ...options });
    return bundle(change, [{ name: 'app.tst', bytes: token }]);
  };

  test('[bundle.7] that is proven is published with the very file that it is over', async () => {
    using sandbox = makeSandbox();
    const files = await published(await beside({}, and(formatPem('CERTIFICATE', stranger.der))), {
      ...(await trustingTime(sandbox)),
      timestamp: 'require',
    });
    expect(parseCertificateFile(files.get('app.cert') ?? SCRIPT).certificates).toHaveLength(2);
    expect(files.has('app.tst')).toBe(true);
  });

  test('[bundle.7] over something else, or large and of nobody, is an unlisted file', async () => {
    using sandbox = makeSandbox();
    const trust = await trustingTime(sandbox);
    expect(await refused(await beside({ over: SCRIPT }), trust)).toEqual(['FILE_UNLISTED']);
    const large = await withPayload(new Uint8Array(17_000).fill(0x23));
    expect(await refused(await beside({ certificates: [authority, large] }))).toEqual(['FILE_UNLISTED']);
  });

  test('[bundle.7] that proves nothing to the caller is left out, and so is one over a file in another form', async () => {
    using sandbox = makeSandbox();
    const trust = await trustingTime(sandbox);
    const stranger =
      /^the timestamp of .* by "CN=.*" in "app.tst" is not in the result: it proves no time to you; where only trust in its authority is missing, that keeps it$/;
    const options: readonly (readonly [Uint8Array, VerifyOptions, RegExp])[] = [
      [await beside(), await trusting(sandbox), stranger],
      [
        await beside(),
        { ...(await trusting(sandbox)), timestamp: 'ignore' },
        /result: timestamps are ignored$/,
      ],
      [await beside({}, and('  \n')), trust, /in "app.tst" is not in the result: it proves no time to you$/],
    ];
    for (const [bytes, how, lost] of options) {
      const { report } = await verify(chunked(bytes), how);
      expect([report.verdict, report.warnings.join()]).toEqual([
        'trusted',
        expect.not.stringMatching(/left out|not in the result/), // it hands nothing on
      ]);
      expect([...(await published(bytes, how)).keys()]).not.toContain('app.tst');
      expect(await normalized(bytes, how)).toEqual([expect.stringMatching(lost)]);
    }
    const demanded = { ...trust, timestamp: 'require' } as const;
    expect(await judged(await beside({}, and('  \n')), demanded)).toEqual(['TIMESTAMP_MISSING']);
  });

  test('[tst.14] is published with the certificates of its authority alone', async () => {
    using sandbox = makeSandbox();
    const unsigned = [attribute('1.2.3.4.5', derOctets(SCRIPT))];
    const loaded = { certificates: [authority, carrier], signer: { unsigned } };
    const how: VerifyOptions = { ...(await trustingTime(sandbox)), timestamp: 'require' };
    const token = (await published(await beside(loaded), how)).get('app.tst') ?? SCRIPT;
    expect([isSmuggled(token), parseTimestampToken(token).signedData.certificates.length]).toEqual([
      false,
      1,
    ]);

    const content = await manifestBytes();
    let signature: Uint8Array = new Uint8Array();
    const noting = (data: Uint8Array, key: KeyObject): Uint8Array => {
      signature = Uint8Array.from(makeSignature('sha256', data, key));
      return signature;
    };
    makeCms({ content, signers: [{ by: signer, sign: noting }] });
    const inside = makeTokenDer({ over: signature, authority, time: JUDGED_AT, ...loaded });
    const change = await withCms({
      signers: [{ by: signer, unsigned: [attribute(OID.timestampToken, inside)] }],
    });
    const cert = (await published(await bundle(change), how)).get('app.cert') ?? SCRIPT;
    expect(isSmuggled(parseCertificateFile(cert).cms ?? SCRIPT)).toBe(false);
  });
});
