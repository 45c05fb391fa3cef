import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { derElement, derOctets, derOid, derSequence, derUnsigned } from '../../../src/formats/der/writer.ts';
import { parseTimestampRequest } from '../../../src/formats/tsp/request.ts';
import { parseTimestampToken } from '../../../src/formats/tsp/token.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { BundleError, isBundleError } from '../../../src/kit/errors/errors.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import type { TimestampSource } from '../../../src/operations/sign/signing.ts';
import { requestTimestampFile, timestamp } from '../../../src/operations/sign/timestamp.ts';
import { authorityAt, replyIn } from '../../../src/operations/sign/timestamp-source.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { asArchive, read } from '../../factory/archives.ts';
import { JUDGED_AT, makeBundle, type NamedBytes, signerUnder, testAuthority } from '../../factory/bundles.ts';
import { makeAuthority, type TestCertificate } from '../../factory/certificates.ts';
import { attribute } from '../../factory/cms.ts';
import { flipped } from '../../factory/damage.ts';
import { identityOf, namesIn, placeBundle } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { makeTimestampAuthority, makeTokenDer } from '../../factory/timestamps.ts';

/** The signer's certificate is over at the end of this day; bundles are judged a month before, and years behind. */
const END = new Date('2026-12-31T00:00:00Z');
const LATER = new Date('2029-06-01T00:00:00Z');
let timeRoot: TestCertificate;
let authority: TestCertificate;
let signer: TestCertificate;

beforeAll(async () => {
  timeRoot = await makeAuthority({ subject: 'CN=Time Root,O=Time' });
  authority = await makeTimestampAuthority(timeRoot);
  signer = await signerUnder(await testAuthority(), { notAfter: END });
});

const GRANTED = derSequence(derUnsigned(Uint8Array.of(0)));
/** A reply that grants the token. */
const granting = (token: Uint8Array): Uint8Array => derSequence(GRANTED, token);
const hexBytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

const stamping =
  (time = JUDGED_AT): TimestampSource =>
  async (over) =>
    makeTokenDer({ over, authority, time });

async function trustingTime(sandbox: Sandbox): Promise<VerifyOptions> {
  const anchors = [sandbox.write('.trust/ca.pem', (await testAuthority()).pem)];
  return { trust: { anchors, timestampAnchors: [sandbox.write('.trust/tsa.pem', timeRoot.pem)] } };
}

/** The codes of what is wrong at a time, or `trusted`. */
async function judged(sandbox: Sandbox, name: string, options: VerifyOptions): Promise<readonly string[]> {
  const { verdict, report } = await verify(sandbox.path(name), options);
  valid(report);
  return verdict === 'trusted' ? [verdict] : codesOf(report);
}

/** `in.ova`, signed by the signer whose certificate ends, timestamped into `out.ova`. */
async function stamped(sandbox: Sandbox, { cms, time }: { cms: boolean; time?: Date }): Promise<void> {
  await placeBundle(sandbox, { signed: false });
  const identity = await identityOf(sandbox, signer);
  const common = { format: 'tar', identity, cms } as const;
  valid(await sign(sandbox.path('in.ova'), { ...common, output: sandbox.path('signed.ova') }));
  const report = await timestamp(sandbox.path('signed.ova'), {
    output: sandbox.path('out.ova'),
    format: 'tar',
    source: stamping(time),
  });
  expect(valid(report).errors).toEqual([]);
}

