import { describe, expect, test } from 'vitest';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { authorityAt } from '../../../src/operations/sign/timestamp-source.ts';
import { requestTimestamp } from '../../../src/storage/remote/tsa-client.ts';
import { answerOf, drip, type RawRequest, startLiar } from '../../factory/liar.ts';

const QUERY = Uint8Array.of(1, 2, 3);
const TYPE = 'Content-Type: application/timestamp-reply\r\n';
const HEAD = `HTTP/1.1 200 OK\r\n${TYPE}`;

/** The bytes of a reply as text, or the code and words of the failure. */
async function asked(
  how: (request: RawRequest) => void,
  options: Parameters<typeof requestTimestamp>[2] = {},
): Promise<string> {
  await using liar = await startLiar(how);
  try {
    return Buffer.from(
      await requestTimestamp(`${liar.origin}/tsr`, QUERY, { timeoutMs: 60_000, ...options }),
    ).toString();
  } catch (error) {
    if (isBundleError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('a timestamp authority', () => {
  test('[tst.11] is asked as RFC 3161 says', async () => {
    let head = '';
    const answer = await asked((request) => {
      head = request.head.toLowerCase();
      request.socket.end(answerOf('a reply', TYPE));
    });
    expect(answer).toBe('a reply');
    expect(head).toMatch(/^post \/tsr http\/1\.1\r\n/);
    for (const line of ['content-type: application/timestamp-query', 'content-length: 3', 'accept-encoding: identity'])
      expect(head).toContain(`${line}\r\n`); // biome-ignore format: one idea
  });

  test.each<[string, (request: RawRequest) => void]>([
    ['is silent', () => {}],
    ['announces for ever', ({ socket }) => drip(socket, 'HTTP/1.1 102 Processing\r\n\r\n')],
    [
      'sends a header for ever',
      ({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\nX: ');
        drip(socket, 'x');
      },
    ],
    ['sends headers alone', ({ socket }) => socket.write(`${HEAD}\r\n`)],
    [
      'drips',
      ({ socket }) => {
        socket.write(`${HEAD}Content-Length: 100000\r\n\r\n`);
        drip(socket, 'x');
      },
    ],
    [
      'drips in chunks',
      ({ socket }) => {
        socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
        drip(socket, '1;x=y\r\nx\r\n');
      },
    ],
  ])('[tst.11] that %s is given up', async (_, how) => {
    expect(await asked(how, { timeoutMs: 400 })).toMatch(/^REMOTE_FAILED: .* no answer within 0.4 seconds/);
  });

  test.each<[string, string | Buffer, RegExp]>([
    ['a page', answerOf('<p>', 'Content-Type: text/html\r\n'), /answers with text\/html instead/],
    ['no type', answerOf('x'), /answers with no type/],
    ['two types', answerOf('x', `${TYPE}Content-Type: text/html\r\n`), /answers with no type/],
    ['a type that steers terminals', answerOf('x', 'Content-Type: a/\x1b[2J\r\n'), /no type|Parse Error/],
    ['another place', answerOf('', `Location: http://127.0.0.1:1/\r\n${TYPE}`, '302 Found'), /elsewhere/],
    ['another place for good', answerOf('', `Location: /y\r\n${TYPE}`, '308 Moved'), /elsewhere/],
    ['something compressed', answerOf('x', `${TYPE}Content-Encoding: x-gzip\r\n`), /Content-Encoding/],
    ['more than a reply has', answerOf('x'.repeat(2 ** 20 + 1), TYPE), /sends more than 1048576 bytes/],
    ['less than it says', `${HEAD}Content-Length: 9\r\n\r\nx`, /breaks off/],
    ['a part', answerOf('x', `${TYPE}Content-Range: bytes 0-0/9\r\n`, '206 Partial'), /answers 206/],
    ['nothing', answerOf('', '', '204 No Content'), /answers 204/],
    ['what is no HTTP', '220 mail.example ESMTP\r\n', /Parse Error/],
  ])('[tst.11] [net.1] that gives %s is refused', async (_, raw, words) => {
    const answer = await asked(({ socket }) => socket.end(raw));
    expect(answer).toMatch(/^REMOTE_FAILED: the timestamp authority/);
    expect(answer).toMatch(words);
  });

  test('[tst.11] that has no end is cut off', async () => {
    const answer = await asked(({ socket }) => {
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n`);
      drip(socket, Buffer.alloc(300_000));
    });
    expect(answer).toMatch(/sends more than 1048576 bytes/);
  });

  test('[tst.11] is left when the user stops, or the time for all is over', async () => {
    const stop = new AbortController();
    expect(await asked(() => stop.abort(), { signal: stop.signal })).toMatch(/^INTERRUPTED/);
    expect(await asked(() => {}, { signal: AbortSignal.abort() })).toMatch(/^INTERRUPTED/);
  });

  test('[cli.13] gets the user name and password of its address, and no message has them', async () => {
    await using liar = await startLiar(({ socket }) => socket.end(answerOf('no reply', TYPE)));
    const address = `${liar.origin.replace('://', '://me:sesame@')}/tsr?key=abc123`;
    const options = { digest: 'sha256', at: new Date() } as const;
    const failure = await authorityAt(address, options)(QUERY).catch((error: unknown) => error);
    expect(liar.heads[0]).toContain(`${Buffer.from('me:sesame').toString('base64')}\r\n`);
    expect(failure).toMatchObject({ code: 'TIMESTAMP_REFUSED', where: { file: `${liar.origin}/tsr?…` } });
    for (const bad of ['me:sesame@host/tsr', 'https://me:sesame@host:99999999/', 'ftp://me:sesame@host/']) {
      const refused = await authorityAt(bad, options)(QUERY).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'USAGE' });
      expect(JSON.stringify(refused)).not.toContain('sesame');
    }
  });
});
