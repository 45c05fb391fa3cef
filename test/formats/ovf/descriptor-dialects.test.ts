import { describe, expect, test } from 'vitest';
import { memberNames } from '../../../src/formats/ovf/file-reference.ts';
import { envelope, fault, files, OVF1, OVF2, parse } from '../../factory/descriptors.ts';

const DRAFT = 'http://www.vmware.com/schema/ovf/1/envelope';
const FILE = files('ovf:id="f" ovf:href="d.vmdk"');
const DISK = '<DiskSection><Info/><Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="1"/></DiskSection>';
const MACHINE = '<VirtualSystem ovf:id="v"><Info/></VirtualSystem>';
/** What every reading of one of the variants below has to find. */
const PLAIN = parse(envelope(FILE + DISK + MACHINE));

/** An envelope of one version, with the prefix `o` for another. */
function mixed(inside: string, own = OVF1, other = OVF2): string {
  return envelope(inside, own).replace('<Envelope ', `<Envelope xmlns:o="${other}" `);
}

/** The XML with an attribute more in the first element of a name. */
function having(attribute: string, element: string, xml: string): string {
  return xml.replace(new RegExp(`<${element}\\b`), `<${element} ${attribute}`);
}

describe.each([
  ['OVF 2 in OVF 1', OVF1, OVF2],
  ['OVF 1 in OVF 2', OVF2, OVF1],
  ['the draft in OVF 1', OVF1, DRAFT],
  ['an OVF to come in OVF 1', OVF1, 'http://schemas.dmtf.org/ovf/envelope/3'],
  ['the namespace of oVirt in OVF 1', OVF1, `${OVF1}/`],
])('%s', (_, own, other) => {
  const version = own === OVF2 ? 2 : 1;

  test.each([
    ['an empty section', '<o:PlacementGroupSection/>'],
    [
      'a section',
      '<o:PlacementGroupSection o:id="g" o:policy="affinity"><Info/><o:Description/></o:PlacementGroupSection>',
    ],
    [
      'a count',
      '<o:ScaleOutSection o:id="v"><Info/><o:InstanceCount o:minimum="1" o:maximum="4"/></o:ScaleOutSection>',
    ],
    ['a required section', '<o:BootDeviceSection ovf:required="true"><Info/></o:BootDeviceSection>'],
    ['a section that no version has', '<o:SomethingSection o:x="y"><o:Other/></o:SomethingSection>'],
    ['texts', '<o:Strings xml:lang="de"><o:Msg o:msgid="a">ä</o:Msg></o:Strings>'],
    ['an attribute of a section', '<NetworkSection o:required="false"><Info/></NetworkSection>'],
  ])('[desc.6] passes over %s', (__, part) => {
    expect(parse(mixed(FILE + DISK + part + MACHINE, own, other))).toEqual({ ...PLAIN, version });
    const inside = MACHINE.replace('<Info/>', `<Info/>${part}`);
    expect(parse(mixed(FILE + DISK + inside, own, other))).toEqual({ ...PLAIN, version });
  });

  test.each([
    ...[
      'References',
      'File',
      'DiskSection',
      'Disk',
      'SharedDiskSection',
      'SharedDisk',
      'Envelope',
      'Content',
    ],
    ...[
      'VirtualSystem',
      'VirtualSystemCollection',
      'EnvironmentFilesSection',
      'EncryptionSection',
      'Section',
    ],
  ])('[desc.6] refuses %s, wherever it is', (name) => {
    const refusal = new RegExp(`^1: ${name} belongs to another OVF namespace`);
    for (const part of [
      `<o:${name}/>`,
      `<vmw:X><o:${name}/></vmw:X>`,
      `<o:X><o:${name}/></o:X>`,
      `<o:X><${name}/></o:X>`,
    ])
      expect(fault(mixed(FILE + DISK + part + MACHINE, own, other)), part).toMatch(refusal);
  });

  test.each(['href', 'fileRef', 'chunkSize', 'compression'])('[desc.6] refuses the attribute %s', (name) => {
    const refusal = new RegExp(`${name} belongs to another OVF namespace`);
    for (const part of [
      `<vmw:X o:${name}="1"/>`,
      `<o:X o:${name}="1"/>`,
      `<o:X ${name}="1"/>`,
      `<Strings o:${name}="1"/>`,
    ])
      expect(fault(mixed(FILE + DISK + part + MACHINE, own, other)), part).toMatch(refusal);
    expect(fault(mixed(FILE.replace('<File', `<File o:${name}="1"`), own, other))).toMatch(refusal);
  });

  test.each(['id', 'size', 'required', 'anything'])(
    '[desc.6] refuses any attribute where files are read: %s',
    (name) => {
      for (const element of ['References', 'File', 'DiskSection', 'Disk']) {
        const text = having(`o:${name}="1"`, element, FILE + DISK);
        expect(fault(mixed(text + MACHINE, own, other)), element).toMatch(/belongs to another OVF namespace/);
      }
      const root = mixed(FILE, own, other).replace('<Envelope ', `<Envelope o:${name}="1" `);
      expect(fault(root)).toMatch(/belongs to another OVF namespace/);
    },
  );
});

