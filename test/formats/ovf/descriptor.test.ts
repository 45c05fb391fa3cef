import { describe, expect, test } from 'vitest';
import { hrefFault, memberNames, referenceOf } from '../../../src/formats/ovf/file-reference.ts';
import { diskDescriptor, envelope, fault, files, parse } from '../../factory/descriptors.ts';

describe('files', () => {
  test('[desc.8] exactly one list of references, unique ids and names', () => {
    expect(fault(envelope(''))).toBe('1: the envelope has no References');
    expect(fault(envelope('<References/>\n<References/>'))).toBe(
      '2: the envelope has a second list of References',
    );
    expect(fault(envelope(files('id="a" href="x"', 'id="a" href="y"')))).toBe('2: two files have the id a');
    expect(fault(envelope(files('id="a" href="x"', 'id="b" href="x"')))).toBe('2: two files are named x');
  });

  test('[desc.8] no file has the name of a chunk of another', () => {
    const clash = files('id="a" href="x" size="10" chunkSize="4"', 'id="b" href="x.000000002"');
    expect(fault(envelope(clash))).toBe('2: the file x.000000002 has the name of a chunk of another file');
    expect(fault(envelope(files('id="b" href="x.000000077"', 'id="a" href="x" chunkSize="4"')))).toMatch(
      /chunk of another/,
    );
    const beyond = files('id="a" href="x" size="10" chunkSize="4"', 'id="b" href="x.000000003"');
    expect(fault(envelope(beyond))).toBe('accepted');
  });

  test('[desc.9] hrefs that lead out of the bundle are refused', () => {
    for (const href of ['disk.vmdk', 'a/b.vmdk', 'x..y', '..x', 'a b(1)=.vmdk', '%20x', 'ä.iso']) {
      expect(hrefFault(href), href).toBeUndefined();
    }
    const refused = [
      '',
      '/x',
      '//h/x',
      'http://h/x',
      'file:x',
      'C:x',
      '../x',
      'a/../x',
      '..',
      'a\\b',
      '%2e%2E/x',
      'a%2fb',
      'a\nb',
    ];
    for (const href of refused) expect(hrefFault(href), href).toBeDefined();
    expect(fault(envelope(files('id="a" href="http://h/x"')))).toMatch(/relative, inside the bundle/);
    expect(fault(envelope(files('id="a" href="a/../../x"')))).toMatch(/relative, inside the bundle/);
    expect(fault(envelope(files('id="a" href=""')))).toMatch(/is empty/);
    expect(fault(envelope(files('id="a"')))).toMatch(/is empty/);
    expect(fault(envelope(files('id="a" href="a&#10;b"')))).toMatch(/control character/);
  });

  test('[desc.9] names are taken as written', () => {
    expect(parse(envelope(files('id="a" href="a%20b&amp;c.vmdk"'))).references[0]?.href).toBe('a%20b&c.vmdk');
  });

  test.each(['+1', '-1', ' 1', '1 ', '1.0', '1e3', '0x10', '', '9007199254740992', '99999999999999999999'])(
    '[desc.10] not a plain number: %j',
    (number) => {
      expect(fault(envelope(files(`id="a" href="x" size="${number}"`)))).toMatch(
        /^1: size of a File is not a plain/,
      );
      expect(fault(envelope(files(`id="a" href="x" chunkSize="${number}"`)))).toMatch(/chunkSize/);
      expect(fault(diskDescriptor(`populatedSize="${number}"`))).toMatch(/populatedSize/);
      expect(fault(diskDescriptor(`capacity="${number}"`))).toMatch(/capacity/);
    },
  );

  test('[desc.10] the largest size is read exactly; chunks of no size are refused', () => {
    expect(parse(envelope(files('id="a" href="x" size="9007199254740991"'))).references[0]?.size).toBe(
      2 ** 53 - 1,
    );
    expect(fault(envelope(files('id="a" href="x" chunkSize="0"')))).toMatch(/no size/);
  });

  test('[desc.11] chunks are named by nine digits from zero, all but the last full', () => {
    const { references } = parse(
      envelope(
        files(
          'id="a" href="x.vmdk" size="4500" chunkSize="2000"',
          'id="b" href="y" size="7"',
          'id="c" href="z" size="0" chunkSize="5"',
        ),
      ),
    );
    expect(memberNames(references)).toEqual([
      'x.vmdk.000000000',
      'x.vmdk.000000001',
      'x.vmdk.000000002',
      'y',
      'z.000000000',
    ]);
    const lookup = referenceOf(references);
    expect(lookup('x.vmdk.000000001')).toEqual({ reference: references[0], chunk: 1, size: 2000 });
    expect(lookup('x.vmdk.000000002')).toEqual({ reference: references[0], chunk: 2, size: 500 });
    expect(lookup('y')).toEqual({ reference: references[1], size: 7 });
    expect(lookup('z.000000000')).toEqual({ reference: references[2], chunk: 0, size: 0 });
    for (const name of [
      'x.vmdk',
      'x.vmdk.000000003',
      'x.vmdk.00000000',
      'x.vmdk.0000000000',
      'y.000000000',
      'z',
    ]) {
      expect(lookup(name), name).toBeUndefined();
    }
    const exact = parse(envelope(files('id="a" href="x" size="4000" chunkSize="2000"'))).references;
    expect(memberNames(exact)).toHaveLength(2);
  });

  test('[desc.11] without a size, chunks are known by their form', () => {
    const { references } = parse(envelope(files('id="a" href="x" chunkSize="2000"')));
    expect(memberNames(references)).toEqual(['x.000000000']);
    expect(referenceOf(references)('x.000000123')).toEqual({ reference: references[0], chunk: 123 });
  });

  test('[desc.12] more members than the limit are refused, and cost nothing', () => {
    expect(fault(envelope(files('id="a" href="x" size="9007199254740991" chunkSize="1"')))).toMatch(
      /more than 256 members/,
    );
    expect(fault(envelope(files('id="a" href="x"', 'id="b" href="y"')), { members: 1 })).toMatch(
      /more than 1 members/,
    );
  });

  test('[desc.16] compressions', () => {
    const compression = (value: string) =>
      parse(envelope(files(`id="a" href="x" compression="${value}"`))).references[0];
    expect(compression('gzip')?.compression).toBe('gzip');
    expect(compression('bzip2')?.compression).toBe('bzip2');
    expect(compression('identity')?.compression).toBe('identity');
    expect(compression('')?.compression).toBe('identity');
    expect(fault(envelope(files('id="a" href="x" compression="GZIP"')))).toMatch(
      /compression GZIP is not known/,
    );
  });
});

