import { toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { findSignatures } from '../bundle/judge-signature.ts';
import type { CertificateReport } from '../report/report.ts';
import { certificateReport } from '../signers/signature-report.ts';
import type { NamedMember } from '../walk/member.ts';

/** Nobody is trusted, and nothing is known of anybody. */
const NOBODY = { trust: { anchors: [], pins: [] }, evidence: { crls: [], ocsps: [] } } as const;

/**
 * What is said of a certificate file beside files that are packed, which is not carried over: whether its signature fits the
 * manifest, and whose it claims to be. Whether that signer is to be trusted is not judged. [pack.16]
 */
export function tellReplaced(
  certificate: NamedMember,
  manifest: NamedMember | undefined,
  limits: Limits,
): string {
  const found = `the signature in "${certificate.name}" is not packed: the bundle gets a manifest of its own, which it does not sign`;
  if (!manifest) return `${found}. What it signed is not known: no manifest is beside it`;
  try {
    const { found: signatures } = findSignatures(
      { manifest, certificate, sidecars: [], evidence: [] },
      { limits, ...NOBODY },
    );
    const fault = signatures.find((signature) => signature.fault)?.fault;
    if (fault) return `${found}. Nor is it valid for "${manifest.name}": ${fault.message}`;
    const names = new Set(signatures.map(({ signer }) => `"${signer?.fields.subject.text ?? 'nobody'}"`));
    return `${found}. It is valid for "${manifest.name}", and says that it is by ${[...names].join(', ')}; nobody has checked whether that is true`;
  } catch (error) {
    return `${found}. It cannot be read: ${toBundleError(error).message}`;
  }
}

/** A signature that another takes the place of. */
export interface Replaced {
  /** whose it is by the certificates that it brings, each once; nobody is asked whether they are to be trusted */
  readonly signers: readonly CertificateReport[];
  /** what is to be said where it was no good signature */
  readonly notes: readonly string[];
}

/** Whose signature of a manifest another takes the place of; none where there was none. [pack.19] */
export function replacedSignature(
  certificate: NamedMember | undefined,
  manifest: NamedMember | undefined,
  limits: Limits,
): Replaced {
  if (!certificate || !manifest) return { signers: [], notes: [] };
  const broken = `"${certificate.name}" was there before, and was no good signature of "${manifest.name}"`;
  try {
    const members = { manifest, certificate, sidecars: [], evidence: [] };
    const { found } = findSignatures(members, { limits, ...NOBODY });
    const fault = found.find((signature) => signature.fault)?.fault;
    const good = found.flatMap((one) => (one.signer && !one.fault ? [certificateReport(one.signer)] : []));
    return {
      signers: [...new Map(good.map((one) => [one.fingerprint, one])).values()],
      notes: fault ? [`${broken}: ${fault.message}`] : [],
    };
  } catch (error) {
    return { signers: [], notes: [`${broken}: ${toBundleError(error).message}`] };
  }
}
