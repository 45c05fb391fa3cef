import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/crypto/certificate.ts';
import { sameKey } from '../../../src/crypto/key-identity.ts';
import { keySigner } from '../../../src/engine/node/key-signer.ts';
import { parsePrivateKey } from '../../../src/engine/node/private-key.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import {
  type DevelopmentCertificates,
  makeDevelopmentCertificates,
} from '../../../src/operations/trust/dev-certs.ts';
import { findPath } from '../../../src/trust/path/find-path.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import { NOON } from '../../factory/certificates.ts';
import { ownKey } from '../../factory/keys.ts';

const DAY_MS = 86_400_000;
const parse = (pem: string) => parseCertificate(new X509Certificate(pem).raw);
let made: DevelopmentCertificates;

beforeAll(async () => {
  made = await makeDevelopmentCertificates({ now: NOON, organisation: 'Acme, Inc.' });
});

describe('makeDevelopmentCertificates', () => {
  test('[pub.11] the signer has a good path to the CA, from now for 30 days', () => {
    const [ca, signer] = [parse(made.caPem), parse(made.signerPem)];
    const at = (days: number) => {
      const then = new Date(NOON.getTime() + days * DAY_MS);
      return findPath(
        { leaf: signer, intermediates: [] },
        {
          anchors: [ca],
          window: { from: then, to: then },
          allowances: NO_ALLOWANCES,
          purpose: 'code-signing',
        },
      );
    };
    expect(at(0)).toMatchObject({ kind: 'good', errors: [], warnings: [] });
    expect(at(29.9).kind).toBe('good');
    expect(at(30.1).errors.map(({ code }) => code)).toEqual(['CERTIFICATE_EXPIRED', 'CERTIFICATE_EXPIRED']);
  });

  test('[pub.11] both say in their subject that they are for development', () => {
    expect(parse(made.caPem).fields.subject.text).toBe('CN=bulla development CA — do not trust');
    expect(parse(made.signerPem).fields.subject.text).toBe(
      'CN=DEVELOPMENT signer — do not trust,O=Acme\\, Inc.',
    );
  });

  test('keys, extensions, serial numbers', () => {
    const [ca, signer] = [parse(made.caPem), parse(made.signerPem)];
    expect([ca.key.label, signer.key.label]).toEqual(['RSA-3072', 'RSA-3072']);
    expect(ca.fields.extensions.basicConstraints).toEqual({ ca: true, pathLen: 0 });
    expect([...(signer.fields.extensions.keyUsage ?? [])]).toEqual(['digitalSignature']);
    expect(signer.fields.extensions.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.3']);
    expect(signer.fields.extensions.authorityKeyId).toBe(ca.fields.extensions.subjectKeyId);
    expect(ca.fields.serial).toMatch(/^[4-7][0-9a-f]{31}$/);
    expect(ca.fields.serial).not.toBe(signer.fields.serial);
    expect(ca.fields.signature.name).toBe('RSA with SHA-256');
  });

  test("[pub.11] the key is the signer's; the key of the CA is not handed out", () => {
    const key = ownKey(createPublicKey(createPrivateKey(made.signerKeyPem)));
    expect(sameKey(key, parse(made.signerPem).publicKey)).toBe(true);
    expect(Object.keys(made).sort()).toEqual(['caPem', 'signerKeyPem', 'signerPem']);
  });

  test.each([{ days: 0 }, { days: 366 }, { days: 1.5 }, { organisation: '' }, { organisation: 'a\nb' }])(
    'refuses %j',
    async (options) => {
      const error = await makeDevelopmentCertificates({ now: NOON, ...options }).catch((e: unknown) => e);
      expect(isBundleError(error) && error.code).toBe('USAGE');
    },
  );
});

test('[pq.11] of ML-DSA-87 they are good by the same rules', async () => {
  const pq = await makeDevelopmentCertificates({ now: NOON, postQuantum: true });
  const [ca, signer] = [parse(pq.caPem), parse(pq.signerPem)];
  const options = {
    window: { from: NOON, to: NOON },
    allowances: NO_ALLOWANCES,
    purpose: 'code-signing',
  } as const;
  const path = findPath({ leaf: signer, intermediates: [] }, { ...options, anchors: [ca] });
  expect(path).toMatchObject({ kind: 'good', errors: [], warnings: [] });
  expect(path.path.map(({ key }) => key.label)).toEqual(['ML-DSA-87', 'ML-DSA-87']);
  expect(signer.fields.subject.text).toContain('DEVELOPMENT post-quantum signer — do not trust');
  const key = await parsePrivateKey({ name: 'k', bytes: encodeUtf8(pq.signerKeyPem) }, async () => '');
  expect(sameKey(keySigner(key, 'k').publicKey, signer.publicKey)).toBe(true);
});
