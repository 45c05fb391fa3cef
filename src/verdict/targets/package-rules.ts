import type { DigestName } from '../../kit/digest-name.ts';
import { isEfi } from './hardware-rules.ts';
import type { BundleFacts, Found, TargetRule } from './target.ts';

const MACHINES = ['vsphere', 'virtualbox', 'kubevirt', 'proxmox'] as const;

/** One finding about the whole of a bundle, where something holds. */
function wholeThat(holds: (facts: BundleFacts) => boolean, found: Omit<Found, 'where'>): TargetRule['find'] {
  return (facts) => (holds(facts) ? [{ where: '', ...found }] : []);
}

/** Whether a line of the manifest is by one of these algorithms. */
function manifestBy(...algorithms: readonly DigestName[]): (facts: BundleFacts) => boolean {
  return ({ manifest }) => manifest?.entries.some(({ algorithm }) => algorithms.includes(algorithm)) ?? false;
}

/** The files that the descriptor names and a rule is about. */
function namesThat(holds: (name: string) => boolean, found: Omit<Found, 'where'>): TargetRule['find'] {
  return ({ descriptor }) =>
    (descriptor?.references ?? [])
      .filter(({ href }) => holds(href))
      .map(({ href }) => ({ where: href, ...found }));
}

const SHA256 = 'write the manifest with SHA-256';
const REWRITTEN = 'write the manifest again, as SHA256(name)= hex';

/** vSphere exports such a file for each machine, and where it starts by BIOS there is nothing in it to miss. */
const startsByEfi = ({ hardware }: BundleFacts): boolean => hardware?.machines.some(isEfi) ?? false;

const nvramFiles = namesThat((name) => /\.nvram$/i.test(name), {
  what: 'boot entries and Secure Boot keys in it are not taken over: VMware alone reads such a file',
  do: 'give the disk a fallback loader (EFI/BOOT/BOOTX64.EFI), or make the boot entry after the import',
});

