import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basicOf, showAddress } from '../../../src/storage/remote/address.ts';
import {
  type HttpAnswer,
  type HttpOptions,
  openHttp,
  readWhole,
} from '../../../src/storage/remote/http-client.ts';
import { answerOf, drip, makeSite, type RawRequest, type Site, startLiar } from '../../factory/liar.ts';

const fail = (problem: string): Error => new Error(problem);
let site: Site;
beforeAll(async () => {
  site = await makeSite();
});

/** The body of an answer that a server sends raw, or what is wrong with it. */
async function bodyOf(raw: string | ((request: RawRequest) => void)): Promise<string> {
  const how = typeof raw === 'string' ? ({ socket }: RawRequest) => void socket.end(raw, 'latin1') : raw;
  await using liar = await startLiar(how);
  const stop = new AbortController();
  const question = { method: 'GET', url: new URL(liar.origin), headers: {}, signal: stop.signal } as const;
  try {
    const answer = await openHttp().ask(question, fail);
    return Buffer.from(await readWhole(answer, 1000, fail)).toString();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');

describe('[net.1] an encoding of the contents', () => {
  test.each([
    ['gzip'],
    ['x-gzip'],
    ['br'],
    ['deflate'],
    ['zstd'],
    ['GZIP'],
    ['identity, gzip'],
    ['gzip, identity'],
    ['aes128gcm'],
    ['\tgzip '],
    ['identity;q=1'],
  ])('%s is refused before the body is looked at', async (coding) => {
    // the connection stays open and no body comes: nobody waits for it
    const answer = await bodyOf(({ socket }) => socket.write(head(`Content-Encoding: ${coding}`)));
    expect(answer).toMatch(/not asked for \(Content-Encoding\)/);
  });

  test('that comes in two headers is refused', async () => {
    const both = head('Content-Encoding: identity', 'content-encoding: gzip', 'Content-Length: 1');
    expect(await bodyOf(`${both}x`)).toMatch(/Content-Encoding/);
  });

  test.each([['identity'], ['IDENTITY'], ['identity, identity'], [''], [' , ']])(
    '"%s" is none',
    async (coding) => {
      const plain = head(`Content-Encoding: ${coding}`, 'Content-Length: 4');
      expect(await bodyOf(`${plain}good`)).toBe('good');
    },
  );

  test('that hides behind thousands of headers is seen', async () => {
    const many = Array.from({ length: 3500 }, () => 'a:');
    expect(await bodyOf(head(...many, 'Content-Encoding: gzip'))).toMatch(/Content-Encoding/);
  });

  test('is asked for by nobody, and does not count in a trailer', async () => {
    let asked = '';
    const chunked = head('Transfer-Encoding: chunked', 'Trailer: Content-Encoding');
    const answer = await bodyOf(({ head: question, socket }) => {
      asked = question;
      socket.end(`${chunked}4\r\ngood\r\n0\r\nContent-Encoding: gzip\r\n\r\n`);
    });
    expect(answer).toBe('good');
    expect(asked.toLowerCase()).toContain('accept-encoding: identity\r\n');
  });
});

describe('[net.7] an answer', () => {
  test.each<[string, string, string | RegExp]>([
    ['in chunks', `${head('Transfer-Encoding: chunked')}4;x=y\r\ngood\r\n0\r\n\r\n`, 'good'],
    ['of HTTP/1.0 without a length', 'HTTP/1.0 200 OK\r\n\r\ngood', 'good'],
    ['with more behind its end', `${head('Content-Length: 4')}good bad`, 'good'],
    ['that is compressed on the way', head('Transfer-Encoding: gzip, chunked'), /Transfer-Encoding/],
    ['of an encoding of its own', `${head('Transfer-Encoding: chunked, x')}abc`, /Transfer-Encoding|Parse/],
    [
      'in chunks, of HTTP/1.0',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /Transfer-E/,
    ],
    [
      'of two lengths',
      `${head('Content-Length: 4', 'Content-Length: 5')}good`,
      /^cannot be asked: Parse Error/,
    ],
    [
      'with a length and in chunks',
      `${head('Content-Length: 4', 'Transfer-Encoding: chunked')}4\r\ngood\r\n0\r\n\r\n`,
      /Parse Error|Transfer-Encoding/,
    ],
    ['that ends early', `${head('Content-Length: 5')}good`, /^breaks off/],
    ['that ends early, in chunks', `${head('Transfer-Encoding: chunked')}4\r\ngood\r\n`, /^breaks off/],
    ['with chunks of no size', `${head('Transfer-Encoding: chunked')}x\r\ngood\r\n`, /^breaks off: Parse/],
    ['that is none', 'SSH-2.0-OpenSSH_9.2\r\n', /^cannot be asked: Parse Error/],
    ['that is nothing', '', /^cannot be asked|^closes the connection/],
    ['in another protocol', 'HTTP/1.1 101 Over\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n', /protocol/],
    ['only to come', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n', /^cannot be asked|^closes/],
    ['with headers without end', head(`X: ${'x'.repeat(20_000)}`), /^cannot be asked: Parse Error/],
    ['with more than may come', `${head('Content-Length: 2000')}${'x'.repeat(2000)}`, /more than 1000 bytes/],
    [
      'with an extension of a chunk without end',
      `${head('Transfer-Encoding: chunked')}4;${'x'.repeat(20_000)}\r\ngood\r\n0\r\n\r\n`,
      /^breaks off: Parse Error/,
    ],
    [
      'behind announcements',
      `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50)}${head('Content-Length: 4')}good`,
      'good',
    ],
  ])('%s', async (_, raw, words) => {
    expect(await bodyOf(raw)).toMatch(words);
  });

  test('of which a header came twice has no such header', async () => {
    await using liar = await startLiar(({ socket }) =>
      socket.end(answerOf('', 'ETag: "1"\r\nETag: "2"\r\n')),
    );
    const { signal } = new AbortController();
    const question = { method: 'GET', url: new URL(liar.origin), headers: {}, signal } as const;
    const { header } = await openHttp().ask(question, fail);
    expect([header('etag'), header('content-length'), header('x')]).toEqual([undefined, '0', undefined]);
  });

  test.each([
    ['before it', (request: RawRequest) => drip(request.socket, 'HTTP/1.1 103 Early Hints\r\n\r\n')],
    ['in its headers', ({ socket }: RawRequest) => drip(socket, 'HTTP/1.1 200 OK\r\nX: y')],
    [
      'in its body',
      ({ socket }: RawRequest) => {
        socket.write(head('Content-Length: 900'));
        drip(socket, 'x', 50);
      },
    ],
  ])('is over when the caller says so, %s', async (_, how) => {
    const stop = new AbortController();
    await using liar = await startLiar((request) => {
      how(request);
      setImmediate(() => stop.abort());
    });
    const question = { method: 'GET', url: new URL(liar.origin), headers: {}, signal: stop.signal } as const;
    const reading = openHttp()
      .ask(question, fail)
      .then((answer) => readWhole(answer, 1000, fail));
    await expect(reading).rejects.toThrow(/abort/);
  });
});

describe('[net.2] what came over https', () => {
  let plain: Awaited<ReturnType<typeof startLiar>>;
  let secure: Awaited<ReturnType<typeof startLiar>>;
  beforeAll(async () => {
    plain = await startLiar(({ socket }) => socket.end(answerOf('good')));
    secure = await startLiar(({ socket }) => socket.end(answerOf('good')), site);
  });
  afterAll(async () => {
    await plain[Symbol.asyncDispose]();
    await secure[Symbol.asyncDispose]();
  });

  async function ask(origins: readonly string[], options: HttpOptions): Promise<HttpAnswer> {
    const http = openHttp({ ca: site.ca, ...options });
    const { signal } = new AbortController();
    let last: HttpAnswer | undefined;
    for (const origin of origins) {
      last = await http.ask({ method: 'GET', url: new URL(origin), headers: {}, signal }, fail);
    }
    return last as HttpAnswer;
  }

  test('is not told over http', async () => {
    const before = plain.heads.length;
    await expect(ask([secure.origin, plain.origin], {})).rejects.toThrow(/from https to http:/);
    await expect(ask([plain.origin], { encrypted: true })).rejects.toThrow(/from https to http:/);
    await expect(ask([secure.origin, 'ftp://127.0.0.1/'], {})).rejects.toThrow(/from https to ftp:/);
    expect(plain.heads.length).toBe(before);
  });

  test('is told over https, and what came over http over either', async () => {
    expect((await ask([secure.origin, secure.origin], {})).status).toBe(200);
    expect((await ask([plain.origin, plain.origin, secure.origin], {})).status).toBe(200);
    await expect(ask([plain.origin, secure.origin, plain.origin], {})).rejects.toThrow(/from https/);
  });
});

test('[cli.13] an address is shown without what may let somebody in', () => {
  const shown = [
    'https://me:sesame@host:8/path?token=sesame#x',
    'https://me:sesame@host:99999999/',
    'me:sesame@host/tsr?sesame',
    'host/tsr',
  ].map(showAddress);
  expect(shown).toEqual(['https://host:8/path?…', 'https://…', '…host/tsr?…', 'host/tsr']);
  expect(basicOf(new URL('https://us%25er:p%zz@host/'))).toEqual({
    authorization: `Basic ${Buffer.from('us%er:p%zz').toString('base64')}`,
  });
  expect(basicOf(new URL('https://host/'))).toEqual({});
});