describe('the envelope', () => {
  test('[desc.5] what is not OVF, by its names', () => {
    const root = (uri: string): string => fault(`<Envelope xmlns="${uri}"/>`);
    expect(root(DRAFT)).toMatch(/VMware draft of OVF 0\.9/);
    expect(root('http://www.vmware.com/schema/ovf/0.9/envelope')).toMatch(/VMware draft of OVF 0\.9/);
    expect(root(`${OVF1}/`)).toMatch(/as oVirt has it/);
  });

  test('[desc.8] References outside of the namespace are named', () => {
    const text = `<o:Envelope xmlns:o="${OVF1}">\n<References/></o:Envelope>`;
    expect(fault(text)).toBe('2: References is outside of the namespace of the envelope');
  });

  test('[desc.22] XInclude and xml:base are refused where they could bring other files', () => {
    const include = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="files.xml"/>';
    expect(fault(envelope(FILE.replace('<File', `${include}<File`)))).toMatch(/XInclude/);
    expect(fault(envelope(`<vmw:X>${include}</vmw:X>${FILE}`))).toMatch(/XInclude/);
    for (const element of ['References', 'File', 'DiskSection', 'Disk']) {
      const based = (base: string): string =>
        fault(envelope(having(`xml:base="${base}"`, element, FILE + DISK)));
      for (const base of ['http://h/', '../', 'sub/', 'file:///'])
        expect(based(base), base).toMatch(/xml:base/);
      for (const base of ['', '.', './']) expect(based(base), base).toBe('accepted');
    }
    expect(fault(envelope(`${FILE}<vmw:X xml:base="http://h/"/>`))).toBe('accepted');
  });
});

