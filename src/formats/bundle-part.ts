import { blocksSubject } from './blocks/block-digests.ts';

/** What a member may be besides an ordinary file, by its extension. */
export type PartKind = 'ovf' | 'mf' | 'cert' | 'tst' | 'p7s';

/** The base name and kind of a member that may play a part, or undefined for an ordinary file. */
export function rolePartOf(name: string): { base: string; kind: PartKind } | undefined {
  // [bundle.2] Only at the top: a manifest speaks of names beside it.
  const match = /^([^/]+)\.(ovf|mf|cert|tst|p7s)$/i.exec(name);
  const [, base, extension] = match ?? [];
  if (base === undefined || extension === undefined) return undefined;
  return { base, kind: extension.toLowerCase() as PartKind };
}

/** Whether a file in a package of files counts whether the manifest lists it or not, where the parts have this in common. [pkg.3] */
export function isPackagePart(name: string, base: string): boolean {
  return rolePartOf(name)?.base === base || sidecarOf(name, base) !== undefined;
}

/** What parts are called: a signature of such a role would look like one of that part. */
const NO_ROLES: ReadonlySet<string> = new Set(['ovf', 'mf', 'cert', 'tst', 'p7s']);

/** Whether this names the part that a signer plays: lower-case ASCII letters, digits and `-`, at most 32, not beginning with `-`. [side.1] */
function isRole(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,31}$/.test(text) && !NO_ROLES.has(text);
}

/** What a member is as a signature beside the manifest of a bundle with this base name; undefined when it is none. [side.1] */
export function sidecarOf(name: string, base: string): { readonly role?: string } | undefined {
  const part = rolePartOf(name);
  if (part?.kind !== 'p7s') return undefined;
  if (part.base === base) return {};
  const role = part.base.slice(base.length + 1);
  return part.base === `${base}.${role}` && isRole(role) ? { role } : undefined;
}

/** True for a member that carries revocation information, which nobody needs to sign but its issuer. [bundle.6] */
export function isEvidence(name: string): boolean {
  return /^revocation\/[^/]+\.(crl|ocsp)$/i.test(name);
}

/**
 * Whether evidence has a name that says nothing: where the manifest does not list it, whoever carries the bundle has chosen the
 * name, and an import publishes it. [bundle.10]
 */
export function isPlainEvidence(name: string): boolean {
  return /^revocation\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.(crl|ocsp|CRL|OCSP)$/.test(name);
}

/** Whether a part has its extension in one case, lower or upper; readers differ in what they take for a part. [bundle.10] */
export function isPlainPart(name: string): boolean {
  return /\.(?:[a-z0-9]+|[A-Z0-9]+)$/.test(name);
}

/** Whether a member may be anything but an ordinary file, by its name: one that signs or describes, evidence, block digests. */
export function playsPart(name: string): boolean {
  return rolePartOf(name) !== undefined || isEvidence(name) || blocksSubject(name) !== undefined;
}

/** The name of the part that belongs to another, such as the certificate file of a manifest. */
export function partBeside(name: string, extension: PartKind): string {
  return `${rolePartOf(name)?.base}.${extension}`;
}
