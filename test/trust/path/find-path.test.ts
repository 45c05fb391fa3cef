import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { findPath, type PathResult } from '../../../src/trust/path/find-path.ts';
import { type Allowances, judgeDigest, judgeKey, NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import {
  EKU,
  makeAuthority,
  makeCertificate,
  NOON,
  rsaKeyWithExponent,
  type TestCertificate,
  type TestCertificateOptions,
} from '../../factory/certificates.ts';
import { hex } from '../../factory/der.ts';
import { NAME, nameConstraints, policyConstraints } from '../../factory/extensions.ts';
import { soon } from '../../factory/growth.ts';
import { ownKey } from '../../factory/keys.ts';

const PAST = { notBefore: new Date('2016-08-11T00:00:00Z'), notAfter: new Date('2018-08-11T10:00:00Z') };
const FUTURE = { notBefore: new Date('2030-01-01T00:00:00Z') };
let root: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root,O=Test' });
});

interface Given {
  readonly leaf: TestCertificate;
  readonly intermediates?: readonly TestCertificate[];
  readonly anchors?: readonly TestCertificate[];
  readonly at?: Date;
  readonly allow?: Partial<Allowances>;
}

function find({ leaf, intermediates = [], anchors = [root], at = NOON, allow = {} }: Given): PathResult {
  return findPath(
    { leaf: leaf.certificate, intermediates: intermediates.map(({ certificate }) => certificate) },
    {
      anchors: anchors.map(({ certificate }) => certificate),
      window: { from: at, to: at },
      allowances: { ...NO_ALLOWANCES, ...allow },
      purpose: 'code-signing',
    },
  );
}

const codes = (result: PathResult) => result.errors.map(({ code }) => code).sort();
const messages = (result: PathResult) => result.errors.map(({ message }) => message).join('\n');
const subjects = (result: PathResult) => result.path.map(({ fields }) => fields.subject.attributes[0]?.value);
const sub = (options: TestCertificateOptions = {}) =>
  makeAuthority({ subject: 'CN=Sub,O=Test', issuer: root, ...options });
const under = (issuer: TestCertificate, options: TestCertificateOptions = {}) =>
  makeCertificate({ issuer, ...options });

describe('paths', () => {
  test('[path.1] leaf, intermediate, anchor', async () => {
    const ca = await sub();
    const leaf = await under(ca, { eku: [EKU.codeSigning], keyUsage: ['digitalSignature'] });
    const result = find({ leaf, intermediates: [ca] });
    expect(result.kind).toBe('good');
    expect(subjects(result)).toEqual(['Test Signer', 'Sub', 'Root']);
    expect(result.errors).toEqual([]);
    expect(result.warnings).toEqual([]);
  });

  test('[path.1] an intermediate may be the anchor: what is above it is not needed', async () => {
    const ca = await sub();
    const leaf = await under(ca);
    expect(subjects(find({ leaf, anchors: [ca] }))).toEqual(['Test Signer', 'Sub']);
    expect(find({ leaf, intermediates: [root], anchors: [ca] }).kind).toBe('good');
  });

  test('[path.1] the order of the intermediates does not matter, nor do strangers among them', async () => {
    const stranger = await makeAuthority({ subject: 'CN=Stranger' });
    const one = await sub({ subject: 'CN=One' });
    const two = await sub({ subject: 'CN=Two', issuer: one });
    const leaf = await under(two);
    const result = find({ leaf, intermediates: [root, stranger, one, leaf, two] });
    expect(subjects(result)).toEqual(['Test Signer', 'Two', 'One', 'Root']);
  });

  test('[path.5] a certificate that came with the bundle is never an anchor', async () => {
    const own = await makeAuthority({ subject: 'CN=Mallory CA' });
    const leaf = await under(own);
    const result = find({ leaf, intermediates: [own] });
    expect(codes(result)).toEqual(['SIGNER_UNKNOWN']);
    expect(result.kind).toBe('none');
    expect(messages(result)).toBe('certificate "CN=Mallory CA" is self-signed and not trusted');
  });

  test('[path.16] a leaf that is an anchor is a path of its own, self-signed or not', async () => {
    const self = await makeCertificate();
    const issued = await under(root, { subject: 'CN=Pinned' });
    expect(find({ leaf: self, anchors: [self] })).toMatchObject({ kind: 'good', errors: [] });
    expect(subjects(find({ leaf: issued, anchors: [issued] }))).toEqual(['Pinned']);
    const old = await makeCertificate(PAST);
    expect(codes(find({ leaf: old, anchors: [old] }))).toEqual(['CERTIFICATE_EXPIRED']);
  });

  test('[path.4] an issuer is the certificate of that name whose key verifies', async () => {
    const namesake = await makeAuthority({ subject: 'CN=Root,O=Test' });
    const leaf = await under(namesake);
    const result = find({ leaf });
    expect(codes(result)).toEqual(['SIGNER_UNKNOWN']);
    expect(messages(result)).toContain(
      'issuer "CN=Root,O=Test" is known; one of this name is there, but its key did not',
    );
    const misnamed = await under(root, { issuerName: 'CN=Rot,O=Test' });
    expect(codes(find({ leaf: misnamed }))).toEqual(['SIGNER_UNKNOWN']);
    expect(find({ leaf, anchors: [root, namesake] }).kind).toBe('good');
  });

  test('[x509.13] case and blanks do not make another name', async () => {
    const folded = await under(root, { issuerName: 'CN=  root ,O=TEST' });
    expect(find({ leaf: folded }).kind).toBe('good');
    const other = await under(root, { issuerName: 'CN=Ro ot,O=TEST' });
    expect(codes(find({ leaf: other }))).toEqual(['SIGNER_UNKNOWN']);
  });

  test('[path.4] key identifiers that do not match are a hint only', async () => {
    const rekeyed = await makeAuthority({ subject: 'CN=Root,O=Test', key: root.privateKey, extensions: [] });
    const leaf = await under(root);
    expect(find({ leaf, anchors: [rekeyed] }).kind).toBe('good');
  });
});

