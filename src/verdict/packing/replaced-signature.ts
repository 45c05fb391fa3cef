import { toBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import { findSignatures } from '../bundle/judge-signature.ts';
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
  const found = `"${certificate.name}" is not carried over, since the manifest is written anew`;
  if (!manifest) return `${found}; no manifest is beside it that it could be the signature of`;
  try {
    const { found: signatures } = findSignatures(
      { manifest, certificate, evidence: [] },
      { limits, ...NOBODY },
    );
    const fault = signatures.find((signature) => signature.fault)?.fault;
    if (fault) return `${found}; its signature is not valid: ${fault.message}`;
    const names = new Set(signatures.map(({ signer }) => `"${signer?.fields.subject.text ?? 'nobody'}"`));
    return `${found}; its signature of "${manifest.name}" is valid, and claims to be by ${[...names].join(', ')}, whether that is to be trusted was not judged`;
  } catch (error) {
    return `${found}; it cannot be read: ${toBundleError(error).message}`;
  }
}