describe.each([{ cms: true }, { cms: false }])('a timestamp that is added later, cms: $cms', ({ cms }) => {
  test('[pack.10] [bundle.7] stands where it belongs, and every other byte stays', async () => {
    using sandbox = makeSandbox();
    await stamped(sandbox, { cms });
    const before = await read(chunked(readFileSync(sandbox.path('signed.ova'))), asArchive);
    const after = await read(chunked(readFileSync(sandbox.path('out.ova'))), asArchive);
    const added = after.members.filter(({ name }) => !before.members.some((one) => one.name === name));
    expect(added.map(({ name }) => name)).toEqual(cms ? [] : ['app.tst']);
    const changed = before.members.filter(
      ({ name, sha256 }) => after.members.find((one) => one.name === name)?.sha256 !== sha256,
    );
    expect(changed.map(({ name }) => name)).toEqual(cms ? ['app.cert'] : []);
  });

  test('[tst.1] [tst.2] proves the time to those who trust its authority, and to nobody else', async () => {
    using sandbox = makeSandbox();
    await stamped(sandbox, { cms });
    const trusting = await trustingTime(sandbox);
    const alone: VerifyOptions = { trust: { anchors: trusting.trust?.anchors ?? [] } };
    const at = LATER;
    expect(await judged(sandbox, 'signed.ova', { ...trusting, at })).toEqual(['CERTIFICATE_EXPIRED']);
    expect(await judged(sandbox, 'out.ova', { ...trusting, at })).toEqual(['trusted']);
    expect(await judged(sandbox, 'out.ova', { ...alone, at })).toEqual(['CERTIFICATE_EXPIRED']);
    expect(await judged(sandbox, 'out.ova', { ...alone, at, timestamp: 'ignore' })).toEqual([
      'CERTIFICATE_EXPIRED',
    ]);
    await expect(judged(sandbox, 'out.ova', { ...trusting, at, timestamp: 'ignore' })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'the option trust.timestampAnchors has no effect beside the timestamp mode "ignore"',
    });
    // an anchor for signers is none for timestamps, nor the other way round
    const swapped = {
      anchors: [sandbox.path('.trust/tsa.pem')],
      timestampAnchors: [sandbox.path('.trust/ca.pem')],
    };
    expect(await judged(sandbox, 'out.ova', { trust: swapped, at: JUDGED_AT })).toContain('SIGNER_UNKNOWN');
  });

  test('[tst.1] can be demanded: TIMESTAMP_MISSING without one, TIMESTAMP_INVALID with a stranger’s', async () => {
    using sandbox = makeSandbox();
    await stamped(sandbox, { cms });
    const trusting = { ...(await trustingTime(sandbox)), at: JUDGED_AT, timestamp: 'require' } as const;
    expect(await judged(sandbox, 'out.ova', trusting)).toEqual(['trusted']);
    expect(await judged(sandbox, 'signed.ova', trusting)).toEqual(['TIMESTAMP_MISSING']);
    const alone = { ...trusting, trust: { anchors: trusting.trust?.anchors ?? [] } };
    expect(await judged(sandbox, 'out.ova', alone)).toEqual(['TIMESTAMP_INVALID']);
  });

  test('[pack.10] a signature that has one keeps it: a second is refused, and so is the request for one', async () => {
    using sandbox = makeSandbox();
    await stamped(sandbox, { cms });
    const again = { output: sandbox.path('again.ova'), format: 'tar', source: stamping(END) } as const;
    const run = async () => {
      const report = await timestamp(sandbox.path('out.ova'), again);
      const [fault] = report.errors;
      if (fault) throw fault;
    };
    await expect(run()).rejects.toMatchObject({
      code: 'USAGE',
      message: 'the signature has a timestamp already',
    });
    const request = { output: sandbox.path('web.tsq'), digest: 'sha256' } as const;
    await expect(requestTimestampFile(sandbox.path('out.ova'), request)).rejects.toMatchObject({
      code: 'USAGE',
    });
    expect(sandbox.list().filter((name) => /again|tsq/.test(name))).toEqual([]);
  });

  test('[pack.10] one whose signature does not fit gives way, and is named', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox, { signed: false });
    const identity = await identityOf(sandbox, signer);
    let token = new Uint8Array(0);
    const source: TimestampSource = async (over) => {
      token = Uint8Array.from(await stamping()(over));
      return token;
    };
    const options = { format: 'tar', identity, cms, timestamp: source } as const;
    valid(await sign(sandbox.path('in.ova'), { ...options, output: sandbox.path('signed.ova') }));
    sandbox.write('broken.ova', withBroken(readFileSync(sandbox.path('signed.ova')), token));
    const again = { output: sandbox.path('out.ova'), format: 'tar', source: stamping() } as const;
    const report = valid(await timestamp(sandbox.path('broken.ova'), again));
    expect([codesOf(report), report.warnings.join()]).toEqual([[], expect.stringContaining('is left out')]);
    const trust = { ...(await trustingTime(sandbox)), at: JUDGED_AT, timestamp: 'require' } as const;
    expect(await judged(sandbox, 'broken.ova', trust)).not.toEqual(['trusted']);
    expect(await judged(sandbox, 'out.ova', trust)).toEqual(['trusted']);
  });

  test('[tst.8] of a time outside of the signer’s certificate saves nothing', async () => {
    using sandbox = makeSandbox();
    await stamped(sandbox, { cms, time: new Date('2027-02-01T00:00:00Z') });
    expect(await judged(sandbox, 'out.ova', { ...(await trustingTime(sandbox)), at: LATER })).toEqual([
      'CERTIFICATE_EXPIRED',
    ]);
  });
});