describe('disks', () => {
  test('[desc.13] disk ids are unique and their files exist', () => {
    const twice =
      '<DiskSection><Disk diskId="d"/></DiskSection>\n<DiskSection><Disk diskId="d"/></DiskSection>';
    expect(fault(envelope(`<References/>${twice}`))).toBe('2: two disks have the id d');
    expect(fault(envelope('<References/><DiskSection><Disk diskId="d" fileRef="f"/></DiskSection>'))).toMatch(
      /needs the file f, which is not in References/,
    );
    expect(fault(envelope('<References/><DiskSection><Disk/></DiskSection>'))).toMatch(/Disk has no diskId/);
  });

  test.each([
    ['capacity="8"', 8],
    ['capacity="8" capacityAllocationUnits="byte"', 8],
    ['capacity="8" capacityAllocationUnits="byte * 2^30"', 8 * 2 ** 30],
    ['capacity="8" ovf:capacityAllocationUnits="byte*2^20"', 8 * 2 ** 20],
    ['capacity="8" capacityAllocationUnits="byte * 10^9"', 8e9],
    ['capacity="8" capacityAllocationUnits="byte * 1024 * 2^10"', 8 * 2 ** 20],
    ['capacity="8" capacityAllocationUnits="GigaBytes"', 8 * 2 ** 30],
    ['capacity="8" capacityAllocationUnits="furlong"', undefined],
    ['capacity="8" capacityAllocationUnits="constructor"', undefined],
    ['capacity="8" capacityAllocationUnits="byte * 9999^99"', undefined],
    [`capacity="$${'{size}'}" capacityAllocationUnits="byte * 2^30"`, undefined],
    ['', undefined],
  ])('[desc.14] %s is %s bytes', (attributes, bytes) => {
    expect(parse(diskDescriptor(attributes)).disks[0]?.capacity).toBe(bytes);
  });

  test('[desc.14] a capacity over 2^53 − 1 bytes is refused', () => {
    expect(fault(diskDescriptor('capacity="8388608" capacityAllocationUnits="byte * 2^30"'))).toMatch(
      /larger than 2\^53/,
    );
  });
});

