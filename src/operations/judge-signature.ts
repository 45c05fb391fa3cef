import { parseCertificateFile } from '../formats/ovf/certificate-file.ts';
import { parseTimestampToken, type TimestampToken } from '../formats/tsp/token.ts';
import { printable } from '../kit/encoding.ts';
import { BundleError, toBundleError } from '../kit/errors.ts';
import type { Limits } from '../kit/limits.ts';
import type { ClaimPolicy } from '../trust/judge-claim.ts';
import type { Allowances } from '../trust/policy.ts';
import type { Publisher } from '../trust/publisher.ts';
import type { HighWaterMarks, RevocationEvidence } from '../trust/revocation/evidence.ts';
import { judgeFound } from './judge-signers.ts';
import { type FoundSignature, readCms, readSignatureLine } from './read-signatures.ts';
import type { Check, SignatureReport } from './report.ts';
import { evidenceIn, joinEvidence, parseEvidence } from './revocation-evidence.ts';

/** A small member that speaks about the others. */
export interface NamedMember {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The manifest and what is said to be its signature, as raw bytes. */
export interface SignedManifest {
  readonly manifest: NamedMember;
  readonly certificate?: NamedMember;
  readonly timestamp?: NamedMember;
  /** revocation information that the bundle brings */
  readonly evidence: readonly NamedMember[];
}

/** How a signature is judged. */
export interface SignaturePolicy extends ClaimPolicy {
  readonly limits: Limits;
}

/** What is to be said about a signature. `accepted`: the manifest may be believed, by trust or by allowance. */
export interface SignatureJudgement {
  readonly accepted: boolean;
  readonly signed: boolean;
  readonly signatures: readonly SignatureReport[];
  readonly publishers: readonly Publisher[];
  /** revocation information that is newer than any seen before */
  readonly seen: HighWaterMarks;
  readonly checks: readonly Check[];
  readonly errors: readonly BundleError[];
  readonly warnings: readonly string[];
}

const NOTHING = { signatures: [], publishers: [], seen: new Map(), errors: [], warnings: [] } as const;

/**
 * Judges who signed the raw bytes of a manifest, before anything in it is believed.
 *
 * It decides about the signature line, the CMS signature, the timestamps, and the signers' certificates; what the
 * manifest says is `judgeContents`.
 *
 * @see spec/ovf.md, clauses sig.1 to sig.7
 */
export function judgeSignature(signed: SignedManifest, policy: SignaturePolicy): SignatureJudgement {
  const { manifest, certificate } = signed;
  if (!certificate) return unsigned(manifest.name, policy.allowances);
  const where = { member: certificate.name };
  try {
    const { found, evidence } = findSignatures({ ...signed, certificate }, policy);
    const judged = judgeFound(found, certificate.name, { ...policy, evidence });
    const errors = judged.errors.map((error) => error.at(where));
    return { ...judged, errors, accepted: errors.length === 0, signed: true };
  } catch (error) {
    const fault = toBundleError(error).at(where);
    const checks: Check[] = [{ id: 'signature', status: 'fail', detail: fault.message }];
    return { ...NOTHING, accepted: false, signed: true, checks, errors: [fault] };
  }
}

function unsigned(manifestName: string, allowances: Allowances): SignatureJudgement {
  const fault = new BundleError('SIGNATURE_MISSING', `the bundle has no signature of "${manifestName}"`, {
    where: { member: manifestName },
  });
  const check = { id: 'signature', detail: fault.message } as const;
  if (!allowances.unsigned) {
    const checks: Check[] = [{ ...check, status: 'fail' }];
    return { ...NOTHING, accepted: false, signed: false, checks, errors: [fault] };
  }
  const warnings = ['unsigned bundle accepted (--allow-unsigned): nothing shows who made it'];
  return { ...NOTHING, accepted: true, signed: false, checks: [{ ...check, status: 'warn' }], warnings };
}

/** Everything in and beside the certificate file that speaks for the manifest. */
function findSignatures(
  signed: SignedManifest & { readonly certificate: NamedMember },
  policy: SignaturePolicy,
): { readonly found: readonly FoundSignature[]; readonly evidence: RevocationEvidence } {
  const { manifest, certificate, timestamp } = signed;
  const file = parseCertificateFile(certificate.bytes, policy.limits);
  if (file.manifestName !== manifest.name) {
    // [sig.2] A signature for another manifest must not be taken for one of this.
    const message = `the signature is for "${printable(file.manifestName)}", not for "${manifest.name}"`;
    throw new BundleError('CERTIFICATE_FILE_SYNTAX', message, { where: { line: file.line } });
  }
  const line = readSignatureLine(file, manifest);
  const own = line.signer ? [line.signer, ...line.intermediates] : [];
  const trusted = policy.trust.anchors.map(({ certificate: anchor }) => anchor);
  const cms = file.cms && readCms(file.cms, own, trusted);
  cms?.update(manifest.bytes);
  const others = cms ? cms.finish() : [];
  // [bundle.7] it is over the file, and so over every signature in it
  const sidecar = timestamp ? [{ token: parseSidecar(timestamp), over: certificate.bytes }] : [];
  const differs = others[0]?.signer && others[0].signer.fingerprint !== line.signer?.fingerprint;
  const warnings = differs ? ['the first signer of the CMS signature is not that of the signature line'] : []; // [sig.5]
  const inside = others.flatMap(({ intermediates }) => intermediates);
  return {
    found: [{ ...line, warnings: [...line.warnings, ...warnings] }, ...others].map((signature) => ({
      ...signature,
      intermediates: [...signature.intermediates, ...inside],
      timestamps: [...sidecar, ...signature.timestamps],
    })),
    evidence: joinEvidence(
      [policy.evidence, ...signed.evidence.map(parseMember), ...(cms ? [evidenceIn(cms.data)] : [])],
      policy.limits.evidence,
    ),
  };
}

function parseSidecar({ name, bytes }: NamedMember): TimestampToken {
  try {
    return parseTimestampToken(bytes);
  } catch (error) {
    throw toBundleError(error).at({ member: name });
  }
}

function parseMember({ name, bytes }: NamedMember): RevocationEvidence {
  try {
    return parseEvidence(bytes, `${name} in the bundle`, name);
  } catch (error) {
    throw toBundleError(error).at({ member: name }); // [bundle.6]
  }
}
