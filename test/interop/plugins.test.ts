import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runWithin } from '../factory/command-line.ts';
import { makeWorkbench, type Workbench } from '../factory/workbench.ts';
import { hasPeer } from './peer.ts';

const untested = 'plugins that are some lines of shell around openssl';
const here = hasPeer('openssl version', untested) && hasPeer('xxd -v', untested);

/** A plugin for a key in a file beside it; `R_AND_S` makes of DER what the contract wants. */
const PLUGIN = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
field() { sed -n 's/.*"'"$1"'":"\\([^"]*\\)".*/\\1/p' asked; }
cat > asked
case $1 in
get-plugin-metadata) printf '{"name":"%s","description":"openssl","version":"1.0.0","url":"https://plugin.example","supportedContractVersions":["1.0"],"capabilities":["CAPABILITY"]}' "$(basename "$PWD")" ;;
describe-key) printf '{"keyId":"%s","keySpec":"KEYSPEC"}' "$(field keyId)" ;;
generate-signature)
  field payload | openssl base64 -d -A | openssl dgst -sha256 -sign my.key > signature
  R_AND_S
  printf '{"keyId":"%s","signature":"%s","signingAlgorithm":"ALGORITHM","certificateChain":["%s"]}' "$(field keyId)" \\
    "$(openssl base64 -A -in signature)" "$(openssl x509 -in my.pem -outform DER | openssl base64 -A)" ;;
esac
`;
const R_AND_S = `openssl asn1parse -inform DER -in signature | sed -n 's/.*INTEGER *://p' | while read -r number; do
    printf '%64s' "$number" | tr ' ' 0
  done | xxd -r -p > halves; mv halves signature`;

const KINDS = {
  rsa: {
    key: 'openssl genrsa -out my.key 2048',
    fill: {
      CAPABILITY: 'SIGNATURE_GENERATOR.RAW.RSA-PKCS1',
      KEYSPEC: 'RSA-2048',
      ALGORITHM: 'RSASSA-PKCS1-v1_5-SHA-256',
      R_AND_S: ':',
    },
  },
  ec: {
    key: 'openssl ecparam -genkey -name prime256v1 -noout -out my.key',
    fill: { CAPABILITY: 'SIGNATURE_GENERATOR.RAW', KEYSPEC: 'EC-256', ALGORITHM: 'ECDSA-SHA-256', R_AND_S },
  },
} as const;

describe.skipIf(!here)('a plugin of some lines of shell', () => {
  let workbench: Workbench;
  beforeAll(async () => {
    workbench = await makeWorkbench();
  });
  afterAll(() => workbench[Symbol.dispose]());

  test.each(Object.keys(KINDS) as (keyof typeof KINDS)[])(
    '[key.9] signs what openssl verifies: %s',
    async (name) => {
      using desk = workbench.desk('disk');
      const { key, fill } = KINDS[name];
      const folder = join(desk.folder, 'home/plugins', name);
      const certificate =
        'openssl req -x509 -key my.key -out my.pem -days 365 -subj /CN=Plugin -addext keyUsage=critical,digitalSignature';
      const made = await desk.run(
        `mkdir -p -m 755 home home/plugins '${folder}' && cd '${folder}' && ${key} && ${certificate} && cp my.pem ../../..`,
      );
      expect(made).toMatchObject({ code: 0 });
      const program = Object.entries(fill).reduce(
        (text, [word, value]) => text.replace(word, () => value),
        PLUGIN,
      );
      writeFileSync(join(folder, `bulla-${name}`), program);
      chmodSync(join(folder, `bulla-${name}`), 0o755);
      const here = { folder: desk.folder, env: { ...desk.env, BULLA_HOME: join(desk.folder, 'home') } };

      const packed = await runWithin(here, `bulla pack disk.qcow2 -o web.ova --key plugin:${name}/release`);
      expect(packed).toMatchObject({ code: 0 });
      expect(await runWithin(here, 'bulla import web.ova --to web --trust my.pem')).toMatchObject({
        code: 0,
      });
      const line = /^SHA256\(web\.mf\)= ([0-9a-f]+)\n/.exec(
        readFileSync(join(desk.folder, 'web/web.cert'), 'utf8'),
      );
      writeFileSync(join(desk.folder, 'signature'), Buffer.from(line?.[1] ?? '', 'hex'));
      const verified = await desk.run(
        'openssl x509 -in my.pem -noout -pubkey -out public.pem && openssl dgst -sha256 -verify public.pem -signature signature web/web.mf',
      );
      expect(verified.stdout).toBe('Verified OK\n');

      const other = await runWithin(
        here,
        `bulla pack disk.qcow2 -o other.ova --key plugin:${name}/release --digest sha384`,
      );
      expect([other.code, other.stderr.includes(name)]).toEqual([name === 'ec' ? 2 : 3, true]);
    },
  );
});
