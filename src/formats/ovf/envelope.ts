import { descriptorFault, type XmlElement } from './xml.ts';

const NAMESPACES = {
  1: 'http://schemas.dmtf.org/ovf/envelope/1',
  2: 'http://schemas.dmtf.org/ovf/envelope/2',
} as const;
const VMWARE_DRAFT = /^http:\/\/www\.vmware\.com\/schema\/ovf\/[\d.]+\/envelope$/;
const ANY_VERSION = /^http:\/\/schemas\.dmtf\.org\/ovf\/envelope(?:\/|$)/;
const XML = 'http://www.w3.org/XML/1998/namespace';
const XINCLUDE = /^http:\/\/www\.w3\.org\/200[13]\/XInclude$/;

/** The OVF namespace that is written and that every known importer reads; see `spec/decisions/0003-descriptor-namespace.md`. */
export const OVF_NAMESPACE = NAMESPACES[1];

/** What says which files there are, or refers to them, in the words of any version of OVF. */
const FILE_ELEMENTS = new Set([
  ...['Envelope', 'References', 'File', 'DiskSection', 'Disk', 'SharedDiskSection', 'SharedDisk'],
  ...['EnvironmentFilesSection', 'EncryptionSection', 'VirtualSystem', 'VirtualSystemCollection'],
  ...['Content', 'Section'], // of the drafts, where `xsi:type` says which section it is
]);
/** Those of them that are read here, every attribute counting. */
const READ_FOR_FILES = new Set(['Envelope', 'References', 'File', 'DiskSection', 'Disk']);
const FILE_ATTRIBUTES = new Set(['href', 'fileRef', 'chunkSize', 'compression']);

/**
 * The OVF version of a document whose root is an OVF envelope.
 * @throws {BundleError} `DESCRIPTOR_SYNTAX` for any other root, and for what decides about files in a way that not every reader sees
 */
export function parseEnvelope(root: XmlElement): 1 | 2 {
  // [desc.5]
  if (VMWARE_DRAFT.test(root.uri)) {
    throw descriptorFault(
      root.line,
      'the descriptor follows the VMware draft of OVF 0.9, not the OVF standard; export it again with a current tool',
    );
  }
  const version = root.uri === NAMESPACES[1] ? 1 : root.uri === NAMESPACES[2] ? 2 : undefined;
  if (root.local !== 'Envelope' || version === undefined) {
    throw descriptorFault(root.line, `the root element is not an OVF Envelope but ${describe(root)}`);
  }
  refuseHiddenFiles(root, root.uri, false);
  return version;
}

function describe(element: XmlElement): string {
  if (element.uri === '') return `${element.local} without namespace`;
  if (element.uri === `${NAMESPACES[1]}/`)
    return `${element.local} as oVirt has it, with a slash behind the namespace`;
  return `${element.local} of ${element.uri}`;
}

function isOvf(uri: string): boolean {
  return ANY_VERSION.test(uri) || VMWARE_DRAFT.test(uri);
}

/** [desc.6] [desc.22] `within`: inside an element of another OVF namespace, all of which is passed over. */
function refuseHiddenFiles(element: XmlElement, uri: string, within: boolean): void {
  const { line, local } = element;
  const isOther = isOvf(element.uri) && element.uri !== uri;
  const isOurs = element.uri === uri && READ_FOR_FILES.has(local);
  const decides = isOvf(element.uri) && FILE_ELEMENTS.has(local);
  if (decides && (isOther || within)) throw otherNamespace(line, local);
  if (XINCLUDE.test(element.uri)) {
    throw descriptorFault(line, 'XInclude would bring in parts that stand elsewhere: they are not read');
  }
  for (const { uri: of, local: name, value } of element.attributes) {
    const isOfOther = (isOvf(of) && of !== uri) || (of === '' && isOther);
    if (isOfOther && (isOurs || FILE_ATTRIBUTES.has(name))) throw otherNamespace(line, name);
    if (isOurs && of === XML && name === 'base' && !/^(?:\.\/?)?$/.test(value)) {
      throw descriptorFault(line, `xml:base gives ${local} another place than that of the descriptor`);
    }
  }
  for (const child of element.children) refuseHiddenFiles(child, uri, within || isOther);
}

function otherNamespace(line: number, local: string): ReturnType<typeof descriptorFault> {
  return descriptorFault(
    line,
    `${local} belongs to another OVF namespace than the envelope, and decides about files`,
  );
}

/** The children with this name in the namespace of their parent, in document order. */
export function ovfChildren(parent: XmlElement, ...locals: readonly string[]): readonly XmlElement[] {
  return parent.children.filter((child) => child.uri === parent.uri && locals.includes(child.local));
}

/**
 * The value of an OVF attribute, written with or without prefix; undefined when it is not there.
 * @throws {BundleError} `DESCRIPTOR_SYNTAX` when it is there both ways with two values
 */
export function ovfAttribute(element: XmlElement, local: string): string | undefined {
  const values = element.attributes
    .filter(
      (attribute) => attribute.local === local && (attribute.uri === '' || attribute.uri === element.uri),
    )
    .map((attribute) => attribute.value);
  // [desc.7] Some readers take only the one and some only the other.
  if (new Set(values).size > 1) {
    throw descriptorFault(element.line, `${element.local} has two different values for ${local}`);
  }
  return values[0];
}

/** The same, for an attribute that must be there and not be empty. @throws {BundleError} `DESCRIPTOR_SYNTAX` */
export function requiredAttribute(element: XmlElement, local: string): string {
  const value = ovfAttribute(element, local);
  if (value === undefined || value === '') {
    throw descriptorFault(element.line, `${element.local} has no ${local}`);
  }
  return value;
}

/** The text of the first child with this name, without blanks around it; undefined when there is none or it is empty. */
export function childText(parent: XmlElement, local: string): string | undefined {
  return ovfChildren(parent, local)[0]?.text.trim() || undefined;
}
