import type { Certificate } from '../crypto/certificate.ts';
import type { ClaimJudgement } from '../trust/judge-claim.ts';
import type { SignerJudgement } from '../trust/judge-signer.ts';
import type { TimestampJudgement } from '../trust/timestamp.ts';
import type { JudgedSignature } from './judge-signers.ts';
import type { CertificateReport, PathCertificateReport, SignatureReport, TimestampReport } from './report.ts';

/** One signature in the form of the report; `accepted`: the signers together are trusted. */
export function signatureReport(
  { found, weakness, judgement }: JudgedSignature,
  file: string,
  accepted: boolean,
): SignatureReport {
  const { format, algorithm, signer, fault } = found;
  const good = !weakness?.error || weakness.allowed !== undefined;
  const trusted = accepted && good && judgement?.errors.length === 0;
  return {
    format,
    file,
    algorithm,
    status: fault ? 'invalid' : trusted ? 'trusted' : 'untrusted',
    ...(signer && { signer: certificateReport(signer) }),
    path: judgement ? judgement.signer.path.map((one) => pathReport(one, judgement)) : [],
    timestamps: judgement ? judgement.timestamps.map(timestampReport) : [],
    ...(judgement?.signer.trustedBy && { trustedBy: describeTrust(judgement.signer) }),
    ...(judgement?.signer.trustedBy?.unproven && { unproven: true }),
  };
}

function pathReport(certificate: Certificate, { revocation }: ClaimJudgement): PathCertificateReport {
  const known = revocation.statuses.find((one) => one.certificate.fingerprint === certificate.fingerprint);
  const { status, detail } = known ?? {};
  return {
    ...certificateReport(certificate),
    ...(status !== undefined && detail !== undefined && { revocation: { status, detail } }),
  };
}

function timestampReport({ proven, time, authority, errors }: TimestampJudgement): TimestampReport {
  const [fault] = errors;
  return {
    status: proven ? 'proven' : 'invalid',
    time: time.toISOString(),
    ...(proven && { from: proven.from.toISOString(), to: proven.to.toISOString() }),
    ...(authority && { authority: certificateReport(authority) }),
    detail: fault?.message ?? 'the signature was there at that time',
  };
}

/** What vouches for the signer, in words. */
export function describeTrust({ trustedBy }: SignerJudgement): string {
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
