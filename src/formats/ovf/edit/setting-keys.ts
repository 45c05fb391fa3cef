/** What can be set, as it is shown: what stands in capitals is a name in the descriptor. `@ID` behind it says of which machine. [edit.2] */
export const SETTING_KEYS = [
  'name',
  'annotation',
  'product.name',
  'product.vendor',
  'product.version',
  'product.fullversion',
  'hardware',
  'network.OLD',
  'property.KEY',
] as const;

/** The children of a section that hold text, in the order of the schema (DSP8023), which of them a key is of, and the words of a new section. */
export interface SectionText {
  readonly section: string;
  readonly info: string;
  readonly order: readonly string[];
  readonly child: string;
}

const PRODUCT = {
  section: 'ProductSection',
  info: 'Information about the installed software',
  order: ['Info', 'Product', 'Vendor', 'Version', 'FullVersion'],
};
const TEXTS: Readonly<Record<string, SectionText>> = {
  annotation: {
    section: 'AnnotationSection',
    info: 'A human-readable annotation',
    order: ['Info', 'Annotation'],
    child: 'Annotation',
  },
  'product.name': { ...PRODUCT, child: 'Product' },
  'product.vendor': { ...PRODUCT, child: 'Vendor' },
  'product.version': { ...PRODUCT, child: 'Version' },
  'product.fullversion': { ...PRODUCT, child: 'FullVersion' },
};

/** Whether something can be set by this key, in some descriptor. */
export function isSettingKey(key: string): boolean {
  return (
    /^(?:network|property)\../s.test(key) ||
    /^(?:name|hardware)(?:@.|$)/s.test(key) ||
    textOf(key.replace(/@.*$/s, '')) !== undefined
  );
}

/** What a key sets in a section, if it is such a one. */
export function textOf(key: string): SectionText | undefined {
  return Object.hasOwn(TEXTS, key) ? TEXTS[key] : undefined;
}
