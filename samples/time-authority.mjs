import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const DAYS = '23376'; // 64 years: beyond the end of the signer's certificate
const AUTHORITY =
  'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n';
const SIGNER =
  'keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n';
const SETTINGS = `[tsa]
default_tsa = sample
[sample]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4
other_policies = 1.2.3.4
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`;

/**
 * Has a request answered by a timestamp authority made for it, with OpenSSL: writes its CA certificate and the reply.
 * Its keys are dropped: it stamps nothing else, ever.
 */
export async function answerOnce(request, { caFile, replyFile }) {
  const desk = mkdtempSync(join(tmpdir(), 'bulla-samples-'));
  const openssl = (...args) =>
    execFileSync('openssl', args, { cwd: desk, stdio: ['ignore', 'ignore', 'pipe'] });
  const certify = (name, subject, extensions, ...by) => {
    writeFileSync(join(desk, `${name}.ext`), extensions);
    openssl(
      'req',
      '-new',
      '-newkey',
      'rsa:3072',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
    );
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...by,
      '-days',
      DAYS,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
  };
  try {
    certify('ca', '/CN=bulla SAMPLE time CA - do not trust', AUTHORITY, '-signkey', 'ca.key');
    const underCa = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    certify('tsa', '/CN=SAMPLE time - do not trust', SIGNER, ...underCa);
    await setTimeout(3000); // the time is exact to a second, and all of that must be the certificate's
    copyFileSync(request, join(desk, 'request.tsq'));
    writeFileSync(join(desk, 'tsa.cnf'), SETTINGS);
    writeFileSync(join(desk, 'serial'), '01\n');
    openssl(
      'ts',
      '-reply',
      '-config',
      'tsa.cnf',
      '-section',
      'sample',
      '-queryfile',
      'request.tsq',
      '-signer',
      'tsa.pem',
      '-inkey',
      'tsa.key',
      '-out',
      'reply.tsr',
    );
    copyFileSync(join(desk, 'ca.pem'), caFile);
    copyFileSync(join(desk, 'reply.tsr'), replyFile);
  } finally {
    rmSync(desk, { recursive: true, force: true });
  }
}
