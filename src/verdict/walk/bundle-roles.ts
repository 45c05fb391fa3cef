import { isEvidence, isPlainPart, type PartKind, rolePartOf, sidecarOf } from '../../formats/bundle-part.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import type { FileReport } from '../report/report.ts';
import type { Member } from './member.ts';
import { habitBehind } from './stray-members.ts';

/** A signature beside the manifest, by its name. [side.1] */
export interface SidecarRole {
  readonly name: string;
  /** the part that its signer plays; left out in `NAME.p7s` */
  readonly role?: string;
}

/**
 * Which members are the descriptor, its manifest, its certificate file, the timestamp of that, and the signatures beside the manifest.
 * `base` is their common name.
 */
export interface BundleRoles {
  readonly base?: string;
  readonly descriptor?: string;
  readonly manifest?: string;
  readonly certificate?: string;
  readonly timestamp?: string;
  readonly sidecars?: readonly SidecarRole[];
}

/** Signatures beside one manifest. [side.2] */
const MAX_SIDECARS = 16;

/**
 * Assigns the roles among the members of a bundle, by name and never by position.
 *
 * With a descriptor `X.ovf`, only `X.mf` and `X.cert` count; another `.mf` or `.cert` is an ordinary file, but not
 * both of one name. Without a descriptor, the only `.mf` and the `.cert` of its name count.
 *
 * @throws {BundleError} `PACKAGE_AMBIGUOUS` when two members could play one part, or some readers would not know one; `ARCHIVE_LIMIT`
 * @see spec/bundle.md, clauses bundle.1 to bundle.6, bundle.10
 */
export function assignRoles(names: readonly string[]): BundleRoles {
  const parts = names.flatMap((name) => {
    const part = rolePartOf(name);
    return part ? [{ name, ...part }] : [];
  });
  const only = (kind: PartKind, base?: string): { name: string; base: string } | undefined => {
    const found = parts.filter((part) => part.kind === kind && (base === undefined || part.base === base));
    const [first, second] = found;
    if (!first || !second) return first;
    throw new BundleError('PACKAGE_AMBIGUOUS', `the bundle has both "${first.name}" and "${second.name}"`, {
      where: { member: second.name }, // [bundle.3]
      ...habitBehind(first.name),
      ...habitBehind(second.name),
    });
  };

  const descriptor = only('ovf');
  const manifest = only('mf', descriptor?.base);
  const foreign = parts.find(
    (part) =>
      (part.kind === 'cert' || part.kind === 'p7s') &&
      parts.some(({ kind, base }) => kind === 'mf' && base !== descriptor?.base && signs(part, base)),
  );
  if (descriptor && manifest && foreign) {
    // Whoever reads them before the descriptor takes them for manifest and signature of a plain bundle.
    const message = `the bundle has a signed manifest of the name "${foreign.base}" besides that of the descriptor`;
    throw new BundleError('PACKAGE_AMBIGUOUS', message, { where: { member: foreign.name } }); // [bundle.3]
  }
  const base = descriptor?.base ?? manifest?.base;
  const certificate = base === undefined ? undefined : only('cert', base);
  const timestamp = certificate && only('tst', base);
  const sidecars = manifest ? sidecarsAmong(parts, manifest.base) : [];
  const odd = [manifest, certificate, timestamp, ...sidecars].find((part) => part && !isPlainPart(part.name));
  if (odd) {
    const message = `"${odd.name}" has its extension partly in capitals`;
    throw new BundleError('PACKAGE_AMBIGUOUS', message, { where: { member: odd.name }, ...ODD_CASE }); // [bundle.10]
  }
  return {
    ...(base !== undefined && { base }),
    ...(descriptor !== undefined && { descriptor: descriptor.name }),
    ...(manifest !== undefined && { manifest: manifest.name }),
    ...(certificate !== undefined && { certificate: certificate.name }),
    ...(timestamp !== undefined && { timestamp: timestamp.name }),
    ...(sidecars.length > 0 && { sidecars }),
  };
}

/** Whether a certificate file or a signature is one of the manifest of this base name. */
function signs({ name, kind, base }: { name: string; kind: PartKind; base: string }, of: string): boolean {
  return kind === 'cert' ? base === of : sidecarOf(name, of) !== undefined;
}

/** @throws {BundleError} `PACKAGE_AMBIGUOUS`, `ARCHIVE_LIMIT` [side.1] [side.2] */
function sidecarsAmong(parts: readonly { readonly name: string }[], base: string): readonly SidecarRole[] {
  const found = parts.flatMap(({ name }) => {
    const sidecar = sidecarOf(name, base);
    return sidecar ? [{ name, ...sidecar }] : [];
  });
  const twice = found.find(({ role }, i) => found.findIndex((other) => other.role === role) < i);
  if (twice) {
    const message = `the bundle has the signature "${twice.name}" twice, in two spellings`;
    throw new BundleError('PACKAGE_AMBIGUOUS', message, { where: { member: twice.name } });
  }
  if (found.length > MAX_SIDECARS) {
    const message = `the bundle has ${found.length} signatures beside its manifest, over the limit of ${MAX_SIDECARS}`;
    throw new BundleError('ARCHIVE_LIMIT', message, { where: { member: found[MAX_SIDECARS]?.name ?? '' } });
  }
  return found;
}

/** The part that a member plays in the bundle. */
export function roleOf({ name, kind }: Member, roles: BundleRoles): FileReport['role'] {
  if (name === roles.descriptor) return 'descriptor';
  if (name === roles.manifest) return 'manifest';
  if (name === roles.certificate) return 'certificate';
  if (name === roles.timestamp && kind === 'kept') return 'timestamp';
  if (kind === 'kept' && roles.sidecars?.some((sidecar) => sidecar.name === name)) return 'signature';
  return isEvidence(name) && kind === 'kept' ? 'revocation' : 'file';
}

const ODD_CASE = {
  why: 'no program writes it so, nothing signed says it, and readers differ in whether it is a part of the bundle',
  fix: 'ask the publisher for the bundle as it was signed',
  own: 'give the files of the bundle their extensions in small letters, and pack them again',
} as const;
