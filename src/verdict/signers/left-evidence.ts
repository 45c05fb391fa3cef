import { digestBytes } from '../../crypto/digest.ts';
import { parseSignedData } from '../../formats/cms/signed-data.ts';
import { parseCertificateFile } from '../../formats/ovf/certificate-file.ts';
import { parseTimestampToken } from '../../formats/tsp/token.ts';
import { parseX509, type X509Fields } from '../../formats/x509/certificate.ts';
import { nameKey } from '../../formats/x509/name.ts';
import { equalBytes } from '../../kit/bytes.ts';
import { isBundleError } from '../../kit/errors/errors.ts';
import type { RevocationEvidence } from '../../trust/revocation/evidence.ts';

/** The signature that a bundle had: its certificate file, and the timestamp beside it. */
interface OldSignature {
  readonly certificate: Uint8Array | undefined;
  readonly timestamp: Uint8Array | undefined;
}

/**
 * Whether evidence says that it is of an issuer in the signature: of a certificate there, or of the issuer of one. Whether it
 * is genuine cannot be told by who knows nobody to trust. [pack.6]
 */
export function isAboutSignature({ crls, ocsps }: RevocationEvidence, old: OldSignature): boolean {
  const names = namesIn(old);
  const keys = new Set(names.map(nameKey));
  return (
    crls.every(({ issuer }) => keys.has(nameKey(issuer))) &&
    ocsps.every(({ responses }) =>
      responses.every(({ id: { digest, issuerNameHash } }) =>
        names.some(({ raw }) => digest !== undefined && equalBytes(digestBytes(digest, raw), issuerNameHash)),
      ),
    )
  );
}

/** The names of all certificates in the signature, and of their issuers. */
function namesIn({ certificate, timestamp }: OldSignature): readonly X509Fields['issuer'][] {
  const file = certificate && ifReadable(() => parseCertificateFile(certificate));
  const cms = file?.cms;
  const data = cms && ifReadable(() => parseSignedData(cms, 'the CMS signature'));
  const tokens = [
    timestamp ?? [],
    data?.signers.flatMap(({ timestampTokens }) => timestampTokens) ?? [],
  ].flat();
  const ders = [
    ...(file?.certificates ?? []),
    ...(data?.certificates ?? []),
    ...tokens.flatMap((der) => ifReadable(() => parseTimestampToken(der))?.signedData.certificates ?? []),
  ];
  return ders
    .flatMap((der) => ifReadable(() => parseX509(der)) ?? [])
    .flatMap(({ issuer, subject }) => [issuer, subject]);
}

/** What cannot be read names nobody. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isBundleError(error)) return undefined;
    throw error;
  }
}
