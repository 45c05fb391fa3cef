import { type Certificate, parseCertificate } from '../crypto/certificate.ts';
import { isSignatureValid } from '../crypto/signature.ts';
import { certificatesInCms } from '../formats/cms/certificates.ts';
import { type CertificateFile, parseCertificateFile } from '../formats/ovf/certificate-file.ts';
import { printable } from '../kit/encoding.ts';
import { BundleError, toBundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';
import { judgeSigner, type SignerJudgement, type TrustStore } from '../trust/judge-signer.ts';
import type { Allowances } from '../trust/policy.ts';
import type { Publisher } from '../trust/publisher.ts';
import type { CertificateReport, Check, SignatureReport } from './report.ts';

/** The manifest and what is said to be its signature, as raw bytes. */
export interface SignedManifest {
  readonly manifest: { readonly name: string; readonly bytes: Uint8Array };
  readonly certificate?: { readonly name: string; readonly bytes: Uint8Array };
}

/** How a signature is judged. */
export interface SignaturePolicy {
  readonly trust: TrustStore;
  readonly allowances: Allowances;
  readonly at: Date;
  readonly limits: Limits;
}

/** What is to be said about a signature. `accepted`: the manifest may be believed, by trust or by allowance. */
export interface SignatureJudgement {
  readonly accepted: boolean;
  readonly signed: boolean;
  readonly signature?: SignatureReport;
  readonly publishers: readonly Publisher[];
  readonly checks: readonly Check[];
  readonly errors: readonly BundleError[];
  readonly warnings: readonly string[];
}

/**
 * Judges who signed the raw bytes of a manifest, before anything in it is believed.
 *
 * It decides about the signature line, the certificate and its path; what the manifest says is `judgeContents`.
 *
 * @see spec/ovf.md, clauses sig.1 to sig.6
 */
export function judgeSignature(signed: SignedManifest, policy: SignaturePolicy): SignatureJudgement {
  const { manifest, certificate } = signed;
  if (!certificate) return unsigned(manifest.name, policy.allowances);
  const where = { member: certificate.name };
  try {
    const file = parseCertificateFile(certificate.bytes, policy.limits);
    if (file.manifestName !== manifest.name) {
      // [sig.2] A signature for another manifest must not be taken for one of this.
      const message = `the signature is for "${printable(file.manifestName)}", not for "${manifest.name}"`;
      throw new BundleError('CERTIFICATE_FILE_SYNTAX', message, { where: { line: file.line } });
    }
    return judgeFile(file, manifest, where.member, policy);
  } catch (error) {
    const fault = toBundleError(error).at(where);
    return {
      accepted: false,
      signed: true,
      publishers: [],
      checks: [{ id: 'signature', status: 'fail', detail: fault.message }],
      errors: [fault],
      warnings: [],
    };
  }
}

function unsigned(manifestName: string, allowances: Allowances): SignatureJudgement {
  const fault = new BundleError('SIGNATURE_MISSING', `the bundle has no signature of "${manifestName}"`, {
    where: { member: manifestName },
  });
  const rest = { signed: false, publishers: [] };
  const check = { id: 'signature', detail: fault.message } as const;
  if (!allowances.unsigned) {
    return {
      ...rest,
      accepted: false,
      checks: [{ ...check, status: 'fail' }],
      errors: [fault],
      warnings: [],
    };
  }
  const warning = 'unsigned bundle accepted (--allow-unsigned): nothing shows who made it';
  return { ...rest, accepted: true, checks: [{ ...check, status: 'warn' }], errors: [], warnings: [warning] };
}

function judgeFile(
  file: CertificateFile,
  manifest: { readonly name: string; readonly bytes: Uint8Array },
  fileName: string,
  policy: SignaturePolicy,
): SignatureJudgement {
  const warnings = [...file.notes];
  const certificates = usableCertificates(file.certificates, warnings);
  const [first] = certificates;
  if (!first) throw new BundleError('CERTIFICATE_FILE_SYNTAX', 'the certificate file holds no certificate');
  // [sig.3] The standard has the signer first; tools that sort otherwise are recognised by the key that fits.
  const fits = (candidate: Certificate): boolean =>
    isSignatureValid(file.algorithm, manifest.bytes, candidate.publicKey, file.signature);
  const leaf = certificates.find(fits);
  const where = { member: fileName };
  const checks: Check[] = [];

  const embedded = embeddedCertificates(file, policy.limits, checks, warnings);
  const signer = leaf ?? first;
  const intermediates = [...certificates.filter((other) => other !== signer), ...embedded];
  const judged = judgeSigner({ leaf: signer, intermediates }, policy.trust, {
    at: policy.at,
    allowances: policy.allowances,
  });
  const errors: BundleError[] = [];
  if (!leaf) {
    const message = `the signature in "${fileName}" does not fit "${manifest.name}" and the key of "${signer.fields.subject.text}"`;
    errors.push(new BundleError('SIGNATURE_INVALID', message));
  }
  const algorithm = `${signer.key.label} ${file.algorithm}`;
  checks.push({
    id: 'signature',
    status: leaf ? 'pass' : 'fail',
    detail: leaf ? algorithm : 'the signature is invalid',
  });

  if (file.algorithm === 'sha1') {
    if (policy.allowances.sha1) warnings.push('the signature is made over SHA-1 (--allow-sha1)');
    else errors.push(new BundleError('DIGEST_WEAK', 'the signature is made over a SHA-1 digest'));
  }
  errors.push(...judged.errors);
  warnings.push(...judged.warnings);
  checks.push(...pathChecks(judged, errors, warnings));
  return {
    accepted: errors.length === 0,
    signed: true,
    signature: {
      format: 'ovf-cert',
      file: fileName,
      algorithm,
      status: !leaf ? 'invalid' : errors.length === 0 ? 'trusted' : 'untrusted',
      signer: certificateReport(signer),
      path: judged.path.map(certificateReport),
      ...(judged.trustedBy ? { trustedBy: describeTrust(judged) } : {}),
    },
    publishers: judged.trustedBy?.publishers ?? [],
    checks,
    errors: errors.map((error) => error.at(where)),
    warnings,
  };
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

/** [sig.5] VirtualBox carries the intermediates only inside its CMS block: they help to find a path and prove nothing. */
function embeddedCertificates(
  file: CertificateFile,
  limits: Limits,
  checks: Check[],
  warnings: string[],
): readonly Certificate[] {
  if (!file.cms) return [];
  const detail = 'a CMS block is present; its own signature is not judged, only its certificates are used';
  checks.push({ id: 'signature.cms', status: 'skip', detail });
  try {
    const embedded = certificatesInCms(file.cms);
    // Each may have to be tried as the issuer of each other, and keys can be made that are slow to use.
    if (embedded.length + file.certificates.length <= limits.certificates)
      return embedded.map(parseCertificate);
    warnings.push(
      `the certificates in the CMS block are not used: there are more than ${limits.certificates}`,
    );
    return [];
  } catch (error) {
    warnings.push(`the certificates in the CMS block cannot be used: ${toBundleError(error).message}`);
    return [];
  }
}

function pathChecks(
  judged: SignerJudgement,
  errors: readonly BundleError[],
  warnings: readonly string[],
): Check[] {
  const policyErrors = errors.filter((error) => error.kind === 'policy');
  const pathErrors = judged.errors.filter((error) => error.kind !== 'policy');
  const [worst] = pathErrors;
  const [refused] = policyErrors;
  return [
    {
      id: 'certificate.path',
      status: worst ? 'fail' : 'pass',
      detail: worst ? worst.message : `${judged.path.length} certificates, to ${describeTrust(judged)}`,
    },
    policyCheck(refused, warnings),
  ];
}

function policyCheck(refused: BundleError | undefined, warnings: readonly string[]): Check {
  const id = 'policy';
  if (refused) return { id, status: 'fail', detail: refused.message };
  const allowed = warnings.find((warning) => warning.includes('(--allow-'));
  if (allowed) return { id, status: 'warn', detail: `accepted as allowed: ${allowed}` };
  return { id, status: 'pass', detail: 'key, digest, purpose and publisher are acceptable' };
}

/** What vouches for the signer, in words. */
function describeTrust(judged: SignerJudgement): string {
  const { trustedBy } = judged;
  if (!trustedBy) return 'nothing that is trusted';
  const names = trustedBy.publishers.map((publisher) => `publisher "${publisher.name}"`);
  if (names.length > 0) return names.join(', ');
  return trustedBy.pin
    ? `the pinned key sha256:${trustedBy.pin.slice(0, 16)}…`
    : (trustedBy.anchor?.source ?? '');
}

/** A certificate in the form of the report. */
export function certificateReport(certificate: Certificate): CertificateReport {
  const { fields } = certificate;
  return {
    subject: fields.subject.text,
    issuer: fields.issuer.text,
    notBefore: fields.notBefore.toISOString(),
    notAfter: fields.notAfter.toISOString(),
    key: certificate.key.label,
    fingerprint: certificate.fingerprint,
    spkiSha256: certificate.spkiSha256,
  };
}
