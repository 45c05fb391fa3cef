import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseProperties } from '../../src/formats/glance/properties.ts';
import { barbicanCertificates } from '../../src/operations/glance/certificate-sources.ts';
import { openKeyManager } from '../../src/operations/glance/key-manager.ts';
import { storeCertificate } from '../../src/operations/glance/store-certificate.ts';
import { verifyImage } from '../../src/operations/glance/verify-image.ts';
import { makeSandbox } from '../factory/sandbox.ts';
import { vectorFolder } from './vectors.ts';

/** One exchange with the real Barbican or Glance, as it was recorded. */
interface Capture {
  readonly label: string;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

const folder = vectorFolder('glance') ?? '';
const captures: readonly Capture[] = folder
  ? JSON.parse(readFileSync(join(folder, 'http-captures.json'), 'utf8')).captures
  : [];
const capture = (label: string): Capture => captures.find((one) => one.label === label) as Capture;
const KEPT = '214b497e-d4a3-4540-a50b-c07289344e38';
const AT = new Date('2026-11-24T12:00:00Z');

/** Answers a request as the real server answered the recorded one that it equals; 599 when none does. */
async function startReplay(
  without: readonly string[] = [],
): Promise<AsyncDisposable & { readonly address: string }> {
  const usable = captures.filter(({ label }) => !without.includes(label));
  const server = createServer((incoming, response) => {
    const { method, url = '', headers } = incoming;
    incoming.resume().on('end', () => {
      const found = usable.find(
        ({ request }) =>
          request.method === method &&
          new URL(request.url).pathname + new URL(request.url).search === url &&
          (request.headers['X-Auth-Token'] ?? '') === (headers['x-auth-token'] ?? '') &&
          (method === 'POST' || request.headers['Accept'] === headers.accept),
      );
      if (!found) response.writeHead(599).end();
      else response.writeHead(found.response.status, found.response.headers).end(found.response.body);
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function find(address: string, uuid: string, token = 'tok-alice'): Promise<unknown> {
  const client = await openKeyManager({ barbican: address, login: { kind: 'token', token } });
  return barbicanCertificates(client).find(uuid);
}

describe.skipIf(captures.length === 0)(
  '[glance.28] [glance.30] what the real Barbican and Glance were recorded to answer',
  () => {
    test('a certificate is found', async () => {
      await using replay = await startReplay();
      expect(await find(replay.address, KEPT)).toMatchObject({ kind: 'found', warnings: [] });
    });

    test('an unknown UUID and a deleted secret are clean verdicts', async () => {
      await using replay = await startReplay(['metadata']);
      const absent = { kind: 'absent', error: { code: 'SIGNER_UNKNOWN' } };
      expect(await find(replay.address, '11111111-2222-3333-4444-555555555555')).toMatchObject(absent);
      expect(await find(replay.address, KEPT)).toMatchObject(absent);
    });

    test('a token that is not good', async () => {
      await using replay = await startReplay();
      await expect(find(replay.address, KEPT, 'nope')).rejects.toMatchObject({ code: 'REMOTE_UNAUTHORISED' });
    });

    test('[glance.33] what we store has the shape of what the openstack client stores', async () => {
      await using replay = await startReplay();
      using sandbox = makeSandbox();
      const recorded = JSON.parse(capture('store certificate').request.body ?? '');
      const pem = Buffer.from(recorded.payload, 'base64').toString();
      const open = () =>
        openKeyManager({ barbican: replay.address, login: { kind: 'token', token: 'tok-alice' } });
      const report = await storeCertificate(sandbox.write('signer.pem', pem), open, { at: AT });
      expect(report.result).toMatchObject({ certificateUuid: KEPT });
    });

    test('Glance’s own image verifies with its properties, and the tampered one does not', async () => {
      await using replay = await startReplay();
      using sandbox = makeSandbox();
      const certificates = barbicanCertificates(
        await openKeyManager({ barbican: replay.address, login: { kind: 'token', token: 'tok-alice' } }),
      );
      const trust = { anchors: [sandbox.write('signer.pem', capture('payload').response.body)] };
      const verdict = async (name: string): Promise<string> => {
        const shown = parseProperties(capture(`glance show after (${name})`).response.body);
        const image = sandbox.write(name, capture(`glance upload (${name})`).request.body ?? '');
        return (await verifyImage(image, { properties: shown, certificates, trust, at: AT })).verdict;
      };
      expect(await verdict('valid')).toBe('trusted');
      expect(await verdict('tampered')).toBe('invalid');
    });
  },
);
