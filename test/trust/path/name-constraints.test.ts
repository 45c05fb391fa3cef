import { beforeAll, describe, expect, test } from 'vitest';
import { derElement, derSequence } from '../../../src/formats/der/writer.ts';
import { parseNameConstraints } from '../../../src/formats/x509/general-name.ts';
import { makeAuthority, makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { codeOf } from '../../factory/errors.ts';
import { alternatives, NAME, nameConstraints } from '../../factory/extensions.ts';
import { soon } from '../../factory/growth.ts';
import { search, verdict } from '../../factory/paths.ts';

let root: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root,O=Test' });
});

const constrained = (permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []) =>
  makeAuthority({
    subject: 'CN=Sub,O=Test',
    issuer: root,
    extensions: [nameConstraints(permitted, excluded)],
  });

/** The verdict on a leaf with these alternative names under a CA with these constraints. */
async function under(
  permitted: readonly Uint8Array[],
  excluded: readonly Uint8Array[],
  names: readonly Uint8Array[],
  subject = 'CN=Signer,O=Test',
): Promise<string> {
  const sub = await constrained(permitted, excluded);
  const extensions = names.length > 0 ? [alternatives(...names)] : [];
  const leaf = await makeCertificate({ subject, issuer: sub, extensions });
  return verdict({ leaf, intermediates: [sub], anchors: [root] });
}

const REFUSED = 'PATH_CONSTRAINT';

describe('what name constraints are', () => {
  const parse = (value: Uint8Array) => codeOf(() => parseNameConstraints(value, 'test'));
  const tree = (name: Uint8Array, ...more: readonly Uint8Array[]) =>
    derSequence(derElement(0xa0, derSequence(name, ...more)));

  test.each([
    ['that constrain nothing', derSequence()],
    ['with an empty list', derSequence(derElement(0xa0))],
    ['with a minimum', tree(NAME.dns('a'), derElement(0x80, Uint8Array.of(1)))],
    ['with a minimum that is the default', tree(NAME.dns('a'), derElement(0x80, Uint8Array.of(0)))],
    ['with an address without a mask', tree(NAME.ip(192, 0, 2, 1))],
    ['with a mask that has holes', tree(NAME.ip(192, 0, 2, 0, 255, 0, 255, 0))],
    ['with a name of no kind', tree(derElement(0x8a, Uint8Array.of(1)))],
  ])('[nc.1] %s are malformed', (_, value) => {
    expect(parse(value)).toBe('CERTIFICATE_MALFORMED');
  });

  test.each([
    ['a DNS name with a wildcard', NAME.dns('*.example.com')],
    ['a DNS name that begins with a period', NAME.dns('.example.com')],
    ['a DNS name with an empty label', NAME.dns('a..example.com')],
    ['an e-mail address with two @', NAME.email('a@b@example.com')],
    ['an e-mail address without a mailbox', NAME.email('@example.com')],
    ['a URI instead of its host', NAME.uri('https://example.com/')],
  ])('[nc.2] %s as a constraint refuses the path, whatever names are below it', async (_, base) => {
    expect(await under([base], [], [])).toBe(REFUSED);
    expect(await under([], [base], [])).toBe(REFUSED);
  });
});

