import { isEvidence } from '../../formats/bundle-part.ts';
import type { BundleRoles } from '../walk/bundle-roles.ts';
import { keptMember, type Member, type NamedMember } from '../walk/member.ts';

/** The manifest and what is said to be its signature, as raw bytes. */
export interface SignedManifest {
  readonly manifest: NamedMember;
  readonly certificate?: NamedMember;
  readonly timestamp?: NamedMember;
  /** revocation information that the bundle brings */
  readonly evidence: readonly NamedMember[];
}

/** The manifest that counts among the members read so far, and what speaks for it; undefined when there is none. */
export function signedManifestOf(members: readonly Member[], roles: BundleRoles): SignedManifest | undefined {
  const named = (name: string | undefined): NamedMember | undefined => {
    const kept = keptMember(members, name);
    return kept && { name: kept.name, bytes: kept.bytes };
  };
  const manifest = named(roles.manifest);
  const certificate = named(roles.certificate);
  const timestamp = named(roles.timestamp);
  if (!manifest) return undefined;
  return {
    manifest,
    ...(certificate !== undefined && { certificate }),
    ...(timestamp !== undefined && { timestamp }),
    evidence: members.flatMap((member) =>
      member.kind === 'kept' && isEvidence(member.name) ? [{ name: member.name, bytes: member.bytes }] : [],
    ),
  };
}
