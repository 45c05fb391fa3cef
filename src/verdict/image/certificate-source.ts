import type { Certificate } from '../../crypto/certificate.ts';
import type { Told } from '../../kit/errors/advice.ts';
import type { BundleError } from '../../kit/errors/errors.ts';
import type { CursiveFault } from '../../trust/glance/cursive.ts';

/** The certificate that is kept under a UUID, or why there is none; `cursive` is what Glance makes of it when it refuses. */
export type CertificateAnswer =
  | {
      readonly kind: 'found';
      readonly certificate: Certificate;
      /** what else is in the same place; Glance reads the first certificate alone */
      readonly others: readonly Certificate[];
      /** a file or an address */
      readonly source: string;
      readonly warnings: readonly Told[];
      readonly cursive?: CursiveFault;
    }
  | { readonly kind: 'absent'; readonly error: BundleError; readonly cursive: CursiveFault };

/** Where certificates are kept by UUID. */
export interface CertificateSource {
  /** @throws {BundleError} when it could not be asked: `FILE_*`, `REMOTE_*` */
  readonly find: (uuid: string) => Promise<CertificateAnswer>;
}
