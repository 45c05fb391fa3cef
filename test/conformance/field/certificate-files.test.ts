import { cpSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../../factory/command-line.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { vectorFolder } from '../vectors.ts';

const folder = vectorFolder('field/04-certificate-file-formats');

/** The development certificates of these files last until the end of 2026. */
const AT = ['--at', '2026-12-01'];

describe.skipIf(folder === undefined)(
  'certificates and keys as authorities and Windows hand them out',
  () => {
    let sandbox: Sandbox;
    beforeAll(() => {
      sandbox = makeSandbox();
      cpSync(folder ?? '', sandbox.folder, { recursive: true });
    });
    afterAll(() => sandbox[Symbol.dispose]());
    const bulla = (...words: string[]) =>
      runHere(
        { folder: sandbox.folder, env: { PATH: process.env['PATH'], BULLA_HOME: sandbox.path('home') } },
        ...words,
      );

    test.each(['ca.cer', 'ca.p7b', 'cad.p7b', 'ca16.pem'])('[pub.21] %s is read', async (file) => {
      const { stdout, code } = await bulla('verify', 'base.ova', '--trust', file, ...AT);
      expect(stdout).toContain(`trusted via  ${file}`);
      expect(code).toBe(0);
    });

    test('[pub.21] a PKCS#12 file is named, with the command that converts it', async () => {
      for (const words of [
        ['verify', 'base.ova', '--trust', 's.pfx', ...AT],
        ['trust', 'add', 'acme', 's.pfx'],
        ['pack', 'web.ovf', '-o', 'new.ova', '--key', 'k.der', '--cert', 's.pfx'],
      ]) {
        const { stderr, code } = await bulla(...words);
        expect(stderr).toContain('this is a PKCS#12 file (.pfx or .p12)');
        expect(stderr).toContain('openssl pkcs12 -in s.pfx -nodes -out all.pem');
        expect(code).toBe(2);
      }
    });

    test('[pub.24] a PKCS#12 file as key is read, with its passphrase', async () => {
      const { stderr, code } = await bulla('pack', 'web.ovf', '-o', 'new.ova', '--key', 's.pfx');
      expect(stderr).toContain('PASSPHRASE_NEEDED');
      expect(code).toBe(2);
    });

    test('[pub.22] a key in DER is read, and compared with the certificate', async () => {
      const { stderr, code } = await bulla(
        'pack',
        'web.ovf',
        '-o',
        'new.ova',
        '--key',
        'k.der',
        '--cert',
        'ca.cer',
      );
      expect(stderr).toContain('KEY_MISMATCH');
      expect(code).toBe(2);
    });

    test('[pub.21] a certificate in DER is added', async () => {
      expect(await bulla('trust', 'add', 'acme', 'ca.cer')).toMatchObject({ code: 0 });
      expect(await bulla('verify', 'base.ova', ...AT)).toMatchObject({ code: 0 });
    });
  },
);