describe('which names are within', () => {
  test.each<[string, Uint8Array, Uint8Array, string]>([
    ['the host itself', NAME.dns('example.com'), NAME.dns('example.com'), 'good'],
    ['in another case', NAME.dns('Example.COM'), NAME.dns('a.eXample.com'), 'good'],
    ['a host below', NAME.dns('example.com'), NAME.dns('a.b.example.com'), 'good'],
    ['a host that ends likewise', NAME.dns('example.com'), NAME.dns('notexample.com'), REFUSED],
    ['a wildcard below', NAME.dns('example.com'), NAME.dns('*.example.com'), 'good'],
    ['a wildcard that reaches out', NAME.dns('a.example.com'), NAME.dns('*.example.com'), REFUSED],
    ['every host under an empty one', NAME.dns(''), NAME.dns('example.com'), 'good'],
    ['a host with a period at the end', NAME.dns('example.com'), NAME.dns('example.com.'), REFUSED],
    ['a host that begins with a period', NAME.dns('example.com'), NAME.dns('.example.com'), REFUSED],
    ['a mailbox', NAME.email('a@example.com'), NAME.email('a@EXAMPLE.com'), 'good'],
    ['a mailbox in another case', NAME.email('a@example.com'), NAME.email('A@example.com'), REFUSED],
    ['a mailbox of the host', NAME.email('example.com'), NAME.email('a@example.com'), 'good'],
    ['a mailbox of a host below', NAME.email('example.com'), NAME.email('a@b.example.com'), REFUSED],
    ['a mailbox below a period', NAME.email('.example.com'), NAME.email('a@b.example.com'), 'good'],
    [
      'a mailbox of the host itself below a period',
      NAME.email('.example.com'),
      NAME.email('a@example.com'),
      REFUSED,
    ],
    ['two @', NAME.email('example.com'), NAME.email('a@b@example.com'), REFUSED],
    ['a quoted @', NAME.email('example.com'), NAME.email('"a@b"@example.com'), 'good'],
    ['a URI of the host', NAME.uri('example.com'), NAME.uri('https://me@example.com:8443/x?y'), 'good'],
    ['a URI of a host below', NAME.uri('example.com'), NAME.uri('https://a.example.com'), REFUSED],
    ['a URI below a period', NAME.uri('.example.com'), NAME.uri('https://a.example.com'), 'good'],
    [
      'a URI whose user is the host',
      NAME.uri('example.com'),
      NAME.uri('https://example.com@evil.example'),
      REFUSED,
    ],
    ['a URI without a host', NAME.uri('example.com'), NAME.uri('urn:example:com'), REFUSED],
    ['a URI of an address', NAME.uri('example.com'), NAME.uri('https://192.0.2.1/'), REFUSED],
    [
      'a URI with a backslash',
      NAME.uri('example.com'),
      NAME.uri('https://evil.example\\@example.com/'),
      REFUSED,
    ],
    ['an address of the network', NAME.ip(192, 0, 2, 0, 255, 255, 255, 0), NAME.ip(192, 0, 2, 9), 'good'],
    ['an address of another', NAME.ip(192, 0, 2, 0, 255, 255, 255, 0), NAME.ip(192, 0, 3, 9), REFUSED],
    [
      'an address of the other family',
      NAME.ip(0, 0, 0, 0, 0, 0, 0, 0),
      NAME.ip(...new Array<number>(16).fill(0)),
      REFUSED,
    ],
  ])('[nc.5] permitted: %s', async (_, base, name, expected) => {
    expect(await under([base], [], [name])).toBe(expected);
  });

  test.each<[string, Uint8Array, Uint8Array, string]>([
    ['the host itself', NAME.dns('example.com'), NAME.dns('example.com'), REFUSED],
    ['a host beside', NAME.dns('example.com'), NAME.dns('example.org'), 'good'],
    [
      'a wildcard that covers it (CVE-2025-61727)',
      NAME.dns('a.example.com'),
      NAME.dns('*.example.com'),
      REFUSED,
    ],
    ['a host that is none', NAME.dns('example.com'), NAME.dns('a b'), REFUSED],
    ['every address', NAME.ip(0, 0, 0, 0, 0, 0, 0, 0), NAME.ip(192, 0, 2, 1), REFUSED],
    ['a mailbox that cannot be read', NAME.email('example.com'), NAME.email('example.com'), REFUSED],
    ['a kind that cannot be compared', NAME.other('1.2.3'), NAME.other('1.2.3'), REFUSED],
    ['a kind that is not there', NAME.other('1.2.3'), NAME.dns('example.com'), 'good'],
  ])('[nc.4] excluded: %s', async (_, base, name, expected) => {
    expect(await under([], [base], [name])).toBe(expected);
  });

  test('[nc.3] the subject is held to directory names, by whole attributes from the top', async () => {
    const org = NAME.organisation('Test');
    expect(await under([org], [], [])).toBe('good');
    expect(await under([org], [], [], 'CN=Signer,O=test')).toBe('good');
    expect(await under([org], [], [], 'CN=Signer,O=Testing')).toBe(REFUSED);
    expect(await under([org], [], [], 'O=Test,CN=Signer')).toBe(REFUSED);
    expect(await under([], [org], [])).toBe(REFUSED);
    expect(await under([], [org], [], 'CN=Signer,O=Other')).toBe('good');
    expect(await under([org], [], [NAME.organisation('Other')])).toBe(REFUSED);
  });

  test('[nc.5] e-mail addresses in the subject are held to constraints, beside alternative names too', async () => {
    const good = [NAME.email('a@example.com')];
    const bad = 'emailAddress=a@evil.example,CN=Signer,O=Test';
    expect(await under([NAME.email('example.com')], [], [], bad)).toBe(REFUSED);
    expect(await under([NAME.email('example.com')], [], good, bad)).toBe(REFUSED);
    expect(await under([NAME.dns('example.com')], [], good, bad)).toBe('good');
  });
});

describe('along the path', () => {
  test('[nc.7] constraints of the anchor hold, and each further one narrows', async () => {
    const top = await makeAuthority({
      subject: 'CN=Top,O=Test',
      extensions: [nameConstraints([NAME.dns('a.example'), NAME.dns('b.example')])],
    });
    const sub = await makeAuthority({
      subject: 'CN=Sub,O=Test',
      issuer: top,
      extensions: [nameConstraints([NAME.dns('b.example'), NAME.dns('c.example')])],
    });
    const judged = async (host: string) => {
      const leaf = await makeCertificate({ issuer: sub, extensions: [alternatives(NAME.dns(host))] });
      return verdict({ leaf, intermediates: [sub], anchors: [top] });
    };
    expect(await judged('b.example')).toBe('good');
    expect(await judged('a.example')).toBe(REFUSED);
    expect(await judged('c.example')).toBe(REFUSED);
  });

  test('[nc.7] self-issued certificates on the way are not held to them, the last one is', async () => {
    const top = await makeAuthority({
      subject: 'CN=Top,O=Test',
      extensions: [nameConstraints([NAME.organisation('Elsewhere')])],
    });
    const rolled = await makeAuthority({ subject: 'CN=Top,O=Test', issuer: top });
    const leaf = await makeCertificate({ subject: 'CN=Signer,O=Elsewhere', issuer: rolled });
    expect(verdict({ leaf, intermediates: [rolled], anchors: [top] })).toBe('good');
    expect(verdict({ leaf: rolled, anchors: [top] })).toBe(REFUSED);
  });

  test('[nc.6] more comparisons than the budget has are not made, and quickly not', async () => {
    const many = (make: (i: number) => Uint8Array) => Array.from({ length: 2048 }, (_, i) => make(i));
    const sub = await constrained(
      [],
      many((i) => NAME.dns(`x${i}.example`)),
    );
    const leaf = await makeCertificate({
      issuer: sub,
      extensions: [alternatives(...many((i) => NAME.dns(`y${i}.example`)))],
    });
    const { errors } = soon(() => search({ leaf, intermediates: [sub], anchors: [root] }));
    expect(errors.map(({ code }) => code)).toEqual(['NAME_LIMIT']);
  });
});
