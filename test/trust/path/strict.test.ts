import { beforeAll, describe, expect, test } from 'vitest';
import { derElement, derSequence } from '../../../src/formats/der/writer.ts';
import type { X509Extension } from '../../../src/formats/x509/extensions.ts';
import {
  makeAuthority,
  makeCertificate,
  type TestCertificate,
  type TestCertificateOptions,
} from '../../factory/certificates.ts';
import { hex } from '../../factory/der.ts';
import { distributionPoints, NAME, nameConstraints } from '../../factory/extensions.ts';
import { verdict } from '../../factory/paths.ts';

let root: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
});

const info: X509Extension = {
  oid: '1.3.6.1.5.5.7.1.1',
  critical: true,
  value: derSequence(
    derSequence(derElement(0x06, hex('2b 06 01 05 05 07 30 02')), NAME.uri('http://x.example')),
  ),
};

const pointAt = (name: Uint8Array) =>
  distributionPoints(derSequence(derSequence(derElement(0xa0, derElement(0xa0, name)))));

describe('what issuers get wrong without harm', () => {
  test.each<[string, TestCertificateOptions]>([
    ['a critical authority information access', { extensions: [info] }],
    ['name constraints in a leaf', { extensions: [nameConstraints([NAME.dns('x.example')])] }],
    ['keyCertSign in a leaf', { keyUsage: ['digitalSignature', 'keyCertSign'] }],
    ['the serial number zero', { serial: hex('00') }],
    ['a serial number of 21 octets', { serial: hex(`7f ${'11'.repeat(20)}`) }],
    ['a distribution point at an e-mail address', { extensions: [pointAt(NAME.email('a@x.example'))] }],
  ])('[path.22] a leaf with %s is refused only strictly', async (_, options) => {
    const leaf = await makeCertificate({ issuer: root, ...options });
    expect(verdict({ leaf, anchors: [root] })).toBe('good');
    expect(verdict({ leaf, anchors: [root], strict: true })).toBe('PATH_CONSTRAINT');
  });

  test('[path.22] name constraints that are not critical hold, and are refused strictly', async () => {
    const extensions = [nameConstraints([NAME.dns('x.example')], [], false)];
    const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root, extensions });
    const leaf = await makeCertificate({ issuer: sub });
    expect(verdict({ leaf, intermediates: [sub], anchors: [root] })).toBe('good');
    expect(verdict({ leaf, intermediates: [sub], anchors: [root], strict: true })).toBe('PATH_CONSTRAINT');
  });

  test('[path.22] what is right is right strictly too; roots may have any number that is not negative', async () => {
    const san: X509Extension = {
      oid: '2.5.29.17',
      critical: false,
      value: derSequence(NAME.dns('x.example')),
    };
    const leaf = await makeCertificate({ issuer: root, keyUsage: ['digitalSignature'], extensions: [san] });
    expect(verdict({ leaf, anchors: [root], strict: true })).toBe('good');
    const full = await makeCertificate({ issuer: root, serial: hex(`00 ${'f1'.repeat(20)}`) });
    expect(verdict({ leaf: full, anchors: [root], strict: true })).toBe('good');
    for (const serial of [hex('00'), hex(`7f ${'11'.repeat(20)}`)]) {
      const odd = await makeAuthority({ subject: 'CN=Odd', serial });
      const below = await makeCertificate({ issuer: odd });
      expect(verdict({ leaf: below, anchors: [odd], strict: true })).toBe('good');
    }
  });
});
