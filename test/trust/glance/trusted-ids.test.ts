import { describe, expect, test } from 'vitest';
import { judgeChainLikeCursive, type NamedCertificate } from '../../../src/trust/glance/cursive-chain.ts';
import { judgeTrustedIds } from '../../../src/trust/glance/trusted-ids.ts';
import { openBudget } from '../../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import { makeAuthority, makeCertificate, NOON, type TestCertificate } from '../../factory/certificates.ts';

const list = (...certificates: readonly TestCertificate[]): readonly NamedCertificate[] =>
  certificates.map(({ certificate }, i) => ({ uuid: `uuid-${i}`, certificate }));

/** The codes of bulla, and the words of cursive or `accept`. */
function judged(base: TestCertificate, ...trusted: readonly TestCertificate[]): readonly [string, string] {
  const options = { at: NOON, allowances: NO_ALLOWANCES, budget: openBudget() };
  const { errors } = judgeTrustedIds(base.certificate, list(...trusted), options);
  const fault = judgeChainLikeCursive(base.certificate, list(...trusted), NOON);
  return [errors.map(({ code }) => code).join() || 'accept', fault ? fault.message || fault.error : 'accept'];
}

const NOT_FOUND = /Could not locate/;
const TYPE_ERROR = /'NoneType' and 'int'/;

describe('[glance.17] [glance.18] a path over certificates trusted by UUID', () => {
  test('up to a self-signed root in the list, whatever the order', async () => {
    const root = await makeAuthority({ subject: 'CN=Root', pathLen: 1 });
    const inter = await makeAuthority({ subject: 'CN=Inter', issuer: root, pathLen: 0 });
    const leaf = await makeCertificate({ issuer: inter });
    expect(judged(leaf, root, inter)).toEqual(['accept', 'accept']);
    expect(judged(leaf, inter, root)).toEqual(['accept', 'accept']);
    const [bulla, cursive] = judged(leaf, inter);
    expect([bulla, cursive]).toEqual(['SIGNER_UNKNOWN', "certificate 'uuid-0'"]);
    expect(judged(leaf, root)[0]).toBe('SIGNER_UNKNOWN');
    expect(judged(leaf, root)[1]).toMatch(NOT_FOUND);
    expect(judged(leaf, leaf)[0]).toBe('SIGNER_UNKNOWN');
    expect(judged(leaf)[0]).toBe('SIGNER_UNKNOWN');
  });

  test('an absent path length: no limit here, an exception there', async () => {
    const root = await makeAuthority({ subject: 'CN=Root' });
    const leaf = await makeCertificate({ issuer: root });
    const [bulla, cursive] = judged(leaf, root);
    expect(bulla).toBe('accept');
    expect(cursive).toMatch(TYPE_ERROR);
    expect(judged(root, root)).toEqual(['accept', 'accept']);
  });

  test('two authorities that sign each other: an end here, none there', async () => {
    const b = await makeAuthority({ subject: 'CN=B', pathLen: 5 });
    const a = await makeAuthority({ subject: 'CN=A', pathLen: 5, issuer: b });
    const crossed = await makeAuthority({ subject: 'CN=B', pathLen: 5, issuer: a, key: b.privateKey });
    const leaf = await makeCertificate({ issuer: a });
    const [bulla, cursive] = judged(leaf, a, crossed);
    expect(bulla).toBe('SIGNER_UNKNOWN');
    expect(cursive).toMatch(/HANG/);
    // with the self-signed one behind, bulla finds the way out of the circle
    expect(judged(leaf, a, crossed, b)[0]).toBe('accept');
  });

  test.each([
    ['no key usage', { keyUsage: undefined }],
    ['no keyCertSign', { keyUsage: ['cRLSign'] }],
    ['CA:FALSE', { ca: false }],
    ['no basicConstraints', { ca: undefined }],
    ['expired', { notAfter: new Date('2026-06-01') }],
    ['not yet valid', { notBefore: new Date('2030-01-01') }],
  ] as const)('an authority with %s is left out, and the error says so', async (_, difference) => {
    const { keyUsage, ca, ...rest } = { keyUsage: ['keyCertSign'], ca: true, ...difference } as const;
    const options = { ...rest, ...(keyUsage && { keyUsage }), ...(ca !== undefined && { ca }) };
    const root = await makeCertificate({ subject: 'CN=Root', pathLen: 1, ...options });
    const leaf = await makeCertificate({ issuer: root });
    const judgement = { at: NOON, allowances: NO_ALLOWANCES, budget: openBudget() };
    const { errors, skipped } = judgeTrustedIds(leaf.certificate, list(root), judgement);
    expect(errors.map(({ code }) => code)).toEqual(['SIGNER_UNKNOWN']);
    expect(skipped).toHaveLength(1);
    expect(skipped[0]).toContain('uuid-0');
    expect(errors[0]?.fix).toContain('left out');
    expect(judged(leaf, root)[1]).toMatch(NOT_FOUND);
  });

  test('the base out of its time is told first', async () => {
    const leaf = await makeCertificate({ notAfter: new Date('2026-06-01') });
    expect(judged(leaf)[1]).toBe('The certificate is outside its valid date range.');
    expect(judged(leaf)[0]).toContain('CERTIFICATE_EXPIRED');
  });

  test('Ed25519 and RSASSA-PSS on certificates count here', async () => {
    const root = await makeAuthority({ subject: 'CN=Ed', key: 'ed25519', pathLen: 1 });
    const leaf = await makeCertificate({ issuer: root });
    const [bulla, cursive] = judged(leaf, root);
    expect(bulla).toBe('accept');
    expect(cursive).toMatch(/HashAlgorithm/);
  });

  test('SHA-1 and short keys do not', async () => {
    const root = await makeAuthority({ subject: 'CN=Short', key: 'rsa1024', pathLen: 1 });
    const leaf = await makeCertificate({ issuer: root, digest: 'sha1' });
    const [bulla, cursive] = judged(leaf, root);
    expect(bulla.split(',').toSorted()).toEqual(['DIGEST_WEAK', 'KEY_WEAK']);
    expect(cursive).toBe('accept');
  });
});
