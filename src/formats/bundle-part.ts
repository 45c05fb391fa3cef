import { blocksSubject } from './blocks/block-digests.ts';

/** What a member may be besides an ordinary file, by its extension. */
export type PartKind = 'ovf' | 'mf' | 'cert' | 'tst';

/** The base name and kind of a member that may play a part, or undefined for an ordinary file. */
export function rolePartOf(name: string): { base: string; kind: PartKind } | undefined {
  // [bundle.2] Only at the top: a manifest speaks of names beside it.
  const match = /^([^/]+)\.(ovf|mf|cert|tst)$/i.exec(name);
  const [, base, extension] = match ?? [];
  if (base === undefined || extension === undefined) return undefined;
  return { base, kind: extension.toLowerCase() as PartKind };
}

/**
 * The base name of a file that counts in a package of files, whether the manifest lists it or not: what may play a part, and `NAME.p7s`,
 * which nothing reads as a signature of it, and which must not be taken for one either. [pkg.3]
 */
export function packagePartOf(name: string): string | undefined {
  return rolePartOf(name)?.base ?? /^([^/]+)\.p7s$/i.exec(name)?.[1];
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
  return /\.(?:[a-z]+|[A-Z]+)$/.test(name);
}

/** Whether a member may be anything but an ordinary file, by its name: one that signs or describes, evidence, block digests. */
export function playsPart(name: string): boolean {
  return rolePartOf(name) !== undefined || isEvidence(name) || blocksSubject(name) !== undefined;
}

/** The name of the part that belongs to another, such as the certificate file of a manifest. */
export function partBeside(name: string, extension: PartKind): string {
  return `${rolePartOf(name)?.base}.${extension}`;
}
