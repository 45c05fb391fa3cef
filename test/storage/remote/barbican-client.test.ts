import { describe, expect, test } from 'vitest';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { barbicanCertificates } from '../../../src/operations/glance/certificate-sources.ts';
import {
  type KeyManagerOptions,
  keyManagerCertificates,
  openKeyManager,
} from '../../../src/operations/glance/key-manager.ts';
import { storeCertificate } from '../../../src/operations/glance/store-certificate.ts';
import type { CertificateAnswer } from '../../../src/verdict/image/certificate-source.ts';
import { type BarbicanDouble, type KeptSecret, startBarbican, TOKEN } from '../../factory/barbican.ts';
import { EKU, makeAuthority, makeCertificate, NOON } from '../../factory/certificates.ts';
import { der } from '../../factory/der.ts';
import { rsaCertificate, UUID } from '../../factory/images.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

const token = { kind: 'token', token: TOKEN } as const;

/** What is found under a UUID, or the code and words of the failure. */
async function found(
  barbican: BarbicanDouble,
  uuid = UUID,
  options: Partial<KeyManagerOptions> = {},
): Promise<CertificateAnswer | string> {
  try {
    const source = keyManagerCertificates({
      barbican: barbican.address,
      login: token,
      timeoutMs: 60_000,
      ...options,
    });
    return await source.find(uuid);
  } catch (error) {
    if (isBundleError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('[glance.28] a certificate from Barbican', () => {
  test('takes two requests, as castellan makes them', async () => {
    await using barbican = await startBarbican();
    const { pem, certificate } = await rsaCertificate();
    barbican.keep(UUID, { payload: pem });
    expect(await found(barbican)).toMatchObject({
      kind: 'found',
      certificate: { fingerprint: certificate.fingerprint },
    });
    const [metadata, payload, ...others] = barbican.requests;
    expect(others).toEqual([]);
    expect([metadata?.path, metadata?.headers.accept]).toEqual([`/v1/secrets/${UUID}`, 'application/json']);
    expect([payload?.path, payload?.headers.accept]).toEqual([
      `/v1/secrets/${UUID}/payload`,
      'application/octet-stream',
    ]);
    expect(payload?.headers['x-auth-token']).toBe(TOKEN);
  });

  test('an address with or without /v1 is the same', async () => {
    await using barbican = await startBarbican();
    barbican.keep(UUID, { payload: (await rsaCertificate()).pem });
    for (const end of ['', '/', '/v1', '/v1/']) {
      expect(await found(barbican, UUID, { barbican: `${barbican.address}${end}` })).toMatchObject({
        kind: 'found',
      });
    }
  });

  test('[glance.5] what is no UUID is never sent', async () => {
    await using barbican = await startBarbican();
    for (const uuid of ['../tokens', `${UUID}/../..`, '', `${UUID}?x=y`]) {
      expect(await found(barbican, uuid)).toMatch(/^USAGE/);
    }
    expect(barbican.requests).toEqual([]);
  });
});

describe('[glance.32] secrets that are no certificates, or that Glance cannot use', () => {
  test.each([
    [
      'opaque',
      { type: 'opaque', payload: 'x' },
      /type "opaque", not certificate/,
      /Invalid certificate format: Opaque/,
    ],
    ['no payload', {}, /holds no certificate/, /Unable to load PEM/],
    ['garbage', { payload: '***' }, /holds no certificate/, /Unable to load PEM/],
    [
      'half a PEM',
      { payload: '-----BEGIN CERTIFICATE-----\nAAAA\n' },
      /holds no certificate/,
      /Unable to load PEM/,
    ],
    [
      'PEM of garbage',
      { payload: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      /malformed/,
      /Unable/,
    ],
  ])('%s', async (_, secret: KeptSecret, words, cursive) => {
    await using barbican = await startBarbican();
    barbican.keep(UUID, secret);
    const answer = await found(barbican);
    expect(answer).toMatchObject({ kind: 'absent', error: { code: 'SIGNER_UNKNOWN' } });
    expect(answer).toMatchObject({ error: { message: expect.stringMatching(words) } });
    expect(answer).toMatchObject({ cursive: { message: expect.stringMatching(cursive) } });
  });

  test('stored as text: read, with a warning that Glance stops at it', async () => {
    await using barbican = await startBarbican();
    barbican.keep(UUID, { payload: (await rsaCertificate()).pem, contentType: 'text/plain' });
    const answer = await found(barbican);
    expect(answer).toMatchObject({ kind: 'found', cursive: { error: 'builtins.TypeError' } });
    expect(answer).toMatchObject({
      warnings: [{ text: expect.stringContaining('text/plain'), advice: 'store-with-bulla' }],
    });
  });
});

describe('[glance.30] refusals of the service', () => {
  test('a secret that is not there', async () => {
    await using barbican = await startBarbican();
    expect(await found(barbican)).toMatchObject({ kind: 'absent', error: { code: 'SIGNER_UNKNOWN' } });
  });

  test.each([
    [401, /^REMOTE_UNAUTHORISED: Barbican does not accept the token/],
    [403, /^REMOTE_UNAUTHORISED: Barbican does not let this user/],
    [406, /^REMOTE_FAILED: Barbican answers 406: no such type/],
    [500, /^REMOTE_FAILED: Barbican answers 500/],
    [503, /^REMOTE_FAILED: Barbican answers 503/],
    [204, /^REMOTE_FAILED: Barbican answers 204/],
  ])('%i', async (status, words) => {
    await using barbican = await startBarbican();
    barbican.answer((_, response) =>
      response.writeHead(status).end(status === 204 ? undefined : '{"description":"no such type"}'),
    );
    expect(await found(barbican)).toMatch(words);
  });

  test('a wrong token and a wrong password', async () => {
    await using barbican = await startBarbican();
    expect(await found(barbican, UUID, { login: { kind: 'token', token: 'other' } })).toMatch(
      /^REMOTE_UNAUTHORISED/,
    );
    const login = { kind: 'password', user: { name: 'alice' }, password: 'wrong', project: {} } as const;
    const answer = await found(barbican, UUID, { login, authUrl: barbican.address });
    expect(answer).toMatch(/^REMOTE_UNAUTHORISED: Keystone/);
    expect(answer).not.toContain('wrong');
  });
});

describe('[glance.31] a service that is slow, cut short, enormous or lying', () => {
  type How = Parameters<BarbicanDouble['answer']>[0];
  const good = JSON.stringify({
    secret_type: 'certificate',
    content_types: { default: 'application/octet-stream' },
  });
  const cases: readonly (readonly [string, How, RegExp])[] = [
    ['no answer', () => {}, /no whole answer within 0\.5 seconds/],
    ['a head and no more', (_, response) => response.writeHead(200).flushHeaders(), /no whole answer/],
    [
      'a byte now and then',
      (_, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(timer));
      },
      /no whole answer/,
    ],
    [
      'no end of bytes',
      (_, response) => {
        response.writeHead(200);
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
          response.once('drain', more);
        };
        more();
      },
      /sends more than \d+ bytes/,
    ],
    [
      'less than it promises',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{');
        setTimeout(() => response.destroy(), 20);
      },
      /REMOTE_FAILED/,
    ],
    ['nothing but a closed connection', (_, response) => response.destroy(), /cannot be asked/],
    ['no JSON', (_, response) => response.end('<html>'), /not JSON/],
    ['JSON that is no object', (_, response) => response.end('[]'), /no object/],
    ['an object that says nothing', (_, response) => response.end('{}'), /does not say what kind/],
    [
      'another place',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /elsewhere/,
    ],
    [
      'compressed bytes',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      /encoding/,
    ],
    [
      'another secret',
      (_, response) =>
        response.end(
          JSON.stringify({
            ...JSON.parse(good),
            secret_ref: 'http://x/v1/secrets/11111111-2222-3333-4444-555555555555',
          }),
        ),
      /another secret/,
    ],
    [
      'a secret that is not ready',
      (_, response) => response.end(JSON.stringify({ ...JSON.parse(good), status: 'PENDING' })),
      /not ACTIVE/,
    ],
    [
      'a type that would split the header',
      (_, response) =>
        response.end(JSON.stringify({ ...JSON.parse(good), content_types: { default: 'a/b\r\nX-Evil: 1' } })),
      /of which type/,
    ],
    [
      'a payload without end',
      ({ path }, response) => {
        if (!path.endsWith('/payload')) return response.end(good);
        response.writeHead(200);
        return response.end('x'.repeat(300_000));
      },
      /sends more than/,
    ],
  ];
  test.each(cases)('%s', async (_, how, words) => {
    await using barbican = await startBarbican();
    barbican.answer(how);
    const timeoutMs = words.source.startsWith('no whole answer') ? 500 : 60_000;
    const answer = await found(barbican, UUID, { timeoutMs });
    expect(answer).toMatch(/^REMOTE_FAILED/);
    expect(answer).toMatch(words);
  });

  test('nobody there', async () => {
    let address = '';
    {
      await using barbican = await startBarbican();
      address = barbican.address;
    }
    const source = keyManagerCertificates({ barbican: address, login: token });
    await expect(source.find(UUID)).rejects.toMatchObject({ code: 'REMOTE_FAILED', kind: 'network' });
  });

  test('the user who interrupts', async () => {
    await using barbican = await startBarbican();
    const stop = new AbortController();
    barbican.answer(() => stop.abort());
    expect(await found(barbican, UUID, { signal: stop.signal })).toMatch(/^INTERRUPTED/);
  });
});

describe('[glance.31] a service behind https', () => {
  test('is believed when the authority that is named vouches for it, and by no other', async () => {
    using sandbox = makeSandbox();
    const lifetime = { notBefore: new Date('2020-01-01'), notAfter: new Date('2049-01-01') };
    const issuer = await makeAuthority({ subject: 'CN=Cloud CA', ...lifetime });
    const loopback = der(0x30, der(0x87, Uint8Array.of(127, 0, 0, 1)));
    const site = await makeCertificate({
      issuer,
      subject: 'CN=127.0.0.1',
      eku: [EKU.serverAuth],
      extensions: [{ oid: '2.5.29.17', critical: false, value: loopback }],
      ...lifetime,
    });
    await using barbican = await startBarbican({ key: site.privateKeyPem, cert: site.pem });
    barbican.keep(UUID, { payload: (await rsaCertificate()).pem });
    const other = await makeAuthority({ subject: 'CN=Other', ...lifetime });
    expect(await found(barbican)).toMatch(/^REMOTE_FAILED/);
    expect(await found(barbican, UUID, { caFile: sandbox.write('other.pem', other.pem) })).toMatch(
      /^REMOTE_FAILED/,
    );
    expect(barbican.requests).toEqual([]);
    expect(await found(barbican, UUID, { caFile: sandbox.write('ca.pem', issuer.pem) })).toMatchObject({
      kind: 'found',
    });
  });
});

describe('[glance.29] signing in to Keystone', () => {
  test.each([
    [
      'a password',
      {
        kind: 'password',
        user: { name: 'alice', domainName: 'Home' },
        password: 'secret',
        project: { name: 'demo' },
      },
      {
        identity: {
          methods: ['password'],
          password: { user: { name: 'alice', domain: { name: 'Home' }, password: 'secret' } },
        },
        scope: { project: { name: 'demo', domain: { name: 'Default' } } },
      },
    ],
    [
      'an application credential',
      { kind: 'application-credential', id: 'abc', secret: 'secret' },
      {
        identity: {
          methods: ['application_credential'],
          application_credential: { id: 'abc', secret: 'secret' },
        },
      },
    ],
    [
      'an application credential by name',
      { kind: 'application-credential', name: 'ci', user: { id: 'u1' }, secret: 'secret' },
      {
        identity: {
          methods: ['application_credential'],
          application_credential: { name: 'ci', user: { id: 'u1' }, secret: 'secret' },
        },
      },
    ],
    ['a token', token, { identity: { methods: ['token'], token: { id: TOKEN } } }],
  ] as const)('with %s, the catalog says where Barbican is', async (_, login, auth) => {
    await using barbican = await startBarbican();
    barbican.keep(UUID, { payload: (await rsaCertificate()).pem });
    for (const authUrl of [barbican.address, `${barbican.address}/v3/`]) {
      expect(await found(barbican, UUID, { login, authUrl, barbican: 'catalog' })).toMatchObject({
        kind: 'found',
      });
    }
    expect(JSON.parse(barbican.requests[0]?.body ?? '').auth).toEqual(auth);
  });

  test('what cannot be done is said before anything is sent', async () => {
    await using barbican = await startBarbican();
    const login = { kind: 'password', user: { name: 'alice' }, password: 'secret', project: {} } as const;
    expect(await found(barbican, UUID, { login })).toMatch(/^USAGE: the address of Keystone is not given/);
    expect(await found(barbican, UUID, { login, authUrl: 'file:///etc/passwd' })).toMatch(/^USAGE/);
    expect(await found(barbican, UUID, { login: { kind: 'token', token: 'a\r\nX-Evil: 1' } })).toMatch(
      /^USAGE/,
    );
    expect(await found(barbican, UUID, { barbican: 'http://user:pass@127.0.0.1/' })).toMatch(/^USAGE/);
    expect(barbican.requests).toEqual([]);
  });

  test('a catalog without a key manager here', async () => {
    await using barbican = await startBarbican();
    const options = { authUrl: barbican.address, barbican: 'catalog', choice: { region: 'Elsewhere' } };
    expect(await found(barbican, UUID, options)).toMatch(/^REMOTE_FAILED: the catalog/);
  });
});

describe('[glance.33] a certificate is stored', () => {
  test('as Glance reads it, and read back', async () => {
    await using barbican = await startBarbican();
    using sandbox = makeSandbox();
    const certificate = await rsaCertificate();
    const other = await rsaCertificate(3072);
    const file = sandbox.write('signer.pem', `a note\n${certificate.pem}${other.pem}`);
    const open = () => openKeyManager({ barbican: barbican.address, login: token });
    const report = await storeCertificate(file, open, {
      at: NOON,
      expiration: new Date('2030-01-01T00:00:00Z'),
    });
    const { certificateUuid } = report.result as { certificateUuid: string };
    expect(report.warnings.join()).toMatch(/only the first of the 2/);
    expect(barbican.requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
    const body = JSON.parse(barbican.requests[0]?.body ?? '');
    expect(body).toMatchObject({
      name: 'CN=Image Signer,O=Test',
      secret_type: 'certificate',
      payload_content_type: 'application/octet-stream',
      payload_content_encoding: 'base64',
      expiration: '2030-01-01T00:00:00+00:00',
    });
    const answer = await barbicanCertificates(await open()).find(certificateUuid);
    expect(answer).toMatchObject({
      kind: 'found',
      others: [],
      certificate: { fingerprint: certificate.certificate.fingerprint },
    });
  });

  test('not when it has expired, or is to be forgotten at once', async () => {
    await using barbican = await startBarbican();
    using sandbox = makeSandbox();
    const open = () => openKeyManager({ barbican: barbican.address, login: token });
    const expired = await rsaCertificate(2048, { notAfter: new Date('2026-06-01') });
    const file = sandbox.write('expired.pem', expired.pem);
    await expect(storeCertificate(file, open, { at: NOON })).rejects.toMatchObject({
      code: 'CERTIFICATE_EXPIRED',
    });
    const good = sandbox.write('good.pem', (await rsaCertificate()).pem);
    const past = { at: NOON, expiration: new Date('2016-06-29') };
    await expect(storeCertificate(good, open, past)).rejects.toMatchObject({ code: 'USAGE' });
    expect(barbican.requests).toEqual([]);
  });

  test('a key manager that gives back something else is not believed', async () => {
    await using barbican = await startBarbican();
    using sandbox = makeSandbox();
    barbican.answer(({ method, path }, response) => {
      if (method === 'POST') response.writeHead(201).end(`{"secret_ref":"x/v1/secrets/${UUID}"}`);
      else if (path.endsWith('/payload')) response.end('something else');
      else
        response.end('{"secret_type":"certificate","content_types":{"default":"application/octet-stream"}}');
    });
    const file = sandbox.write('signer.pem', (await rsaCertificate()).pem);
    const open = () => openKeyManager({ barbican: barbican.address, login: token });
    await expect(storeCertificate(file, open, { at: NOON })).rejects.toMatchObject({ code: 'REMOTE_FAILED' });
  });
});