test('[pack.10] a timestamp beside a file that it does not count for gives way, and is named', async () => {
  using sandbox = makeSandbox();
  const over = Uint8Array.of(1, 2, 3);
  const old = { name: 'app.tst', bytes: makeTokenDer({ over, authority, time: JUDGED_AT }) };
  for (const members of [(all: readonly NamedBytes[]) => [...all, old], tstFirst(old)]) {
    sandbox.write('in.ova', await makeBundle({ members }));
    const options = { format: 'tar', overwrite: true, output: sandbox.path('out.ova') } as const;
    const report = valid(await timestamp(sandbox.path('in.ova'), { ...options, source: stamping() }));
    expect([codesOf(report), report.warnings.join()]).toEqual([
      [],
      expect.stringContaining('"app.tst" is left out'),
    ]);
    const trust = { ...(await trustingTime(sandbox)), at: JUDGED_AT, timestamp: 'require' } as const;
    expect(await judged(sandbox, 'out.ova', trust)).toEqual(['trusted']);
  }
});

/** The last byte of a token's signature made another, beside the certificate file or in the CMS. */
function withBroken(archive: Buffer, token: Uint8Array): Uint8Array {
  const broken = flipped(token, -1);
  const replaced = (bytes: Buffer): Buffer => {
    const at = bytes.indexOf(Buffer.from(token));
    expect(at).toBeGreaterThan(0);
    return Buffer.concat([bytes.subarray(0, at), broken, bytes.subarray(at + broken.length)]);
  };
  if (archive.includes(Buffer.from(token))) return replaced(archive);
  const text = archive.toString('latin1').replace(
    /(-----BEGIN CMS-----\n)([^-]*)(-----END CMS-----)/,
    (_, begin, body, end) =>
      `${begin}${replaced(Buffer.from(body, 'base64'))
        .toString('base64')
        .replace(/.{1,64}/g, '$&\n')}${end}`,
  );
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

const tstFirst =
  (old: NamedBytes) =>
  (all: readonly NamedBytes[]): readonly NamedBytes[] => [...all.slice(0, 1), old, ...all.slice(1)];

describe('a timestamp by file', () => {
  test('[pack.10] the request is for the signature, and its reply for no other', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox);
    const output = sandbox.path('web.tsq');
    valid(await requestTimestampFile(sandbox.path('in.ova'), { output, digest: 'sha256' }));
    const { nonce, wantsCertificate } = parseTimestampRequest(Uint8Array.from(readFileSync(output)));
    expect([nonce, wantsCertificate]).toEqual([undefined, true]);

    const { members } = await read(chunked(await makeBundle()), asArchive);
    expect(members.map(({ name }) => name)).toContain('app.cert');
    const certificate = await certificateOf(sandbox);
    const reply = sandbox.write('web.tsr', granting(makeTokenDer({ over: certificate, authority })));
    const options = {
      format: 'tar',
      output: sandbox.path('out.ova'),
      source: replyIn(reply, JUDGED_AT),
    } as const;
    expect(valid(await timestamp(sandbox.path('in.ova'), options)).exitCode).toBe(0);
    expect(await namesIn(Uint8Array.from(readFileSync(sandbox.path('out.ova'))))).toContain('app.tst');

    sandbox.write('other.ova', await makeBundle({ algorithm: 'sha512' }));
    const other = timestamp(sandbox.path('other.ova'), { ...options, output: sandbox.path('no.ova') });
    await expect(other).rejects.toMatchObject({ code: 'TIMESTAMP_REFUSED' });
    expect(sandbox.list()).not.toContain('no.ova');
  });

  test('[pack.10] a bundle without a signature has nothing to timestamp', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox, { signed: false });
    const request = requestTimestampFile(sandbox.path('in.ova'), {
      output: sandbox.path('web.tsq'),
      digest: 'sha256',
    });
    await expect(request).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
    expect(sandbox.list()).toEqual(['in.ova']);
  });
});

