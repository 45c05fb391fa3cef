import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import {
  type KeyManagerOptions,
  keyManagerCertificates,
} from '../../../src/operations/glance/key-manager.ts';
import { rsaCertificate, UUID } from '../../factory/images.ts';
import {
  answerOf,
  drip,
  type Liar,
  makeSite,
  type RawRequest,
  type Site,
  startLiar,
} from '../../factory/liar.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

const TOKEN = 'gAAAA-a-token';
const PASSWORD = 'sesame';

let sandbox: Sandbox;
let site: Site;
let pem: string;
beforeAll(async () => {
  sandbox = makeSandbox();
  site = await makeSite();
  sandbox.write('ca.pem', site.ca);
  ({ pem } = await rsaCertificate());
});
afterAll(() => sandbox[Symbol.dispose]());

const login = {
  kind: 'password',
  user: { name: 'alice' },
  password: PASSWORD,
  project: { name: 'demo' },
} as const;

/** A Keystone whose catalog names this key manager. */
function keystone(keyManager: () => unknown, { token = TOKEN, more = '' } = {}) {
  return ({ socket }: RawRequest): void => {
    const endpoints = [{ interface: 'public', region: 'One', url: keyManager() }];
    const body = JSON.stringify({ token: { catalog: [{ type: 'key-manager', endpoints }] } });
    socket.end(answerOf(body, `X-Subject-Token: ${token}\r\n${more}`, '201 Created'));
  };
}

/** An honest key manager. */
function barbican({ path, socket }: RawRequest): void {
  const metadata = { secret_type: 'certificate', content_types: { default: 'application/octet-stream' } };
  socket.end(answerOf(path.endsWith('/payload') ? pem : JSON.stringify(metadata)));
}

async function found(
  options: Omit<KeyManagerOptions, 'login'> & Partial<KeyManagerOptions>,
): Promise<string> {
  try {
    const source = keyManagerCertificates({ login, caFile: sandbox.path('ca.pem'), ...options });
    return (await source.find(UUID)).kind;
  } catch (error) {
    if (isBundleError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('[net.2] a token that Keystone gave over https', () => {
  let key: Liar;
  let plain: Liar;
  let secure: Liar;
  let keyManager = '';
  beforeAll(async () => {
    key = await startLiar(
      keystone(() => keyManager),
      site,
    );
    plain = await startLiar(barbican);
    secure = await startLiar(barbican, site);
  });
  afterAll(async () => {
    for (const one of [key, plain, secure]) await one[Symbol.asyncDispose]();
  });

  test('goes to a key manager over https', async () => {
    keyManager = secure.origin;
    expect(await found({ authUrl: key.origin, barbican: 'catalog' })).toBe('found');
    expect(secure.heads[0]).toContain(TOKEN);
  });

  test('goes to none over http: not one of the catalog, not one that is given, not with a token of before', async () => {
    keyManager = plain.origin;
    const refused = /^REMOTE_FAILED: Barbican leads from https to http:\/\/, which is not https/;
    expect(await found({ authUrl: key.origin, barbican: 'catalog' })).toMatch(refused);
    expect(await found({ authUrl: key.origin, barbican: plain.origin })).toMatch(refused);
    expect(
      await found({
        authUrl: key.origin.toUpperCase().replace('HTTPS', 'hTTps'),
        barbican: plain.origin,
        login: { kind: 'token', token: TOKEN },
      }),
    ).toMatch(refused);
    expect(plain.heads).toEqual([]);
  });

  test('that no Keystone over https gave goes where it is told to', async () => {
    const token = { kind: 'token', token: TOKEN } as const;
    expect(await found({ barbican: plain.origin, login: token })).toBe('found');
    await using other = await startLiar(keystone(() => plain.origin));
    expect(await found({ authUrl: other.origin, barbican: 'catalog' })).toBe('found');
  });

  test.each([
    ['file:///etc/passwd'],
    ['ftp://127.0.0.1/'],
    ['https://me:sesame@127.0.0.1/'],
    ['//127.0.0.1/'],
    ['javascript:0'],
    [''],
    ['https://'],
  ])('goes to no address of the catalog that is none of a service: "%s"', async (address) => {
    keyManager = address;
    expect(await found({ authUrl: key.origin, barbican: 'catalog' })).toMatch(
      /^REMOTE_FAILED: the catalog of Keystone/,
    );
  });
});

describe('[glance.31] a Keystone that lies', () => {
  const chunks = 'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n';
  test.each<[string, (request: RawRequest) => void, RegExp]>([
    ['gives no token', ({ socket }) => socket.end(answerOf('{}', '', '201 Created')), /gives no token/],
    ['gives two tokens', keystone(() => 'http://x', { more: 'X-Subject-Token: b\r\n' }), /gives no token/],
    ['gives a token with a blank', keystone(() => 'http://x', { token: 'a b' }), /gives no token/],
    ['gives a token of 9000 characters', keystone(() => '', { token: 'x'.repeat(9000) }), /gives no token/],
    [
      'sends us elsewhere',
      ({ socket }) => socket.end(answerOf('', 'Location: /\r\n', '307 Moved')),
      /sends us elsewhere/,
    ],
    [
      'sends us elsewhere, nowhere',
      ({ socket }) => socket.end(answerOf('', '', '305 Proxy')),
      /sends us elsewhere/,
    ],
    [
      'compresses',
      ({ socket }) => socket.end(answerOf('x', 'Content-Encoding: gzip\r\n', '201 Created')),
      /Content-Encoding/,
    ],
    [
      'sends headers for ever',
      ({ socket }) => drip(socket, 'HTTP/1.1 100 Continue\r\n\r\n'),
      /no whole answer/,
    ],
    [
      'sends a body for ever',
      ({ socket }) => {
        socket.write(chunks);
        drip(socket, '1\r\n \r\n');
      },
      /no whole answer/,
    ],
    [
      'has a catalog without end',
      ({ socket }) => {
        socket.write(`${chunks}FFFFFFF\r\n`);
        drip(socket, Buffer.alloc(200_000, ' '));
      },
      /sends more than 1048576 bytes/,
    ],
    [
      'nests without end',
      ({ socket }) => {
        socket.end(answerOf('['.repeat(500_000), `X-Subject-Token: x\r\n`, '201 Created'));
      },
      /not JSON/,
    ],
  ])('and %s', async (name, how, words) => {
    await using liar = await startLiar(how);
    const options = { authUrl: liar.origin, barbican: 'catalog' };
    const timeoutMs = name.endsWith('for ever') ? 500 : 60_000;
    const answer = await found({ ...options, timeoutMs });
    expect(answer).toMatch(/^REMOTE_FAILED: Keystone/);
    expect(answer).toMatch(words);
    expect(answer).not.toContain(PASSWORD);
    expect(liar.heads.length).toBeLessThan(2); // nothing is asked twice
  });

  test('in what it says of the catalog has none', async () => {
    for (const keyManager of [undefined, null, 7, ['http://x'], { url: 'http://x' }]) {
      await using liar = await startLiar(keystone(() => keyManager));
      expect(await found({ authUrl: liar.origin, barbican: 'catalog' })).toMatch(
        /^REMOTE_FAILED: the catalog/,
      );
    }
  });

  test('that refuses once is not asked again', async () => {
    await using liar = await startLiar(({ socket }) => socket.end(answerOf('{}', '', '401 No')));
    expect(await found({ authUrl: liar.origin, barbican: 'catalog' })).toMatch(/^REMOTE_UNAUTHORISED/);
    expect(liar.heads.length).toBe(1);
  });
});
