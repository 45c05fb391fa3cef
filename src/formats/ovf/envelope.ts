import { descriptorFault, type XmlElement } from './xml.ts';

const NAMESPACES = {
  1: 'http://schemas.dmtf.org/ovf/envelope/1',
  2: 'http://schemas.dmtf.org/ovf/envelope/2',
} as const;
const VMWARE_DRAFT = 'http://www.vmware.com/schema/ovf/1/envelope';

/** The OVF namespace that is written and that every known importer reads; see `spec/decisions/0003-descriptor-namespace.md`. */
export const OVF_NAMESPACE = NAMESPACES[1];

/**
 * The OVF version of a document whose root is an OVF envelope.
 * @throws {BundleError} `DESCRIPTOR_SYNTAX` for any other root, and where a second OVF namespace is used inside
 */
export function parseEnvelope(root: XmlElement): 1 | 2 {
  // [desc.5]
  if (root.uri === VMWARE_DRAFT) {
    throw descriptorFault(
      root.line,
      'the descriptor follows the VMware draft of OVF 0.9, not the OVF standard; export it again with a current tool',
    );
  }
  const version = root.uri === NAMESPACES[1] ? 1 : root.uri === NAMESPACES[2] ? 2 : undefined;
  if (root.local !== 'Envelope' || version === undefined) {
    throw descriptorFault(root.line, `the root element is not an OVF Envelope but ${describe(root)}`);
  }
  refuseOtherNamespace(root, root.uri);
  return version;
}

function describe(element: XmlElement): string {
  return element.uri === '' ? `${element.local} without namespace` : `${element.local} of ${element.uri}`;
}

function refuseOtherNamespace(element: XmlElement, uri: string): void {
  for (const part of [element, ...element.attributes]) {
    // [desc.6] A reader of one version would skip what a reader of the other takes for its own.
    if (
      part.uri !== uri &&
      (part.uri === VMWARE_DRAFT || Object.values(NAMESPACES).some((n) => n === part.uri))
    ) {
      throw descriptorFault(element.line, `${part.local} belongs to another OVF namespace than the envelope`);
    }
  }
  for (const child of element.children) refuseOtherNamespace(child, uri);
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
