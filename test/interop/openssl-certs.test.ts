import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeDevelopmentCertificates } from '../../src/operations/trust/dev-certs.ts';
import { folderForTests } from '../factory/sandbox.ts';
import { hasPeer } from './peer.ts';

const here = hasPeer('openssl version', 'development certificates beside those that openssl makes');

describe.skipIf(!here)('openssl on development certificates', () => {
  const folder = folderForTests();
  const path = (name: string) => join(folder, name);
  const run = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' });

  beforeAll(async () => {
    const { caPem, signerPem, signerKeyPem } = await makeDevelopmentCertificates({ now: new Date() });
    writeFileSync(path('ca.pem'), caPem);
    writeFileSync(path('signer.pem'), signerPem);
    writeFileSync(path('signer.key'), signerKeyPem);
  });

  test('[pub.11] openssl verify finds the path, by its strict rules', () => {
    expect(run('verify', '-x509_strict', '-CAfile', 'ca.pem', 'signer.pem')).toBe('signer.pem: OK\n');
  });

  test('[pub.11] openssl prints what was meant', () => {
    const text = run('x509', '-in', 'signer.pem', '-noout', '-text', '-nameopt', 'utf8');
    expect(text).toContain('Code Signing');
    expect(text).toContain('CA:FALSE');
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\n/);
    expect(text).toContain('Public-Key: (3072 bit)');
    expect(run('x509', '-in', 'ca.pem', '-noout', '-text')).toContain('CA:TRUE, pathlen:0');
  });

  test('the key signs what the certificate verifies', () => {
    writeFileSync(path('data'), 'manifest');
    run('x509', '-in', 'signer.pem', '-noout', '-pubkey', '-out', 'signer.pub');
    run('dgst', '-sha256', '-sign', 'signer.key', '-out', 'data.sig', 'data');
    expect(run('dgst', '-sha256', '-verify', 'signer.pub', '-signature', 'data.sig', 'data')).toBe(
      'Verified OK\n',
    );
  });
});
