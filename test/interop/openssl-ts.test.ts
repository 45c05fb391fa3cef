import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCertificate } from '../../src/crypto/certificate.ts';
import { digestBytes } from '../../src/crypto/digest.ts';
import { formatTimestampRequest } from '../../src/formats/tsp/request.ts';
import { expectToken, parseTimestampResponse } from '../../src/formats/tsp/response.ts';
import { NO_ALLOWANCES } from '../../src/trust/policy.ts';
import { judgeTimestamp } from '../../src/trust/timestamp.ts';
import { makeAuthority, type TestCertificate } from '../factory/certificates.ts';
import { hex } from '../factory/der.ts';
import { codeOf } from '../factory/errors.ts';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';
import { makeTimestampAuthority } from '../factory/timestamps.ts';
import { hasPeer } from './peer.ts';

const here = hasPeer('openssl ts -help', 'timestamps of openssl as an authority');
const over = Uint8Array.from(Buffer.from('a signature'));
const DAY = 86_400_000;

/** What openssl reads its settings as an authority from. */
const settings = (lines: readonly string[]): string => `
[tsa]
default_tsa = t
[t]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha1, sha256, sha384, sha512
${lines.join('\n')}
`;

describe.skipIf(!here)('openssl ts', () => {
  let sandbox: Sandbox;
  let root: TestCertificate;
  let now: Date;

  beforeAll(async () => {
    sandbox = makeSandbox();
    now = new Date(); // its clock is the machine's
    const life = { notBefore: new Date(+now - DAY), notAfter: new Date(+now + 1000 * DAY) };
    root = await makeAuthority({ subject: 'CN=TSA Root', ...life });
    for (const key of ['rsa2048', 'p256'] as const) {
      const authority = await makeTimestampAuthority(root, { key, ...life });
      sandbox.write(`${key}.pem`, authority.pem);
      sandbox.write(`${key}.key`, authority.privateKeyPem);
    }
    sandbox.write('root.pem', root.pem);
    sandbox.write('serial', '01\n');
    sandbox.write('over', over);
  });
  afterAll(() => sandbox[Symbol.dispose]());

  /** The reply to a request, as a file would hold it. */
  function reply(request: Uint8Array, key: string, lines: readonly string[] = []): Uint8Array {
    sandbox.write('request', request);
    sandbox.write('tsa.cnf', settings(lines));
    const signer = ['-signer', `${key}.pem`, '-inkey', `${key}.key`, '-chain', 'root.pem'];
    const args = ['ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'request', '-out', 'reply', ...signer];
    execFileSync('openssl', args, { cwd: sandbox.folder, stdio: 'ignore' });
    return Uint8Array.from(readFileSync(sandbox.path('reply')));
  }

  const query = (digest: string) => ({
    digest,
    imprint: digestBytes(digest, over),
    nonce: hex('00 81 02 03'),
  });
  const judge = (response: Uint8Array, data = over, intermediates: readonly string[] = []) =>
    judgeTimestamp(parseTimestampResponse(response), data, {
      anchors: [root.certificate],
      intermediates: intermediates.map((file) =>
        parseCertificate(
          Uint8Array.from(
            Buffer.from(
              readFileSync(sandbox.path(file), 'latin1').replace(/-----[^-]+-----|\s/g, ''),
              'base64',
            ),
          ),
        ),
      ),
      at: now,
      allowances: NO_ALLOWANCES,
    });

  test.each(['rsa2048', 'p256'])('[tst.9] answers our requests with tokens that we believe: %s', (key) => {
    for (const digest of ['sha256', 'sha384', 'sha512']) {
      const asked = query(digest);
      const response = reply(formatTimestampRequest(asked), key);
      expect(codeOf(() => expectToken(parseTimestampResponse(response), asked))).toBeUndefined();
      const other = { ...asked, nonce: hex('01') };
      expect(codeOf(() => expectToken(parseTimestampResponse(response), other))).toBe('TIMESTAMP_REFUSED');
      expect(judge(response).errors).toEqual([]);
      expect(judge(response, over.slice(1)).errors).toHaveLength(1);
    }
  });

  test.each(['sha1', 'sha256', 'sha512'])('[tst.6] names its certificate by %s', (digest) => {
    const response = reply(formatTimestampRequest(query('sha256')), 'rsa2048', [
      `ess_cert_id_alg = ${digest}`,
    ]);
    expect(judge(response).errors).toEqual([]);
  });

  test('[tst.8] says how exact it is', () => {
    const lines = ['accuracy = secs:1, millisecs:500, microsecs:100', 'ordering = yes', 'tsa_name = yes'];
    const { proven, time } = judge(reply(formatTimestampRequest(query('sha256')), 'p256', lines));
    expect(proven && +proven.to - +time).toBe(1501);
  });

  test('[tst.6] leaves its certificate out when nobody asks for it', () => {
    const args = ['ts', '-query', '-data', 'over', '-sha256', '-no_nonce', '-out', 'request'];
    execFileSync('openssl', args, { cwd: sandbox.folder, stdio: 'ignore' });
    const response = reply(Uint8Array.from(readFileSync(sandbox.path('request'))), 'rsa2048');
    expect(judge(response).errors).toHaveLength(1);
    expect(judge(response, over, ['rsa2048.pem']).errors).toEqual([]);
  });

  test('[tst.10] refuses a digest that it does not know, and says so', () => {
    const imprint = digestBytes('sha3-256', over);
    const response = reply(formatTimestampRequest({ digest: 'sha3-256', imprint }), 'p256');
    expect(() => parseTimestampResponse(response)).toThrow(/gave no token: rejected.*not supported/);
  });
});
