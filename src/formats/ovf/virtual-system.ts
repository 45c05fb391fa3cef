import { hasText } from '../../kit/encoding.ts';
import { childText, ovfAttribute, ovfChildren, requiredAttribute } from './envelope.ts';
import { parseByteUnit, parseDecimal } from './quantity.ts';
import type { XmlElement } from './xml.ts';

/** What a ProductSection says of the software inside; for people, nothing is decided by it. */
export interface ProductSummary {
  readonly name?: string;
  readonly vendor?: string;
  readonly version?: string;
  readonly fullVersion?: string;
}

/** What a VirtualSystem says of the machine, for people; `memoryMiB` may have a fraction. */
export interface VirtualSystemSummary {
  readonly id: string;
  readonly name?: string;
  readonly operatingSystem?: string;
  readonly cpus?: number;
  readonly memoryMiB?: number;
}

/** The namespace of what VMware adds to descriptors. */
export const VMWARE_EXTENSIONS = 'http://www.vmware.com/schema/ovf';
const CIM_CLASSES = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/';
const PROCESSOR = '3';
const MEMORY = '4';

/** The products named anywhere in the envelope, in document order; sections that name nothing are left out. */
export function parseProducts(parent: XmlElement): readonly ProductSummary[] {
  return parent.children.flatMap((child) => {
    if (child.uri !== parent.uri) return [];
    if (isContent(child)) return parseProducts(child);
    if (child.local !== 'ProductSection') return [];
    const product = parseProduct(child);
    return Object.keys(product).length > 0 ? [product] : [];
  });
}

function parseProduct(section: XmlElement): ProductSummary {
  const name = childText(section, 'Product');
  const vendor = childText(section, 'Vendor');
  const version = childText(section, 'Version');
  const fullVersion = childText(section, 'FullVersion');
  return {
    ...(hasText(name) && { name }),
    ...(hasText(vendor) && { vendor }),
    ...(hasText(version) && { version }),
    ...(hasText(fullVersion) && { fullVersion }),
  };
}

/** The virtual systems of the envelope, collections descended into, in document order. @throws {BundleError} `DESCRIPTOR_SYNTAX` for one without id */
export function parseVirtualSystems(parent: XmlElement): readonly VirtualSystemSummary[] {
  // [desc.15]
  return ovfChildren(parent, 'VirtualSystem', 'VirtualSystemCollection').flatMap((content) =>
    content.local === 'VirtualSystem' ? [parseVirtualSystem(content)] : parseVirtualSystems(content),
  );
}

function isContent(element: XmlElement): boolean {
  return element.local === 'VirtualSystem' || element.local === 'VirtualSystemCollection';
}

function parseVirtualSystem(element: XmlElement): VirtualSystemSummary {
  const name = childText(element, 'Name');
  const operatingSystem = parseOperatingSystem(element);
  const items = ovfChildren(element, 'VirtualHardwareSection')
    .slice(0, 1)
    .flatMap((section) => ovfChildren(section, 'Item'));
  const cpus = quantity(items, PROCESSOR)?.count;
  const memory = quantity(items, MEMORY);
  const memoryMiB = memory?.unit === undefined ? undefined : (memory.count * memory.unit) / 2 ** 20;
  return {
    id: requiredAttribute(element, 'id'),
    ...(hasText(name) && { name }),
    ...(hasText(operatingSystem) && { operatingSystem }),
    ...(cpus !== undefined && { cpus }),
    ...(memoryMiB !== undefined && { memoryMiB }),
  };
}

/** The description of the operating system, else VMware's name for it. */
function parseOperatingSystem(system: XmlElement): string | undefined {
  const [section] = ovfChildren(system, 'OperatingSystemSection');
  if (section === undefined) return undefined;
  return childText(section, 'Description') ?? section.attributes.find(isVmwareType)?.value;
}

/** Whether an attribute is VMware's name of the guest system. */
export function isVmwareType({ uri, local }: { readonly uri: string; readonly local: string }): boolean {
  return uri === VMWARE_EXTENSIONS && local === 'osType';
}

/** The plain quantity of the first item of a type, those for the normal case before those of a configuration. */
function quantity(
  items: readonly XmlElement[],
  type: string,
): { readonly count: number; readonly unit: number | undefined } | undefined {
  // [desc.15] Items with a bound say a minimum or maximum, not what the machine gets.
  const candidates = items.filter(
    (item) => cimText(item, 'ResourceType') === type && ovfAttribute(item, 'bound') === undefined,
  );
  const item = candidates.find((one) => ovfAttribute(one, 'configuration') === undefined) ?? candidates[0];
  const count = item && parseDecimal(cimText(item, 'VirtualQuantity') ?? '');
  if (count === undefined) return undefined;
  return { count, unit: parseByteUnit((item && cimText(item, 'AllocationUnits')) ?? '') };
}

/** The text of a property of CIM, without blanks around it. */
export function cimText(item: XmlElement, local: string): string | undefined {
  return item.children.find((one) => isCim(one, local))?.text.trim();
}

/** Whether an element is this property of CIM. */
export function isCim({ uri, local }: XmlElement, property: string): boolean {
  return local === property && uri.startsWith(CIM_CLASSES);
}
