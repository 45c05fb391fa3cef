import type { Certificate } from '../../crypto/certificate.ts';
import { isCanonical, parseCertificateFile } from '../../formats/ovf/certificate-file.ts';
import { parseManifest } from '../../formats/ovf/manifest.ts';
import { parseTimestampToken, type TimestampToken } from '../../formats/tsp/token.ts';
import { printable } from '../../kit/encoding.ts';
import type { Told } from '../../kit/errors/advice.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { ClaimPolicy } from '../../trust/judge-claim.ts';
import type { Allowances } from '../../trust/policy.ts';
import type { Publisher } from '../../trust/publisher.ts';
import type { HighWaterMarks, RevocationEvidence } from '../../trust/revocation/evidence.ts';
import { isOver } from '../../trust/timestamp.ts';
import type { Check } from '../report/report.ts';
import { type Carried, carry, type SpokenFile, type SpokenFor } from '../signers/carried.ts';
import { evidenceIn, joinEvidence, parseEvidence } from '../signers/evidence.ts';
import type { FoundSignature, Telling } from '../signers/found-signature.ts';
import { judgeFound, warningsOf } from '../signers/judge-signers.ts';
import { readSidecar } from '../signers/read-sidecar.ts';
import { inCertificateFile, readCms, readSignatureLine } from '../signers/read-signatures.ts';
import { fits } from '../signers/signature-checks.ts';
import { signatureReport } from '../signers/signature-report.ts';
import type { NamedMember } from '../walk/member.ts';
import type { SignedManifest } from './signed-manifest.ts';

/** How a signature is judged. */
export interface SignaturePolicy extends ClaimPolicy {
  readonly limits: Limits;
}

/** What is to be said about a signature. `accepted`: the manifest may be believed, by trust or by allowance. */
export interface SignatureJudgement {
  readonly accepted: boolean;
  readonly signed: boolean;
  readonly publishers: readonly Publisher[];
  /** revocation information that is newer than any seen before */
  readonly seen: HighWaterMarks;
  /** what of the signature and the evidence may be handed on; there when the manifest may be believed */
  readonly carried?: Carried;
  readonly told: Telling;
  readonly errors: readonly BundleError[];
  readonly warnings: readonly Told[];
  /** why others who know the signers refuse them; to be told when those that accept refuse the whole [pub.10] [pub.15] */
  readonly held: readonly BundleError[];
}

const NOTHING = {
  publishers: [],
  seen: new Map(),
  errors: [],
  warnings: [],
  held: [],
} as const;

/**
 * Judges who signed the raw bytes of a manifest, before anything in it is believed.
 *
 * It decides about the signature line, the CMS signature, the timestamps, and the signers' certificates; what the
 * manifest says is `judgeContents`.
 *
 * @see spec/ovf.md, clauses sig.1 to sig.7
 */
export function judgeSignature(signed: SignedManifest, policy: SignaturePolicy): SignatureJudgement {
  const { certificate, sidecars } = signed;
  const main = certificate ?? sidecars[0];
  if (!main) return unsigned(signed, [], policy.allowances);
  const where = { member: main.name };
  try {
    const { found, evidence, spoken, warnings } = findSignatures(signed, policy);
    if (found.every(({ unknown }) => unknown !== undefined))
      return unsigned(signed, found, policy.allowances);
    const judged = judgeFound(found, main.name, { ...policy, evidence });
    const given = [...policy.trust.anchors, ...policy.timestamping].map((anchor) => anchor.certificate);
    const unlisted = unlistedOf(spoken, signed.manifest, policy.limits);
    const carried = judged.errors.length === 0 ? carry(unlisted, judged.vouched, given) : undefined;
    const errors = [...judged.errors, ...(carried?.fault ? [carried.fault] : [])].map((error) =>
      error.at(where),
    );
    return {
      ...judged,
      errors,
      warnings: [...warnings, ...judged.warnings, ...(carried?.notes ?? [])],
      ...(carried !== undefined && { carried }),
      accepted: errors.length === 0,
      signed: true,
    };
  } catch (error) {
    const fault = toBundleError(error).at(where);
    const checks: Check[] = [{ id: 'signature', status: 'fail', detail: fault.message }];
    return { ...NOTHING, accepted: false, signed: true, told: telling(checks), errors: [fault] };
  }
}

