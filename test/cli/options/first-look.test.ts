import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runWithin } from '../../factory/command-line.ts';
import { makeWorkbench, type Workbench } from '../../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

const KEY = '--key locked.key --cert signer.pem';
const UUID = '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d';

test.each([
  [`bulla repack web.ova -o new.ova ${KEY}`, 'PASSPHRASE_NEEDED'],
  [`bulla repack web.ova -o there.ova --force ${KEY}`, 'PASSPHRASE_NEEDED'],
  [`bulla import web.ova --to new --glance-properties ${UUID} --glance-key locked.key`, 'PASSPHRASE_NEEDED'],

  [`bulla repack web.ova -o new.ova --set foo=1 ${KEY}`, 'USAGE'],
  [`bulla repack web.ova -o new.ova --digest sha1 ${KEY}`, 'USAGE'],
  [`bulla repack web.ova -o new.ova --revocation off --crl signer.pem ${KEY}`, 'USAGE'],
  [`bulla repack web.ova -o new.ova --descriptor none.ovf ${KEY}`, 'FILE_NOT_FOUND'],
  [`bulla repack web.ova -o new.ova --trust none.pem ${KEY}`, 'FILE_NOT_FOUND'],
  [`bulla repack none.ova -o new.ova ${KEY}`, 'FILE_NOT_FOUND'],
  [`bulla repack web.ova -o there.ova ${KEY}`, 'DESTINATION_EXISTS'],
  [`bulla repack web.ova -o none/new.ova ${KEY}`, 'STORAGE_FAILED'],
  [`bulla sign none.ova -o new.ova ${KEY}`, 'FILE_NOT_FOUND'],
  [`bulla sign none.ovf ${KEY}`, 'FILE_NOT_FOUND'],
  [`bulla sign web.ova -o there.ova ${KEY}`, 'DESTINATION_EXISTS'],
  [`bulla sign web.ova --detached ${KEY}`, 'DESTINATION_EXISTS'],
  [`bulla pack disk.qcow2 none.raw -o new.ova ${KEY}`, 'FILE_NOT_FOUND'],
  [`bulla pack disk.qcow2 -o there.ova ${KEY}`, 'DESTINATION_EXISTS'],
  [`bulla glance sign none.raw --key locked.key --cert-uuid ${UUID}`, 'FILE_NOT_FOUND'],
  [`bulla glance sign web.ova -o there.ova --key locked.key --cert-uuid ${UUID}`, 'DESTINATION_EXISTS'],
  [
    `bulla import web.ova --to there --glance-properties ${UUID} --glance-key locked.key`,
    'DESTINATION_EXISTS',
  ],
  [
    `bulla import web.ova --to new --owner nobody-of-that-name --glance-properties ${UUID} --glance-key locked.key`,
    'USAGE',
  ],
])('[cli.34] what is seen to be wrong is told before a passphrase is asked for: %s', async (line, code) => {
  using desk = workbench.desk('bundle', 'disk', 'keys');
  for (const name of ['there.ova', 'web.ova.p7s']) writeFileSync(join(desk.folder, name), '');
  mkdirSync(join(desk.folder, 'there'));
  writeFileSync(join(desk.folder, 'there/file'), '');
  const { stderr } = await runWithin(desk, line);
  expect(/\[(\w+), exit/.exec(stderr)?.[1], stderr).toBe(code);
});
