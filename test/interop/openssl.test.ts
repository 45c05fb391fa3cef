import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runLine } from '../factory/command-line.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { hasPeer } from './peer.ts';

const here = hasPeer('openssl version', 'that openssl accepts our signatures, and we what is signed with it');
const gnuTar = hasPeer('tar --show-defaults', 'bundles put together by hand with openssl and GNU tar');

const EXTENSIONS = ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=codeSigning']
  .map((extension) => `-addext ${extension}`)
  .join(' ');
/** Self-signed, for a year, as guides tell their readers to. */
const CERTIFICATE = `openssl req -x509 -key my.key -out my.pem -days 365 -subj "/O=Hand/CN=Made by hand" ${EXTENSIONS}`;

describe.skipIf(!here)('openssl', () => {
  let workbench: Workbench;
  beforeAll(async () => {
    workbench = await makeWorkbench();
  });
  afterAll(() => workbench[Symbol.dispose]());

  test.each([
    ['RSA', 'sha256', 'openssl genrsa -out my.key 2048'],
    ['RSA', 'sha512', 'openssl genrsa -out my.key 3072'],
    ['ECDSA', 'sha256', 'openssl ecparam -genkey -name prime256v1 -noout -out my.key'],
    ['ECDSA', 'sha384', 'openssl ecparam -genkey -name secp384r1 -noout -out my.key'],
  ])('accepts our signature: %s with %s', async (_, digest, makeKey) => {
    using desk = workbench.desk('disk');
    await ok(desk, `${makeKey} && ${CERTIFICATE}`);
    await ok(desk, `bulla pack disk.qcow2 -o web.ova --key my.key --cert my.pem --digest ${digest}`);
    await ok(desk, 'bulla import web.ova --to web --trust my.pem');
    const line = /^SHA\d+\(web\.mf\)= ([0-9a-f]+)\n/.exec(
      readFileSync(join(desk.folder, 'web/web.cert'), 'utf8'),
    );
    writeFileSync(join(desk.folder, 'signature'), Buffer.from(line?.[1] ?? '', 'hex'));
    await ok(desk, 'openssl x509 -in web/web.cert -noout -pubkey -out public.pem');
    const verify = `openssl dgst -${digest} -verify public.pem -signature signature`;
    expect((await ok(desk, `${verify} web/web.mf`)).stdout).toBe('Verified OK\n');
    expect((await desk.run(`${verify} web/web.ovf`)).code).toBe(1);
  });

  /** The recipe of many guides; each line of it is typed as they give it. */
  const RECIPE = [
    'openssl genrsa -out my.key 2048',
    CERTIFICATE,
    'openssl sha256 web.ovf web-disk1.qcow2 > web.mf',
    'sed -i "$SPELLING" web.mf',
    'openssl dgst -sha256 -sign my.key -out signature web.mf',
    'printf "SHA256(web.mf)= %s\\n" "$(od -An -v -tx1 signature | tr -d " \\n")" > web.cert',
    'cat my.pem >> web.cert',
  ].join(' && ');
  const SPELLINGS = {
    'SHA256(x)= ': 's/^SHA2-/SHA/',
    'SHA2-256(x)= ': 's/^SHA256/SHA2-256/',
    'SHA256 (x) = ': 's/^SHA2*-*256(\\(.*\\))=/SHA256 (\\1) =/',
  };
  const ORDERS = {
    leading: 'web.ovf web.mf web.cert web-disk1.qcow2',
    trailing: 'web.ovf web-disk1.qcow2 web.mf web.cert',
  };

  describe.skipIf(!gnuTar).each(Object.entries(SPELLINGS))('a manifest of the form %s', (_, spelling) => {
    let signed: Desk;
    beforeAll(async () => {
      signed = workbench.desk('appliance');
      await ok(signed, `SPELLING='${spelling}'; ${RECIPE}`);
    });
    afterAll(() => signed[Symbol.dispose]());

    test.each(
      ['ustar', 'gnu'].flatMap((format) =>
        Object.entries(ORDERS).map((order) => [format, ...order] as const),
      ),
    )('tar --format=%s, signature %s: trusted, and one that was changed is not', async (format, _, names) => {
      using desk = workbench.desk();
      cpSync(signed.folder, desk.folder, { recursive: true });
      await ok(desk, `tar --format=${format} -cf web.ova ${names}`);
      await ok(desk, 'bulla verify web.ova --trust my.pem');
      await ok(desk, `printf x >> web-disk1.qcow2 && tar --format=${format} -cf changed.ova ${names}`);
      expect((await runLine(desk, 'bulla verify changed.ova --trust my.pem')).code).toBe(11);
    });
  });
});

async function ok(desk: Desk, line: string): ReturnType<Desk['run']> {
  const outcome = await runLine(desk, line);
  expect(outcome.code, `${line}\n${outcome.stderr}`).toBe(0);
  return outcome;
}
