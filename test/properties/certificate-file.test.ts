import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCertificateFile, parseCertificateFile } from '../../src/formats/ovf/certificate-file.ts';
import { formatPem, splitPem } from '../../src/formats/pem.ts';
import type { DigestName } from '../../src/kit/digest-name.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { mutated } from '../factory/mutation.ts';

const CODES = ['CERTIFICATE_FILE_SYNTAX', 'ALGORITHM_UNSUPPORTED'];

const der = fc.uint8Array({ minLength: 1, maxLength: 200 });
const files = fc.record({
  algorithm: fc.constantFrom<DigestName[]>('sha1', 'sha256', 'sha384', 'sha512'),
  manifestName: fc.oneof(
    fc.constant('a.mf'),
    fc.string({ minLength: 1 }),
    fc.stringMatching(/^[a)(= ]{1,9}$/),
  ),
  signature: fc.uint8Array({ minLength: 1, maxLength: 512 }),
  certificates: fc.array(der, { minLength: 1, maxLength: 16 }),
});

function survives(bytes: Uint8Array): ReturnType<typeof parseCertificateFile> | undefined {
  try {
    return parseCertificateFile(bytes);
  } catch (error) {
    if (!isBundleError(error)) throw error;
    expect(CODES).toContain(error.code);
    return undefined;
  }
}

test('[cert.8] what is written is read again', () => {
  fc.assert(
    fc.property(files, (file) => {
      const bytes = formatCertificateFile(file);
      expect(parseCertificateFile(bytes)).toEqual({ ...file, line: 1, loose: 0, notes: [] });
    }),
  );
});

test('[cert.8] PEM is read again, whatever is around it', () => {
  fc.assert(
    fc.property(
      fc.array(der, { maxLength: 4 }),
      fc.constantFrom('\n', '\r\n', ' \n', '\n\n'),
      (list, lineEnd) => {
        const text = list
          .map((bytes) => formatPem('CERTIFICATE', bytes))
          .join('')
          .replaceAll('\n', lineEnd);
        const { blocks, outside, fault } = splitPem(text);
        expect(fault).toBeUndefined();
        expect(outside).toEqual([]);
        expect(blocks.map(({ bytes }) => bytes)).toEqual(list);
      },
    ),
  );
});

test('[arc.3] any bytes give a certificate file or a refusal', () => {
  const pieces = fc
    .array(
      fc.constantFrom(
        ...['SHA256', '(a.mf)', '= ', '00ff', ' ', '\n', '\r', '\t', '\ufeff', '\0', 'x', 'MAEC', '='],
        ...[
          '-----BEGIN CERTIFICATE-----\n',
          '\n-----END CERTIFICATE-----\n',
          '-----BEGIN CMS-----\n',
          '-----',
        ],
        ...['SHA256(a.mf)= 00ff\n', '-----BEGIN CERTIFICATE-----\nMAEC\n-----END CERTIFICATE-----\n'],
      ),
    )
    .map((parts) => encodeUtf8(parts.join('')));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), pieces), (bytes) => void survives(bytes)),
    {
      numRuns: 5000,
    },
  );
});

test('[cert.4] whatever is changed in a certificate file, what is read is what stands there', () => {
  const valid = formatCertificateFile({
    algorithm: 'sha256',
    manifestName: 'a.mf',
    signature: Uint8Array.from({ length: 64 }, (_, i) => i),
    certificates: [Uint8Array.of(0x30, 1, 2, 3), Uint8Array.from({ length: 100 }, (_, i) => i)],
  });
  fc.assert(
    fc.property(mutated(valid), (bytes) => {
      const read = survives(bytes);
      if (!read) return;
      const again = formatCertificateFile(read);
      const squeezed = (text: Uint8Array) =>
        new TextDecoder()
          .decode(text)
          .replace(/[\s\ufeff]+/g, '')
          .toLowerCase();
      const plain = squeezed(bytes).replace(/^sha2?-/, 'sha');
      if (plain.startsWith('sha')) expect(squeezed(again)).toBe(plain);
    }),
    { numRuns: 5000 },
  );
});
