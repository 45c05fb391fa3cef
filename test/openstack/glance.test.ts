import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatProperties } from '../../src/formats/glance/format-properties.ts';
import { HASH_METHOD_NAMES, KEY_TYPE_NAMES, KEY_TYPES } from '../../src/formats/glance/names.ts';
import { parseProperties } from '../../src/formats/glance/properties.ts';
import type { CursiveVerdict, VerifyImageOptions } from '../../src/operations/glance/image-options.ts';
import { keyManagerCertificates, openKeyManager } from '../../src/operations/glance/key-manager.ts';
import { loadImageSigner, signImage } from '../../src/operations/glance/sign-image.ts';
import { storeCertificate } from '../../src/operations/glance/store-certificate.ts';
import { verifyImage } from '../../src/operations/glance/verify-image.ts';
import type { CertificateSource } from '../../src/verdict/image/certificate-source.ts';
import { makeAuthority, makeCertificate, type TestCertificate } from '../factory/certificates.ts';
import { curveCertificate, IMAGE, rsaCertificate, signLike } from '../factory/images.ts';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';
import {
  askCursive,
  BARBICAN,
  type CursiveCase,
  hasOpenStack,
  KEYSTONE,
  python,
  show,
  startCloud,
  storeSecret,
  TOKEN,
  upload,
} from './cloud.ts';

const here = hasOpenStack();
const login = { kind: 'token', token: TOKEN } as const;
const keyManager = { barbican: BARBICAN, login };
/** Anew each time: a connection has a limit of time for all its requests. */
const certificates = (): CertificateSource => keyManagerCertificates(keyManager);

let cloud: Disposable | undefined;
let sandbox: Sandbox;
let image: string;
let rsa: {
  readonly certificate: TestCertificate;
  readonly uuid: string;
  readonly good: Readonly<Record<string, string>>;
};

async function stored(certificate: TestCertificate): Promise<string> {
  const file = sandbox.write(`${certificate.certificate.fingerprint}.pem`, certificate.pem);
  const report = await storeCertificate(file, () => openKeyManager(keyManager), { at: new Date() });
  return (report.result as { certificateUuid: string }).certificateUuid;
}

/** The properties that bulla makes for the image. */
async function signed(
  certificate: TestCertificate,
  uuid: string,
  hash: (typeof HASH_METHOD_NAMES)[number] = 'SHA-256',
): Promise<Readonly<Record<string, string>>> {
  const key = sandbox.write(`${certificate.certificate.fingerprint}.key`, certificate.privateKeyPem);
  const signer = await loadImageSigner({ key }, { hash, certificateUuid: uuid, at: new Date() });
  const { properties } = await signImage(image, { signer });
  return JSON.parse(formatProperties(properties, 'json'));
}

function optionsFor(properties: Readonly<Record<string, string>>): VerifyImageOptions {
  return { properties: parseProperties(JSON.stringify(properties)), certificates: certificates() };
}

async function compatible(
  properties: Readonly<Record<string, string>>,
  file = image,
): Promise<CursiveVerdict> {
  const report = await verifyImage(file, { ...optionsFor(properties), compat: true });
  return report.result?.cursive as CursiveVerdict;
}

beforeAll(async () => {
  if (!here) return;
  cloud = await startCloud();
  sandbox = makeSandbox();
  image = sandbox.write('image.raw', IMAGE);
  const certificate = await rsaCertificate();
  const uuid = await stored(certificate);
  rsa = { certificate, uuid, good: await signed(certificate, uuid) };
}, 300_000);

afterAll(() => {
  cloud?.[Symbol.dispose]();
  sandbox?.[Symbol.dispose]();
});

