import { beforeAll, describe, expect, test } from 'vitest';
import { signCms } from '../../../src/crypto/cms-signer.ts';
import { digestBytes } from '../../../src/crypto/digest.ts';
import {
  inCertificateFile,
  readCms,
  readSignatureLine,
} from '../../../src/verdict/signers/read-signatures.ts';
import { makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { makeCms, OID, type TestCmsOptions } from '../../factory/cms.ts';
import { codeOf } from '../../factory/errors.ts';
import { makePqCertificate, pqIdentity } from '../../factory/ml-dsa.ts';

const content = Uint8Array.from(Buffer.from('SHA256(web.ovf)= 0123\n'));
let signer: TestCertificate;

beforeAll(async () => {
  signer = await makeCertificate();
});

const read = (options: Partial<TestCmsOptions> = {}) =>
  readCms(makeCms({ content, signers: [{ by: signer }], ...options }), []);

describe('a CMS signature beside what it is of', () => {
  test('[sig.5] fits, or not', () => {
    for (const [over, fault] of [
      [content, undefined],
      [content.slice(1), 'SIGNATURE_INVALID'],
    ] as const) {
      const cms = read();
      cms.update(over);
      expect(cms.finish().map((one) => one.fault?.code)).toEqual([fault]);
    }
  });

  test('[sig.5] carries no content of its own, be it the same', () => {
    expect(codeOf(() => read({ attached: true }))).toBe('CMS_SYNTAX');
    const other = Uint8Array.of(1, 2, 3);
    expect(codeOf(() => read({ attached: true, content: other }))).toBe('CMS_SYNTAX');
  });

  test('[file.3] is a signature of plain data, not of a timestamp or of a signature', () => {
    for (const contentType of [OID.timestampInfo, OID.signedData, '1.3.6.1.4.1.311.2.1.4']) {
      expect(codeOf(() => read({ contentType }))).toBe('CMS_SYNTAX');
    }
  });
});

test('[pq.5] ML-DSA has no place in a certificate file, whether it fits or not', async () => {
  const pq = await makePqCertificate();
  const { signer: by, leaf } = await pqIdentity(pq);
  const cms = readCms(
    await signCms({
      signer: by,
      leaf,
      intermediates: [],
      digest: 'sha256',
      contentDigest: digestBytes('sha512', content),
    }),
    [],
  );
  cms.update(content);
  const [found] = cms.finish();
  expect(found?.fault).toBeUndefined();
  expect(found && inCertificateFile(found).fault?.code).toBe('ALGORITHM_UNSUPPORTED');
  const line = readSignatureLine(
    {
      algorithm: 'sha512',
      manifestName: 'web.mf',
      signature: pq.keys.sign(content),
      certificates: [pq.der],
      notes: [],
      loose: 0,
      line: 1,
    },
    { name: 'web.mf', bytes: content },
  );
  expect(line.fault?.code).toBe('ALGORITHM_UNSUPPORTED');
});