describe('search', () => {
  test('[path.3] a dead end does not hide the way around it', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const expired = await sub({ key, ...PAST });
    const noAuthority = await sub({ key, ca: false });
    const dead = await sub({ key, issuer: await makeAuthority({ subject: 'CN=Elsewhere' }) });
    const good = await sub({ key });
    const leaf = await under(good);
    for (const order of [
      [expired, noAuthority, dead, good],
      [good, dead, noAuthority, expired],
    ]) {
      const result = find({ leaf, intermediates: order });
      expect(result.kind).toBe('good');
      expect(result.path[1]?.fingerprint).toBe(good.certificate.fingerprint);
    }
  });

  test('[path.3] certificates that sign each other end the search, they do not keep it busy', async () => {
    const a0 = await makeAuthority({ subject: 'CN=A' });
    const b0 = await makeAuthority({ subject: 'CN=B' });
    const a1 = await makeAuthority({ subject: 'CN=A', key: a0.privateKey, issuer: b0 });
    const b1 = await makeAuthority({ subject: 'CN=B', key: b0.privateKey, issuer: a0 });
    const leaf = await under(a0);
    expect(codes(find({ leaf, intermediates: [a1, b1] }))).toEqual(['SIGNER_UNKNOWN']);
    const crossed = await makeAuthority({ subject: 'CN=B', key: b0.privateKey, issuer: root });
    expect(subjects(find({ leaf, intermediates: [a1, b1, crossed] }))).toEqual([
      'Test Signer',
      'A',
      'B',
      'Root',
    ]);
  });

  test('[path.3] more than 128 signatures are not checked', async () => {
    const leaf = await makeCertificate({ issuerName: 'CN=Sub,O=Test', issuer: root });
    const decoys = await Promise.all(Array.from({ length: 129 }, () => sub()));
    const result = find({ leaf, intermediates: decoys });
    expect(codes(result)).toEqual(['PATH_LIMIT']);
    expect(messages(result)).toContain('128 signatures');
    expect(codes(find({ leaf, intermediates: decoys.slice(0, 120) }))).toEqual(['SIGNER_UNKNOWN']);
    // the key identifier says who to try first, so decoys do not use up the budget of an honest path
    const issuer = await sub();
    const honest = find({ leaf: await under(issuer), intermediates: [...decoys, issuer] });
    expect(honest.kind).toBe('good');
  });

  test('[path.3] many paths over few certificates are bounded too', async () => {
    // each of seven names has one key and four certificates for it: 4^7 paths over few signatures, to no anchor
    const intermediates: TestCertificate[] = [];
    let issuer = await makeAuthority({ subject: 'CN=L8' });
    for (let layer = 7; layer > 0; layer--) {
      const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const subject = `CN=L${layer}`;
      const above = issuer;
      for (let i = 0; i < 4; i++) {
        issuer = await makeAuthority({ subject, key, issuer: above });
        intermediates.push(issuer);
      }
    }
    const leaf = await under(issuer);
    const result = soon(() => find({ leaf, intermediates }));
    expect(codes(result)).toEqual(['PATH_LIMIT']);
  });

  test('[path.2] ten certificates are a path, eleven are too many', async () => {
    const chain = [root];
    for (let i = 0; i < 9; i++) {
      chain.push(await makeAuthority({ subject: `CN=Sub ${i}`, issuer: chain.at(-1) ?? root }));
    }
    const [deepest = root, next = root] = chain.toReversed();
    const ten = find({ leaf: await under(next), intermediates: chain.slice(1) });
    expect(ten).toMatchObject({ kind: 'good', errors: [] });
    expect(ten.path).toHaveLength(10);
    const eleven = find({ leaf: await under(deepest), intermediates: chain.slice(1) });
    expect(codes(eleven)).toEqual(['PATH_TOO_LONG']);
    expect(messages(eleven)).toContain('longer than 10');
  });
});

