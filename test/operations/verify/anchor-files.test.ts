import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseCrls } from '../../../src/formats/crl/crl.ts';
import { checkPath } from '../../../src/operations/trust/check-path.ts';
import { certificatesIn } from '../../../src/trust/given-certificates.ts';
import { runLine } from '../../factory/command-line.ts';
import { type Desk, makeWorkbench, type Workbench } from '../../factory/workbench.ts';
import { hasPeer } from '../../interop/peer.ts';

const openssl = hasPeer('openssl version', 'that certificates with the text of openssl are read');

let workbench: Workbench;
/** Where a tar of text alone lies, as `web.ova` would be with a raw disk of text; and what somebody unpacked of it. */
let prepared: Desk;
beforeAll(async () => {
  workbench = await makeWorkbench();
  prepared = workbench.desk('keys');
  for (const line of [
    'bulla pack --plain ca.pem -o web.tar --key signer.key --cert signer.pem -q',
    "tar xf web.tar; cp web.tar other.tar; (echo '<html>'; cat ca.pem) > page.html",
    'bulla sign ca.pem --detached --key signer.key --cert signer.pem -q',
  ]) {
    expect(await runLine(prepared, line), line).toMatchObject({ code: 0 });
  }
});
afterAll(() => {
  prepared[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

/** A desk with all of that. */
function deskOfText(): Desk {
  const desk = workbench.desk();
  cpSync(prepared.folder, desk.folder, { recursive: true });
  return desk;
}

const NOT_TEXT = /this is no text file, but an archive or a program +\[CONFIG_INVALID, exit 2\]/;
const ITSELF = /this is the very file that is to be verified +\[USAGE, exit 2\]/;
const OF_BUNDLE = /this is the certificate file of a bundle +\[CONFIG_INVALID, exit 2\]/;

describe('[pub.19] nothing vouches for itself', () => {
  test.each([
    ['verify web.tar --trust web.tar', ITSELF],
    ['verify web.tar --trust ./web.tar', ITSELF],
    ['verify web.tar --trust-tsa web.tar --trust ca.pem', ITSELF],
    ['verify - --trust web.tar < web.tar', ITSELF],
    ['verify /dev/stdin --trust /dev/stdin < web.tar', ITSELF],
    ['import web.tar --to new --trust web.tar', ITSELF],
    ['verify other.tar --trust web.tar', NOT_TEXT],
    ['trust add acme web.tar', NOT_TEXT],
    ['trust add --timestamping acme web.tar', NOT_TEXT],
    ['pack --plain ca.pem -o new.tar --key signer.key --cert web.tar', NOT_TEXT],
    ['pack --plain ca.pem -o new.tar --key signer.key --cert signer.pem --chain web.tar', NOT_TEXT],
    ['verify web.tar --trust web.cert', OF_BUNDLE],
    ['trust add acme web.cert', OF_BUNDLE],
    ['verify ca.pem --signature ca.pem.p7s --trust ca.pem', ITSELF],
    ['verify web.tar --trust page.html', /this is XML or HTML, and no file of certificates/],
  ])('%s', async (words, message) => {
    using desk = deskOfText();
    const line = `bulla ${words}`;
    const { stderr, code } = await (words.includes('<') ? desk.run(line) : runLine(desk, line));
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect((await runLine(desk, 'bulla trust list')).stdout).not.toContain('acme');
  });

  test('in a way, and as a list', async () => {
    using desk = deskOfText();
    const tar = join(desk.folder, 'web.tar');
    const { report } = await checkPath(join(desk.folder, 'signer.pem'), { anchors: [tar] }).catch(
      (error) => ({
        report: { errors: [error] },
      }),
    );
    expect(report.errors[0]).toMatchObject({
      code: 'CERTIFICATE_MALFORMED',
      message: expect.stringContaining('no text file'),
    });
    expect(() => parseCrls(readFileSync(tar), 'web.tar')).toThrow(/no text file/);
  });
});

describe('[pub.19] text around certificates is let pass', () => {
  const PEM = (folder: string): string => readFileSync(join(folder, 'ca.pem'), 'utf8');

  test.each<[string, (pem: string) => string]>([
    [
      'comments of a bundle of CAs',
      (pem) =>
        `##\n## Bundle of CA Root Certificates\n##\n\nAcme Root CA (Zürich)\n=============\n${pem}\n# end\n`,
    ],
    ['CRLF and tabs', (pem) => `a note\tof mine\n${pem}`.replaceAll('\n', '\r\n')],
    [
      'bag attributes',
      (pem) =>
        `Bag Attributes\n    friendlyName: ca (1)\n    localKeyID: 54 69 6D 65 \nKey Attributes: <No Attributes>\nsubject=CN = Acme\n\nissuer=CN = Acme\n\n${pem}`,
    ],
    ['fingerprints', (pem) => `SHA256 Fingerprint=AA:BB:CC\nSHA256(ca.pem)= 00aa\n${pem}`],
    ['a key beside it', (pem) => `${pem}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`],
  ])('%s', (_, write) => {
    using desk = workbench.desk('keys');
    const bytes = new TextEncoder().encode(write(PEM(desk.folder)));
    expect(certificatesIn({ name: 'ca.pem', bytes })).toHaveLength(1);
  });

  test.skipIf(!openssl)('what openssl x509 -text writes', () => {
    using desk = workbench.desk('keys');
    const text = execFileSync('openssl', ['x509', '-text'], { input: PEM(desk.folder) });
    expect(certificatesIn({ name: 'ca.pem', bytes: Uint8Array.from(text) })).toHaveLength(1);
  });
});
