import { describe, expect, test } from 'vitest';
import { parseHardware } from '../../../src/formats/ovf/hardware.ts';
import { parseManifest } from '../../../src/formats/ovf/manifest.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { judgeTarget, TARGET_RULES } from '../../../src/verdict/targets/judge-target.ts';
import { type BundleFacts, TARGETS } from '../../../src/verdict/targets/target.ts';
import { envelope, OVF2, parse } from '../../factory/descriptors.ts';

const VMDK = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized';
const VSSD = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData';

interface Machine {
  readonly file?: string;
  readonly format?: string;
  readonly family?: string;
  readonly items?: string;
  readonly firmware?: string;
  readonly guest?: string;
  readonly version?: string;
  readonly wrap?: (system: string) => string;
}

/** A descriptor of one machine with one disk. */
function described({
  file = 'ovf:href="web.vmdk"',
  format = VMDK,
  family = 'vmx-13',
  items = '',
  firmware = '',
  guest = 'vmw:osType="otherLinux64Guest"',
  version,
  wrap = (system) => system,
}: Machine = {}): string {
  const system = `<System><v:VirtualSystemType xmlns:v="${VSSD}">${family}</v:VirtualSystemType></System>`;
  const config = firmware && `<vmw:Config vmw:key="firmware" vmw:value="${firmware}"/>`;
  const hardware =
    family === 'none'
      ? ''
      : `<VirtualHardwareSection><Info/>${system}${items}${config}</VirtualHardwareSection>`;
  return envelope(
    `<References><File ovf:id="f" ${file}/></References><DiskSection><Info/><Disk ovf:diskId="d" ovf:fileRef="f" ovf:format="${format}"/></DiskSection>` +
      wrap(
        `<VirtualSystem ovf:id="vm"><Info/><OperatingSystemSection ovf:id="101" ${guest}><Info/></OperatingSystemSection>${hardware}</VirtualSystem>`,
      ),
    version,
  );
}

const stream = { format: 'vmdk', variant: 'streamOptimized', virtualSize: 512 } as const;
const line = (algorithm: string, digits: number, name = 'web.ovf'): string =>
  `${algorithm}(${name})= ${'a'.repeat(digits)}\n`;

/** What is known of a bundle that every importer of OVF takes, but for what is changed. */
function facts(
  text = described(),
  more: Partial<BundleFacts> = {},
  manifest = line('SHA256', 64),
): BundleFacts {
  return {
    container: 'tar',
    members: ['web.ovf', 'web.mf', 'web.cert', 'web.vmdk'],
    descriptorName: 'web.ovf',
    descriptor: parse(text),
    hardware: parseHardware(encodeUtf8(text), DEFAULT_LIMITS),
    manifest: parseManifest(encodeUtf8(manifest), DEFAULT_LIMITS),
    signerKey: 'RSA-3072',
    disks: { 'web.vmdk': stream },
    ...more,
  };
}

const item = (type: number, model: string): string =>
  `<Item><rasd:ResourceSubType>${model}</rasd:ResourceSubType><rasd:ResourceType>${type}</rasd:ResourceType></Item>`;
const disk = (format: string, variant?: string, name = 'web.vmdk'): Partial<BundleFacts> => ({
  disks: { [name]: { format, virtualSize: 512, ...(variant && { variant }) } } as BundleFacts['disks'],
});
const plain = { container: 'tar', members: ['a.mf', 'web.vmdk'], disks: { 'web.vmdk': stream } } as const;

