import { describe, expect, test } from 'vitest';
import { parseDescriptor } from '../../../src/formats/ovf/descriptor.ts';
import { type ApplianceDisk, formatDescriptor } from '../../../src/formats/ovf/descriptor-writer.ts';
import { parseHardware } from '../../../src/formats/ovf/hardware.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { judgeTarget } from '../../../src/verdict/targets/judge-target.ts';

const GIB = 2 ** 30;
const stream: ApplianceDisk = {
  href: 'a-disk1.vmdk',
  size: 410112,
  capacity: 8 * GIB,
  format: 'vmdk',
  variant: 'streamOptimized',
};
const iso: ApplianceDisk = { href: 'seed.iso', size: 4096, capacity: 4096, format: 'iso' };

const parse = (text: string) => parseDescriptor(encodeUtf8(text), DEFAULT_LIMITS);

function many(count: number, format: ApplianceDisk['format']): readonly ApplianceDisk[] {
  return Array.from({ length: count }, (_, index) => ({
    href: `d${index}`,
    size: 512,
    capacity: 512,
    format,
  }));
}

describe('formatDescriptor', () => {
  const appliance = {
    name: 'web "1" <é>',
    product: 'Web & more',
    vendor: 'Acme',
    version: '1.0',
    cpus: 2,
    memoryMiB: 512,
    disks: [stream, iso],
  };

  test('[desc.18] the namespace is that of OVF 1.x', () => {
    const text = formatDescriptor(appliance);
    expect(parse(text).version).toBe(1);
    expect(text).not.toContain('envelope/2');
  });

  test('[desc.19] what is written is read again', () => {
    expect(parse(formatDescriptor(appliance))).toEqual({
      version: 1,
      name: 'web "1" <é>',
      references: [
        { id: 'file1', href: 'a-disk1.vmdk', size: 410112, compression: 'identity' },
        { id: 'file2', href: 'seed.iso', size: 4096, compression: 'identity' },
      ],
      disks: [
        {
          id: 'disk1',
          fileId: 'file1',
          capacity: 8 * GIB,
          format: 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized',
        },
      ],
      products: [{ name: 'Web & more', vendor: 'Acme', version: '1.0' }],
      systems: [
        {
          id: 'web "1" <é>',
          name: 'web "1" <é>',
          operatingSystem: 'Other system (64-bit)',
          cpus: 2,
          memoryMiB: 512,
        },
      ],
      notes: [],
    });
  });

  test('[desc.19] the same description gives the same text, with line feeds and the order of the schema', () => {
    const text = formatDescriptor(appliance);
    expect(formatDescriptor(structuredClone(appliance))).toBe(text);
    expect(text).not.toContain('\r');
    expect(text.endsWith('</Envelope>\n')).toBe(true);
    const order = [
      '<References>',
      '<DiskSection>',
      '<NetworkSection>',
      '<VirtualSystem ',
      '<Name>',
      '<OperatingSystemSection',
      '<VirtualHardwareSection>',
      '<vmw:Config ',
      '<ProductSection>',
    ];
    const places = order.map((tag) => text.indexOf(tag));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThan(0);
    for (const [, item = ''] of text.matchAll(/<Item>(.*?)<\/Item>/gs)) {
      const tags = [...item.matchAll(/<rasd:(\w+)>/g)].map(([, tag]) => tag);
      expect(tags).toEqual([...tags].sort());
    }
    const ids = [...text.matchAll(/<rasd:InstanceID>(\d+)/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('[desc.20] each format has its URI', () => {
    const uri = (format: ApplianceDisk['format'], variant = '') =>
      parse(formatDescriptor({ name: 'a', disks: [{ ...stream, format, variant }] })).disks[0]?.format;
    expect(uri('vmdk', 'streamOptimized')).toMatch(/vmdk\.html#streamOptimized$/);
    expect(uri('vmdk', 'monolithicSparse')).toMatch(/vmdk\.html#sparse$/);
    expect(uri('qcow2', 'v3')).toBe('http://www.gnome.org/~markmc/qcow-image-format.html');
    expect(uri('raw')).toBe('http://en.wikipedia.org/wiki/Byte');
    expect(uri('vhd')).toBe('http://go.microsoft.com/fwlink/?LinkId=137171');
    expect(uri('vhdx')).toMatch(/^http:\/\/www\.microsoft\.com\//);
    expect(uri('iso')).toBeUndefined();
  });

  test('[desc.20] disks hang on SCSI controllers, the seventh address left free; an ISO on IDE', () => {
    const text = formatDescriptor({ name: 'a', disks: [...many(16, 'raw'), iso] });
    expect(text.match(/<rasd:ResourceType>6</g)).toHaveLength(2);
    expect(text.match(/<rasd:ResourceType>17</g)).toHaveLength(16);
    expect(text.match(/<rasd:ResourceType>5</g)).toHaveLength(1);
    expect(text.match(/<rasd:ResourceType>15</g)).toHaveLength(1);
    expect(text).not.toContain('<rasd:AddressOnParent>7<');
    expect(text).toContain('<rasd:HostResource>ovf:/file/file17</rasd:HostResource>');
    const onlyIso = formatDescriptor({ name: 'a', disks: [iso] });
    expect(onlyIso).not.toContain('DiskSection');
    expect(parse(onlyIso).disks).toEqual([]);
  });

  test.each([
    ['scsi', 6, 'lsilogic'],
    ['pvscsi', 6, 'VirtualSCSI'],
    ['sata', 20, 'vmware.sata.ahci'],
    ['ide', 5, 'PIIX4'],
  ] as const)('[desc.20] disks hang on what is asked for: %s', (controller, type, model) => {
    const text = formatDescriptor({ name: 'a', controller, disks: [...many(2, 'raw'), iso] });
    const { machines } = parseHardware(encodeUtf8(text), DEFAULT_LIMITS);
    const devices = machines[0]?.devices ?? [];
    expect(devices.find((device) => device.type === type)).toEqual({ type, model });
    expect(devices.filter((device) => device.type === 17)).toHaveLength(2);
    expect(devices.filter((device) => device.type === 5)).toHaveLength(controller === 'ide' ? 2 : 1);
  });

  test('[desc.23] network cards, guest system and firmware, asked for or not', () => {
    const hardware = (more: object) => {
      const text = formatDescriptor({ name: 'a', disks: [stream], ...more });
      const names = [...text.matchAll(/<Network ovf:name="([^"]*)"/g)].map(([, name]) => name);
      const cards = [...text.matchAll(/<rasd:Connection>([^<]*)</g)].map(([, name]) => name);
      return { ...parseHardware(encodeUtf8(text), DEFAULT_LIMITS).machines[0], names, cards };
    };
    expect(hardware({})).toMatchObject({
      families: ['vmx-10'],
      firmware: 'bios',
      vmwareGuest: 'otherGuest64',
      names: ['VM Network'],
      cards: ['VM Network'],
    });
    expect(hardware({ networks: ['a & b', 'c', 'c'], firmware: 'efi', os: 'debian64' })).toMatchObject({
      firmware: 'efi',
      vmwareGuest: 'debian7_64Guest',
      names: ['a &amp; b', 'c'],
      cards: ['a &amp; b', 'c', 'c'],
    });
    expect(hardware({ networks: [] })).toMatchObject({ names: [], cards: [] });
    expect(formatDescriptor({ name: 'a', networks: [], disks: [stream] })).not.toContain('NetworkSection');
  });

  test('[desc.23] of what is written, vSphere and VirtualBox are known to refuse nothing', () => {
    for (const controller of ['scsi', 'pvscsi', 'sata', 'ide'] as const) {
      const text = formatDescriptor({ name: 'a', controller, firmware: 'bios', disks: [stream, iso] });
      const facts = {
        members: ['a.ovf'],
        descriptorName: 'a.ovf',
        descriptor: parse(text),
        hardware: parseHardware(encodeUtf8(text), DEFAULT_LIMITS),
        disks: { 'a-disk1.vmdk': { format: 'vmdk', variant: 'streamOptimized', virtualSize: 8 * GIB } },
      } as const;
      expect([
        ...judgeTarget('vsphere', facts).findings,
        ...judgeTarget('virtualbox', facts).findings,
      ]).toEqual([]);
    }
  });

  test.each([
    ['a control character', { name: 'a\u{1}', disks: [] }, /name of the appliance/],
    ['half a surrogate pair', { name: 'a', vendor: '\u{D800}', disks: [] }, /vendor of the appliance/],
    ['a line end', { name: 'a', product: 'x\ny', disks: [] }, /product of the appliance/],
    ['no name', { name: ' ', disks: [] }, /no name/],
    ['no processor', { name: 'a', cpus: 0, disks: [] }, /number of processors/],
    ['half a MiB', { name: 'a', memoryMiB: 0.5, disks: [] }, /memory in MiB/],
    ['a file outside', { name: 'a', disks: [{ ...stream, href: '../x' }] }, /\.\. segment/],
    ['a file twice', { name: 'a', disks: [stream, stream] }, /same file name/],
    ['a blank network', { name: 'a', networks: [' '], disks: [] }, /name of a network/],
    ['5 drives on IDE', { name: 'a', controller: 'ide', disks: [...many(4, 'raw'), iso] }, /4 drives on IDE/],
    ['121 disks on SATA', { name: 'a', controller: 'sata', disks: many(121, 'raw') }, /at most 120 disks/],
    ['61 disks', { name: 'a', disks: many(61, 'raw') }, /at most 60 disks/],
    ['5 discs', { name: 'a', disks: many(5, 'iso') }, /4 ISO images/],
  ] as readonly [string, Parameters<typeof formatDescriptor>[0], RegExp][])(
    '[desc.21] refused: %s',
    (_, description, message) => {
      expect(() => formatDescriptor(description)).toThrow(
        expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) }),
      );
    },
  );
});
