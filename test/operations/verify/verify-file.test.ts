import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatPem } from '../../../src/formats/pem.ts';
import { signFile } from '../../../src/operations/sign/sign-file.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verifyFile } from '../../../src/operations/verify/verify-file.ts';
import { signerUnder, testAuthority } from '../../factory/bundles.ts';
import { makeAuthority, type TestCertificate } from '../../factory/certificates.ts';
import { flipped } from '../../factory/damage.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { hasPeer } from '../../interop/peer.ts';

const openssl = hasPeer('openssl version', 'that signatures with content in them are refused');

const CONTENT = Uint8Array.from(randomBytes(300_000));

/** `file` and `file.p7s` in the sandbox. */
async function signedFile(sandbox: Sandbox, signer?: TestCertificate): Promise<string> {
  const file = sandbox.write('file', CONTENT);
  const identity = await identityOf(sandbox, signer);
  valid(await signFile(file, { output: `${file}.p7s`, identity }));
  return file;
}

async function judged(
  file: string | ReturnType<typeof chunked>,
  signature: string,
  options: VerifyOptions,
): Promise<readonly string[]> {
  const report = valid(await verifyFile(file, signature, options));
  return report.trusted ? ['trusted'] : codesOf(report);
}

describe('a file with its signature beside it', () => {
  test('[file.1] [file.4] is verified from a file, a stream in any pieces and a pipe', async () => {
    using sandbox = makeSandbox();
    const file = await signedFile(sandbox);
    const options = await trusting(sandbox);
    expect(await judged(file, `${file}.p7s`, options)).toEqual(['trusted']);
    for (const size of [1, 513, CONTENT.byteLength]) {
      expect(await judged(chunked(CONTENT, size), `${file}.p7s`, options), `${size}`).toEqual(['trusted']);
    }
    const pipe = sandbox.path('pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', 'exec cat "$0" > "$1"', file, pipe], { stdio: 'ignore' });
    expect(await judged(pipe, `${file}.p7s`, options)).toEqual(['trusted']);
    writer.kill();
  });

  test('[file.1] is refused with one byte changed, cut or added, wherever', async () => {
    using sandbox = makeSandbox();
    const file = await signedFile(sandbox);
    const options = await trusting(sandbox);
    for (const bytes of [
      flipped(CONTENT, 150_000),
      CONTENT.subarray(1),
      CONTENT.subarray(0, -1),
      new Uint8Array(),
    ]) {
      expect(await judged(chunked(bytes), `${file}.p7s`, options)).toEqual(['SIGNATURE_INVALID']);
    }
  });

  test('[file.2] its signer is judged like that of a bundle', async () => {
    using sandbox = makeSandbox();
    const file = await signedFile(sandbox);
    const { at } = await trusting(sandbox);
    const options = { ...(at && { at }) };
    expect(await judged(file, `${file}.p7s`, options)).toEqual(['TRUST_EMPTY']);
    const other = sandbox.write('other.pem', (await makeAuthority({ subject: 'CN=Other' })).pem);
    expect(await judged(file, `${file}.p7s`, { ...options, trust: { anchors: [other] } })).toEqual([
      'SIGNER_UNKNOWN',
    ]);
    const late = { ...(await trusting(sandbox)), at: new Date('2050-01-01T00:00:00Z') };
    expect(await judged(file, `${file}.p7s`, late)).toContain('CERTIFICATE_EXPIRED');
  });

  test('[file.2] a publisher of some names vouches for no file, one of all names does', async () => {
    using sandbox = makeSandbox();
    const file = await signedFile(sandbox);
    const { at } = await trusting(sandbox);
    const folder = sandbox.path('trust');
    sandbox.write('trust/publishers/acme/ca.pem', (await testAuthority()).pem);
    const options = { trust: { folders: [folder] }, ...(at && { at }) };
    sandbox.write('trust/publishers/acme/publisher.toml', 'name = "acme"\nscopes = ["acme/*"]\n');
    expect(await judged(file, `${file}.p7s`, options)).toEqual(['SCOPE_REFUSED']);
    sandbox.write('trust/publishers/acme/publisher.toml', 'name = "acme"\n');
    expect(await judged(file, `${file}.p7s`, options)).toEqual(['trusted']);
  });

  test.skipIf(!openssl)(
    '[file.3] a signature that carries content is refused, whatever it carries',
    async () => {
      using sandbox = makeSandbox();
      const file = await signedFile(sandbox);
      sandbox.write('signer.pem', readFileSync(sandbox.path('.keys/cert.pem')));
      execFileSync(
        'openssl',
        [
          'cms',
          '-sign',
          '-nodetach',
          '-binary',
          '-in',
          file,
          '-signer',
          sandbox.path('.keys/cert.pem'),
          '-inkey',
          sandbox.path('.keys/key.pem'),
          '-outform',
          'DER',
          '-out',
          sandbox.path('attached.p7s'),
        ],
        { stdio: 'ignore' },
      );
      expect(await judged(file, sandbox.path('attached.p7s'), await trusting(sandbox))).toEqual([
        'CMS_SYNTAX',
      ]);
    },
  );

  test('[cms.1] the signature is read in PEM too, and nothing else is', async () => {
    using sandbox = makeSandbox();
    const file = await signedFile(sandbox);
    const options = await trusting(sandbox);
    const der = Uint8Array.from(readFileSync(`${file}.p7s`));
    for (const label of ['CMS', 'PKCS7']) {
      expect(await judged(file, sandbox.write('pem', formatPem(label, der)), options)).toEqual(['trusted']);
    }
    for (const bytes of [
      'hello',
      '',
      formatPem('CERTIFICATE', der),
      formatPem('CMS', der) + formatPem('CMS', der),
      Uint8Array.of(...der, 0),
      der.subarray(0, -1),
    ]) {
      expect(await judged(file, sandbox.write('bad', bytes), options)).toEqual(['CMS_SYNTAX']);
    }
  });

  test('[file.4] a signature is not written over another file, nor left in part', async () => {
    using sandbox = makeSandbox();
    const file = await signedFile(sandbox);
    writeFileSync(`${file}.p7s`, 'mine');
    const identity = await identityOf(sandbox, await signerUnder(await testAuthority()));
    const before = sandbox.list();
    await expect(signFile(file, { output: `${file}.p7s`, identity })).rejects.toMatchObject({
      code: 'DESTINATION_EXISTS',
    });
    await expect(signFile(file, { output: file, identity, overwrite: true })).rejects.toMatchObject({
      code: 'USAGE',
    });
    await expect(
      signFile(sandbox.path('absent'), { output: sandbox.path('x.p7s'), identity }),
    ).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
    expect(sandbox.list()).toEqual(before);
    expect(readFileSync(`${file}.p7s`, 'utf8')).toBe('mine');
  });
});