/** What trips each rule: for whom, how bad, where. */
const CASES: readonly (readonly [string, BundleFacts, string])[] = [
  [
    'a tgz',
    facts(undefined, { container: 'tgz' }),
    'vsphere virtualbox kubevirt proxmox: refused package.container',
  ],
  [
    'a zip',
    facts(undefined, { container: 'zip' }),
    'vsphere virtualbox kubevirt proxmox: refused package.container',
  ],
  ['no descriptor', plain, 'vsphere virtualbox kubevirt proxmox: refused package.plain'],
  ['OVF 2', facts(described({ version: OVF2 })), 'vsphere kubevirt proxmox: refused package.version'],
  [
    'the descriptor second',
    facts(undefined, { members: ['web.vmdk', 'web.ovf'] }),
    'vsphere: refused package.order',
  ],
  ['a manifest of SHA-1', facts(undefined, {}, line('SHA1', 40)), 'vsphere: refused manifest.algorithm'],
  [
    'a manifest of SHA-384',
    facts(undefined, {}, line('SHA384', 96)),
    'vsphere: refused manifest.algorithm; virtualbox openstack kubevirt: trouble manifest.algorithm',
  ],
  [
    'a manifest of SHA-512',
    facts(undefined, {}, line('SHA512', 128)),
    'openstack kubevirt: trouble manifest.algorithm',
  ],
  [
    'the spelling of OpenSSL 3',
    facts(undefined, {}, line('SHA2-256', 64)),
    'vsphere: refused manifest.spelling; kubevirt: trouble manifest.spelling',
  ],
  [
    'a descriptor that is not listed',
    facts(undefined, {}, line('SHA256', 64, 'web.vmdk')),
    'vsphere: refused manifest.descriptor',
  ],
  [
    'a signature of an EC key',
    facts(undefined, { signerKey: 'P-256' }),
    'vsphere virtualbox: refused signature.algorithm',
  ],
  [
    'a name with a blank',
    facts(described({ file: 'ovf:href="a b.vmdk"' })),
    'proxmox: refused name.characters',
  ],
  [
    'a name in a folder',
    facts(described({ file: 'ovf:href="a/b.vmdk"' })),
    'proxmox: refused name.characters; vsphere: trouble name.folder',
  ],
  [
    'an NVRAM file of a machine that starts by EFI',
    facts(described({ file: 'ovf:href="web.nvram"', firmware: 'efi' })),
    'virtualbox openstack kubevirt proxmox: trouble file.nvram; virtualbox openstack kubevirt: trouble hardware.firmware',
  ],
  ['an NVRAM file of one that starts by BIOS', facts(described({ file: 'ovf:href="web.nvram"' })), ''],
  [
    'hardware of VirtualBox',
    facts(described({ family: 'virtualbox-2.2' })),
    'vsphere: refused hardware.family',
  ],
  ['hardware of ESXi 8', facts(described({ family: 'vmx-20' })), 'vsphere: trouble hardware.version'],
  ['hardware that nobody knows', facts(described({ family: 'vmx-99' })), 'vsphere: trouble hardware.version'],
  ['one family of several', facts(described({ family: 'virtualbox-2.2 vmx-21 vmx-07' })), ''],
  [
    'no hardware',
    facts(described({ family: 'none' })),
    'vsphere virtualbox kubevirt proxmox: refused hardware.missing',
  ],
  ['SATA of VirtualBox', facts(described({ items: item(20, 'AHCI') })), 'vsphere: refused hardware.sata'],
  ['SATA of VMware', facts(described({ items: item(20, 'vmware.sata.ahci') })), ''],
  [
    'a controller that nobody knows',
    facts(described({ items: item(20, 'foo') })),
    'vsphere virtualbox: refused hardware.sata',
  ],
  ['a guest by number', facts(described({ guest: '' })), 'vsphere: note hardware.guest'],
  ['EFI', facts(described({ firmware: 'efi' })), 'virtualbox openstack kubevirt: trouble hardware.firmware'],
  [
    'a collection',
    facts(
      described({
        wrap: (one) => `<VirtualSystemCollection ovf:id="c"><Info/>${one}</VirtualSystemCollection>`,
      }),
    ),
    'openstack kubevirt proxmox: refused hardware.collection',
  ],
  ['a sparse VMDK', facts(undefined, disk('vmdk', 'monolithicSparse')), 'vsphere: refused disk.subformat'],
  [
    'a VMDK of another kind',
    facts(undefined, disk('vmdk', 'custom')),
    'vsphere openstack: refused disk.subformat',
  ],
  [
    'VHD',
    facts(described({ format: 'http://example.org/other' }), disk('vhd')),
    'vsphere kubevirt proxmox: refused disk.format',
  ],
  [
    'VHDX',
    facts(described({ format: 'http://example.org/other' }), disk('vhdx')),
    'vsphere virtualbox kubevirt proxmox: refused disk.format',
  ],
  [
    'qcow2',
    facts(described({ format: 'http://example.org/other' }), disk('qcow2')),
    'vsphere virtualbox: refused disk.format',
  ],
  [
    'raw as .img',
    facts(
      described({ file: 'ovf:href="web.img"', format: 'http://example.org/other' }),
      disk('raw', undefined, 'web.img'),
    ),
    'vsphere virtualbox proxmox: refused disk.format',
  ],
  [
    'a file that is no disk',
    facts(undefined, { disks: { 'web.vmdk': stream, 'notes.txt': { format: 'raw', virtualSize: 1 } } }),
    '',
  ],
  [
    'qcow2 that is called VMDK',
    facts(undefined, disk('qcow2')),
    'vsphere virtualbox: refused disk.format; vsphere virtualbox openstack kubevirt proxmox: trouble disk.declared',
  ],
  [
    'a compressed disk',
    facts(described({ file: 'ovf:href="web.vmdk" ovf:compression="gzip"' })),
    'vsphere proxmox: refused disk.compressed; openstack: trouble disk.compressed',
  ],
  [
    'a disk in chunks',
    facts(described({ file: 'ovf:href="web.vmdk" ovf:size="9" ovf:chunkSize="5"' })),
    'virtualbox proxmox: refused disk.chunks; openstack kubevirt: trouble disk.chunks',
  ],
  [
    'an ISO',
    facts(undefined, { disks: { 'web.vmdk': stream, 'a.iso': { format: 'iso', virtualSize: 1 } } }),
    'proxmox: trouble disk.optical',
  ],
  [
    'two disks',
    facts(undefined, { disks: { 'web.vmdk': stream, 'b.vmdk': stream } }),
    'openstack kubevirt: note disk.several',
  ],
];

