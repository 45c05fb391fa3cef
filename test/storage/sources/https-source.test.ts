import { type ChildProcess, spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createPlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../../src/verdict/report/report.ts';
import { archiveOf, JUDGED_AT, makeBundle, testAuthority } from '../../factory/bundles.ts';
import { EKU, makeAuthority, makeCertificate } from '../../factory/certificates.ts';
import { der } from '../../factory/der.ts';
import { resumable } from '../../factory/resuming.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SECRET = 'sesame';

let sandbox: Sandbox;
let bundle: Uint8Array;
let big: Uint8Array;
let server: Server;
let plain: ReturnType<typeof createPlainServer>;
let origin = '';
let other = '';
const seen: { url: string; authorization: string | undefined; range?: string | undefined }[] = [];

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

function redirect(to: () => string): Answer {
  return (response) => response.writeHead(302, { location: to() }).end();
}

const ANSWERS: Readonly<Record<string, Answer>> = {
  '/good.ova': (response) => response.writeHead(200, { 'content-length': bundle.byteLength }).end(bundle),
  '/unsized.ova': (response) => {
    response.write(bundle.subarray(0, 700));
    setTimeout(() => response.end(bundle.subarray(700)), 20);
  },
  '/big.ova': (response, { headers }) => {
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${start}-${big.byteLength - 1}/${big.byteLength}` };
    response.writeHead(start > 0 ? 206 : 200, {
      'accept-ranges': 'bytes',
      etag: '"1"',
      ...(start > 0 && range),
    });
    // the first time, the line is cut
    if (start === 0 && seen.length === 1)
      response.write(big.subarray(0, big.byteLength - 1_000_000), () => response.destroy());
    else response.end(big.subarray(start));
  },
  '/missing.ova': (response) => response.writeHead(404).end('no'),
  '/locked.ova': (response, { headers }) => {
    const expected = `Basic ${Buffer.from(`us%er:${SECRET}`).toString('base64')}`;
    if (headers.authorization === expected) response.end(bundle);
    else response.writeHead(401).end();
  },
  '/forbidden.ova': (response) => response.writeHead(403).end(),
  '/broken.ova': (response) => response.writeHead(500).end(),
  '/empty-answer.ova': (response) => response.writeHead(204).end(),
  '/moved.ova': redirect(() => '/good.ova'),
  '/moved-away.ova': redirect(() => `${other}/locked.ova`),
  '/moved-with-name.ova': redirect(
    () => `${other.replace('https://', 'https://us%25er:sesame@')}/locked.ova`,
  ),
  '/moved-down.ova': redirect(() => `http://127.0.0.1:${(plain.address() as AddressInfo).port}/good.ova`),
  '/moved-nowhere.ova': redirect(() => 'https://[/'),
  '/loop.ova': redirect(() => '/loop.ova'),
  '/cut.ova': (response) => {
    response.writeHead(200, { 'content-length': bundle.byteLength });
    response.write(bundle.subarray(0, 4000), () => response.destroy());
  },
  '/stalled.ova': (response) => {
    response.writeHead(200, { 'content-length': bundle.byteLength });
    response.write(bundle.subarray(0, 4000));
  },
  '/silent.ova': () => {},
};
for (let i = 1; i <= 6; i++) {
  const next = i === 1 ? '/good.ova' : `/hop-${i - 1}.ova`;
  (ANSWERS as Record<string, Answer>)[`/hop-${i}.ova`] = redirect(() => next);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '';
  const { authorization, range } = request.headers;
  seen.push({ url, authorization, ...(range === undefined ? {} : { range }) });
  (ANSWERS[url.replace(/\?.*/, '')] ?? ANSWERS['/missing.ova'])?.(response, request);
}

function listen(one: {
  listen(port: number, host: string, ready: () => void): unknown;
  address(): unknown;
}): Promise<number> {
  return new Promise((resolve) => {
    one.listen(0, '127.0.0.1', () => resolve((one.address() as AddressInfo).port));
  });
}

beforeAll(async () => {
  sandbox = makeSandbox();
  bundle = await makeBundle();
  big = await archiveOf((await resumable(8_000_000)).members);
  const issuer = await makeAuthority({
    subject: 'CN=Web CA',
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2049-01-01'),
  });
  const loopback = der(0x30, der(0x87, Uint8Array.of(127, 0, 0, 1)));
  const site = await makeCertificate({
    issuer,
    subject: 'CN=127.0.0.1',
    eku: [EKU.serverAuth],
    extensions: [{ oid: '2.5.29.17', critical: false, value: loopback }],
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2049-01-01'),
  });
  sandbox.write('web-ca.pem', issuer.pem);
  sandbox.write('ca.pem', (await testAuthority()).pem);
  const files = { key: site.privateKeyPem, cert: site.pem };
  server = createServer(files, answer);
  const second = createServer(files, answer);
  plain = createPlainServer(answer);
  origin = `https://127.0.0.1:${await listen(server)}`;
  other = `https://127.0.0.1:${await listen(second)}`;
  await listen(plain);
  for (const each of [server, second, plain]) {
    each.unref();
    each.keepAliveTimeout = 0; // a connection that is kept is not closed under who may be using it again
  }
  asking = startAsking({ NODE_EXTRA_CA_CERTS: sandbox.path('web-ca.pem') });
});
afterAll(async () => {
  await asking.end();
  expect(asking.printed.join('\n')).not.toMatch(/sesame|abc123|us%25er/);
  sandbox[Symbol.dispose]();
});

/** The program that is asked about addresses: trust in the web CA can only be given to node when it starts. */
const SCRIPT = `
  const { createInterface } = await import('node:readline');
  const [, program, anchor, at] = process.argv;
  const { importBundle, verify, isBundleError } = await import(program);
  const trusting = { trust: { anchors: [anchor] }, at: new Date(at) };
  const ASKED = {
    verify: async (address) => {
      const idleMs = /stalled|silent/.test(address) ? 400 : 60_000; // of a busy machine, too
      const { report } = await verify(address, { ...trusting, limits: { idleMs } }).catch((error) => {
        if (!isBundleError(error)) throw error;
        const { code, message, where, why, fix } = error;
        return { report: { verdict: 'thrown', errors: [{ code, message, where, why, fix }] } };
      });
      return report;
    },
    'import twice': async (address) => {
      const options = { ...trusting, destination: anchor + '-machine', resume: true };
      const first = await importBundle(address, options);
      const { report } = await importBundle(address, options);
      return { ...report, warnings: [first.report.errors[0].code, ...report.warnings] };
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, address] = JSON.parse(line);
    console.log(JSON.stringify(await ASKED[what](address)));
  }
`;
type Asked = 'verify' | 'import twice';

/** The program under way: asked about one address after the other, until it is told that there are no more. */
interface Asking {
  readonly child: ChildProcess;
  /** what it prints, its standard error between the reports */
  readonly lines: Interface;
  /** all that it has printed, between its answers as well */
  readonly printed: readonly string[];
  /** ends once it has nothing more to do: nothing is kept open */
  end(): Promise<void>;
}
let asking: Asking;

function startAsking(trust: NodeJS.ProcessEnv): Asking {
  const program = join(ROOT, 'dist/index.js');
  const args = [
    '--input-type=module',
    '-e',
    SCRIPT,
    program,
    sandbox.path('ca.pem'),
    JUDGED_AT.toISOString(),
  ];
  const both = ['-c', 'exec "$@" 2>&1', 'sh', process.execPath, ...args];
  const env = { PATH: process.env['PATH'], ...trust };
  const child = spawn('sh', both, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = new Promise((resolve) => child.on('close', resolve));
  const lines = createInterface({ input: child.stdout });
  const printed: string[] = [];
  lines.on('line', (line) => printed.push(line));
  return {
    child,
    lines,
    printed,
    end: async () => {
      child.stdin.end();
      expect(await closed).toBe(0);
    },
  };
}

async function fetched(
  address: string,
  { by = asking, what = 'verify' }: { by?: Asking; what?: Asked } = {},
): Promise<{ report: Report; text: string }> {
  seen.length = 0;
  const { child, lines } = by;
  let text = '';
  const answer = new Promise<string>((resolve, reject) => {
    const onLine = (line: string): void => {
      text += `${line}\n`;
      if (!line.startsWith('{')) return;
      lines.off('line', onLine).off('close', onClose);
      resolve(line);
    };
    const onClose = (): void => reject(new Error(text));
    lines.on('line', onLine).on('close', onClose);
  });
  child.stdin?.write(`${JSON.stringify([what, address])}\n`);
  return { report: JSON.parse(await answer) as Report, text };
}

async function codeFor(path: string): Promise<unknown> {
  const { report } = await fetched(`${origin}${path}`);
  return report.errors[0]?.code ?? report.verdict;
}

describe('a bundle behind an https address', () => {
  test('is judged like any other, its size known or not', async () => {
    const { report } = await fetched(`${origin}/good.ova`);
    const input = { name: `${origin}/good.ova`, size: bundle.byteLength, format: 'tar' };
    expect(report).toMatchObject({ verdict: 'trusted', input });
    const unsized = (await fetched(`${origin}/unsized.ova`)).report;
    expect([unsized.verdict, unsized.input?.size]).toEqual(['trusted', undefined]);
  });

  test.each([
    ['/missing.ova', 'REMOTE_FAILED'],
    ['/broken.ova', 'REMOTE_FAILED'],
    ['/empty-answer.ova', 'REMOTE_FAILED'],
    ['/locked.ova', 'REMOTE_UNAUTHORISED'],
    ['/forbidden.ova', 'REMOTE_UNAUTHORISED'],
    ['/cut.ova', 'REMOTE_FAILED'],
  ])('that cannot be had says why: %s', async (path, code) => {
    expect(await codeFor(path)).toBe(code);
  });

  test.each(['/stalled.ova', '/silent.ova'])('[cli.12] that stalls is given up: %s', async (path) => {
    expect(await codeFor(path)).toBe('INPUT_STALLED');
  });

  test('[resume.5] is fetched from where the line was cut', async () => {
    const { report } = await fetched(`${origin}/big.ova`, { what: 'import twice' });
    expect(report.verdict).toBe('trusted');
    expect(report.warnings).toEqual([
      'REMOTE_FAILED',
      expect.stringMatching(/"disk.img" was gone on with: [67]\d{6} bytes/),
    ]);
    expect(seen.map(({ range }) => range)).toEqual([
      undefined,
      undefined,
      expect.stringMatching(/^bytes=[67]\d{6}-$/),
    ]);
  });

  test('of a server that nothing vouches for is not read', async () => {
    const by = startAsking({});
    const { report } = await fetched(`${origin}/good.ova`, { by });
    await by.end();
    expect(report.errors[0]).toMatchObject({ code: 'REMOTE_FAILED', where: { file: `${origin}/good.ova` } });
    expect(seen).toEqual([]);
  });

  test('has an address that is one, and https', async () => {
    expect((await fetched('https://[')).report.errors[0]?.code).toBe('USAGE');
    const { report, text } = await fetched(`http://me:${SECRET}@127.0.0.1/x`);
    expect(report.errors[0]).toMatchObject({ code: 'USAGE', where: { file: 'http://127.0.0.1/x' } });
    expect(text).not.toContain(SECRET);
  });
});

describe('a redirect', () => {
  test('[cli.13] is followed to https, five times', async () => {
    expect(await codeFor('/moved.ova')).toBe('trusted');
    expect(await codeFor('/hop-5.ova')).toBe('trusted');
    expect(await codeFor('/hop-6.ova')).toBe('REMOTE_FAILED');
    expect(await codeFor('/loop.ova')).toBe('REMOTE_FAILED');
    expect(seen.length).toBe(6);
  });

  test('[cli.13] is not followed to http, or nowhere', async () => {
    const { report } = await fetched(`${origin}/moved-down.ova`);
    expect(report.errors[0]).toMatchObject({ code: 'REMOTE_FAILED' });
    expect(report.errors[0]?.message).toContain('http://, which is not https');
    expect(seen.map(({ url }) => url)).toEqual(['/moved-down.ova']);
    expect(await codeFor('/moved-nowhere.ova')).toBe('REMOTE_FAILED');
  });
});

describe('a user name and a password in an address', () => {
  const withName = (path: string): string =>
    `${origin.replace('https://', `https://us%25er:${SECRET}@`)}${path}`;

  test('[cli.13] are used, and printed nowhere', async () => {
    const { report, text } = await fetched(withName('/locked.ova?token=abc123'));
    expect([report.verdict, report.input?.name]).toEqual(['trusted', `${origin}/locked.ova?…`]);
    expect(text).not.toMatch(/sesame|abc123|us%25er/);
    const refused = await fetched(withName('/missing.ova?token=abc123'));
    expect(refused.report.errors[0]?.code).toBe('REMOTE_FAILED');
    expect(refused.text).not.toMatch(/sesame|abc123|us%25er/);
  });

  test('[cli.13] are given to no other server, and by none', async () => {
    expect((await fetched(withName('/moved-away.ova'))).report.errors[0]?.code).toBe('REMOTE_UNAUTHORISED');
    expect(seen.map(({ url, authorization }) => [url, authorization !== undefined])).toEqual([
      ['/moved-away.ova', true],
      ['/locked.ova', false],
    ]);
    const brought = await fetched(`${origin}/moved-with-name.ova`);
    expect(brought.report.errors[0]?.code).toBe('REMOTE_UNAUTHORISED');
    expect(brought.text).not.toContain(SECRET);
  });
});
