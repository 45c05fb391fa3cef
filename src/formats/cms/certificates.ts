import { BundleError, isBundleError } from '../../kit/errors.ts';
import { openDer, readInteger, readOid, readOnly, TAG } from '../der/cursor.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const INDEFINITE = 0x80;

/**
 * The certificates inside a CMS SignedData, each as its DER, in their order; attribute certificates are left out.
 *
 * It judges nothing: not the signature, not the certificates, not how many there are.
 * @throws `CERTIFICATE_FILE_SYNTAX` when the bytes are no SignedData in DER [cms.1] [cms.2]
 */
export function certificatesInCms(der: Uint8Array): readonly Uint8Array[] {
  const what = 'the CMS structure';
  try {
    const contentInfo = openDer(readOnly(der, TAG.sequence, what).value, what);
    if (readOid(contentInfo.next(), what) !== SIGNED_DATA)
      throw refused('the CMS structure is not a SignedData');
    const content = contentInfo.next(0xa0);
    contentInfo.end();
    const signedData = openDer(readOnly(content.value, TAG.sequence, what).value, what);
    readInteger(signedData.next(), what);
    signedData.next(TAG.set); // digest algorithms
    signedData.next(TAG.sequence); // the content, or only its type
    const certificates = signedData.optional(0xa0);
    signedData.optional(0xa1); // revocation lists
    signedData.next(TAG.set); // signers
    signedData.end();

    const found: Uint8Array[] = [];
    const cursor = openDer(certificates?.value ?? new Uint8Array(), what);
    while (!cursor.done()) {
      const choice = cursor.next();
      if (choice.tag === TAG.sequence) found.push(choice.raw);
    }
    return found;
  } catch (cause) {
    if (!isBundleError(cause) || cause.code !== 'CERTIFICATE_MALFORMED') throw cause;
    if (der[0] === TAG.sequence && der[1] === INDEFINITE) {
      throw refused('the CMS structure has indefinite lengths (BER); only DER is read', cause);
    }
    throw refused(cause.message, cause);
  }
}

function refused(problem: string, cause?: unknown): BundleError {
  return new BundleError('CERTIFICATE_FILE_SYNTAX', problem, { cause });
}
