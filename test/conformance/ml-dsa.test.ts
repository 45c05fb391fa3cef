import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/crypto/certificate.ts';
import { openCms } from '../../src/crypto/cms.ts';
import { mlDsaBytes, verifyByPackage, verifyMlDsa } from '../../src/engine/node/ml-dsa.ts';
import { parseSignedData } from '../../src/formats/cms/signed-data.ts';
import { splitPem } from '../../src/formats/pem.ts';
import { parsePublicKey } from '../../src/formats/x509/public-key.ts';

const folder = join(process.env['BULLA_VECTORS'] ?? '', 'pq');
const there = process.env['BULLA_VECTORS'] !== undefined && existsSync(folder);
if (!there) console.warn('SKIPPED: the vectors of ML-DSA; BULLA_VECTORS names no folder that has pq/');

const TEXT = new TextEncoder().encode(`SHA256(web.ovf)= ${'ab'.repeat(32)}\n`);
const read = (name: string): Uint8Array => Uint8Array.from(readFileSync(join(folder, name)));
const pem = (text: string): Uint8Array => splitPem(text).blocks[0]?.bytes ?? new Uint8Array();

describe.skipIf(!there)('vectors of ML-DSA', () => {
  test.each(['44', '65', '87'])(
    '[pq.2] ML-DSA-%s verifies, and with a bit changed anywhere it does not',
    (name) => {
      const vector = JSON.parse(readFileSync(join(folder, `vec${name}.json`), 'utf8'));
      const key = parsePublicKey(pem(vector.pem), 'a key');
      const signature = Uint8Array.from(Buffer.from(vector.sig, 'base64'));
      expect(key.key).toEqual({ type: `ml-dsa-${name}`, label: `ML-DSA-${name}` });
      expect(Buffer.from(mlDsaBytes(key)).toString('base64')).toBe(vector.raw);
      expect(verifyMlDsa(key, TEXT, signature)).toBe(true);
      expect(verifyByPackage(key, TEXT, signature)).toBe(true);
      for (let i = 0; i < signature.byteLength; i += 401) {
        const changed = signature.slice();
        changed[i] = (changed[i] ?? 0) ^ (1 << (i & 7));
        expect(verifyMlDsa(key, TEXT, changed)).toBe(false);
      }
      expect(verifyMlDsa(key, TEXT.subarray(1), signature)).toBe(false);
      expect(verifyMlDsa(key, TEXT, signature.subarray(1))).toBe(false);
    },
  );

  test('[pq.4] a CMS signature of ML-DSA-65 over a manifest fits it, and nothing else', () => {
    const signer = parseCertificate(pem(readFileSync(join(folder, 'pq.pem'), 'utf8')));
    const judge = (content: Uint8Array) => {
      const cms = openCms(parseSignedData(read('web.mf.p7s'), 'the CMS signature'), [signer]);
      cms.update(content);
      return cms.finish();
    };
    const [good] = judge(read('web.mf'));
    expect(good?.fault).toBeUndefined();
    expect(good?.certificate?.key.label).toBe('ML-DSA-65');
    expect(judge(read('web.mf').subarray(1))[0]?.fault?.code).toBe('SIGNATURE_INVALID');
  });
});
