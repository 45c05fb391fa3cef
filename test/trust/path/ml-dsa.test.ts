import { expect, test } from 'vitest';
import type { KeyUsage } from '../../../src/formats/x509/extensions.ts';
import { findPath } from '../../../src/trust/path/find-path.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import { EKU, makeAuthority, NOON, type TestCertificate } from '../../factory/certificates.ts';
import {
  classicalKey,
  makePqAuthority,
  makePqCertificate,
  makePqCrl,
  type PqCertificate,
  pqKey,
} from '../../factory/ml-dsa.ts';
import { outcome } from '../../factory/revoking.ts';

type Any = Pick<PqCertificate | TestCertificate, 'certificate'>;

function judge(leaf: Any, anchor: Any, between: readonly Any[] = [], weakKeys = false) {
  const { kind, errors, warnings } = findPath(
    { leaf: leaf.certificate, intermediates: between.map(({ certificate }) => certificate) },
    {
      anchors: [anchor.certificate],
      window: { from: NOON, to: NOON },
      allowances: { ...NO_ALLOWANCES, weakKeys },
      purpose: 'code-signing',
    },
  );
  return kind === 'good' ? `good${warnings.length > 0 ? ', with a warning' : ''}` : errors[0]?.code;
}

const LEAF = { keyUsage: ['digitalSignature'], eku: [EKU.codeSigning] } as const;

test('[pq.2] a path goes through certificates of ML-DSA, and of others between them', async () => {
  const root = await makePqAuthority();
  const middle = await makePqAuthority({ issuer: root, subject: 'CN=Middle', keys: pqKey(65) });
  const leaf = await makePqCertificate({ issuer: middle, ...LEAF });
  expect(judge(leaf, root, [middle])).toBe('good');
  const other = await makePqAuthority();
  expect(judge(leaf, other, [middle])).not.toBe('good');

  const rsa = await makeAuthority({ key: 'rsa2048' });
  const under = await makePqAuthority({ issuer: rsa, subject: 'CN=Mixed' });
  expect(judge(await makePqCertificate({ issuer: under, ...LEAF }), rsa, [under])).toBe('good');
  expect(judge(await makePqCertificate({ issuer: under, keys: classicalKey(), ...LEAF }), rsa, [under])).toBe(
    'good',
  );
});

test('[pq.6] ML-DSA-44 is weak wherever it stands in a path, and can be allowed', async () => {
  const root = await makePqAuthority();
  const weakRoot = await makePqAuthority({ keys: pqKey(44) });
  const weak = await makePqCertificate({ issuer: root, keys: pqKey(44), ...LEAF });
  const under = await makePqCertificate({ issuer: weakRoot, ...LEAF });
  for (const [leaf, anchor] of [
    [weak, root],
    [under, weakRoot],
  ] as const) {
    expect(judge(leaf, anchor)).toBe('KEY_WEAK');
    expect(judge(leaf, anchor, [], true)).toBe('good, with a warning');
  }
  const fine = await makePqCertificate({ issuer: root, keys: pqKey(65), ...LEAF });
  expect(judge(fine, root)).toBe('good');
});

test.each([
  [['digitalSignature'], 'good'],
  [['digitalSignature', 'nonRepudiation'], 'good'],
  [['digitalSignature', 'keyEncipherment'], 'PATH_CONSTRAINT'],
  [['digitalSignature', 'dataEncipherment'], 'PATH_CONSTRAINT'],
  [['digitalSignature', 'keyAgreement'], 'PATH_CONSTRAINT'],
  [['digitalSignature', 'keyAgreement', 'encipherOnly'], 'PATH_CONSTRAINT'],
] as const)('[pq.7] a key usage of %s: %s', async (keyUsage, answer) => {
  const root = await makePqAuthority();
  const usage: readonly KeyUsage[] = keyUsage;
  expect(
    judge(await makePqCertificate({ issuer: root, keyUsage: usage, eku: [EKU.codeSigning] }), root),
  ).toBe(answer);
});

test('[pq.2] a revocation list of ML-DSA counts, and one that another key signed does not', async () => {
  const root = await makePqAuthority();
  const leaf = await makePqCertificate({ issuer: root, ...LEAF });
  const path = [leaf, root];
  expect(outcome({ path, crls: [makePqCrl(root, [])] })).toBe('good');
  expect(outcome({ path, crls: [makePqCrl(root, [leaf])] })).toBe('CERTIFICATE_REVOKED');
  expect(outcome({ path, crls: [makePqCrl(root, [leaf], await makePqAuthority())] })).toBe(
    'REVOCATION_UNKNOWN',
  );
});
