import { formatHex } from '../../kit/encoding.ts';
import type { NamedBytes } from '../../kit/given-bytes.ts';
import { isShownWhole, shellPath } from '../../kit/shell.ts';
import { TAG } from '../der/cursor.ts';
import type { CredentialKind } from './credential-kind.ts';

/** What was to be in a file that holds something else. */
export type Wanted = 'certificate' | 'private key' | 'revocation list' | 'OCSP response';

/** What a file is, in a sentence, and how what was wanted is had from it, when there is a way. */
export interface Named {
  readonly message: string;
  readonly fix?: string;
}

const NAMES: Readonly<Record<CredentialKind, string>> = {
  certificate: 'a certificate',
  'trusted certificate': 'a certificate with trust settings of OpenSSL',
  pkcs7: 'a PKCS#7 file (.p7b)',
  pkcs12: 'a PKCS#12 file (.pfx or .p12)',
  pkcs8: 'a private key',
  'encrypted pkcs8': 'an encrypted private key',
  pkcs1: 'a private key',
  sec1: 'a private key',
  'openssh key': 'a private key in the form of OpenSSH',
  pvk: 'a private key in the form of Microsoft (.pvk)',
  'public key': 'a public key',
  request: 'a request for a certificate (.csr)',
  crl: 'a revocation list',
  ocsp: 'an OCSP response',
  'java keystore': 'a Java keystore',
  pgp: 'an OpenPGP file',
};

/** What holds what is wanted, in a form that is not read. */
const FORMS_OF: Readonly<Record<Wanted, readonly CredentialKind[]>> = {
  certificate: ['pkcs12', 'java keystore', 'trusted certificate'],
  'private key': ['pkcs12', 'java keystore', 'openssh key', 'pvk'],
  'revocation list': ['pkcs7'],
  'OCSP response': [],
};

/**
 * Names a file of another kind than the one that is wanted, and gives the command that converts it, with its name as a shell takes it.
 * Each of the commands has been run.
 */
export function nameKind(kind: CredentialKind, wanted: Wanted, { name, bytes }: NamedBytes): Named {
  const rest = FORMS_OF[wanted].includes(kind) ? 'which is not read here' : `and no ${wanted}`;
  const message = `this is ${NAMES[kind]}, ${rest}`;
  const fix = conversionOf(kind, wanted, isShownWhole(name) ? shellPath(name) : 'FILE', bytes);
  return { message, ...(fix !== undefined && { fix }) };
}

function conversionOf(
  kind: CredentialKind,
  wanted: Wanted,
  file: string,
  bytes: Uint8Array,
): string | undefined {
  if (wanted === 'OCSP response') return undefined;
  if (kind === 'pkcs7' && wanted !== 'private key') {
    const inform = bytes[0] === TAG.sequence ? ' -inform DER' : '';
    return `make PEM of it: openssl pkcs7${inform} -in ${file} -print_certs -out all.pem`;
  }
  if (wanted === 'revocation list') return undefined;
  const isKey = wanted === 'private key';
  if (isKey && kind === 'openssh key')
    return `convert a copy: cp ${file} key.pem; ssh-keygen -p -m PKCS8 -f key.pem`;
  if (isKey && kind === 'pvk') return `make PEM of it: openssl rsa -inform PVK -in ${file} -out key.pem`;
  switch (kind) {
    case 'pkcs12':
      return opened(`openssl pkcs12 -in ${file} -nodes -out all.pem${legacy(bytes)}`, isKey);
    case 'java keystore':
      return opened(
        `keytool -importkeystore -srckeystore ${file} -destkeystore all.p12 -deststoretype PKCS12; openssl pkcs12 -in all.p12 -nodes -out all.pem`,
        isKey,
      );
    case 'trusted certificate':
      return isKey ? undefined : `leave the settings out: openssl x509 -in ${file} -out certificate.pem`;
    case 'pkcs8':
    case 'encrypted pkcs8':
    case 'pkcs1':
    case 'sec1':
    case 'openssh key':
    case 'pvk':
      return isKey
        ? undefined
        : 'give the certificate that was issued for this key, in a file of its own that often lies beside it (.pem, .crt, .cer); the key is for signing';
    case 'request':
      return isKey ? undefined : 'give the certificate that the authority has issued for it';
    default:
      return undefined;
  }
}

function opened(command: string, isKey: boolean): string {
  return isKey
    ? `make PEM of it, which is the key and its certificates in one: ${command}`
    : `make PEM of it: ${command} (with -nokeys in the place of -nodes no private key is written)`;
}

/** Ciphers of old PKCS#12 files, which OpenSSL 3 reads when it is told to: RC4, RC2 and DES (RFC 7292 appendix C, RFC 8018 appendix A.3, B.2). */
const OLD_CIPHERS = /2a864886f70d010(c010[1256]|50[1346ab])|2a864886f70d0302|2b0e030207/;

function legacy(bytes: Uint8Array): string {
  return OLD_CIPHERS.test(formatHex(bytes)) ? ' -legacy' : '';
}
