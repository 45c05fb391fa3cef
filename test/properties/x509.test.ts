import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { isSignedBy, parseCertificate } from '../../src/crypto/certificate.ts';
import { parseSignedData } from '../../src/formats/cms/signed-data.ts';
import { parseX509 } from '../../src/formats/x509/certificate.ts';
import { EKU, makeAuthority, makeCertificate, type TestCertificate } from '../factory/certificates.ts';
import { der } from '../factory/der.ts';
import { codeOf } from '../factory/errors.ts';

let samples: readonly TestCertificate[];

beforeAll(async () => {
  const ca = await makeAuthority({ pathLen: 1, key: 'rsa2048' });
  const leaf = await makeCertificate({ issuer: ca, eku: [EKU.codeSigning], keyUsage: ['digitalSignature'] });
  samples = [ca, leaf, await makeCertificate({ key: 'ed25519', criticalUnknown: true })];
});

const certificateCodes = [undefined, 'CERTIFICATE_MALFORMED', 'ALGORITHM_UNSUPPORTED'];

/** Edits that keep most of a certificate: a byte changed, bytes cut out or put in. */
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    remove: fc.nat(3),
    insert: fc.uint8Array({ maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
);
type Edits = typeof edits extends fc.Arbitrary<infer T> ? T : never;

function edited(bytes: Uint8Array, list: Edits): Uint8Array {
  return list.reduce((current, { at, remove, insert }) => {
    const position = Math.floor(at * current.byteLength);
    return Uint8Array.of(...current.subarray(0, position), ...insert, ...current.subarray(position + remove));
  }, bytes);
}

test('[x509.1] any bytes are a certificate or CERTIFICATE_MALFORMED', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect([undefined, 'CERTIFICATE_MALFORMED']).toContain(codeOf(() => parseX509(bytes)));
      expect([undefined, 'CERTIFICATE_MALFORMED']).toContain(codeOf(() => parseX509(der(0x30, bytes))));
    }),
    { numRuns: 2000 },
  );
});

test('[x509.1] an edited certificate is read or refused, and never verifies', () => {
  fc.assert(
    fc.property(fc.nat(2), edits, (index, list) => {
      const { der: original = new Uint8Array() } = samples[index] ?? {};
      const bytes = edited(original, list);
      expect(certificateCodes).toContain(codeOf(() => parseCertificate(bytes)));
      if (codeOf(() => parseCertificate(bytes)) || Buffer.from(bytes).equals(original)) return;
      const certificate = parseCertificate(bytes);
      for (const { certificate: issuer } of samples) expect(isSignedBy(certificate, issuer)).toBe(false);
    }),
    { numRuns: 3000 },
  );
});

test('[cms.2] any bytes are a SignedData or CMS_SYNTAX', () => {
  const oid = Uint8Array.of(6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      for (const cms of [bytes, der(0x30, bytes), der(0x30, oid, der(0xa0, der(0x30, bytes)))]) {
        expect([undefined, 'CMS_SYNTAX']).toContain(codeOf(() => parseSignedData(cms, 'the CMS')));
      }
    }),
    { numRuns: 2000 },
  );
});