describe('the machine', () => {
  const item = (attributes: string, type: number, quantity: string, unit = ''): string =>
    `<Item ${attributes}><rasd:AllocationUnits>${unit}</rasd:AllocationUnits><rasd:ResourceType>${type}</rasd:ResourceType>` +
    `<rasd:VirtualQuantity>${quantity}</rasd:VirtualQuantity></Item>`;
  const system = (id: string, items: string, more = ''): string =>
    `<VirtualSystem ovf:id="${id}">${more}<VirtualHardwareSection><Info/>${items}</VirtualHardwareSection></VirtualSystem>`;

  test('[desc.15] systems, also inside collections, and products', () => {
    const { name, systems, products } = parse(
      envelope(
        `<References/><VirtualSystemCollection ovf:id="all"><Name> Suite </Name>
         <ProductSection><Info/><Product>Suite</Product><Vendor>Acme &amp; Co</Vendor><Version>1</Version><FullVersion>1.2</FullVersion></ProductSection>
         <ProductSection><Info/><Property ovf:key="k"/></ProductSection>
         ${system('a', item('', 3, '2') + item('', 4, '512', 'byte * 2^20'), '<Name>A</Name><OperatingSystemSection ovf:id="94"><Info/><Description>Ubuntu</Description></OperatingSystemSection>')}
         <VirtualSystemCollection ovf:id="in">${system('b', item('', 4, '1536', 'byte * 2^10'), '<OperatingSystemSection ovf:id="1" vmw:osType="otherGuest"><Info/></OperatingSystemSection>')}</VirtualSystemCollection>
         </VirtualSystemCollection>`,
      ),
    );
    expect(name).toBe('Suite');
    expect(products).toEqual([{ name: 'Suite', vendor: 'Acme & Co', version: '1', fullVersion: '1.2' }]);
    expect(systems).toEqual([
      { id: 'a', name: 'A', operatingSystem: 'Ubuntu', cpus: 2, memoryMiB: 512 },
      { id: 'b', operatingSystem: 'otherGuest', memoryMiB: 1.5 },
    ]);
  });

  test('[desc.15] the item without bound and configuration counts; what is not a number is left out', () => {
    const items = [
      item('ovf:configuration="big"', 3, '8'),
      item('ovf:bound="max"', 3, '16'),
      item('', 3, '4'),
      item('', 4, '2', 'furlong'),
    ];
    expect(parse(envelope(`<References/>${system('a', items.join(''))}`)).systems).toEqual([
      { id: 'a', cpus: 4 },
    ]);
    expect(parse(envelope(`<References/>${system('a', item('', 3, 'many'))}`)).systems).toEqual([
      { id: 'a' },
    ]);
    expect(parse(envelope(`<References/>${system('a', '')}`)).name).toBe('a');
    expect(fault(envelope('<References/><VirtualSystem/>'))).toMatch(/VirtualSystem has no id/);
  });
});
