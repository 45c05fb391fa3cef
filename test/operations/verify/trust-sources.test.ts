import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTrust } from '../../../src/operations/verify/load-trust.ts';
import { makeCertificate } from '../../factory/certificates.ts';
import { folderForTests } from '../../factory/sandbox.ts';

const FOLDER = folderForTests();

/** A trust folder with the publisher "acme" and this certificate. */
async function trustFolder(
  name: string,
  scopes: string,
): Promise<{ folder: string; pem: string; fingerprint: string }> {
  const { pem, certificate } = await makeCertificate({ subject: `CN=${name}`, ca: true });
  const publisher = join(FOLDER, name, 'publishers', 'acme');
  mkdirSync(publisher, { recursive: true });
  writeFileSync(join(publisher, 'ca.pem'), pem);
  writeFileSync(join(publisher, 'publisher.toml'), `name = "acme"\nscopes = ["${scopes}"]\n`);
  return { folder: join(FOLDER, name), pem: join(publisher, 'ca.pem'), fingerprint: certificate.fingerprint };
}

describe('where trust comes from', () => {
  it('[pub.12] takes --trust and --pin alone when either is given', async () => {
    const { folder } = await trustFolder('kept', '*');
    const given = await trustFolder('given', '*');
    const pin = `sha256:${'ab'.repeat(32)}`;

    const byAnchor = await loadTrust({ anchors: [given.pem], folders: [folder] });
    expect(byAnchor.signers.anchors.map((anchor) => anchor.certificate.fingerprint)).toEqual([
      given.fingerprint,
    ]);
    expect(byAnchor.signers.anchors[0]?.publisher).toBeUndefined();
    const byPin = await loadTrust({ pins: [pin], folders: [folder] });
    expect(byPin.signers).toEqual({ anchors: [], pins: ['ab'.repeat(32)] });
  });

  it('[pub.13] uses the publisher of the folder that overrules, and does not read the other', async () => {
    const system = await trustFolder('system', 'acme/narrow');
    const user = await trustFolder('user', '*');
    writeFileSync(join(user.folder, 'publishers', 'acme', 'publisher.toml'), 'not toml at all');

    const one = await loadTrust({ folders: [system.folder, join(FOLDER, 'absent')] });
    expect(one.signers.anchors.map((anchor) => anchor.publisher?.scopes)).toEqual([['acme/narrow']]);
    const both = await loadTrust({ folders: [system.folder, user.folder] });
    expect(both.signers.anchors.map((anchor) => anchor.certificate.fingerprint)).toEqual([
      system.fingerprint,
    ]);
  });
});
