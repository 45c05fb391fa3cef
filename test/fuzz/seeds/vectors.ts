import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MOST_BYTES = 64 * 1024;

/** Files of a folder of vectors outside of this project that end so, the small ones; none when it is not there. */
export function vectorFiles(folder: string, ending: RegExp): readonly Uint8Array[] {
  const { BULLA_VECTORS: vectors = '' } = process.env;
  const path = join(vectors, folder);
  if (vectors === '' || !existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .sort()
    .map((name) => Uint8Array.from(readFileSync(join(path, name))))
    .filter(({ byteLength }) => byteLength > 0 && byteLength <= MOST_BYTES);
}

/** The DER of the PEM blocks in the bytes, or the bytes themselves when there is none. */
export function unarmoured(bytes: Uint8Array): readonly Uint8Array[] {
  const text = Buffer.from(bytes).toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN (?:CERTIFICATE|CMS|PKCS7|X509 CRL)-----([^-]*)-----END/g)];
  return blocks.length > 0
    ? blocks.map(([, base64 = '']) => Uint8Array.from(Buffer.from(base64, 'base64')))
    : [bytes];
}

/** Every certificate of the path suites: those of x509-limbo, and of PKITS. */
export function suiteCertificates(): readonly Uint8Array[] {
  const { BULLA_VECTORS: vectors = '' } = process.env;
  const limbo = join(vectors, 'crypto/limbo/limbo.json');
  const text = vectors !== '' && existsSync(limbo) ? readFileSync(limbo, 'utf8').replaceAll('\\n', '\n') : '';
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END/g)].map(([, base64 = '']) =>
    Uint8Array.from(Buffer.from(base64, 'base64')),
  );
  return [...blocks, ...vectorFiles('crypto/pkits/certs', /\.crt$/)].filter(
    ({ byteLength }) => byteLength <= MOST_BYTES,
  );
}