describe('descriptors that say the same', () => {
  test.each([
    ['an empty fileRef', DISK.replace('"f"', '""'), { fileId: undefined }],
    ['an empty fileRef without prefix', DISK.replace('ovf:fileRef="f"', 'fileRef=""'), { fileId: undefined }],
    ['an empty parentRef', having('ovf:parentRef=""', 'Disk', DISK), {}],
    ['a parentRef', having('ovf:parentRef="base"', 'Disk', DISK), {}],
  ])('[desc.13] %s', (_, disk, change) => {
    const { fileId, ...first } = { ...PLAIN.disks[0], ...change };
    expect(parse(envelope(FILE + disk + MACHINE)).disks).toEqual([{ ...first, ...(fileId && { fileId }) }]);
  });

  test('[desc.13] an empty fileRef beside another, and one of blanks', () => {
    expect(fault(envelope(FILE + having('fileRef=""', 'Disk', DISK)))).toMatch(/two different values/);
    expect(fault(envelope(FILE + DISK.replace('"f"', '" "')))).toMatch(/not in References/);
  });

  test('[desc.13] two disks may begin with one file', () => {
    const two = DISK.replace('</DiskSection>', '<Disk diskId="e" fileRef="f"/></DiskSection>');
    expect(parse(envelope(FILE + two)).disks.map(({ fileId }) => fileId)).toEqual(['f', 'f']);
  });

  const whole = envelope(FILE + DISK + MACHINE);
  test.each([
    ['comments', whole.replaceAll('><', '><!-- <File href="x"/> --><')],
    ['processing instructions', `<?xml-stylesheet href="a.xsl"?>${whole.replaceAll('><', '><?x <File?><')}`],
    ['CDATA', whole.replaceAll('<Info/>', '<Info><![CDATA[<File ovf:href="x"/>]]></Info>')],
    ['CRLF', whole.replaceAll('><', '>\r\n<')],
    ['a byte order mark', `\u{FEFF}${whole}`],
    ['a declaration', `<?xml version='1.0' encoding='UTF-8' standalone='no'?>\n${whole}`],
    ['other quotes', whole.replaceAll('"', "'")],
    ['references to characters', whole.replaceAll('d.vmdk', '&#100;.&#x76;mdk')],
    ['blanks in tags', whole.replaceAll('/>', '\n />').replaceAll('="', ' = "')],
    ['an odd prefix', whole.replaceAll('ovf:', '_o-v.f:').replaceAll(':ovf=', ':_o-v.f=')],
    ['prefixes everywhere', whole.replaceAll(/<(\/?)([A-Z])/g, '<$1ovf:$2').replace(`xmlns="${OVF1}" `, '')],
    [
      'a long annotation',
      whole.replace(
        '</VirtualSystem>',
        `<AnnotationSection><Info/><Annotation>${'long '.repeat(50_000)}</Annotation></AnnotationSection></VirtualSystem>`,
      ),
    ],
    [
      'a licence',
      whole.replace(
        '</VirtualSystem>',
        '<EulaSection><Info/><License>&lt;File&gt;</License></EulaSection></VirtualSystem>',
      ),
    ],
    ['texts in a file', whole.replace('</Envelope>', '<Strings xml:lang="de" ovf:fileRef="f"/></Envelope>')],
    [
      'texts',
      whole.replace('</Envelope>', '<Strings xml:lang="de"><Msg ovf:msgid="a">ä</Msg></Strings></Envelope>'),
    ],
    [
      'extensions',
      whole.replace(
        '<Info/></VirtualSystem>',
        '<Info/><b:Machine xmlns:b="http://www.virtualbox.org/ovf/machine" ovf:required="false" version="1.19"><Hardware><File href="x"/></Hardware></b:Machine><vmw:BootOrderSection ovf:required="false"/></VirtualSystem>',
      ),
    ],
    ['a required extension', whole.replace('<VirtualSystem ', '<vmw:X ovf:required="true"/><VirtualSystem ')],
    ['empty compression', whole.replace('<File', '<File ovf:compression=""')],
  ])('[desc.5] %s', (_, text) => {
    expect(parse(text)).toEqual(PLAIN);
  });

  test('[desc.15] collections in collections', () => {
    const nested = `<VirtualSystemCollection ovf:id="a"><VirtualSystemCollection ovf:id="b">${MACHINE}</VirtualSystemCollection></VirtualSystemCollection>`;
    expect(parse(envelope(FILE + DISK + nested))).toEqual({ ...PLAIN, name: 'a' });
  });

  test('[desc.11] a compressed file in chunks', () => {
    const { references } = parse(
      envelope(files('id="f" href="d.gz" size="25" compression="gzip" chunkSize="10"')),
    );
    expect(references[0]?.compression).toBe('gzip');
    expect(memberNames(references)).toEqual(['d.gz.000000000', 'd.gz.000000001', 'd.gz.000000002']);
  });

  test('[desc.9] escapes and addresses in names', () => {
    expect(parse(envelope(files('id="f" href="my%20disk.vmdk"'))).references[0]?.href).toBe('my%20disk.vmdk');
    for (const href of ['https://h/d.vmdk', 'file:///d.vmdk', '//h/d.vmdk', '..%2Fd.vmdk', '%2e%2e/d.vmdk'])
      expect(fault(envelope(files(`id="f" href="${href}"`))), href).toMatch(/the href of the file f /);
  });
});
