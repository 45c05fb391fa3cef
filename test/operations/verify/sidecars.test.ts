import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { derElement, derOctets, derOid, derSequence } from '../../../src/formats/der/writer.ts';
import { concat, once } from '../../../src/kit/bytes.ts';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { archiveOf, makeMembers, type NamedBytes, testSigner, textFile } from '../../factory/bundles.ts';
import { makeAuthority, makeCertificate } from '../../factory/certificates.ts';
import { makeCms, OID } from '../../factory/cms.ts';
import { importHere, left } from '../../factory/importing.ts';
import { writePackage } from '../../factory/packages.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, trusting } from '../../factory/sandbox.ts';
import { NO_ALGORITHM, sidecarFor, withBeside } from '../../factory/sidecars.ts';

const shared = makeSandbox();
afterAll(() => shared[Symbol.dispose]());
const TRUST = await trusting(shared);
const MEMBERS = await makeMembers();
const CONTENT = MEMBERS.find(({ name }) => name === 'app.mf')?.bytes ?? new Uint8Array();
const STRANGER = await makeCertificate({
  subject: 'CN=Stranger',
  key: 'p256',
  issuer: await makeAuthority(),
});

async function judged(members: readonly NamedBytes[], options: VerifyOptions = {}): Promise<Report> {
  return valid((await verify(once(await archiveOf(members)), { ...TRUST, ...options })).report);
}

/** What becomes of the bundle with this beside its manifest. */
async function beside(...more: readonly NamedBytes[]): Promise<Report> {
  return judged(withBeside(MEMBERS, ...more));
}

const unknown = (): Promise<NamedBytes> =>
  testSigner().then((by) => sidecarFor(MEMBERS, 'app.p7s', { signers: [{ by, algorithm: NO_ALGORITHM }] }));

