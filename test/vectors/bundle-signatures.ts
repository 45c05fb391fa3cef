import { formatPem } from '../../src/formats/pem.ts';
import {
  appliance,
  DISK,
  makeBundle,
  makeCertificateFile,
  makeMembers,
  signerUnder,
  testAuthority,
  testSigner,
  textFile,
  withMember,
} from '../factory/bundles.ts';
import { makeAuthority, makeCertificate } from '../factory/certificates.ts';
import { withFlipped } from '../factory/damage.ts';
import type { BundleVector } from './bundles.ts';

const GOOD = { exitCode: 0, codes: [] } as const;
const REFUSED_FILE = {
  exitCode: 16,
  codes: ['CERTIFICATE_FILE_SYNTAX'],
  where: { member: 'app.cert' },
} as const;

/** The usual bundle with other bytes in its certificate file. */
function withCertificate(change: (text: string) => string): () => Promise<Uint8Array> {
  return () =>
    makeBundle({ certificate: (bytes) => textFile('', change(new TextDecoder().decode(bytes))).bytes });
}

/** Vectors about the certificate file and the signature in it. */
export const SIGNATURE_VECTORS: readonly BundleVector[] = [
  {
    name: 'a changed signature',
    clause: '[sig.1]',
    build: withCertificate((text) => text.replace(/= (.)/, (_, digit) => `= ${digit === '0' ? '1' : '0'}`)),
    exitCode: 12,
    codes: ['SIGNATURE_INVALID'],
    where: { member: 'app.cert' },
  },
  {
    name: 'a blank behind a line of the manifest, after it was signed',
    clause: '[sig.1]',
    build: () =>
      makeBundle({
        members: (members) =>
          withMember(members, 'app.mf', ({ name, bytes }) => [
            { name, bytes: textFile('', new TextDecoder().decode(bytes).replace('\n', ' \n')).bytes },
          ]),
      }),
    exitCode: 12,
    codes: ['SIGNATURE_INVALID'],
  },
  {
    name: 'blanks, CRLF and a byte order mark in the manifest, signed',
    clause: '[sig.1]',
    build: () =>
      makeBundle({
        manifest: (bytes) =>
          textFile('', `\uFEFF${new TextDecoder().decode(bytes).replaceAll('\n', ' \r\n')}   \n`).bytes,
      }),
    ...GOOD,
    warning: 'byte order mark',
  },
  {
    name: 'the signature of another manifest',
    clause: '[sig.1]',
    build: async () => {
      const other = await makeCertificateFile(textFile('app.mf', 'SHA256(x)= 00\n'), {});
      return makeBundle({ certificate: () => other });
    },
    exitCode: 12,
    codes: ['SIGNATURE_INVALID'],
  },
  {
    name: 'a signature line that names another manifest',
    clause: '[sig.2]',
    build: () => makeBundle({ signed: { manifestName: 'other.mf' } }),
    ...REFUSED_FILE,
    where: { member: 'app.cert', line: 1 },
  },
  {
    name: 'another certificate before that of the signer',
    clause: '[sig.3]',
    build: async () => makeBundle({ signed: { before: [await testAuthority()] } }),
    ...GOOD,
  },
  {
    name: 'certificates of which none has signed',
    clause: '[sig.3]',
    build: async () => {
      const authority = await testAuthority();
      const bare = await signerUnder(authority, { subject: 'CN=Other' });
      const signer = { ...(await testSigner()), der: bare.der };
      return makeBundle({ signed: { signer, chain: [authority] } });
    },
    exitCode: 12,
    codes: ['SIGNATURE_INVALID'],
  },
  {
    name: 'RSA over SHA-512, the manifest being of SHA-256',
    clause: '[sig.4]',
    build: () => makeBundle({ signed: { digest: 'sha512' } }),
    ...GOOD,
  },
  {
    name: 'RSA over another digest than the line says',
    clause: '[sig.4]',
    build: withCertificate((text) => text.replace('SHA256(', 'SHA512(')),
    exitCode: 12,
    codes: ['SIGNATURE_INVALID'],
  },
  {
    name: 'ECDSA',
    clause: '[sig.4]',
    build: async () =>
      makeBundle({ signed: { signer: await signerUnder(await testAuthority(), { key: 'p256' }) } }),
    ...GOOD,
  },
  {
    name: 'Ed25519',
    clause: '[sig.4]',
    build: async () => {
      const signer = await signerUnder(await testAuthority(), { key: 'ed25519' });
      return makeBundle({ signed: { signer, digest: 'sha512' } });
    },
    ...GOOD,
  },
  {
    name: 'a signature over SHA-1',
    clause: '[sig.4]',
    build: () => makeBundle({ signed: { digest: 'sha1' } }),
    exitCode: 14,
    codes: ['DIGEST_WEAK'],
    where: { member: 'app.cert' },
  },
  {
    name: 'a signature over SHA-1, allowed',
    clause: '[sig.4] [rep.4]',
    build: () => makeBundle({ signed: { digest: 'sha1' } }),
    options: { allow: { sha1: true } },
    ...GOOD,
    warning: 'allowed: sha1',
  },
  {
    name: 'a CMS block of junk',
    clause: '[sig.5]',
    build: withCertificate((text) => `${text}${formatPem('CMS', Uint8Array.of(1, 2, 3))}`),
    exitCode: 16,
    codes: ['CMS_SYNTAX'],
  },
  {
    name: 'a CMS block is no signature',
    clause: '[sig.5]',
    build: withCertificate(() => formatPem('CMS', Uint8Array.of(0x30, 0))),
    ...REFUSED_FILE,
  },
  {
    name: 'an empty certificate file',
    clause: '[judge.3]',
    build: withCertificate(() => ''),
    ...REFUSED_FILE,
  },
  {
    name: 'a certificate file of blanks',
    clause: '[judge.3]',
    build: withCertificate((text) => ' '.repeat(text.length)),
    ...REFUSED_FILE,
  },
  {
    name: 'an empty certificate file is not an unsigned bundle',
    clause: '[judge.5]',
    build: withCertificate(() => ''),
    options: { allow: { unsigned: true } },
    ...REFUSED_FILE,
  },
  {
    name: 'unsigned',
    clause: '[judge.5]',
    build: () => makeBundle({ signed: false }),
    exitCode: 10,
    codes: ['SIGNATURE_MISSING'],
  },
  {
    name: 'unsigned, allowed',
    clause: '[judge.5] [rep.2] [rep.4]',
    build: () => makeBundle({ signed: false }),
    options: { allow: { unsigned: true } },
    ...GOOD,
    warning: 'allowed: unsigned',
  },
  {
    name: 'a hostile descriptor of a signer nobody knows is not parsed',
    clause: '[cover.7]',
    build: async () => {
      const stranger = await makeCertificate({ subject: 'CN=Stranger', key: 'rsa2048' });
      return makeBundle({
        files: [textFile('app.ovf', '<!DOCTYPE hostile'), DISK],
        signed: { signer: stranger },
      });
    },
    exitCode: 18,
    codes: ['SIGNER_UNKNOWN'],
  },
  {
    name: 'a hostile descriptor of an unsigned bundle is not parsed',
    clause: '[cover.7]',
    build: () => makeBundle({ files: [textFile('app.ovf', '<!DOCTYPE hostile'), DISK], signed: false }),
    exitCode: 10,
    codes: ['SIGNATURE_MISSING'],
  },
  {
    name: 'a hostile descriptor that is changed is not parsed',
    clause: '[cover.7]',
    build: () =>
      makeBundle({
        files: [textFile('app.ovf', '<!DOCTYPE hostile'), DISK],
        members: (members) => withFlipped(members, 'app.ovf', 3),
      }),
    exitCode: 11,
    codes: ['DIGEST_MISMATCH'],
  },
  {
    name: 'a changed disk and a changed signature',
    clause: '[judge.4] [rep.3]',
    build: () =>
      makeBundle({
        certificate: (bytes) =>
          textFile(
            '',
            new TextDecoder().decode(bytes).replace(/= (.)/, (_, digit) => `= ${digit === '0' ? '1' : '0'}`),
          ).bytes,
        members: (members) => withFlipped(members, 'disk.img', 7),
      }),
    exitCode: 11,
    codes: ['DIGEST_MISMATCH', 'SIGNATURE_INVALID'],
  },
  {
    name: 'cut short, and by nobody that is known',
    clause: '[judge.4] [rep.3]',
    build: async () => {
      const authority = await makeAuthority({ subject: 'CN=Unknown CA', key: 'rsa2048' });
      const signer = await signerUnder(authority);
      return (await makeBundle({ signed: { signer } })).subarray(0, 10_000);
    },
    exitCode: 15,
    codes: ['ARCHIVE_TRUNCATED', 'SIGNER_UNKNOWN'],
  },
  {
    name: 'an unlisted file, an expired signer, no signature to believe',
    clause: '[judge.4] [rep.3]',
    build: async () => {
      const signer = await signerUnder(await testAuthority(), {
        subject: 'CN=Old',
        notAfter: new Date('2021-01-01T00:00:00Z'),
      });
      const members = await makeMembers({ signed: { signer }, files: appliance() });
      return makeBundle({ members: () => [...members, textFile('extra.txt', 'x')] });
    },
    exitCode: 16,
    codes: ['FILE_UNLISTED', 'CERTIFICATE_EXPIRED'],
  },
];