/** What is said of any VMDK in a signed bundle: nothing of it is wrong. */
const USUAL = new Set(['manifest.ignored', 'signature.ignored', 'disk.vmdk']);

describe('what a target trips over', () => {
  test.each(CASES)('[target.2] %s', (_, given, expected) => {
    const found = new Map<string, string[]>();
    for (const target of TARGETS) {
      const { findings } = judgeTarget(target, given);
      const told = new Set(
        findings.filter(({ id }) => !USUAL.has(id)).map(({ id, severity }) => `${severity} ${id}`),
      );
      for (const one of told) found.set(one, [...(found.get(one) ?? []), target]);
    }
    const rows = [...found].map(([what, targets]) => `${targets.join(' ')}: ${what}`);
    expect(rows.sort()).toEqual(expected.split('; ').filter(Boolean).sort());
  });

  test('[target.2] each rule has a source, and a case above or nothing wrong to tell', () => {
    const tripped = TARGET_RULES.filter(({ find }) => CASES.some(([, given]) => find(given).length > 0));
    expect(tripped).toEqual(TARGET_RULES);
    expect(TARGET_RULES.filter(({ source }) => source.length < 10)).toEqual([]);
  });

  test('[target.1] the worst is told first, with the line that converts a disk, its name quoted', () => {
    const name = "it's a disk.img";
    const given = facts(
      described({ file: `ovf:href="${name}"`, guest: '', format: 'http://example.org/raw' }),
      disk('raw', undefined, name),
    );
    const { target, accepts, findings } = judgeTarget('vsphere', given);
    expect(target).toBe('vsphere');
    expect(accepts.length).toBeGreaterThan(3);
    expect(findings.map(({ severity }) => severity)).toEqual(['refused', 'note']);
    expect(findings[0]).toMatchObject({
      where: name,
      do: `qemu-img convert -O vmdk -o subformat=streamOptimized -f raw 'it'"'"'s a disk.img' 'it'"'"'s a disk-new.vmdk'`,
    });
  });

  test('[target.2] of what is not known nothing is said', () => {
    const unread = { members: ['web.ovf'], descriptorName: 'web.ovf', disks: {} };
    expect(TARGETS.flatMap((target) => judgeTarget(target, unread).findings)).toEqual([]);
  });
});
