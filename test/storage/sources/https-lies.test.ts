import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { collect } from '../../../src/kit/bytes.ts';
import { BundleError, isBundleError } from '../../../src/kit/errors/errors.ts';
import type { SourceOptions } from '../../../src/kit/source.ts';
import { openHttpsSource } from '../../../src/storage/sources/https-source.ts';
import {
  answerOf,
  drip,
  type Liar,
  makeSite,
  type RawRequest,
  type Site,
  startLiar,
} from '../../factory/liar.ts';

const BYTES = randomBytes(50_000);
/** Nothing in these tests takes so long; only a test of idleness takes less. */
const idleMs = 60_000;

let site: Site;
beforeAll(async () => {
  site = await makeSite();
});

/** What comes of an address: the bytes, or the code and words of the failure. */
async function fetched(address: string, options: Partial<SourceOptions> = {}): Promise<Buffer | string> {
  try {
    await using source = await openHttpsSource(address, { idleMs, ca: site.ca, ...options });
    const bytes = await collect(source.stream(), 1e6, () => new BundleError('INTERNAL', 'too much'));
    return Buffer.from(bytes);
  } catch (error) {
    if (isBundleError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

async function fetchedFrom(
  how: (request: RawRequest) => void,
  options: Partial<SourceOptions> = {},
): Promise<Buffer | string> {
  await using liar = await startLiar(how, site);
  return await fetched(`${liar.origin}/x`, options);
}

const HEAD = 'HTTP/1.1 200 OK\r\n';
const LENGTH = `Content-Length: ${BYTES.byteLength}\r\n\r\n`;

describe('a server of a bundle', () => {
  test('that is honest gives it', async () => {
    expect(await fetchedFrom(({ socket }) => socket.end(answerOf(BYTES)))).toEqual(BYTES);
    const chunked = `${HEAD}Transfer-Encoding: chunked\r\n\r\n${BYTES.byteLength.toString(16)};x="y"\r\n`;
    const announced = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${chunked}`;
    const answer = Buffer.concat([Buffer.from(announced), BYTES, Buffer.from('\r\n0\r\n\r\n')]);
    expect(await fetchedFrom(({ socket }) => socket.end(answer))).toEqual(BYTES);
  });

  test('[net.1] that compresses it is refused, before anything is decoded', async () => {
    const answer = await fetchedFrom(({ socket }) => socket.write(`${HEAD}Content-Encoding: gzip\r\n\r\n`));
    expect(answer).toMatch(/^REMOTE_FAILED: the server answers in an encoding/);
  });

  test('says why there is none, compressed or not', async () => {
    const locked = answerOf('', 'Content-Encoding: gzip\r\n', '401 Go\x1b[2J away');
    expect(await fetchedFrom(({ socket }) => socket.end(locked))).toBe(
      'REMOTE_UNAUTHORISED: the server answers 401',
    );
  });

  test.each<[string, (request: RawRequest) => void]>([
    ['says nothing', () => {}],
    [
      'sends a header a byte at a time',
      ({ socket }) => {
        socket.write(`${HEAD}X: `);
        drip(socket, 'x');
      },
    ],
    [
      'sends header after header',
      ({ socket }) => {
        socket.write(HEAD);
        drip(socket, 'X: y\r\n', 50);
      },
    ],
    ['announces an answer for ever', ({ socket }) => drip(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n')],
    ['continues for ever', ({ socket }) => drip(socket, 'HTTP/1.1 100 Continue\r\n\r\n')],
    ['stops behind its headers', ({ socket }) => socket.write(HEAD + LENGTH)],
    [
      'sends the extension of a chunk a byte at a time',
      ({ socket }) => {
        socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1;`);
        drip(socket, 'x');
      },
    ],
    [
      'sends the size of a chunk a digit at a time',
      ({ socket }) => {
        socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
        drip(socket, '0', 20);
      },
    ],
    [
      'sends trailers for ever',
      ({ socket }) => {
        socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n`);
        drip(socket, 'X: y\r\n', 50);
      },
    ],
    [
      'gives some bytes and stops',
      ({ socket }) => socket.write(Buffer.concat([Buffer.from(HEAD + LENGTH), BYTES.subarray(9)])),
    ],
  ])('[net.4] [cli.12] that %s is given up', async (_, how) => {
    expect(await fetchedFrom(how, { idleMs: 700 })).toMatch(/^INPUT_STALLED: no byte has arrived/);
  });

  test('[net.4] that redirects slowly has one idle time for all', async () => {
    const answer = await fetchedFrom(
      ({ socket, path }) =>
        setTimeout(() => socket.end(answerOf('', `Location: ${path}x\r\n`, '302 Found')), 400),
      { idleMs: 1000 },
    );
    expect(answer).toMatch(/^INPUT_STALLED/);
  });

  test('[net.5] that drips is given up by the least rate', async () => {
    const slow = ({ socket }: RawRequest): void => {
      socket.write(HEAD + LENGTH);
      drip(socket, 'x');
    };
    // without a rate this would never end: there is a byte in time, again and again
    expect(await fetchedFrom(slow, { idleMs: 1000, minimumRate: 1e6 })).toMatch(/^INPUT_STALLED/);
  });

  test('[cli.15] that drips is given up at the deadline', async () => {
    const over = new AbortController();
    const slow = ({ socket }: RawRequest): void => {
      socket.write(HEAD + LENGTH);
      drip(socket, 'x');
      setTimeout(() => over.abort(new BundleError('INPUT_STALLED', 'too late')), 100);
    };
    expect(await fetchedFrom(slow, { signal: over.signal })).toBe('INPUT_STALLED: too late');
  });

  test.each([
    ['fewer bytes than it says', Buffer.concat([Buffer.from(HEAD + LENGTH), BYTES.subarray(1)])],
    ['no end of chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n`],
    ['a part nobody asked for', answerOf(BYTES, 'Content-Range: bytes 0-9/10\r\n', '206 Partial Content')],
    ['a page in another place', answerOf('', 'Location: /y\r\n', '300 Multiple Choices')],
    ['two places', answerOf('', 'Location: /y\r\nLocation: /z\r\n', '302 Found')],
    ['no place', answerOf('', '', '302 Found')],
  ])('that gives %s is refused', async (_, raw) => {
    expect(await fetchedFrom(({ socket }) => socket.end(raw))).toMatch(/^REMOTE_FAILED/);
  });
});

describe('[net.3] user name and password of an address', () => {
  /** Two servers that redirect as a table says, and what they were asked: the server, the path, and whether with a password. */
  async function asked(
    table: Readonly<Record<string, string>>,
    start = '/start',
  ): Promise<readonly string[]> {
    const seen: string[] = [];
    const origins: Record<string, string> = {};
    const serve =
      (name: string) =>
      ({ path, head, socket }: RawRequest): void => {
        seen.push(`${name}${path}${/^authorization: /im.test(head) ? ' password' : ''}`);
        const to = table[`${name}${path}`]?.replace(/^[AB]@?/, (one) =>
          (origins[one[0] ?? ''] ?? '').replace('://', one.endsWith('@') ? '://me:sesame@' : '://'),
        );
        socket.end(to === undefined ? answerOf(BYTES) : answerOf('', `Location: ${to}\r\n`, '307 Moved'));
      };
    await using first: Liar = await startLiar(serve('A'), site);
    await using second: Liar = await startLiar(serve('B'), site);
    Object.assign(origins, { A: first.origin, B: second.origin });
    await fetched(`${first.origin.replace('://', '://me:sesame@')}${start}`);
    return seen;
  }

  test('go where their own server sends us on it', async () => {
    expect(await asked({ 'A/start': '/mid', 'A/mid': 'A/end' })).toEqual([
      'A/start password',
      'A/mid password',
      'A/end password',
    ]);
  });

  test('do not go to another server, nor come back to a path that it chose', async () => {
    expect(await asked({ 'A/start': 'B/trap', 'B/trap': 'A/delete?all', 'A/delete?all': '/end' })).toEqual([
      'A/start password',
      'B/trap',
      'A/delete?all',
      'A/end',
    ]);
  });

  test('are taken from no redirect', async () => {
    expect(await asked({ 'A/start': 'B@/trap', 'B/trap': 'A@/end' })).toEqual([
      'A/start password',
      'B/trap',
      'A/end',
    ]);
  });

  test('are sent again to the address as given, for the rest of the file', async () => {
    const big = randomBytes(6_000_000);
    const seen: string[] = [];
    const parts = 'Accept-Ranges: bytes\r\nETag: "1"\r\n';
    await using liar = await startLiar(({ head, socket }) => {
      seen.push(/^authorization: /im.test(head) ? 'password' : 'none');
      const from = Number(/^range: bytes=(\d+)-/im.exec(head)?.[1] ?? 0);
      const range = `Content-Range: bytes ${from}-${big.byteLength - 1}/${big.byteLength}\r\n`;
      if (from === 0) socket.write(answerOf(big, parts).subarray(0, 100_000));
      else socket.end(answerOf(big.subarray(from), parts + range, '206 Partial Content'));
    }, site);
    const address = `${liar.origin.replace('://', '://me:sesame@')}/x`;
    await using source = await openHttpsSource(address, { idleMs, ca: site.ca });
    const stream = source.stream();
    const chunks = stream[Symbol.asyncIterator]();
    const first = (await chunks.next()).value?.byteLength ?? 0;
    (stream as { skip?: (count: number) => void }).skip?.(5_000_000);
    const rest: Uint8Array[] = [];
    for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) rest.push(chunk);
    expect(Buffer.compare(Buffer.concat(rest), big.subarray(first + 5_000_000))).toBe(0);
    expect(seen).toEqual(['password', 'password']);
  });
});