describe('rules', () => {
  test('[path.6] every certificate is valid at the time, the anchor too; both ends count', async () => {
    const leaf = await under(root);
    const { notBefore, notAfter } = leaf.certificate.fields;
    expect(find({ leaf, at: notBefore }).kind).toBe('good');
    expect(find({ leaf, at: notAfter }).kind).toBe('good');
    expect(codes(find({ leaf, at: new Date(notBefore.getTime() - 1000) }))).toContain(
      'CERTIFICATE_NOT_YET_VALID',
    );
    expect(codes(find({ leaf, at: new Date(notAfter.getTime() + 1000) }))).toContain('CERTIFICATE_EXPIRED');
    expect(find({ leaf, at: new Date(Number.NaN) }).kind).not.toBe('good');

    const oldRoot = await makeAuthority({ subject: 'CN=Old', ...PAST });
    const result = find({ leaf: await under(oldRoot), anchors: [oldRoot] });
    expect(messages(result)).toBe('certificate "CN=Old" expired on 2018-08-11 10:00:00 UTC');
    const oldSub = await sub(PAST);
    expect(codes(find({ leaf: await under(oldSub), intermediates: [oldSub] }))).toEqual([
      'CERTIFICATE_EXPIRED',
    ]);
    const soon = await under(root, FUTURE);
    expect(messages(find({ leaf: soon }))).toBe(
      'certificate "CN=Test Signer,O=Test" is not valid before 2030-01-01 00:00:00 UTC',
    );
  });

  test('[path.7] an issuer is a certification authority, the anchor too', async () => {
    const { keyUsage } = { keyUsage: ['digitalSignature', 'keyCertSign'] as const };
    for (const options of [{ ca: false }, { ca: false, keyUsage }, { v1: true }]) {
      const fake = await sub(options);
      const result = find({ leaf: await under(fake), intermediates: [fake] });
      expect(codes(result)).toContain('PATH_CONSTRAINT');
      expect(messages(result)).toContain('certificate "CN=Sub,O=Test" is not a certification authority');
    }
    const leafAsAnchor = await makeCertificate({ subject: 'CN=Pinned leaf' });
    const leaf = await under(leafAsAnchor);
    expect(codes(find({ leaf, anchors: [leafAsAnchor] }))).toEqual(['PATH_CONSTRAINT']);
  });

  test('[path.7] the mark of an authority that is not critical is accepted with a warning', async () => {
    const value = hex('30 03 01 01 ff');
    const { ca: _, ...rest } = { ca: true, subject: 'CN=Lax', issuer: root };
    const lax = await makeCertificate({
      ...rest,
      extensions: [{ oid: '2.5.29.19', critical: false, value }],
    });
    const result = find({ leaf: await under(lax), intermediates: [lax] });
    expect(result.kind).toBe('good');
    expect(result.warnings).toHaveLength(1);
  });

  test('[path.8] path lengths hold; self-issued certificates do not count', async () => {
    const zero = await sub({ subject: 'CN=Zero', pathLen: 0 });
    expect(find({ leaf: await under(zero), intermediates: [zero] }).kind).toBe('good');
    const below = await sub({ subject: 'CN=Below', issuer: zero });
    const result = find({ leaf: await under(below), intermediates: [zero, below] });
    expect(codes(result)).toEqual(['PATH_CONSTRAINT']);
    expect(messages(result)).toContain('allows 0 certification authorities below it; the path has 1');

    const rolled = await sub({ subject: 'CN=Zero', issuer: zero });
    expect(find({ leaf: await under(rolled), intermediates: [zero, rolled] }).kind).toBe('good');

    const strictRoot = await makeAuthority({ subject: 'CN=Strict', pathLen: 0 });
    const middle = await sub({ issuer: strictRoot });
    const leaf = await under(middle);
    expect(codes(find({ leaf, intermediates: [middle], anchors: [strictRoot] }))).toEqual([
      'PATH_CONSTRAINT',
    ]);
  });

  test('[path.9] a key usage without keyCertSign cannot issue', async () => {
    const signer = await sub({ keyUsage: ['digitalSignature', 'cRLSign'] });
    const result = find({ leaf: await under(signer), intermediates: [signer] });
    expect(codes(result)).toEqual(['PATH_CONSTRAINT']);
    expect(messages(result)).toContain('keyCertSign');
  });

  test('[path.10] an unknown critical extension is refused in leaf, intermediate and anchor', async () => {
    const ca = await sub({ criticalUnknown: true });
    const strange = await makeAuthority({ subject: 'CN=Strange', criticalUnknown: true });
    const results = [
      find({ leaf: await under(root, { criticalUnknown: true }) }),
      find({ leaf: await under(ca), intermediates: [ca] }),
      find({ leaf: await under(strange), anchors: [strange] }),
    ];
    for (const result of results) {
      expect(codes(result)).toEqual(['PATH_CONSTRAINT']);
      expect(messages(result)).toContain('1.3.6.1.4.1.99999.1');
    }
  });

  test.each([
    ['name constraints', nameConstraints([NAME.organisation('Other')], [], false)],
    ['name constraints, critical', nameConstraints([NAME.organisation('Other')])],
    ['policy constraints', { ...policyConstraints(0), critical: false }],
    ['policy constraints, critical', policyConstraints(0)],
  ])('[path.11] %s of an issuer are obeyed', async (_, constraint) => {
    const ca = await sub({ extensions: [constraint] });
    const result = find({ leaf: await under(ca), intermediates: [ca] });
    expect(codes(result)).toEqual(['PATH_CONSTRAINT']);
    const bound = await makeAuthority({ subject: 'CN=Bound', extensions: [constraint] });
    // what the anchor says of policies is not looked at (RFC 5280 section 6.1.1), its name constraints are (RFC 5937)
    const expected = constraint.oid === '2.5.29.30' ? ['PATH_CONSTRAINT'] : [];
    expect(codes(find({ leaf: await under(bound), anchors: [bound] }))).toEqual(expected);
  });

  test('[path.12] a leaf with a key usage must be for signing', async () => {
    for (const keyUsage of [['digitalSignature'], ['nonRepudiation']] as const) {
      expect(find({ leaf: await under(root, { keyUsage }) }).kind).toBe('good');
    }
    const leaf = await under(root, { keyUsage: ['keyEncipherment', 'keyCertSign'] });
    expect(codes(find({ leaf }))).toEqual(['PURPOSE_REFUSED']);
  });

  test.each([
    [[EKU.codeSigning], true],
    [[EKU.emailProtection], true],
    [[EKU.any], true],
    [[EKU.serverAuth, EKU.codeSigning], true],
    [undefined, true],
    [[EKU.serverAuth], false],
    [[EKU.timeStamping], false],
  ])('[path.13] extended key usage of the leaf: %s', async (eku, good) => {
    const result = find({ leaf: await under(root, eku ? { eku } : {}) });
    expect(codes(result)).toEqual(good ? [] : ['PURPOSE_REFUSED']);
  });

  test.each([
    [[EKU.serverAuth], [EKU.codeSigning], false],
    [[EKU.serverAuth], undefined, false],
    [[EKU.codeSigning], undefined, true],
    [[EKU.emailProtection], [EKU.codeSigning], false],
    [[EKU.any], [EKU.codeSigning], true],
    [undefined, [EKU.codeSigning], true],
  ])('[path.13] an issuer for %s, a leaf for %s', async (issuerEku, eku, good) => {
    const options = issuerEku ? { eku: issuerEku } : {};
    const ca = await sub(options);
    const anchor = await makeAuthority({ subject: 'CN=Bound', ...options });
    for (const result of [
      find({ leaf: await under(ca, eku ? { eku } : {}), intermediates: [ca] }),
      find({ leaf: await under(anchor, eku ? { eku } : {}), anchors: [anchor] }),
    ]) {
      expect(codes(result)).toEqual(good ? [] : ['PURPOSE_REFUSED']);
    }
  });

  test('[path.14] weak keys are refused wherever they stand; RSA of 1024 bits can be allowed', async () => {
    const weakSub = await sub({ key: 'rsa1024' });
    const weakRoot = await makeAuthority({ subject: 'CN=Weak', key: 'rsa1024' });
    const cases: Given[] = [
      { leaf: await under(root, { key: 'rsa1024' }) },
      { leaf: await under(weakSub), intermediates: [weakSub] },
      { leaf: await under(weakRoot), anchors: [weakRoot] },
    ];
    for (const given of cases) {
      expect(codes(find(given))).toEqual(['KEY_WEAK']);
      const allowed = find({ ...given, allow: { weakKeys: true } });
      expect(allowed.kind).toBe('good');
      expect(allowed.warnings.map(({ error }) => error.message).join()).toContain('1024 bits');
    }
    const small = await under(root, { key: 'p224' });
    expect(codes(find({ leaf: small, allow: { weakKeys: true } }))).toEqual(['KEY_WEAK']);
    for (const key of ['p384', 'ed25519', 'rsa2048', 'dsa'] as const) {
      expect(find({ leaf: await under(root, { key }) }).kind).toBe('good');
    }
  });

  test('[path.14] RSA keys of odd exponents or sizes', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const judge = (exponent: Uint8Array) =>
      judgeKey(ownKey(rsaKeyWithExponent(privateKey, exponent)).key, 'the key', NO_ALLOWANCES)?.error.message;
    expect(judge(hex('03'))).toBeUndefined();
    expect(judge(hex('01'))).toContain('public exponent 1');
    expect(judge(hex('02'))).toContain('public exponent 2');
    expect(judge(new Uint8Array(33).fill(0xff))).toContain('of more than 256 bits');
    const key = (bits: number) => ({ type: 'rsa', bits, exponent: 65_537n, label: '' }) as const;
    const allowances = { ...NO_ALLOWANCES, weakKeys: true };
    expect(judgeKey(key(1023), '', allowances)?.allowed).toBeUndefined();
    expect(judgeKey(key(1024), '', allowances)?.allowed).toBe('weakKeys');
    expect(judgeKey(key(2047), '', NO_ALLOWANCES)?.allowed).toBeUndefined();
    const even = { type: 'rsa', bits: 2048, exponent: 65_536n, label: '' } as const;
    expect(judgeKey(even, '', allowances)?.allowed).toBeUndefined();
    expect(judgeKey(key(16_385), '', allowances)?.allowed).toBeUndefined();
    expect(judgeKey({ type: 'other', label: 'x25519' }, '', allowances)?.allowed).toBeUndefined();
    expect(
      judgeKey({ type: 'ec', curve: 'unnamed curve', label: '' }, '', allowances)?.allowed,
    ).toBeUndefined();
  });

  test('[path.15] certificates signed over SHA-1 are refused, but for the anchor; it can be allowed', async () => {
    const leaf = await under(root, { digest: 'sha1' });
    expect(codes(find({ leaf }))).toEqual(['DIGEST_WEAK']);
    expect(find({ leaf, allow: { sha1: true } })).toMatchObject({ kind: 'good' });
    expect(find({ leaf, allow: { sha1: true } }).warnings).toHaveLength(1);
    const ca = await sub({ digest: 'sha1' });
    expect(codes(find({ leaf: await under(ca), intermediates: [ca] }))).toEqual(['DIGEST_WEAK']);
    const oldRoot = await makeAuthority({ subject: 'CN=Old', digest: 'sha1' });
    expect(find({ leaf: await under(oldRoot), anchors: [oldRoot] }).kind).toBe('good');
  });

  test('[path.15] MD5 is never allowed, and an algorithm without a name is unsupported', () => {
    const allowances = { ...NO_ALLOWANCES, sha1: true };
    for (const digest of ['md5', 'md2']) {
      const finding = judgeDigest(digest, 'x', allowances);
      expect([finding?.error.code, finding?.allowed]).toEqual(['DIGEST_WEAK', undefined]);
    }
    expect(judgeDigest(undefined, 'x', allowances)).toMatchObject({
      error: { code: 'ALGORITHM_UNSUPPORTED' },
    });
    expect(judgeDigest('sha384', 'x', NO_ALLOWANCES)).toBeUndefined();
  });
});

