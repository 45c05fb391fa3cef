import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDescriptor } from '../../../../src/formats/ovf/descriptor.ts';
import { editDescriptor } from '../../../../src/formats/ovf/edit/edit-descriptor.ts';
import { decodeUtf8, encodeUtf8 } from '../../../../src/kit/encoding.ts';
import { isBundleError } from '../../../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../../src/kit/limits.ts';
import { envelope } from '../../../factory/descriptors.ts';
import { codeOf } from '../../../factory/errors.ts';

const VSSD = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData';

function machine(id: string, inside = ''): string {
  return `<VirtualSystem ovf:id="${id}">
    <Info>a machine</Info><Name>${id} one</Name>
    <VirtualHardwareSection><Info/><System xmlns:vssd="${VSSD}"><vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType></System>
      <Item><rasd:Connection>LAN</rasd:Connection><rasd:ResourceType>10</rasd:ResourceType></Item></VirtualHardwareSection>
    ${inside}
  </VirtualSystem>`;
}

const PRODUCT = `<ProductSection ovf:class="vami" ovf:instance="web">
      <Info>product</Info>
      <Product>Web</Product>
      <!-- by hand -->
      <Property ovf:key="ip" ovf:type="string" ovf:value='1.2.3.4'/>
      <Property ovf:key="dns" ovf:type="string"/>
    </ProductSection><AnnotationSection><Info/><Annotation><![CDATA[old & odd]]></Annotation></AnnotationSection>`;
const NETWORKS =
  '<References/><NetworkSection><Info/><Network ovf:name="LAN"/><Network ovf:name="WAN"/></NetworkSection>';
const ONE = envelope(`${NETWORKS}\r\n${machine('web', PRODUCT)}`);
const TWO = envelope(
  `${NETWORKS}<VirtualSystemCollection ovf:id="all"><Info/>${machine('web', PRODUCT)}${machine('db')}</VirtualSystemCollection>`,
);
const BARE = envelope(
  `${NETWORKS}<VirtualSystemCollection ovf:id="all"><Info/>${machine('web')}${machine('db')}</VirtualSystemCollection>`,
);

function edited(text: string, settings: Readonly<Record<string, string>>): string {
  const list = Object.entries(settings).map(([key, value]) => ({ key, value }));
  return decodeUtf8(editDescriptor(encodeUtf8(text), list, DEFAULT_LIMITS).bytes) ?? '';
}

function refusal(text: string, key: string, value = 'new'): string {
  try {
    edited(text, { [key]: value });
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'USAGE') throw error;
    return `${error.message}; ${String(error.fix)}`;
  }
  return 'accepted';
}

