import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../src/operations/verify/load-policy.ts';
import { openServerSource } from '../../../src/storage/sources/server-source.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import { judgeSource } from '../../../src/verdict/judge-source.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { JUDGED_AT, makeMembers, type NamedBytes, testAuthority, textFile } from '../../factory/bundles.ts';
import { EKU, makeAuthority, makeCertificate } from '../../factory/certificates.ts';
import { der } from '../../factory/der.ts';
import { codesOf } from '../../factory/reports.ts';

let server: Server;
let origin = '';
let ca = '';
let files: ReadonlyMap<string, NamedBytes>;
let asked: { readonly url: string; readonly authorization: string | undefined }[] = [];
/** what is answered in place of a file */
let instead: Readonly<Record<string, (response: ServerResponse) => void>> = {};

beforeAll(async () => {
  const years = { notBefore: new Date('2020-01-01'), notAfter: new Date('2049-01-01') };
  const issuer = await makeAuthority({ subject: 'CN=Web CA', ...years });
  const value = der(0x30, der(0x87, Uint8Array.of(127, 0, 0, 1)));
  const extensions = [{ oid: '2.5.29.17', critical: false, value }];
  const site = await makeCertificate({
    issuer,
    subject: 'CN=x',
    eku: [EKU.serverAuth],
    extensions,
    ...years,
  });
  ca = issuer.pem;
  server = createServer({ key: site.privateKeyPem, cert: site.pem }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
  asked.push({ url, authorization: headers.authorization });
  const name = decodeURIComponent(url.replace(/\?.*/, '').replace('/dir/', ''));
  const other = instead[name];
  const file = files.get(name);
  if (other) other(response);
  else if (!file) response.writeHead(404).end('no');
  else response.writeHead(200, { 'content-length': file.bytes.byteLength }).end(file.bytes);
}

async function judged(
  members: readonly NamedBytes[],
  { name = 'app.ovf', query = '', secret = '', answers = {} as typeof instead } = {},
): Promise<Report> {
  files = new Map(members.map((member) => [member.name, member]));
  instead = answers;
  asked = [];
  const address = new URL(`${origin.replace('//', `//${secret}`)}/dir/${encodeURIComponent(name)}${query}`);
  const base = name.replace(/\.\w+$/, '');
  const { der: bytes } = await testAuthority();
  const trust = { anchors: [{ name: 'ca', bytes }] };
  const policy = await loadPolicy({ trust }, { at: JUDGED_AT, allowances: NO_ALLOWANCES, inputs: [] });
  await using source = await openServerSource(address, { asked: name, base }, { idleMs: 60_000, ca });
  return (await judgeSource(source, { operation: 'verify', policy })).report;
}

describe('[pkg.5] a package on a server', () => {
  test('is read from beside its descriptor or manifest, each file once', async () => {
    const members = await makeMembers();
    for (const name of ['app.ovf', 'app.mf']) {
      const report = await judged(members, { name });
      expect(codesOf(report)).toEqual([]);
      expect(report.trusted).toBe(true);
      expect(report.input).toEqual({ name: `${origin}/dir/${name}`, format: 'files' });
      const urls = asked.map(({ url }) => url);
      expect(new Set(urls).size).toBe(urls.length);
      expect(urls).toEqual(expect.arrayContaining(members.map((member) => `/dir/${member.name}`)));
    }
  });

  test('has names that are encoded, and no query but that of the address', async () => {
    const odd = textFile('in a folder/50% + ä#.txt', 'x');
    const report = await judged(await makeMembers({ base: 'a b', files: [odd] }), {
      name: 'a b.mf',
      query: '?key=1',
    });
    expect(codesOf(report)).toEqual([]);
    const [first, ...others] = asked.map(({ url }) => url);
    expect(first).toBe('/dir/a%20b.mf?key=1');
    expect(others).toContain('/dir/in%20a%20folder/50%25%20%2B%20%C3%A4%23.txt');
    expect(others.some((url) => url.includes('key'))).toBe(false);
  });

  test('is asked for with the name and password of the address, which no report shows', async () => {
    const report = await judged(await makeMembers(), { secret: 'me:sesame@' });
    expect(report.trusted).toBe(true);
    expect(new Set(asked.map(({ authorization }) => authorization)).size).toBe(1);
    expect(JSON.stringify(report)).not.toContain('sesame');
  });

  test('without a signature is unsigned, and one that may not be seen is not', async () => {
    const members = await makeMembers();
    const unsigned = members.filter(({ name }) => name !== 'app.cert');
    expect(codesOf(await judged(unsigned))).toEqual(['SIGNATURE_MISSING']);
    const forbidden = { 'app.cert': (response: ServerResponse): unknown => response.writeHead(403).end() };
    const report = await judged(members, { answers: forbidden as typeof instead });
    expect(codesOf(report)[0]).toBe('REMOTE_UNAUTHORISED');
    expect(report.trusted).toBe(false);
  });

  test('that lacks the file that was named, or says nothing of a length', async () => {
    await expect(judged([])).rejects.toMatchObject({ code: 'REMOTE_FAILED' });
    const members = await makeMembers();
    const endless = {
      'disk.img': (response: ServerResponse) => {
        response.writeHead(200);
        response.write('x');
        response.end('y');
      },
    };
    expect(codesOf(await judged(members, { answers: endless }))[0]).toBe('REMOTE_FAILED');
  });

  test('whose files are others than they should be', async () => {
    const members = await makeMembers();
    const short = {
      'disk.img': (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 3 });
        response.end('abc');
      },
    };
    expect(codesOf(await judged(members, { answers: short }))).toContain('DIGEST_MISMATCH');
  });
});
