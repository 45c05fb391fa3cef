// The samples of image signatures for OpenStack: properties of the appliance's disk, right and wrong in known ways.
import { constants, sign } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const UUID = '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d';
const SIGNATURES = ['glance/good.json', 'glance/short-salt.json'];

/** Writes them into `folder`; the two signatures are kept where they are in `here`, since RSA-PSS has something random. */
export function writeGlanceSamples(here, folder, disk) {
  const image = readFileSync(join(here, disk));
  const key = readFileSync(join(here, 'ca/signer.key'), 'latin1');
  for (const [name, saltLength] of [
    [SIGNATURES[0], constants.RSA_PSS_SALTLEN_MAX_SIGN],
    [SIGNATURES[1], constants.RSA_PSS_SALTLEN_DIGEST],
  ]) {
    if (existsSync(join(here, name))) continue;
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    write(here, name, properties(sign('sha256', image, { key, padding, saltLength }).toString('base64')));
  }
  mkdirSync(join(folder, 'glance/certificates'), { recursive: true });
  if (folder !== here) for (const name of SIGNATURES) cpSync(join(here, name), join(folder, name));
  cpSync(join(here, 'ca/signer.pem'), join(folder, `glance/certificates/${UUID}.pem`));
  const good = JSON.parse(readFileSync(join(here, SIGNATURES[0]), 'utf8'));
  const { img_signature_hash_method: _, ...three } = good;
  write(folder, 'glance/python-bytes.json', { ...good, img_signature: `b'${good.img_signature}'` });
  write(folder, 'glance/documentation-name.json', { ...good, img_signature_key_type: 'SECT571K1' });
  write(folder, 'glance/three-of-four.json', three);
  write(folder, 'glance/unknown-certificate.json', {
    ...good,
    img_signature_certificate_uuid: '11111111-2222-3333-4444-555555555555',
  });
}

function properties(signature) {
  return {
    img_signature: signature,
    img_signature_certificate_uuid: UUID,
    img_signature_hash_method: 'SHA-256',
    img_signature_key_type: 'RSA-PSS',
  };
}

function write(folder, name, content) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), `${JSON.stringify(content, undefined, 2)}\n`);
}