describe('what an authority sends beside what it has signed', () => {
  const FOREIGN = encodeUtf8(`#!/bin/sh\n${'echo smuggled '.repeat(3000)}`);
  const isForeign = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('smuggled');
  const over = Uint8Array.of(1, 2, 3);
  const given = (token: Uint8Array): Promise<Uint8Array> => {
    using sandbox = makeSandbox();
    return replyIn(sandbox.write('web.tsr', granting(token)), JUDGED_AT)(over);
  };
  const written = async (token: Uint8Array): Promise<Uint8Array> => Uint8Array.from(await given(token));

  test('[tst.15] is written into no bundle', async () => {
    const plain = makeTokenDer({ over, authority, time: JUDGED_AT });
    expect(await written(plain)).toEqual(plain);
    const stranger = await makeAuthority({ subject: 'CN=Stranger' });
    const certificates = [
      [authority],
      [authority, stranger],
      [authority, derElement(0xa1, derOctets(FOREIGN)), derElement(0xa2, derOctets(FOREIGN))],
    ];
    const crls = [[], [derElement(0xa1, derOid('1.2.3.4.5'), derOctets(FOREIGN))]];
    for (const certificate of certificates)
      for (const crl of crls)
        for (const unsigned of [[], [attribute('1.2.3.4.5', derOctets(FOREIGN))]]) {
          const token = makeTokenDer({
            ...{ over, authority, time: JUDGED_AT, certificates: certificate, crls: crl },
            signer: { unsigned },
          });
          const kept = await written(token);
          const { certificates: inside } = parseTimestampToken(kept).signedData;
          expect([isForeign(kept), inside.length]).toEqual([false, 1]);
          expect(Math.abs(kept.byteLength - plain.byteLength)).toBeLessThan(8); // signatures differ in length
          expect(await written(kept)).toEqual(kept);
        }
  });

  test('[tst.15] is written into no bundle by a source of the caller’s own, and what nobody would believe is not either', async () => {
    using sandbox = makeSandbox();
    await placeBundle(sandbox, { signed: false });
    const identity = await identityOf(sandbox, signer);
    const output = sandbox.path('out.ova');
    const options = { output, format: 'tar', overwrite: true, identity } as const;
    const loaded = { certificates: [authority, derElement(0xa1, derOctets(FOREIGN))] };
    const unsigned = [attribute('1.2.3.4.5', derOctets(FOREIGN))];
    const giving =
      (more: object): TimestampSource =>
      async (bytes) =>
        makeTokenDer({ over: bytes, authority, time: JUDGED_AT, ...more });
    for (const cms of [true, false]) {
      const own = giving({ ...loaded, signer: { unsigned } });
      valid(await sign(sandbox.path('in.ova'), { ...options, cms, timestamp: own }));
      expect([cms, isForeign(readFileSync(output))]).toEqual([cms, false]);
      const trust = { ...(await trustingTime(sandbox)), at: JUDGED_AT, timestamp: 'require' } as const;
      expect(await judged(sandbox, 'out.ova', trust)).toEqual(['trusted']);
      for (const bad of [
        giving({ over }),
        giving({ certificates: [] }),
        async () => FOREIGN,
        async (bytes: Uint8Array) => granting(await stamping()(bytes)),
      ]) {
        const made = sign(sandbox.path('in.ova'), { ...options, cms, timestamp: bad });
        await expect(made).rejects.toMatchObject({ code: 'TIMESTAMP_REFUSED' });
      }
    }
  });

  test('[tst.15] is kept where it leads up from the authority, on every way', async () => {
    const other = await makeAuthority({ subject: 'CN=Other Root' });
    const middle = await makeAuthority({ subject: 'CN=Time Sub', issuer: timeRoot });
    const { privateKey: key } = middle;
    const crossed = await makeAuthority({ subject: 'CN=Time Sub', issuer: other, key });
    const below = await makeTimestampAuthority(middle);
    const certificates = [below, middle, crossed, timeRoot, authority];
    const token = await written(makeTokenDer({ over, authority: below, time: JUDGED_AT, certificates }));
    const kept = parseTimestampToken(token).signedData.certificates.map((der) => Buffer.from(der));
    for (const one of [below, middle, crossed, timeRoot]) expect(kept).toContainEqual(Buffer.from(one.der));
    expect(kept).toHaveLength(4);
  });

  test('[tst.15] is refused where what leads up is too much', async () => {
    const payload = { oid: '1.2.3.4.5', critical: false, value: derOctets(FOREIGN) };
    const { privateKey: key } = timeRoot;
    const twin = await makeAuthority({ subject: 'CN=Time Root,O=Time', key, extensions: [payload] });
    const token = makeTokenDer({ over, authority, time: JUDGED_AT, certificates: [authority, twin] });
    expect(isForeign(token)).toBe(true);
    await expect(given(token)).rejects.toMatchObject({
      code: 'TIMESTAMP_REFUSED',
      message: expect.stringContaining('bytes of certificates of issuers'),
    });
  });
});

