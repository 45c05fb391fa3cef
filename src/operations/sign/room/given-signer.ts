import type { Certificate } from '../../../crypto/certificate.ts';
import type { NamedBytes } from '../../../kit/given-bytes.ts';
import type { SourceOptions } from '../../../kit/source.ts';
import { readNamed } from '../../../storage/trust/small-files.ts';
import { certificatesIn } from '../../../trust/given-certificates.ts';
import { leafAmong } from '../../trust/read-path-files.ts';

/** The certificate of a signer in what is given: of several that which has issued none of the others. @throws {BundleError} `CONFIG_INVALID`, `FILE_*` */
export async function givenSigner(
  given: string | NamedBytes,
  waiting: SourceOptions,
): Promise<Certificate | undefined> {
  return leafAmong(certificatesIn(typeof given === 'string' ? await readNamed(given, waiting) : given));
}
