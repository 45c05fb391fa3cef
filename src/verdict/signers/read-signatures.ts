import { type Certificate, parseCertificate } from '../../crypto/certificate.ts';
import { type CmsSigner, openCms } from '../../crypto/cms.ts';
import { isSignatureValid } from '../../crypto/signature.ts';
import { CONTENT, parseSignedData, type SignedData } from '../../formats/cms/signed-data.ts';
import type { CertificateFile } from '../../formats/ovf/certificate-file.ts';
import { parseTimestampToken } from '../../formats/tsp/token.ts';
import { mlDsaOfKey } from '../../formats/x509/ml-dsa.ts';
import { BundleError, isBundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { TimestampClaim } from '../../trust/judge-claim.ts';
import type { FoundSignature } from './found-signature.ts';

/** The signature line of a certificate file over the raw manifest. [sig.1] [sig.3] [sig.4] */
export function readSignatureLine(
  file: CertificateFile,
  manifest: { readonly name: string; readonly bytes: Uint8Array },
): FoundSignature {
  const warnings = [...file.notes];
  const certificates = usableCertificates(file.certificates, warnings);
  const [first] = certificates;
  if (!first) throw new BundleError('CERTIFICATE_FILE_SYNTAX', 'the certificate file holds no certificate');
  // [sig.3] The standard has the signer first; tools that sort otherwise are recognised by the key that fits.
  const fits = (candidate: Certificate): boolean =>
    isSignatureValid(file.algorithm, manifest.bytes, candidate.publicKey, file.signature);
  const leaf = certificates.find(fits);
  const signer = leaf ?? first;
  const message = `the signature does not fit "${manifest.name}" and the key of "${signer.fields.subject.text}"`;
  return {
    format: 'ovf-cert',
    algorithm: `${signer.key.label} ${file.algorithm}`,
    digest: file.algorithm,
    signer,
    intermediates: certificates.filter((other) => other !== signer),
    timestamps: [],
    ...(leaf === undefined && {
      fault: mlDsaOfKey(signer.key) ? outOfPlace(signer) : new BundleError('SIGNATURE_INVALID', message),
    }),
    warnings,
  };
}

/** [pq.5] What is found in a certificate file; a signature that fits and has no place there is none. */
export function inCertificateFile(found: FoundSignature): FoundSignature {
  const { signer, fault } = found;
  if (fault || !signer || !mlDsaOfKey(signer.key)) return found;
  return { ...found, fault: outOfPlace(signer) };
}

function outOfPlace({ key }: Certificate): BundleError {
  return new BundleError('ALGORITHM_UNSUPPORTED', `${key.label} has no place in a certificate file`, {
    why: 'the tools that read such files know RSA, and some of them stop at the first signature that they do not know',
    fix: 'ask the publisher for a certificate file signed with RSA, and for the other signature beside it',
    own: 'sign the certificate file with RSA; other signatures stand beside it',
  });
}

/** A certificate whose key we cannot use may stand beside the signer's; when no usable one is left, it is the fault. */
function usableCertificates(ders: readonly Uint8Array[], warnings: string[]): readonly Certificate[] {
  const faults: BundleError[] = [];
  const usable = ders.flatMap((der) => {
    try {
      return [parseCertificate(der)];
    } catch (error) {
      const fault = toBundleError(error);
      if (fault.code !== 'ALGORITHM_UNSUPPORTED') throw fault;
      faults.push(fault);
      return [];
    }
  });
  const [fault] = faults;
  if (usable.length === 0 && fault) throw fault;
  warnings.push(...faults.map(({ message }) => message));
  return usable;
}

/** A CMS signature whose content is still to come. */
export interface CmsReading {
  update(chunk: Uint8Array): void;
  /** one for each signer, when all of the content has gone by */
  finish(): readonly FoundSignature[];
  readonly data: SignedData;
}

/**
 * Reads a detached CMS signature. Besides the certificates inside, `beside` lie with it and may lead to an anchor, and
 * `trusted` may have made it: a signature may come without any certificate. With `alone` it may hold nothing that
 * nobody has signed, but for certificates, evidence and timestamps.
 * @throws {BundleError} `CMS_SYNTAX`, `CERTIFICATE_MALFORMED` [file.1] [file.3]
 */
export function readCms(
  der: Uint8Array,
  beside: readonly Certificate[],
  trusted: readonly Certificate[] = [],
  { alone = false }: { readonly alone?: boolean } = {},
): CmsReading {
  const data = parseSignedData(der, 'the CMS signature');
  expectDetached(data);
  if (alone) expectSigned(data, 'the CMS signature');
  const warnings: string[] = [];
  const inside = data.certificates.length > 0 ? usableCertificates(data.certificates, warnings) : [];
  const all = [...inside, ...beside];
  const cms = openCms(data, [...all, ...trusted]);
  return {
    data,
    update: (chunk) => cms.update(chunk),
    finish: () => cms.finish().map((signer) => foundSignature(signer, all, warnings)),
  };
}

/** [cms.11] It holds nothing that nobody has signed and nobody reads. @throws {BundleError} `CMS_SYNTAX` */
export function expectSigned({ unread: [unread] }: SignedData, what: string): void {
  if (unread === undefined) return;
  throw new BundleError('CMS_SYNTAX', `${what} holds ${unread}, which nobody has signed`, {
    why: 'what no signature covers and nobody reads could be anything',
  });
}

/** [sig.5] [file.3] A signature of something else that has these bytes, such as a timestamp, is none of a file. */
function expectDetached({ content, contentType }: SignedData): void {
  if (content) throw new BundleError('CMS_SYNTAX', 'the CMS signature carries content of its own');
  if (contentType === CONTENT.data) return;
  throw new BundleError(
    'CMS_SYNTAX',
    `the CMS signature is for content of the type ${contentType}, not for plain data`,
  );
}

/** A signer of a CMS signature as it is judged. */
export function foundSignature(
  cms: CmsSigner,
  all: readonly Certificate[],
  warnings: readonly string[],
): FoundSignature {
  const { certificate: signer, digest, fault, info } = cms;
  const notes: string[] = [...cms.notes, ...warnings];
  const timestamps = info.timestampTokens.flatMap((token): TimestampClaim[] => {
    try {
      return [{ token: parseTimestampToken(token), over: info.signature }];
    } catch (error) {
      if (!isBundleError(error)) throw error;
      notes.push(`a timestamp in the CMS signature is not used: ${error.message}`); // nobody has signed that it is there
      return [];
    }
  });
  return {
    format: 'cms',
    algorithm: `${signer?.key.label ?? 'unknown key'} ${digest ?? info.digest.oid}`,
    digest,
    ...(signer !== undefined && { signer }),
    intermediates: all.filter((other) => other !== signer),
    timestamps,
    ...(fault !== undefined && { fault }),
    warnings: notes,
  };
}