/** [target.2] About the form of a bundle: its container, manifest, signature and names. */
export const PACKAGE_RULES: readonly TargetRule[] = [
  {
    id: 'package.container',
    targets: MACHINES,
    severity: 'refused',
    source: 'DSP0243 1.1.0 clause 5.3: an OVA is a tar; of the importers virt-v2v alone unpacks others',
    find: ({ container }) =>
      container === undefined || container === 'tar'
        ? []
        : [{ where: '', what: `it is a ${container}, and an OVA is a plain tar`, do: 'pack it as .ova' }],
  },
  {
    id: 'package.plain',
    targets: MACHINES,
    severity: 'refused',
    source: 'DSP0243 1.1.0 clause 5.1',
    find: wholeThat(({ descriptorName }) => descriptorName === undefined, {
      what: 'it has no descriptor (.ovf), so nothing says which machine to make',
      do: 'pack the disk images with a descriptor',
    }),
  },
  {
    id: 'package.version',
    targets: ['vsphere', 'kubevirt', 'proxmox'],
    severity: 'refused',
    source:
      'BlackArch/blackarch#1937; virt-v2v and PVE::GuestImport::OVF look for the namespace of OVF 1 (decision 0003)',
    find: wholeThat(({ descriptor }) => descriptor?.version === 2, {
      what: 'the descriptor is OVF 2, and the importer reads OVF 1',
      do: 'export it as OVF 1.0',
    }),
  },
  {
    id: 'package.order',
    targets: ['vsphere'],
    severity: 'refused',
    source: 'osbuild/osbuild-composer#3926, kubev2v/migration-planner#147, vmware/open-vmdk#85',
    find: wholeThat(
      ({ container, members, descriptorName }) =>
        container === 'tar' && descriptorName !== undefined && members[0] !== descriptorName,
      { what: 'the descriptor is not the first member', do: 'pack it again, with the descriptor first' },
    ),
  },
  {
    id: 'manifest.algorithm',
    targets: ['vsphere'],
    severity: 'refused',
    source: 'OpenCTI-Platform/opencti#1642, MISP/MISP#3947 ("Invalid OVF checksum algorithm: SHA1")',
    find: wholeThat(manifestBy('sha1'), {
      what: 'the manifest uses SHA-1, which vSphere 7 and later refuse; ESXi 6 and older tools read nothing else',
      do: SHA256,
    }),
  },
  {
    id: 'manifest.algorithm',
    targets: ['vsphere'],
    severity: 'refused',
    source: 'ovftool: --shaAlgorithm has sha1, sha256 and sha512',
    find: wholeThat(manifestBy('sha384'), {
      what: 'the manifest uses SHA-384, which vSphere does not know',
      do: SHA256,
    }),
  },
  {
    id: 'manifest.algorithm',
    targets: ['virtualbox'],
    severity: 'trouble',
    source: 'VirtualBox: manifest2.cpp knows MD5, SHA1, SHA256, SHA512, and compares nothing else',
    find: wholeThat(manifestBy('sha384'), {
      what: 'the manifest uses SHA-384, which VirtualBox passes over: nothing is checked',
      do: SHA256,
    }),
  },
  {
    id: 'manifest.algorithm',
    targets: ['openstack', 'kubevirt'],
    severity: 'trouble',
    source: 'virt-v2v 2.2.0, run: a damaged disk passes under a SHA-512 manifest',
    find: wholeThat(manifestBy('sha384', 'sha512'), {
      what: 'virt-v2v reads SHA-1 and SHA-256 in manifests, and passes over other lines: nothing is checked',
      do: SHA256,
    }),
  },
  {
    id: 'manifest.spelling',
    targets: ['vsphere'],
    severity: 'refused',
    source: 'home-assistant/operating-system#826 and #3654',
    find: ({ manifest }) => (manifest?.notes ?? []).map((what) => ({ where: '', what, do: REWRITTEN })),
  },
  {
    id: 'manifest.spelling',
    targets: ['kubevirt'],
    severity: 'trouble',
    source: 'virt-v2v 2.2.0, run: it warns of lines in another spelling, and a damaged disk passes',
    find: wholeThat(({ manifest }) => (manifest?.notes ?? []).length > 0, {
      what: 'virt-v2v passes over manifest lines that are not written as "SHA256(name)= hex": nothing is checked',
      do: REWRITTEN,
    }),
  },
  {
    id: 'manifest.descriptor',
    targets: ['vsphere'],
    severity: 'refused',
    source: 'GNS3/gns3-vm#96 and #40 ("No manifest entry found for")',
    find: wholeThat(
      ({ manifest, descriptorName }) =>
        manifest !== undefined && descriptorName !== undefined && !manifest.byName.has(descriptorName),
      {
        what: 'the manifest does not list the descriptor',
        do: 'write the manifest with a line for the descriptor',
      },
    ),
  },
  {
    id: 'manifest.ignored',
    targets: ['openstack', 'proxmox'],
    severity: 'note',
    source: 'Glance knows no manifests; PVE::GuestImport::OVF reads the .ovf alone',
    find: wholeThat(({ manifest }) => manifest !== undefined, {
      what: 'the importer looks at neither manifest nor signature: damage goes unseen',
      do: 'verify the bundle before it is imported',
    }),
  },
  {
    id: 'signature.algorithm',
    targets: ['vsphere', 'virtualbox'],
    severity: 'refused',
    source: 'vCenter and VirtualBox read the signature line as RSA PKCS #1 v1.5',
    find: ({ signerKey }) =>
      signerKey === undefined || /^RSA-\d/.test(signerKey)
        ? []
        : [
            {
              where: '',
              what: `it is signed with a key of the kind ${signerKey}, and signatures of RSA keys alone are read`,
              do: 'sign it with an RSA key of 3072 bits',
            },
          ],
  },
  {
    id: 'signature.ignored',
    targets: ['kubevirt'],
    severity: 'note',
    source: 'virt-v2v never reads the certificate file',
    find: wholeThat(({ signerKey }) => signerKey !== undefined, {
      what: 'virt-v2v does not look at the signature: a bundle of anybody is imported',
      do: 'verify the bundle before it is imported',
    }),
  },
  {
    id: 'name.characters',
    targets: ['proxmox'],
    severity: 'refused',
    source: 'PVE::GuestImport::OVF ("referenced path is invalid")',
    find: namesThat((name) => !/^[A-Za-z0-9.+=_-]+$/.test(name), {
      what: 'Proxmox VE takes names of letters, digits and . + = _ - alone, in no folder',
      do: 'rename the file, and its href in the descriptor',
    }),
  },
  {
    id: 'name.folder',
    targets: ['vsphere'],
    severity: 'trouble',
    source: 'govmomi: TapeArchive.Open compares the last part of names',
    find: namesThat((name) => name.includes('/'), {
      what: 'it lies in a folder, and tools of vSphere look for names without one',
      do: 'put all files beside the descriptor',
    }),
  },
  {
    id: 'file.nvram',
    targets: ['virtualbox', 'openstack', 'kubevirt', 'proxmox'],
    severity: 'trouble',
    source: 'vmware/govmomi#2136, hashicorp/packer-plugin-vsphere#95: VMware reads it, nobody else does',
    find: (facts) => (startsByEfi(facts) ? nvramFiles(facts) : []),
  },
];