async function certificateOf(sandbox: Sandbox): Promise<Uint8Array> {
  let found = new Uint8Array();
  const source: TimestampSource = async (over) => {
    found = Uint8Array.from(over);
    throw new BundleError('TIMESTAMP_REFUSED', 'only a look');
  };
  await timestamp(sandbox.path('in.ova'), { output: sandbox.path('x.ova'), format: 'tar', source }).catch(
    (error: unknown) => {
      if (!isBundleError(error)) throw error;
    },
  );
  return found;
}

describe('an authority on the network', () => {
  let server: Server;
  let answer: (query: Uint8Array) => { status?: number; type?: string; body: Uint8Array | string };
  let address: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const {
          status = 200,
          type = 'application/timestamp-reply',
          body,
        } = answer(Uint8Array.from(Buffer.concat(parts)));
        response.writeHead(status, { 'content-type': type, location: '/elsewhere' }).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => server.close());

  const OVER = Uint8Array.of(1, 2, 3);
  const ask = () => authorityAt(address, { digest: 'sha256', at: JUDGED_AT })(OVER);
  const reply = (query: Uint8Array, over = OVER, time = JUDGED_AT): { body: Uint8Array } => {
    const { nonce = '' } = parseTimestampRequest(query);
    return { body: granting(makeTokenDer({ over, authority, time, nonce: hexBytes(nonce) })) };
  };

  test('[pack.9] [tst.9] is asked with a nonce for a token with its certificate', async () => {
    let asked: ReturnType<typeof parseTimestampRequest> | undefined;
    answer = (query) => {
      asked = parseTimestampRequest(query);
      return reply(query);
    };
    expect((await ask()).byteLength).toBeGreaterThan(100);
    expect(asked?.wantsCertificate).toBe(true);
    expect(asked?.nonce?.length).toBeGreaterThan(8);
  });

  test.each<[string, typeof answer, string]>([
    ['refuses us', () => ({ status: 401, body: '' }), 'REMOTE_UNAUTHORISED'],
    ['is broken', () => ({ status: 500, body: '' }), 'REMOTE_FAILED'],
    ['sends us elsewhere', () => ({ status: 302, body: '' }), 'REMOTE_FAILED'],
    ['answers with a page', () => ({ type: 'text/html', body: '<p>hello' }), 'REMOTE_FAILED'],
    ['answers without end', () => ({ body: new Uint8Array(2 ** 20 + 1) }), 'REMOTE_FAILED'],
  ])('[tst.11] that %s', async (_, answers, code) => {
    answer = answers;
    await expect(ask()).rejects.toMatchObject({ code });
  });

  test('[tst.11] that says nothing is given up, at a time or when we are stopped', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const { requestTimestamp } = await import('../../../src/storage/remote/tsa-client.ts');
    await expect(requestTimestamp(url, OVER, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'REMOTE_FAILED',
      message: expect.stringContaining('no answer within'),
    });
    const signal = AbortSignal.timeout(50);
    await expect(requestTimestamp(url, OVER, { signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    silent.closeAllConnections();
    silent.close();
    await expect(requestTimestamp('ftp://x/', OVER)).rejects.toMatchObject({ code: 'USAGE' });
  });

  test.each<[string, typeof answer, string]>([
    ['is no structure', () => ({ body: 'hello' }), 'TIMESTAMP_REFUSED'],
    ['grants, and gives nothing', () => ({ body: hexBytes('30053003020100') }), 'TIMESTAMP_REFUSED'],
    ['rejects', () => ({ body: hexBytes('30053003020102') }), 'TIMESTAMP_REFUSED'],
    ['is over something else', (query) => reply(query, Uint8Array.of(9)), 'TIMESTAMP_REFUSED'],
    [
      'answers another request',
      () => ({ body: granting(makeTokenDer({ over: OVER, authority, nonce: Uint8Array.of(7) })) }),
      'TIMESTAMP_REFUSED',
    ],
    [
      'has no nonce',
      () => ({ body: granting(makeTokenDer({ over: OVER, authority })) }),
      'TIMESTAMP_REFUSED',
    ],
    ['is of the future', (query) => reply(query, OVER, LATER), 'TIMESTAMP_REFUSED'],
  ])('[tst.10] [pack.9] whose answer %s writes nothing', async (_, answers, code) => {
    using sandbox = makeSandbox();
    answer = answers;
    await expect(ask()).rejects.toMatchObject({ code });
    await placeBundle(sandbox);
    const source = authorityAt(address, { digest: 'sha256', at: JUDGED_AT });
    const options = { output: sandbox.path('out.ova'), format: 'tar', source } as const;
    await expect(timestamp(sandbox.path('in.ova'), options)).rejects.toThrow();
    expect(sandbox.list()).toEqual(['in.ova']);
  });
});
