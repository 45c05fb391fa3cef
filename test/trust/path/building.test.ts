import { beforeAll, describe, expect, test } from 'vitest';
import {
  EKU,
  makeAuthority,
  makeCertificate,
  NOON,
  type TestCertificate,
} from '../../factory/certificates.ts';
import { alternatives, NAME, nameConstraints } from '../../factory/extensions.ts';
import { search, verdict } from '../../factory/paths.ts';

const PAST = { notBefore: new Date('2016-01-01T00:00:00Z'), notAfter: new Date('2020-01-01T00:00:00Z') };
const FUTURE = { notBefore: new Date('2030-01-01T00:00:00Z') };
let root: TestCertificate;
let other: TestCertificate;
let leaf: TestCertificate;
let sub: TestCertificate;

/** Another certificate for the key and name of `sub`, issued by `issuer`. */
const cross = (issuer: TestCertificate, options: Parameters<typeof makeAuthority>[0] = {}) =>
  makeAuthority({ subject: 'CN=Sub,O=Test', key: sub.privateKey, issuer, ...options });

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root,O=Test' });
  other = await makeAuthority({ subject: 'CN=Other,O=Test' });
  sub = await makeAuthority({ subject: 'CN=Sub,O=Test', issuer: root });
  leaf = await makeCertificate({ issuer: sub });
});

describe('of several certificates for one issuer', () => {
  test.each<[string, Parameters<typeof makeAuthority>[0]]>([
    ['has expired', PAST],
    ['is not valid yet', FUTURE],
    ['is no authority', { ca: false }],
    ['may not sign certificates', { keyUsage: ['cRLSign'] }],
    ['has no basic constraints', { ca: undefined as never }],
    ['has an unknown critical extension', { criticalUnknown: true }],
    ['is signed over SHA-1', { digest: 'sha1' }],
    ['excludes the name of the leaf', { extensions: [nameConstraints([], [NAME.organisation('Test')])] }],
    ['is for web servers only', { eku: [EKU.serverAuth] }],
  ])('[path.3] one that %s does not hide the one that is good', async (_, options) => {
    const bad = await cross(root, options);
    for (const intermediates of [
      [bad, sub],
      [sub, bad],
    ]) {
      expect(verdict({ leaf, intermediates, anchors: [root], purpose: 'code-signing' })).toBe('good');
    }
    expect(verdict({ leaf, intermediates: [bad], anchors: [root], purpose: 'code-signing' })).not.toBe(
      'good',
    );
  });

  test('[path.3] one under an anchor that is not trusted does not either, whatever its order', async () => {
    const elsewhere = await cross(other);
    for (const intermediates of [
      [elsewhere, other, sub],
      [sub, other, elsewhere],
    ]) {
      expect(verdict({ leaf, intermediates, anchors: [root] })).toBe('good');
    }
  });

  test('[path.3] an expired anchor does not hide a cross certificate of its key under another', async () => {
    const old = await makeAuthority({ subject: 'CN=Old,O=Test', ...PAST });
    const renewed = await makeAuthority({ subject: 'CN=Old,O=Test', key: old.privateKey, issuer: other });
    const signer = await makeCertificate({ issuer: old });
    expect(verdict({ leaf: signer, intermediates: [renewed], anchors: [old, other] })).toBe('good');
    expect(verdict({ leaf: signer, intermediates: [renewed], anchors: [old] })).toBe('CERTIFICATE_EXPIRED');
  });

  test('[path.3] a dead end four levels up is left again', async () => {
    const tops = [root, other];
    let [a, b] = await Promise.all(tops.map((issuer) => makeAuthority({ subject: 'CN=L0', issuer })));
    if (!a || !b) throw new Error('no authorities');
    const all = [a, b];
    for (let i = 1; i < 4; i++) {
      const level = await makeAuthority({ subject: `CN=L${i}`, issuer: a });
      const twin = await makeAuthority({ subject: `CN=L${i}`, key: level.privateKey, issuer: b });
      all.push(level, twin);
      [a, b] = [level, twin];
    }
    const signer = await makeCertificate({ issuer: b });
    expect(verdict({ leaf: signer, intermediates: all, anchors: [other] })).toBe('good');
    expect(verdict({ leaf: signer, intermediates: all.toReversed(), anchors: [root] })).toBe('good');
  });
});