describe('a value that is set in a descriptor', () => {
  test.each<[string, string, string, string]>([
    ['name', 'A&B', '<Name>web one</Name>', '<Name>A&amp;B</Name>'],
    ['name@web', 'x', '<Name>web one</Name>', '<Name>x</Name>'],
    ['product.name', 'New', '<Product>Web</Product>', '<Product>New</Product>'],
    [
      'product.version',
      '1.5',
      '<Product>Web</Product>',
      '<Product>Web</Product>\n      <Version>1.5</Version>',
    ],
    ['product.vendor', 'ü', '<Product>Web</Product>', '<Product>Web</Product>\n      <Vendor>ü</Vendor>'],
    ['annotation', '<b>', '<![CDATA[old & odd]]>', '&lt;b&gt;'],
    ['hardware', 'vmx-13', '>vmx-10<', '>vmx-13<'],
    ['property.ip', `it's "5"`, `'1.2.3.4'`, `'it&apos;s &quot;5&quot;'`],
    ['property.vami.ip.web', '', `'1.2.3.4'`, `''`],
    ['property.dns', '9', 'ovf:key="dns"', 'ovf:key="dns" ovf:value="9"'],
  ])('[edit.1] [edit.2] %s=%s: every other byte stays', (key, value, before, after) => {
    expect(edited(ONE, { [key]: value })).toBe(ONE.replace(before, () => after));
  });

  test('[edit.2] a network is renamed where it is listed, and wherever a card is on it', () => {
    const renamed = edited(TWO, { 'network.LAN': 'DMZ "1"' });
    expect(renamed).toBe(
      TWO.replaceAll('"LAN"', '"DMZ &quot;1&quot;"').replaceAll('>LAN<', '>DMZ &quot;1&quot;<'),
    );
  });

  test('[edit.1] elements without an end tag get one, in the words of the descriptor', () => {
    const prefixed = `<ovf:Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><ovf:References/><ovf:VirtualSystem ovf:id="a"><ovf:Info/><ovf:ProductSection/><ovf:AnnotationSection><ovf:Info/><ovf:Annotation /></ovf:AnnotationSection></ovf:VirtualSystem></ovf:Envelope>`;
    expect(edited(prefixed, { 'product.version': '2', annotation: 'n', name: 'm' })).toBe(
      prefixed
        .replace(
          '<ovf:ProductSection/>',
          '<ovf:ProductSection><ovf:Version>2</ovf:Version></ovf:ProductSection>',
        )
        .replace('<ovf:Annotation />', '<ovf:Annotation>n</ovf:Annotation>')
        .replace('<ovf:Info/><ovf:ProductSection>', '<ovf:Info/><ovf:Name>m</ovf:Name><ovf:ProductSection>'),
    );
  });

  test('[edit.2] a section that is missing is put behind the name of the machine', () => {
    const sections = edited(BARE, {
      'product.version@db': '2',
      'product.name@db': 'DB',
      'annotation@db': 'n',
    });
    expect(sections).toBe(
      BARE.replace(
        '<Name>db one</Name>',
        `<Name>db one</Name>
    <AnnotationSection>
      <Info>A human-readable annotation</Info>
      <Annotation>n</Annotation>
    </AnnotationSection>
    <ProductSection>
      <Info>Information about the installed software</Info>
      <Product>DB</Product>
      <Version>2</Version>
    </ProductSection>`,
      ),
    );
    const { products } = parseDescriptor(
      encodeUtf8(edited(envelope(`<References/>${machine('a')}`), { 'product.version': '2' })),
      DEFAULT_LIMITS,
    );
    expect(products[0]).toMatchObject({ version: '2' });
  });

  test('[edit.2] it has the prefix of the machine, and its lines', () => {
    const prefixed =
      '<o:Envelope xmlns:o="http://schemas.dmtf.org/ovf/envelope/1"><o:VirtualSystem o:id="a"/></o:Envelope>';
    expect(edited(prefixed, { annotation: 'n' })).toBe(
      prefixed.replace(
        '<o:VirtualSystem o:id="a"/>',
        '<o:VirtualSystem o:id="a"><o:AnnotationSection><o:Info>A human-readable annotation</o:Info><o:Annotation>n</o:Annotation></o:AnnotationSection></o:VirtualSystem>',
      ),
    );
  });

  test('[edit.1] millions of blanks are looked at once', () => {
    const blank = envelope(`<References/>${machine('a').replace('a machine', ' '.repeat(2_000_000))}`);
    expect(edited(blank, { 'product.version': '2' })).toContain('<Version>2</Version>');
  });

  test('[edit.1] text behind an element without an end tag is none of it', () => {
    const odd = ONE.replace('<Name>web one</Name>', '<Name/>/of old');
    expect(edited(odd, { name: 'x' })).toBe(odd.replace('<Name/>', '<Name>x</Name>'));
  });

  test('[edit.3] values for configurations are named, and stay', () => {
    const text = ONE.replace(
      `ovf:key="dns" ovf:type="string"/>`,
      `ovf:key="dns" ovf:type="string"><Value ovf:value="7"/></Property>`,
    );
    const { notes } = editDescriptor(encodeUtf8(text), [{ key: 'property.dns', value: '9' }], DEFAULT_LIMITS);
    expect(notes).toEqual([expect.stringContaining('values for configurations')]);
  });

  test('[edit.1] the byte order mark stays, and what is so already changes nothing', () => {
    const marked = `\uFEFF<?xml version="1.0"?>\r\n${ONE}`;
    expect(edited(marked, { name: 'x' })).toBe(marked.replace('web one', 'x'));
    expect(edited(ONE, { annotation: 'old & odd' })).toBe(ONE);
    const same = [{ key: 'name', value: 'web one' }];
    expect(editDescriptor(encodeUtf8(ONE), same, DEFAULT_LIMITS).changes).toEqual([]);
  });

  test('[edit.3] in a document of ASCII other characters are references', () => {
    const ascii = `<?xml version="1.0" encoding="US-ASCII"?>${ONE}`;
    expect(edited(ascii, { name: 'ü😀' })).toBe(ascii.replace('web one', '&#xFC;&#x1F600;'));
  });

  test('[edit.3] what still has the old name of a network, and translations, are named', () => {
    const text = ONE.replace('<Name>', '<Name ovf:msgid="n">').replace('<Product>Web<', '<Product>LAN<');
    const settings = [
      { key: 'network.LAN', value: 'DMZ' },
      { key: 'name', value: 'x' },
    ];
    const { notes, changes } = editDescriptor(encodeUtf8(text), settings, DEFAULT_LIMITS);
    expect(notes).toEqual([
      expect.stringContaining('Product still says "LAN"'),
      expect.stringContaining('Name has translations'),
    ]);
    expect(changes).toEqual([
      { key: 'network.LAN', old: 'LAN', new: 'DMZ' },
      { key: 'name', old: 'web one', new: 'x' },
    ]);
  });

  test('[edit.2] [edit.3] what is of no language is meant, whatever stands before it', () => {
    const text = ONE.replace('<Name>', '<Name xml:lang="de">Netz</Name><Name>');
    expect(edited(text, { name: 'x' })).toBe(text.replace('web one', 'x'));
  });

  test.each<[string, string, string, RegExp]>([
    ['what is not there', ONE, 'network.DMZ', /no such network; there is "LAN", "WAN"/],
    ['a network of one machine', TWO, 'network.LAN@db', /no such network; there is "LAN", "WAN"/],
    ['a property', ONE, 'property.gateway', /no such property; there is "vami\.ip\.web", "vami\.dns\.web"/],
    ['a machine', TWO, 'name@mail', /no machine of that id .*"all", "web", "db"/],
    ['two machines', TWO, 'hardware', /several places: lines .*hardware@web, hardware@db/],
    ['the name of a collection', TWO, 'name', /name@all, name@web, name@db/],
    [
      'a section of two machines',
      BARE,
      'annotation',
      /several places: .*annotation@all, annotation@web, annotation@db/,
    ],
    ['a machine where there is none', envelope(NETWORKS), 'product.version', /no machine for it/],
    [
      'a property whose key is that of another with a machine',
      ONE.replace('ovf:key="dns"', 'ovf:key="ip@web"'),
      'property.ip@web',
      /could be the property "ip@web", or "ip" of a machine/,
    ],
    ['one of two names', ONE.replace('<Name>', '<Name>a</Name><Name>'), 'name', /several places: lines/],
    [
      'one of two translations',
      ONE.replace('<Name>web', '<Name xml:lang="de">a</Name><Name xml:lang="en">web'),
      'name',
      /several places: lines/,
    ],
    ['elements', ONE.replace('web one', 'web<b/>'), 'name', /has elements in it/],
  ])('[edit.2] %s that cannot be set is refused with what there is', (_, text, key, expected) => {
    expect(refusal(text, key)).toMatch(expected);
  });

  test.each([
    [{ name: 'a', 'name@web': 'b' }],
    [{ 'product.version': '1', 'product.version@web': '2' }],
    [{ 'property.ip': '1', 'property.vami.ip.web': '2' }],
    [{ hardware: 'vmx-11', 'hardware@web': 'vmx-12' }],
    [{ 'network.LAN': 'X', 'network.X': 'Y' }],
  ])('[edit.4] %j sets the same twice, and is refused', (settings) => {
    expect(codeOf(() => edited(ONE, settings))).toBe('USAGE');
  });

  test('[edit.2] a network takes no name that another has', () => {
    expect(refusal(ONE, 'network.LAN', 'WAN')).toMatch(/would become one/);
  });

  test.each<[string, string]>([
    ['colour', 'red'],
    ['product', 'x'],
    ['name', ''],
    ['name', ' x'],
    ['name', 'a\nb'],
    ['property.ip', 'a\0'],
  ])('[edit.4] %s=%j is refused before anything is read', (key, value) => {
    expect(refusal('no descriptor', key, value)).not.toBe('accepted');
  });

  test('[edit.4] the same key twice', () => {
    const twice = [
      { key: 'name', value: 'a' },
      { key: 'name', value: 'b' },
    ];
    expect(() => editDescriptor(encodeUtf8(ONE), twice, DEFAULT_LIMITS)).toThrow('set twice');
  });

  test('[edit.1] whatever is set is read, and nothing else is another', () => {
    const line = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => /^[^\p{C}\s][^\p{C}]*$/u.test(text) && text === text.trim());
    fc.assert(
      fc.property(fc.constantFrom(ONE, TWO), line, line, (text, name, version) => {
        const bytes = encodeUtf8(edited(text, { 'name@web': name, 'product.version': version }));
        const before = parseDescriptor(encodeUtf8(text), DEFAULT_LIMITS);
        const after = parseDescriptor(bytes, DEFAULT_LIMITS);
        expect(after.products).toEqual([{ name: 'Web', version }]);
        expect(after.systems).toEqual(
          before.systems.map((one) => (one.id === 'web' ? { ...one, name } : one)),
        );
      }),
      { numRuns: 60 },
    );
  });
});
