import type { Certificate } from '../../crypto/certificate.ts';
import type { SignerJudgement } from '../../trust/judge-signer.ts';
import { kindOfPaths } from '../../trust/path/path-kind.ts';
import type { Publisher } from '../../trust/publisher.ts';
import type { RevocationStatus } from '../../trust/revocation/verdict.ts';
import type { TimestampJudgement } from '../../trust/timestamp.ts';
import type {
  CertificateReport,
  PathCertificateReport,
  SignatureReport,
  TimestampReport,
} from '../report/report.ts';
import type { JudgedSignature } from './found-signature.ts';

/** One signature in the form of the report; `accepted`: the signers together are trusted; `accepting`: the publishers that may sign it. */
export function signatureReport(
  { found, weakness, judgement }: JudgedSignature,
  file: string,
  accepted: boolean,
  accepting: readonly Publisher[],
): SignatureReport {
  const { format, algorithm, signer, fault, member, role, unknown } = found;
  const good = !weakness?.error || weakness.allowed !== undefined;
  const vouching = judgement?.signer.trustedBy && vouchingFor(judgement.signer, accepting);
  const kind = kindOfPaths(judgement?.signer.paths ?? []);
  const trusted = accepted && good && judgement?.errors.length === 0 && vouching?.accepts === true;
  return {
    format,
    file: member ?? file,
    ...(role !== undefined && { role }),
    algorithm,
    status: unknown !== undefined ? 'unknown' : fault ? 'invalid' : trusted ? 'trusted' : 'untrusted',
    ...(trusted && kind !== undefined && { kind }),
    ...(signer !== undefined && { signer: certificateReport(signer) }),
    path: judgement ? pathReport(judgement.signer.path, judgement.revocation.statuses) : [],
    timestamps: judgement ? judgement.timestamps.map(timestampReport) : [],
    ...(vouching !== undefined && { [vouching.accepts ? 'trustedBy' : 'knownBy']: vouching.who }),
    ...(judgement?.signer.trustedBy?.unproven && { unproven: true }),
  };
}

/** A path in the form of the report, each certificate with what is known of its revocation. */
export function pathReport(
  path: readonly Certificate[],
  statuses: readonly RevocationStatus[],
): readonly PathCertificateReport[] {
  return path.map((certificate) => {
    const known = statuses.find((one) => one.certificate.fingerprint === certificate.fingerprint);
    const { status, detail } = known ?? {};
    return {
      ...certificateReport(certificate),
      ...(status !== undefined && detail !== undefined && { revocation: { status, detail } }),
    };
  });
}

function timestampReport({ proven, time, authority, errors }: TimestampJudgement): TimestampReport {
  const [fault] = errors;
  return {
    status: proven ? 'proven' : 'invalid',
    time: time.toISOString(),
    ...(proven !== undefined && { from: proven.from.toISOString(), to: proven.to.toISOString() }),
    ...(authority !== undefined && { authority: certificateReport(authority) }),
    detail: fault?.message ?? 'the signature was there at that time',
  };
}

/**
 * What vouches for the signer, in words: of its publishers those that accept; where none does, those that know it.
 */
export function vouchingFor(
  { trustedBy }: SignerJudgement,
  accepting: readonly Publisher[],
): { readonly who: string; readonly accepts: boolean } {
  if (!trustedBy) return { who: 'nothing that is trusted', accepts: false };
  const { publishers, pin, anchor } = trustedBy;
  if (publishers.length === 0)
    return {
      who: pin ? `the pinned key sha256:${pin.slice(0, 16)}…` : (anchor?.source ?? ''),
      accepts: true,
    };
  const named = publishers.filter((publisher) => accepting.includes(publisher));
  const shown = named.length > 0 ? named : publishers;
  return { who: shown.map(({ name }) => `publisher "${name}"`).join(', '), accepts: named.length > 0 };
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
