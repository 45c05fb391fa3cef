import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { SHA256_WITH_RSA } from '../dist/engine/node/key-pair.js';
import { formatCertificate } from '../dist/formats/x509/certificate-template.js';
import { certificateTemplate } from '../dist/operations/trust/issue-certificate.js';

const CA_NAME = [{ type: 'CN', value: 'bulla SAMPLE CA — do not trust' }];
const SIGNER_NAME = [
  { type: 'CN', value: 'SAMPLE signer — do not trust' },
  { type: 'O', value: 'Example' },
];
// Samples must verify for as long as somebody may try them.
const LIFETIME = {
  notBefore: new Date('2026-11-01T00:00:00Z'),
  notAfter: new Date('2056-11-01T00:00:00Z'),
};
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

/** Writes a CA, a signer under it and the signer's key. The key of the CA is dropped: it signs nothing else, ever. */
export async function writeSampleCertificates(folder) {
  const ca = generateKeyPairSync('rsa', { modulusLength: 3072 });
  const signer = generateKeyPairSync('rsa', { modulusLength: 3072 });
  const caPem = await issue(CA_NAME, ca.publicKey, ca, {
    basicConstraints: { ca: true, pathLen: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'],
  });
  const signerPem = await issue(SIGNER_NAME, signer.publicKey, ca, {
    basicConstraints: { ca: false },
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [CODE_SIGNING],
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/ca.pem`, caPem);
  writeFileSync(`${folder}/signer.pem`, signerPem);
  writeFileSync(`${folder}/signer.key`, signer.privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

async function issue(name, publicKey, ca, extensions) {
  const template = await certificateTemplate({
    issuer: { name: CA_NAME, spki: spkiOf(ca.publicKey) },
    subject: { name, spki: spkiOf(publicKey) },
    ...LIFETIME,
    signature: SHA256_WITH_RSA,
    extensions,
  });
  const der = await formatCertificate(template, (tbs) => sign('sha256', tbs, ca.privateKey));
  return new X509Certificate(der).toString();
}

function spkiOf(publicKey) {
  return Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' }));
}