/** What the manifest lists, its signer answers for; what is wrong with the manifest is said when it is judged itself. */
function unlistedOf(spoken: SpokenFor, manifest: NamedMember, limits: Limits): SpokenFor {
  if (spoken.evidence.length === 0) return spoken;
  try {
    const { byName } = parseManifest(manifest.bytes, limits);
    return { ...spoken, evidence: spoken.evidence.filter(({ member }) => !byName.has(member.name)) };
  } catch {
    return spoken;
  }
}

/** Where nobody has signed, or nobody whose signature could be verified here: those that are `unknown`. [side.4] */
function unsigned(
  { manifest, evidence, sidecars }: SignedManifest,
  unknown: readonly FoundSignature[],
  allowances: Allowances,
): SignatureJudgement {
  const { name: manifestName } = manifest;
  const which = unknown.length > 0 ? ' that is of a kind known here' : '';
  const fault = new BundleError(
    'SIGNATURE_MISSING',
    `the bundle has no signature of "${manifestName}"${which}`,
    {
      where: { member: manifestName },
    },
  );
  const check = { id: 'signature', detail: fault.message } as const;
  const told = tellUnknown(unknown);
  const counted = unknown.flatMap(warningsOf);
  if (!allowances.unsigned) {
    const checks: Check[] = [{ ...check, status: 'fail' }];
    return {
      ...NOTHING,
      accepted: false,
      signed: false,
      told: told(checks),
      errors: [fault],
      warnings: counted,
    };
  }
  const text = 'unsigned bundle accepted (allowed: unsigned): nothing shows who made it';
  const warnings = [...counted, { text, advice: 'allowed:unsigned' } as const];
  const checks: Check[] = [{ ...check, status: 'warn' }];
  // [bundle.6] nobody is trusted, so nobody answers for it
  const reason = 'without a signature nobody answers for it';
  const strangers = new Map(evidence.map(({ name }) => [name, reason]));
  const speaks = new Set([...strangers.keys(), ...sidecars.map(({ name }) => name)]);
  const carried = { members: new Map(), speaks, strangers, lost: [], notes: [] };
  return { ...NOTHING, accepted: true, signed: false, carried, told: told(checks), warnings };
}

/** The entries of the report where none of the signatures counts. */
function tellUnknown(unknown: readonly FoundSignature[]): (checks: readonly Check[]) => Telling {
  const judged = unknown.map((found) => ({ found, weakness: undefined, judgement: undefined }));
  const signatures = judged.map((one) => signatureReport(one, '', false, []));
  return (checks) => () => ({ signatures, checks: [...judged.map(fits), ...checks] });
}

/** Where no signer was judged. */
function telling(checks: readonly Check[]): Telling {
  return () => ({ signatures: [], checks });
}

/**
 * Everything in and beside the certificate file that speaks for the manifest, and the signatures beside that, unjudged.
 * @throws {BundleError} for what cannot be read in one way
 */
