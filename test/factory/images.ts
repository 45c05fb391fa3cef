import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { ImageProperties, SignatureProperties } from '../../src/formats/glance/properties.ts';
import type { CertificateSource } from '../../src/verdict/image/certificate-source.ts';
import { makeCertificate, type TestCertificate, type TestCertificateOptions } from './certificates.ts';
import { freshRsaKey } from './keys.ts';

/** The UUID under which test certificates are kept. */
export const UUID = '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d';

/** Bytes that stand for an image. */
export const IMAGE = Buffer.from('This is a dodgy image\n');

/** Signatures in the ways of other tools: longest salt and DER unless told otherwise. */
export function signLike(
  key: KeyObject,
  data: Uint8Array,
  options: {
    readonly hash?: string;
    readonly salt?: number;
    readonly padding?: number;
    readonly raw?: boolean;
  } = {},
): Buffer {
  const {
    hash = 'sha256',
    salt = constants.RSA_PSS_SALTLEN_MAX_SIGN,
    padding = constants.RSA_PKCS1_PSS_PADDING,
  } = options;
  if (!key.asymmetricKeyType?.startsWith('rsa')) {
    return sign(hash, data, { key, dsaEncoding: options.raw ? 'ieee-p1363' : 'der' });
  }
  return sign(
    hash,
    data,
    padding === constants.RSA_PKCS1_PADDING ? { key, padding } : { key, padding, saltLength: salt },
  );
}

/** The four properties around a signature. */
export function propertiesFor(
  signature: Uint8Array | string,
  difference: Partial<SignatureProperties> = {},
): ImageProperties & { readonly image: SignatureProperties } {
  const text = typeof signature === 'string' ? signature : Buffer.from(signature).toString('base64');
  const image = {
    signature: text,
    hashMethod: 'SHA-256',
    keyType: 'RSA-PSS',
    certificateUuid: UUID,
    ...difference,
  };
  return { image, legacy: {} };
}

/** A place where one certificate is kept. */
export function keeping(
  { certificate }: TestCertificate,
  warnings: readonly string[] = [],
): CertificateSource {
  return {
    find: async (uuid) => {
      if (uuid !== UUID) throw new Error(`nobody keeps ${uuid}`);
      return { kind: 'found', certificate, others: [], source: 'test', warnings };
    },
  };
}

const rsaKeys = new Map<number, KeyObject>();

/** A certificate with an RSA key that is made once for each size. */
export function rsaCertificate(bits = 2048, options: TestCertificateOptions = {}): Promise<TestCertificate> {
  const key = rsaKeys.get(bits) ?? freshRsaKey(bits);
  rsaKeys.set(bits, key);
  return makeCertificate({ subject: 'CN=Image Signer,O=Test', key, ...options });
}

/** A certificate with a key on any curve that OpenSSL has. */
export function curveCertificate(namedCurve: string): Promise<TestCertificate> {
  return makeCertificate({ key: generateKeyPairSync('ec', { namedCurve }).privateKey });
}

/** Lower-case hex MD5. */
export function md5(data: Uint8Array): string {
  return createHash('md5').update(data).digest('hex');
}