describe('a signature beside the manifest', () => {
  test('[side.1] is read by its name, and told with its role', async () => {
    for (const [name, role] of [
      ['app.p7s', undefined],
      ['app.qa.p7s', 'qa'],
      ['app.qa-2.P7S', 'qa-2'],
    ] as const) {
      const report = await beside(await sidecarFor(MEMBERS, name));
      expect(codesOf(report), name).toEqual([]);
      const found = report.signatures.find(({ file }) => file === name);
      expect(found, name).toMatchObject({ format: 'cms', status: 'trusted', ...(role && { role }) });
      expect(report.files.find((file) => file.name === name)).toMatchObject({
        role: 'signature',
        vouchedBy: 'signer',
      });
    }
  });

  test('[side.1] of another name is a file like any other', async () => {
    const names = [
      'app.mf.p7s',
      'app.QA.p7s',
      'app.-qa.p7s',
      `app.${'a'.repeat(33)}.p7s`,
      'other.p7s',
      'x/app.p7s',
      'app.cert.p7s',
    ];
    for (const name of names)
      expect(codesOf(await beside(await sidecarFor(MEMBERS, name))), name).toEqual(['FILE_UNLISTED']);
    expect(codesOf(await beside(await sidecarFor(MEMBERS, 'app.p7S')))).toEqual(['PACKAGE_AMBIGUOUS']);
  });

  test('[side.2] is in no manifest, there or not', async () => {
    const listed = textFile('app.qa.p7s', 'x');
    expect(codesOf(await judged(await makeMembers({ files: [listed] })))).toContain('MANIFEST_SYNTAX');
    const gone = await makeMembers({
      lines: (all) => [...all, { name: 'app.p7s', algorithm: 'sha256', digest: '00'.repeat(32), line: 9 }],
    });
    expect(codesOf(await judged(gone))).toContain('MANIFEST_SYNTAX');
    const other = await makeMembers({
      files: [textFile('firmware.bin', 'x'), textFile('firmware.bin.p7s', 'x')],
    });
    expect(codesOf(await judged(other))).toEqual([]);
  });

  test('[side.2] comes at most 16 times', async () => {
    const one = await sidecarFor(MEMBERS, '');
    const many = Array.from({ length: 17 }, (_, i) => ({ ...one, name: `app.r${i}.p7s` }));
    expect(codesOf(await beside(...many.slice(1)))).toEqual([]);
    expect(codesOf(await beside(...many))).toEqual(['ARCHIVE_LIMIT']);
  });

  test('[side.3] that cannot be read is refused', async () => {
    const { name, bytes } = await sidecarFor(MEMBERS, 'app.p7s');
    const by = await testSigner();
    const pem = `-----BEGIN CMS-----\n${Buffer.from(bytes).toString('base64')}\n-----END CMS-----\n`;
    const cases: readonly (readonly [string, Uint8Array])[] = [
      ['junk', textFile('', 'junk').bytes],
      ['nothing', new Uint8Array()],
      ['cut', bytes.slice(0, -1)],
      ['bytes behind it', concat([bytes, Uint8Array.of(0)])],
      ['PEM', textFile('', pem).bytes],
      ['content of its own', makeCms({ content: CONTENT, signers: [{ by }], attached: true })],
      [
        'an unsigned attribute',
        makeCms({
          content: CONTENT,
          signers: [
            {
              by,
              unsigned: [derSequence(derOid('1.2.3.4'), derElement(0x31, derOctets(bytes.slice(0, 9))))],
            },
          ],
        }),
      ],
    ];
    for (const [what, der] of cases)
      expect(codesOf(await beside({ name, bytes: der })), what).toEqual(['CMS_SYNTAX']);
  });

  test('[side.4] of an algorithm or a type that is not known is named, and counts for nothing', async () => {
    const ofType = derSequence(derOid('1.2.3.4.5'), derElement(0xa0, derOctets(Uint8Array.of(1))));
    const ofContent = await sidecarFor(MEMBERS, 'app.p7s', { contentType: OID.timestampInfo });
    for (const bytes of [(await unknown()).bytes, ofType, ofContent.bytes]) {
      const report = await beside({ name: 'app.p7s', bytes });
      expect(codesOf(report)).toEqual([]);
      expect(report.signatures.map(({ status }) => status)).toEqual(['trusted', 'unknown']);
      expect(report.warnings.join()).toContain('"app.p7s" counts for nothing');
      expect(report.files.find((file) => file.name === 'app.p7s')).toMatchObject({ vouchedBy: 'nobody' });
    }
  });

  test('[side.4] makes nothing trusted by itself where it is not known', async () => {
    const unsigned = withBeside(await makeMembers({ signed: false }), await unknown());
    const report = await judged(unsigned);
    expect(codesOf(report)).toEqual(['SIGNATURE_MISSING']);
    expect(report.signatures.map(({ status }) => status)).toEqual(['unknown']);
  });

  test('[side.5] that does not fit is refused', async () => {
    const other = await makeMembers({ files: [textFile('a', 'b')] });
    expect(codesOf(await beside(await sidecarFor(other, 'app.p7s')))).toEqual(['SIGNATURE_INVALID']);
    const { name, bytes } = await sidecarFor(MEMBERS, 'app.p7s');
    const flipped = Uint8Array.from(bytes);
    flipped[flipped.byteLength - 3] = (flipped[flipped.byteLength - 3] ?? 0) ^ 1;
    expect(codesOf(await beside({ name, bytes: flipped }))).toEqual(['SIGNATURE_INVALID']);
  });

  test('[side.6] is published where its signer is trusted, in canonical form', async () => {
    using sandbox = makeSandbox();
    const by = await testSigner();
    const good = await sidecarFor(MEMBERS, 'app.qa.p7s');
    const wide = await sidecarFor(MEMBERS, 'app.wide.p7s', { certificates: [by, STRANGER] });
    const theirs = await sidecarFor(MEMBERS, 'app.theirs.p7s', { by: STRANGER });
    const both = await sidecarFor(MEMBERS, 'app.both.p7s', {
      signers: [{ by }, { by, algorithm: NO_ALGORITHM }],
      certificates: [by],
    });
    const given = withBeside(MEMBERS, good, wide, theirs, both, await unknown());
    const { report } = await importHere(sandbox, once(await archiveOf(given)));
    expect(codesOf(report)).toEqual([]);
    const names = left(sandbox).filter((name) => name.endsWith('.p7s'));
    expect(names).toEqual(['home/here/app.both.p7s', 'home/here/app.qa.p7s', 'home/here/app.wide.p7s']);
    for (const name of names)
      expect(Buffer.compare(readFileSync(sandbox.path(name)), good.bytes), name).toBe(0);
    expect(report.warnings.join()).toContain('"app.theirs.p7s" is by nobody who is trusted here');
  });

  test('[side.7] is judged as any signer, and signs a bundle alone', async () => {
    const bare = await makeMembers({ signed: false });
    const report = await judged(withBeside(bare, await sidecarFor(bare, 'app.p7s')));
    expect(codesOf(report)).toEqual([]);
    expect(report.trusted).toBe(true);
    const strange = await judged(withBeside(bare, await sidecarFor(bare, 'app.p7s', { by: STRANGER })));
    expect(codesOf(strange)).toEqual(['SIGNER_UNKNOWN']);
    const strangeToo = await beside(await sidecarFor(MEMBERS, 'app.p7s', { by: STRANGER }));
    expect(codesOf(strangeToo)).toEqual([]);
    expect(strangeToo.signatures.map(({ status }) => status)).toEqual(['trusted', 'untrusted']);
  });

  test('[side.8] is found wherever it stands, and before an import ends at the first file', async () => {
    using sandbox = makeSandbox();
    const certified = await makeMembers({ signed: { signer: STRANGER } });
    const sidecar = await sidecarFor(certified, 'app.p7s');
    expect(codesOf(await judged([...certified, sidecar]))).toEqual([]);
    const { report } = await importHere(sandbox, once(await archiveOf(withBeside(certified, sidecar))));
    expect(codesOf(report)).toEqual([]);
  });

  test('[side.9] stays where the manifest does, and one that does not fit is not signed', async () => {
    using sandbox = makeSandbox();
    const good = await sidecarFor(MEMBERS, 'app.qa.p7s');
    const bad = await sidecarFor(await makeMembers({ files: [textFile('a', 'b')] }), 'app.bad.p7s');
    const input = sandbox.path('in.ova');
    writeFileSync(input, await archiveOf(withBeside(MEMBERS, good)));
    const signing = { identity: await identityOf(sandbox), format: 'tar', overwrite: true } as const;
    const output = sandbox.path('signed.ova');
    expect(codesOf(await sign(input, { ...signing, output }))).toEqual([]);
    expect((await verify(output, TRUST)).report.signatures.map(({ file }) => file)).toContain('app.qa.p7s');
    for (const [wrong, code] of [
      [bad, 'SIGNATURE_INVALID'],
      [textFile('app.p7s', 'junk'), 'CMS_SYNTAX'],
    ] as const) {
      writeFileSync(input, await archiveOf(withBeside(MEMBERS, wrong)));
      expect(codesOf(await sign(input, { ...signing, output: sandbox.path('no.ova') }))).toEqual([code]);
    }
    writeFileSync(input, await archiveOf(withBeside(MEMBERS, good)));
    const normalized = await normalize(input, { ...TRUST, output: sandbox.path('out.ova'), format: 'tar' });
    expect(normalized.result?.files).toEqual([
      'app.ovf',
      'app.mf',
      'app.cert',
      'app.qa.p7s',
      'disk.img',
      'notes.txt',
    ]);
  });

  test('[side.10] is read beside loose files, and no other', async () => {
    using sandbox = makeSandbox();
    const folder = writePackage(sandbox.path('loose'), [
      ...MEMBERS,
      await sidecarFor(MEMBERS, 'app.qa.p7s'),
      textFile('other.p7s', 'x'),
    ]);
    const { report } = await verify(folder, TRUST);
    expect(codesOf(report)).toEqual([]);
    expect(report.signatures.map(({ role }) => role)).toEqual([undefined, 'qa']);
  });
});
