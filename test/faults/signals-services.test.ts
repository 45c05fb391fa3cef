import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { derSequence, derUnsigned } from '../../src/formats/der/writer.ts';
import { parseTimestampRequest } from '../../src/formats/tsp/request.ts';
import { type BarbicanDouble, startBarbican } from '../factory/barbican.ts';
import { makeAuthority } from '../factory/certificates.ts';
import { runHere } from '../factory/command-line.ts';
import { digestOf, type Ended, launch, layOut, moments, RUNS, start } from '../factory/faults.ts';
import { makeTimestampAuthority, makeTokenDer } from '../factory/timestamps.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

const AT = join(import.meta.dirname, '../factory/stop-at.cjs');
const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 143],
] as const;

let workbench: Workbench;
let desk: Desk;

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 1_500_000);
});
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

type Answer = (body: Uint8Array, request: IncomingMessage, response: ServerResponse) => unknown;

/** A server that answers as it is told. */
async function serve(answer: Answer): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => answer(Uint8Array.from(Buffer.concat(parts)), request, response));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const stateNow = (): readonly string[] =>
  readdirSync(desk.folder)
    .sort()
    .map((name) => `${name} ${digestOf(join(desk.folder, name))}`);

/** Starts a command, and sends a signal as soon as the server is where `reached` is called. */
async function signalledAt(
  words: readonly string[],
  signal: NodeJS.Signals,
  reached: Promise<unknown>,
): Promise<Ended> {
  const { child, ended } = start(desk, ...words);
  await Promise.race([reached, ended]);
  child.kill(signal);
  return ended;
}

describe('a timestamp that is asked for', () => {
  const HEAD = { 'content-type': 'application/timestamp-reply', 'content-length': '5000' };

  test.each(
    SIGNALS.flatMap(([signal, code]) =>
      (['waits', 'is being answered'] as const).map((when) => [signal, code, when] as const),
    ),
  )('[cli.9] %s is %d while it %s, and nothing is left', async (signal, ending, when) => {
    const before = stateNow();
    let reach = (): void => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    await using tsa = await serve((_body, _request, response) => {
      if (when === 'waits') reach();
      else response.writeHead(200, HEAD).write('half of a reply', () => reach());
    });
    const words = ['timestamp', 'big.ova', '--tsa', tsa.address, '-o', 'stamped.ova', '-q'];
    const { code, stderr } = await signalledAt(words, signal, reached);
    expect([code, stderr]).toEqual([ending, expect.stringContaining('nothing was left behind')]);
    expect(stateNow()).toEqual(before);
  });

  test('[cli.9] [pack.4] stopped while the bundle is written: done, or nothing', {
    timeout: 3_600_000,
  }, async () => {
    const over = execFileSync('tar', ['-xOf', 'big.ova', 'big.cert'], { cwd: desk.folder });
    const ca = await makeAuthority({ subject: 'CN=Time Root,O=Time' });
    const authority = await makeTimestampAuthority(ca, { subject: 'CN=Time,O=Time' });
    const time = new Date();
    await using tsa = await serve((body, _request, response) => {
      const { nonce = '' } = parseTimestampRequest(body);
      const token = makeTokenDer({
        over,
        authority,
        time,
        nonce: Uint8Array.from(Buffer.from(nonce, 'hex')),
      });
      const status = derSequence(derUnsigned(Uint8Array.of(0)));
      response.writeHead(200, { 'content-type': HEAD['content-type'] }).end(derSequence(status, token));
    });
    const before = stateNow();
    const words = [
      'timestamp',
      'big.ova',
      '--tsa',
      tsa.address,
      '-o',
      'big.ova.new',
      '--format',
      'tar',
      '-q',
    ];
    const stopped = (call: number): Promise<Ended> => {
      const env = { ...desk.env, STOP_AT: String(call) };
      return launch({ folder: desk.folder, env }, [process.execPath, '--require', AT, MAIN, ...words]).ended;
    };
    const { code, stderr } = await stopped(0);
    const calls = Number(/calls: (\d+)/.exec(stderr)?.[1]);
    expect([code, stderr.replace(/\ncalls: \d+\n/, '')]).toEqual([0, '']);
    for (const moment of moments(RUNS)) {
      rmSync(join(desk.folder, 'big.ova.new'), { force: true });
      const one = await stopped(1 + Math.floor(moment * calls));
      expect([0, 130]).toContain(one.code);
      if (one.code === 0)
        expect((await runHere(desk, 'verify', 'big.ova.new', '--trust', 'ca.pem')).code).toBe(0);
      else
        expect([stateNow(), one.stderr]).toEqual([
          before,
          expect.stringContaining('nothing was left behind'),
        ]);
    }
    rmSync(join(desk.folder, 'big.ova.new'), { force: true });
  });
});

describe('a certificate that is stored in Barbican', () => {
  let barbican: BarbicanDouble;
  beforeAll(async () => {
    barbican = await startBarbican();
  });
  afterAll(() => barbican[Symbol.asyncDispose]());

  test.each(SIGNALS.flatMap(([signal, code]) => [1, 2, 3].map((nth) => [signal, code, nth] as const)))(
    '[cli.9] [glance.33] %s is %d while the request number %d waits; what is stored is named',
    async (signal, ending, nth) => {
      const before = stateNow();
      let reach = (): void => {};
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      let count = 0;
      await using slow = await serve(async (body, { url, method = '', headers }, response) => {
        if (++count === nth) return reach();
        const given = new Headers(Object.entries(headers).filter(([name]) => !/^(host|connection|content-length|expect)$/.test(name)) as [string, string][]); // biome-ignore format: one idea
        const answer = await fetch(`${barbican.address}${url}`, {
          method,
          headers: given,
          ...(method === 'POST' && { body: Buffer.from(body) }),
        });
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        response.end(Buffer.from(await answer.arrayBuffer()));
      });
      const stored = barbican.requests.filter(({ method }) => method === 'POST').length;
      const words = ['glance', 'store-certificate', 'signer.pem', '--barbican', slow.address];
      const { code, stderr, stdout } = await signalledAt(words, signal, reached);
      expect([code, stdout, count]).toEqual([ending, '', nth]);
      const isStored = barbican.requests.filter(({ method }) => method === 'POST').length > stored;
      expect(isStored).toBe(nth > 1);
      expect(stderr).toContain(isStored ? '/v1/secrets/' : 'has not said whether it did');
      expect(stderr).not.toMatch(/nothing (was left behind|has been written)/);
      expect(stateNow()).toEqual(before);
    },
  );
});