describe('what is told', () => {
  test('[path.20] what is wrong with the leaf is told also when its issuer is missing', async () => {
    const ca = await sub({ subject: 'CN=DigiCert' });
    const leaf = await under(ca, { ...PAST, key: 'rsa1024', eku: [EKU.serverAuth], digest: 'sha1' });
    const result = find({ leaf });
    expect(codes(result)).toEqual([
      'CERTIFICATE_EXPIRED',
      'DIGEST_WEAK',
      'KEY_WEAK',
      'PURPOSE_REFUSED',
      'SIGNER_UNKNOWN',
    ]);
    expect(messages(result)).toContain('no certificate of its issuer "CN=DigiCert" is known');
    expect(result.path).toHaveLength(1);
  });

  test('[path.20] the missing issuer is that of the longest path found', async () => {
    const stranger = await makeAuthority({ subject: 'CN=Stranger' });
    const ca = await sub({ issuer: stranger });
    const result = find({ leaf: await under(ca), intermediates: [ca] });
    expect(subjects(result)).toEqual(['Test Signer', 'Sub']);
    expect(messages(result)).toBe(
      'nothing that you trust vouches for the signer: no certificate of its issuer "CN=Stranger" is known',
    );
  });

  test('[path.20] of several paths that fail, the one with the fewest errors is told', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const worse = await sub({ key, ...PAST, ca: false });
    const better = await sub({ key, ...PAST });
    const result = find({ leaf: await under(better), intermediates: [worse, better] });
    expect(codes(result)).toEqual(['CERTIFICATE_EXPIRED']);
    expect(result.kind).toBe('refused');
  });

  test('[path.20] every error of a path is told', async () => {
    const ca = await sub({ ...PAST, pathLen: 0, keyUsage: ['cRLSign'] });
    const below = await sub({ subject: 'CN=Below', issuer: ca, ca: false });
    const result = find({ leaf: await under(below, { eku: [EKU.serverAuth] }), intermediates: [ca, below] });
    expect(codes(result)).toEqual([
      'CERTIFICATE_EXPIRED',
      'PATH_CONSTRAINT',
      'PATH_CONSTRAINT',
      'PATH_CONSTRAINT',
      'PURPOSE_REFUSED',
    ]);
  });

  test('[path.20] names in messages stay on one line and short', async () => {
    const leaf = await makeCertificate({ subject: `CN=\u202etxt.${'x'.repeat(500)}`, ...PAST });
    const [message = ''] = find({ leaf }).errors.map((error) => error.message);
    expect(message).toContain('\\u{202e}');
    expect(message.length).toBeLessThan(300);
  });
});
