import type { ArchiveFormat } from '../../archive/open-archive.ts';
import { parseCertificate } from '../../crypto/certificate.ts';
import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import { parseCertificateFile } from '../../formats/ovf/certificate-file.ts';
import { parseDescriptor } from '../../formats/ovf/descriptor.ts';
import { parseHardware } from '../../formats/ovf/hardware.ts';
import { parseManifest } from '../../formats/ovf/manifest.ts';
import { isBundleError } from '../../kit/errors/errors.ts';
import type { Limits } from '../../kit/limits.ts';
import type { BundleRoles } from '../walk/bundle-roles.ts';
import { keptMember, type Member } from '../walk/member.ts';
import type { BundleFacts } from './target.ts';

/** What of a bundle that has been walked through is known; what cannot be read is left out, and told elsewhere. */
export function factsOf(
  members: readonly Member[],
  roles: BundleRoles,
  known: {
    readonly container: ArchiveFormat | undefined;
    readonly disks: Readonly<Record<string, DiskProbe>>;
    readonly limits: Limits;
  },
): BundleFacts {
  const { container, disks, limits } = known;
  const read = <T>(name: string | undefined, parse: (bytes: Uint8Array) => T): T | undefined => {
    const member = keptMember(members, name);
    return member && readable(() => parse(member.bytes));
  };
  const descriptor = read(roles.descriptor, (bytes) => parseDescriptor(bytes, limits));
  const hardware = read(roles.descriptor, (bytes) => parseHardware(bytes, limits));
  const manifest = read(roles.manifest, (bytes) => parseManifest(bytes, limits));
  const signerKey = read(roles.certificate, (bytes) => {
    const [der] = parseCertificateFile(bytes, limits).certificates;
    return der && parseCertificate(der).key.label;
  });
  return {
    ...(container !== undefined && { container }),
    members: members.map(({ name }) => name),
    ...(roles.descriptor !== undefined && { descriptorName: roles.descriptor }),
    ...(descriptor !== undefined && { descriptor }),
    ...(hardware !== undefined && { hardware }),
    ...(manifest !== undefined && { manifest }),
    ...(signerKey !== undefined && { signerKey }),
    disks,
  };
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return undefined;
  }
}