describe.skipIf(!here)('the real Glance', () => {
  test.each(KEY_TYPE_NAMES)('makes an image active that bulla has signed with %s', async (keyType) => {
    const type = KEY_TYPES[keyType];
    const dsa = () => generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey;
    const certificate = type.curve
      ? await curveCertificate(type.curve)
      : await makeCertificate({ key: type.kind === 'rsa' ? rsa.certificate.privateKey : dsa() });
    const uuid = await stored(certificate);
    for (const hash of HASH_METHOD_NAMES) {
      const properties = await signed(certificate, uuid, hash);
      const answer = await upload(properties, IMAGE);
      expect(answer, answer.text).toMatchObject({ http: 204, status: 'active' });
      // as it is stored there, with Glance's own digests, it verifies here
      const trust = { anchors: [sandbox.write('anchor.pem', certificate.pem)] };
      const shown = parseProperties(await show(answer.id));
      const report = await verifyImage(image, { properties: shown, certificates: certificates(), trust });
      expect(report.verdict, JSON.stringify(report.errors)).toBe('trusted');
      expect(report.checks.find(({ id }) => id === 'image.digests')?.status).toBe('pass');
    }
  });

  test('refuses tampered bytes, as bulla does', async () => {
    const bytes = Buffer.from('This is a DODGY image\n');
    expect(await upload(rsa.good, bytes)).toMatchObject({ http: 400, status: 'queued' });
    const report = await verifyImage(sandbox.write('tampered.raw', bytes), optionsFor(rsa.good));
    expect(report.errors[0]?.code).toBe('SIGNATURE_INVALID');
  });

  const cases: readonly (readonly [
    string,
    () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>,
  ])[] = [
    ['salt as long as the digest', () => resigned({ salt: 32 })],
    ['no salt', () => resigned({ salt: 0 })],
    ['another hash', () => ({ ...rsa.good, img_signature_hash_method: 'SHA-512' })],
    ['an unknown hash', () => ({ ...rsa.good, img_signature_hash_method: 'SHA256' })],
    ['a name of the documentation', () => ({ ...rsa.good, img_signature_key_type: 'SECT571K1' })],
    ['a key of another kind', () => ({ ...rsa.good, img_signature_key_type: 'DSA' })],
    ['an empty signature', () => ({ ...rsa.good, img_signature: '' })],
    ['the text of Python bytes', () => changed((text) => `b'${text}'`)],
    ['url-safe base64', () => changed((text) => text.replaceAll('+', '-').replaceAll('/', '_'))],
    ['no padding', () => changed((text) => text.replace(/=+$/, ''))],
    ['junk in base64', () => changed((text) => `!${text.slice(0, 9)}$%\n ${text.slice(9)}`)],
    ['something behind the padding', () => changed((text) => `${text}AAAA`)],
    ['wrapped base64', () => changed((text) => text.replace(/.{64}/g, '$&\n'))],
    ['no ASCII', () => changed((text) => `${text}é`)],
    [
      'an unknown UUID',
      () => ({ ...rsa.good, img_signature_certificate_uuid: '11111111-2222-3333-4444-555555555555' }),
    ],
    [
      'an address in place of a UUID',
      () => ({ ...rsa.good, img_signature_certificate_uuid: `${BARBICAN}/v1/secrets/${rsa.uuid}` }),
    ],
    ['no UUID', () => ({ ...rsa.good, img_signature_certificate_uuid: 'acme' })],
    [
      'another certificate',
      async () => ({ ...rsa.good, img_signature_certificate_uuid: await stored(await rsaCertificate(3072)) }),
    ],
    ['an opaque secret', () => kept({ secret_type: 'opaque' })],
    [
      'a certificate stored as text',
      () =>
        kept({
          payload: rsa.certificate.pem,
          payload_content_type: 'text/plain',
          payload_content_encoding: '',
        }),
    ],
    [
      'a certificate stored in DER',
      () => kept({ payload: Buffer.from(rsa.certificate.der).toString('base64') }),
    ],
    ['a secret that is no certificate', () => kept({ payload: Buffer.from('garbage').toString('base64') })],
    [
      'a curve under another name',
      async () => {
        const certificate = await curveCertificate('prime256v1');
        const signature = signLike(certificate.privateKey, IMAGE).toString('base64');
        return {
          ...rsa.good,
          img_signature: signature,
          img_signature_key_type: 'ECC_SECP384R1',
          img_signature_certificate_uuid: await stored(certificate),
        };
      },
    ],
    [
      'a raw pair',
      async () => {
        const certificate = await curveCertificate('secp384r1');
        const signature = signLike(certificate.privateKey, IMAGE, { raw: true }).toString('base64');
        return {
          ...rsa.good,
          img_signature: signature,
          img_signature_key_type: 'ECC_SECP384R1',
          img_signature_certificate_uuid: await stored(certificate),
        };
      },
    ],
  ];
  const resigned = (how: { salt: number }): Readonly<Record<string, string>> =>
    changed(() => signLike(rsa.certificate.privateKey, IMAGE, how).toString('base64'));
  const changed = (how: (text: string) => string): Readonly<Record<string, string>> => ({
    ...rsa.good,
    img_signature: how(rsa.good['img_signature'] ?? ''),
  });
  const kept = async (
    difference: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> => {
    const secret = {
      secret_type: 'certificate',
      payload: Buffer.from(rsa.certificate.pem).toString('base64'),
      payload_content_type: 'application/octet-stream',
      payload_content_encoding: 'base64',
      ...difference,
    };
    const sent = Object.fromEntries(Object.entries(secret).filter(([, value]) => value !== ''));
    return { ...rsa.good, img_signature_certificate_uuid: await storeSecret(sent) };
  };

  test.each(cases)('says of %s what compatible mode says', async (_, make) => {
    const properties = await make();
    const [glance, bulla] = [await upload(properties, IMAGE), await compatible(properties)];
    expect(bulla.verdict, `${glance.http} ${glance.text} / ${bulla.message}`).toBe(
      glance.http === 204 ? 'accept' : 'reject',
    );
    expect(glance.status).toBe(glance.http === 204 ? 'active' : 'queued');
    if (glance.http === 400 && bulla.message)
      expect(glance.text).toContain(bulla.message.replace(/^Sig.*failed: /, ''));
  });

  test('stores with three properties what bulla, strictly and like Nova, refuses', async () => {
    const { img_signature_key_type: _, ...three } = rsa.good;
    expect(await upload(three, Buffer.from('anything'))).toMatchObject({ http: 204, status: 'active' });
    expect((await verifyImage(image, optionsFor(three))).exitCode).toBe(16);
    expect((await compatible(three)).verdict).toBe('reject');
  });
});

describe.skipIf(!here)('the real cursive and openstacksdk', () => {
  test('say of random changes to a signature what compatible mode says, word for word', async () => {
    const certificate = await curveCertificate('secp521r1');
    const uuids = { [rsa.uuid]: rsa.certificate.pem, [await stored(certificate)]: certificate.pem };
    const [rsaUuid = '', ecUuid = ''] = Object.keys(uuids);
    const bases = [rsa.good, { ...(await signed(certificate, ecUuid)) }];
    const cases: CursiveCase[] = [];
    for (let i = 0; i < 300; i++) {
      const base = bases[i % 2] ?? {};
      const properties = { ...base, img_signature: mutated(base['img_signature'] ?? '', i) };
      if (i % 11 === 0) Object.assign(properties, { img_signature_key_type: KEY_TYPE_NAMES[i % 8] });
      if (i % 13 === 0)
        Object.assign(properties, { img_signature_certificate_uuid: i % 2 ? rsaUuid : ecUuid });
      if (i % 17 === 0) Object.assign(properties, { img_signature_hash_method: HASH_METHOD_NAMES[i % 4] });
      cases.push({ image, properties });
    }
    const answers = askCursive(uuids, cases);
    for (const [i, { properties }] of cases.entries()) {
      expect(await compatible(properties), JSON.stringify(properties)).toEqual(answers[i]);
    }
    expect(answers.filter(({ verdict }) => verdict === 'accept').length).toBeGreaterThan(20);
  });

  test('judge trusted certificates as compatible mode does', async () => {
    const options = { notAfter: new Date('2090-01-01') };
    const root = await makeAuthority({ subject: 'CN=Root', pathLen: 1, ...options });
    const noLimit = await makeAuthority({ subject: 'CN=Root', key: root.privateKey, ...options });
    const inter = await makeAuthority({ subject: 'CN=Inter', issuer: root, pathLen: 0, ...options });
    const ed = await makeAuthority({ subject: 'CN=Ed', key: 'ed25519', pathLen: 1, ...options });
    const edNamesake = await makeAuthority({ subject: 'CN=Root', key: 'ed25519', pathLen: 1, ...options });
    const b = await makeAuthority({ subject: 'CN=B', pathLen: 5, ...options });
    const a = await makeAuthority({ subject: 'CN=A', pathLen: 5, issuer: b, ...options });
    const crossed = await makeAuthority({
      subject: 'CN=B',
      pathLen: 5,
      issuer: a,
      key: b.privateKey,
      ...options,
    });
    const key = rsa.certificate.privateKey;
    const issued = (issuer: TestCertificate): Promise<TestCertificate> =>
      makeCertificate({
        subject: 'CN=Leaf',
        key: createPrivateKey(rsa.certificate.privateKeyPem),
        issuer,
        ...options,
      });
    const lists: readonly (readonly [TestCertificate, ...TestCertificate[]])[] = [
      [await issued(inter), root, inter],
      [await issued(inter), noLimit, inter],
      [await issued(inter), root],
      [await issued(inter), inter],
      [await issued(root), root],
      [await issued(root), noLimit],
      [await issued(root), edNamesake, root],
      [await issued(ed), ed],
      [await issued(a), a, crossed],
      [await issued(a), a, b],
      [await issued(root), await issued(root)],
      [
        await makeAuthority({ subject: 'CN=Self', key, ...options }),
        await makeAuthority({ subject: 'CN=Self', key, ...options }),
      ],
    ];
    for (const list of lists) {
      const stores: string[] = [];
      for (const one of list) stores.push(await stored(one)); // one by one: its database takes no two at once
      const [base, ...trusted] = stores;
      const uuids = Object.fromEntries([base, ...trusted].map((uuid, i) => [uuid, list[i]?.pem ?? '']));
      const properties = { ...rsa.good, img_signature_certificate_uuid: base ?? '' };
      const [answer] = askCursive(uuids, [{ image, properties, trusted }]);
      const report = await verifyImage(image, {
        ...optionsFor(properties),
        compat: true,
        trustedIds: trusted,
      });
      expect(
        report.result?.cursive,
        list.map(({ certificate }) => certificate.fields.subject.text).join(),
      ).toEqual(answer);
    }
  }, 300_000);

  test('sign what verifies here', async () => {
    const key = sandbox.write('sdk.key', rsa.certificate.privateKeyPem);
    for (const hash of HASH_METHOD_NAMES) {
      const program = `
import base64, sys
from openstack.image.image_signer import ImageSigner
signer = ImageSigner(hash_method='${hash}')
signer.load_private_key(sys.argv[1])
print(base64.b64encode(signer.generate_signature(open(sys.argv[2], 'rb'))).decode())`;
      const text = python(['-c', program, key, image]).trim();
      const properties = { ...rsa.good, img_signature: text, img_signature_hash_method: hash };
      const report = await verifyImage(image, optionsFor(properties));
      expect(report.result).toMatchObject({ signature: 'valid' });
    }
  });
});

describe.skipIf(!here)('the real Barbican', () => {
  test('is found through the catalog, with a password', async () => {
    const password = {
      kind: 'password',
      user: { name: 'alice' },
      password: 'x',
      project: { name: 'demo' },
    } as const;
    const source = keyManagerCertificates({ barbican: 'catalog', authUrl: KEYSTONE, login: password });
    expect(await source.find(rsa.uuid)).toMatchObject({ kind: 'found' });
  });

  test('refuses a token that is not good, and has no other secrets', async () => {
    const source = keyManagerCertificates({ barbican: BARBICAN, login: { kind: 'token', token: 'nope' } });
    await expect(source.find(rsa.uuid)).rejects.toMatchObject({ code: 'REMOTE_UNAUTHORISED' });
    expect(await certificates().find('11111111-2222-3333-4444-555555555555')).toMatchObject({
      kind: 'absent',
    });
  });
});

/** The signature with one of several mistakes in it, the same for the same number. */
function mutated(text: string, i: number): string {
  const at = (i * 37) % text.length;
  const junk = [' ', '\n', '-', '_', '=', '$', 'A', '+', "'", '==', 'é'][i % 11] ?? '';
  switch (i % 7) {
    case 0:
      return text;
    case 1:
      return text.slice(0, at) + junk + text.slice(at);
    case 2:
      return text.slice(0, at);
    case 3:
      return text + junk;
    case 4:
      return junk + text;
    case 5:
      return text.slice(0, at) + text.slice(at + 1);
    default:
      return `${text.slice(0, at)}${junk}${text.slice(at + 1)}`;
  }
}