describe('what reaches an anchor and may not', () => {
  test('[path.7] a leaf is no issuer, whatever it has signed (CVE-2002-0862)', async () => {
    const evil = await makeCertificate({ subject: 'CN=Victim', issuer: leaf });
    expect(verdict({ leaf: evil, intermediates: [leaf, sub], anchors: [root] })).toBe('PATH_CONSTRAINT');
  });

  test('[path.3] the good way around a bad one must not lend its anchor to it (CVE-2015-1793)', async () => {
    // the leaf's issuer is a leaf; an alternative chain to a trusted anchor exists for everything above it
    const twin = await cross(other);
    const evil = await makeCertificate({ subject: 'CN=Evil', issuer: leaf });
    const intermediates = [leaf, sub, twin];
    expect(verdict({ leaf: evil, intermediates, anchors: [other, root] })).toBe('PATH_CONSTRAINT');
  });

  test('[path.1] an intermediate that is given as an anchor is one, an unrelated anchor is none', async () => {
    expect(verdict({ leaf, anchors: [sub] })).toBe('good');
    expect(verdict({ leaf, intermediates: [root, sub], anchors: [other] })).toBe('SIGNER_UNKNOWN');
  });

  test('[path.5] a self-signed certificate of the name of an anchor is not the anchor', async () => {
    const fake = await makeAuthority({ subject: 'CN=Root,O=Test' });
    const forged = await makeCertificate({ issuer: fake });
    expect(verdict({ leaf: forged, intermediates: [fake], anchors: [root] })).toBe('SIGNER_UNKNOWN');
  });

  test('[path.8] a path length counts over cross certificates as over any', async () => {
    const short = await makeAuthority({ subject: 'CN=Short', issuer: root, pathLen: 0 });
    const below = await makeAuthority({ subject: 'CN=Below', issuer: short });
    const signer = await makeCertificate({ issuer: below });
    const wide = await makeAuthority({ subject: 'CN=Short', key: short.privateKey, issuer: other });
    expect(verdict({ leaf: signer, intermediates: [below, short], anchors: [root] })).toBe('PATH_CONSTRAINT');
    expect(verdict({ leaf: signer, intermediates: [below, short, wide], anchors: [root, other] })).toBe(
      'good',
    );
  });

  test('[path.2] the most intermediates are counted without self-issued ones', async () => {
    const rolled = await makeAuthority({ subject: 'CN=Sub,O=Test', issuer: sub });
    const signer = await makeCertificate({ issuer: rolled });
    const path = { leaf: signer, intermediates: [rolled, sub], anchors: [root] };
    expect(verdict({ ...path, maxIntermediates: 1 })).toBe('good');
    expect(verdict({ ...path, maxIntermediates: 0 })).toBe('PATH_TOO_LONG');
    expect(verdict({ leaf, intermediates: [sub], anchors: [sub], maxIntermediates: 0 })).toBe('good');
  });

  test('[path.6] the last second of a validity counts whole, the one before the first not at all', async () => {
    const from = new Date('2026-03-01T00:00:01Z');
    const to = new Date('2026-04-01T00:00:00Z');
    const short = await makeCertificate({ issuer: sub, notBefore: from, notAfter: to });
    const at = (time: Date) => verdict({ leaf: short, intermediates: [sub], anchors: [root], at: time });
    expect(at(new Date(+to + 999))).toBe('good');
    expect(at(new Date(+to + 1000))).toBe('CERTIFICATE_EXPIRED');
    expect(at(new Date(+from - 1))).toBe('CERTIFICATE_NOT_YET_VALID');
    expect(at(new Date(Number.NaN))).not.toBe('good');
  });

  test('[path.20] the ways that failed are told with their reasons, at most 32', async () => {
    const bad = await cross(root, PAST);
    const { attempts } = search({ leaf, intermediates: [bad], anchors: [root], at: NOON });
    expect(attempts.map(({ path }) => path.length)).toEqual([3]);
    expect(attempts[0]?.errors[0]?.code).toBe('CERTIFICATE_EXPIRED');
    const signer = await makeCertificate({ issuer: sub, extensions: [alternatives(NAME.dns('x'))] });
    const many = await Promise.all(Array.from({ length: 40 }, () => cross(root, PAST)));
    expect(search({ leaf: signer, intermediates: many, anchors: [root] }).attempts).toHaveLength(32);
  });
});