export function findSignatures(
  signed: SignedManifest,
  policy: Pick<SignaturePolicy, 'limits' | 'trust' | 'evidence'>,
): {
  readonly found: readonly FoundSignature[];
  readonly evidence: RevocationEvidence;
  readonly spoken: SpokenFor;
  readonly warnings: readonly string[];
} {
  const { limits, trust } = policy;
  const trusted = trust.anchors.map(({ certificate: anchor }) => anchor);
  const own =
    signed.certificate && findInFile({ ...signed, certificate: signed.certificate }, limits, trusted);
  const beside =
    own?.found.flatMap(({ signer, intermediates }) => [signer ?? [], intermediates].flat()) ?? [];
  const sidecars = signed.sidecars.map((one) => readSidecar(one, signed.manifest.bytes, { beside, trusted }));
  const brought = signed.evidence.map((member) => ({ member, read: parseMember(member) }));
  const carried = [own?.spoken.cms, ...sidecars.map(({ cms }) => cms)].flatMap((cms) => cms?.evidence ?? []);
  return {
    found: [...(own?.found ?? []), ...sidecars.flatMap(({ cms, unknown }) => cms?.found ?? unknown)],
    evidence: joinEvidence(
      [policy.evidence, ...brought.map(({ read }) => read), ...carried],
      limits.evidence,
    ),
    spoken: { ...(own !== undefined && { own: own.spoken }), sidecars, evidence: brought },
    warnings: own?.warnings ?? [],
  };
}

/** What the certificate file and the timestamp beside it say. @throws {BundleError} for what cannot be read in one way */
function findInFile(
  { manifest, certificate, timestamp }: SignedManifest & { readonly certificate: NamedMember },
  limits: Limits,
  trusted: readonly Certificate[],
): {
  readonly found: readonly FoundSignature[];
  readonly spoken: SpokenFile;
  readonly warnings: readonly string[];
} {
  const file = parseCertificateFile(certificate.bytes, limits);
  if (file.manifestName !== manifest.name) {
    // [sig.2] A signature for another manifest must not be taken for one of this.
    const message = `the signature is for "${printable(file.manifestName)}", not for "${manifest.name}"`;
    throw new BundleError('CERTIFICATE_FILE_SYNTAX', message, { where: { line: file.line } });
  }
  const line = readSignatureLine(file, manifest);
  const own = line.signer ? [line.signer, ...line.intermediates] : [];
  const cms = file.cms && readCms(file.cms, own, trusted, { alone: true });
  cms?.update(manifest.bytes);
  const others = cms ? cms.finish().map(inCertificateFile) : [];
  const token = timestamp && parseStamp(timestamp);
  // [bundle.7] it is over the file, and so over every signature in it
  const counts = token !== undefined && isCanonical(certificate.bytes, file);
  const stamp = counts ? [{ token, over: certificate.bytes }] : [];
  const differs = others[0]?.signer && others[0].signer.fingerprint !== line.signer?.fingerprint;
  const warnings = differs ? ['the first signer of the CMS signature is not that of the signature line'] : []; // [sig.5]
  const inside = others.flatMap(({ intermediates }) => intermediates);
  return {
    found: [{ ...line, warnings: [...line.warnings, ...warnings] }, ...others].map((signature) => ({
      ...signature,
      intermediates: [...signature.intermediates, ...inside],
      timestamps: [...stamp, ...signature.timestamps],
    })),
    spoken: {
      certificate,
      file,
      line,
      ...(cms !== undefined &&
        file.cms !== undefined && {
          cms: { der: file.cms, data: cms.data, found: others, evidence: evidenceIn(cms.data) },
        }),
      ...(timestamp !== undefined &&
        token !== undefined && {
          timestamp: { name: timestamp.name, token, isOver: isOver(token, certificate.bytes) },
        }),
    },
    warnings:
      token && !counts
        ? [
            `"${timestamp.name}" counts for nothing: "${certificate.name}" is not written in the one form that is timestamped`,
          ]
        : [],
  };
}

function parseStamp({ name, bytes }: NamedMember): TimestampToken {
  try {
    return parseTimestampToken(bytes);
  } catch (error) {
    throw toBundleError(error).at({ member: name });
  }
}

function parseMember({ name, bytes }: NamedMember): RevocationEvidence {
  try {
    return parseEvidence(bytes, `${name} in the bundle`, name, { alone: true });
  } catch (error) {
    throw toBundleError(error).at({ member: name }); // [bundle.6]
  }
}
