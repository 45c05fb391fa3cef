import { isEvidence } from '../../formats/bundle-part.ts';
import type { BundleRoles, SidecarRole } from '../walk/bundle-roles.ts';
import { keptMember, type Member, type NamedMember } from '../walk/member.ts';

/** A signature beside the manifest, as raw bytes. */
type NamedSidecar = NamedMember & SidecarRole;

/** The manifest and what is said to be its signature, as raw bytes. */
export interface SignedManifest {
  readonly manifest: NamedMember;
  readonly certificate?: NamedMember;
  readonly timestamp?: NamedMember;
  /** signatures beside the manifest, in the order in which they came [side.1] */
  readonly sidecars: readonly NamedSidecar[];
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
    sidecars: (roles.sidecars ?? []).flatMap((sidecar) => {
      const member = named(sidecar.name);
      return member ? [{ ...sidecar, ...member }] : [];
    }),
    evidence: members.flatMap((member) =>
      member.kind === 'kept' && isEvidence(member.name) ? [{ name: member.name, bytes: member.bytes }] : [],
    ),
  };
}
