import { hasText } from '../../kit/encoding.ts';
import type { Limits } from '../../kit/limits.ts';
import { ovfAttribute, ovfChildren, parseEnvelope } from './envelope.ts';
import { cimText, isVmwareType, VMWARE_EXTENSIONS } from './virtual-system.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** A device of a machine: the number of its kind (`ResourceType` of CIM), and the model of it where one is named. */
export interface Device {
  readonly type: number;
  readonly model?: string;
}

/** What a machine asks of whoever runs it, as far as importers are known to decide by it. */
export interface MachineHardware {
  readonly id: string;
  /** hardware families, any of which will do, such as `vmx-13`; undefined where the machine has no hardware section at all */
  readonly families?: readonly string[];
  readonly firmware?: string;
  /** VMware's name of the guest system */
  readonly vmwareGuest?: string;
  readonly devices: readonly Device[];
}

/** What the machines of a descriptor ask for. */
export interface HardwareSummary {
  readonly machines: readonly MachineHardware[];
  /** whether they stand in a collection */
  readonly inCollection: boolean;
}

/** The hardware in the bytes of a descriptor that can be parsed; what is odd in it is left out. @throws {BundleError} `DESCRIPTOR_SYNTAX` */
export function parseHardware(bytes: Uint8Array, limits: Limits): HardwareSummary {
  const { root: envelope } = parseXml(bytes, limits);
  parseEnvelope(envelope);
  return {
    machines: systemsIn(envelope).map(parseMachine),
    inCollection: ovfChildren(envelope, 'VirtualSystemCollection').length > 0,
  };
}

function systemsIn(parent: XmlElement): readonly XmlElement[] {
  return ovfChildren(parent, 'VirtualSystem', 'VirtualSystemCollection').flatMap((content) =>
    content.local === 'VirtualSystem' ? [content] : systemsIn(content),
  );
}

function parseMachine(system: XmlElement): MachineHardware {
  const [section] = ovfChildren(system, 'VirtualHardwareSection');
  const [guest] = ovfChildren(system, 'OperatingSystemSection');
  const vmwareGuest = guest?.attributes.find(isVmwareType)?.value;
  const firmware = section && firmwareOf(section);
  return {
    id: ovfAttribute(system, 'id') ?? '',
    ...(section !== undefined && { families: familiesOf(section) }),
    ...(hasText(firmware) && { firmware }),
    ...(hasText(vmwareGuest) && { vmwareGuest }),
    devices: section ? ovfChildren(section, 'Item').flatMap(parseDevice) : [],
  };
}

/** Families are separated by blanks; VirtualBox and others write one. */
function familiesOf(section: XmlElement): readonly string[] {
  return ovfChildren(section, 'System').flatMap((system) =>
    (cimText(system, 'VirtualSystemType') ?? '').split(/[\s,;]+/).filter((family) => family !== ''),
  );
}

/** OVF has no word for it; this is VMware's, which others read, too. */
function firmwareOf(section: XmlElement): string | undefined {
  const named = (element: XmlElement, local: string): string | undefined =>
    element.attributes.find((one) => one.local === local && one.uri === VMWARE_EXTENSIONS)?.value;
  const config = section.children.find(
    (one) => one.uri === VMWARE_EXTENSIONS && one.local === 'Config' && named(one, 'key') === 'firmware',
  );
  return config && named(config, 'value');
}

function parseDevice(item: XmlElement): readonly Device[] {
  const type = Number(cimText(item, 'ResourceType') ?? '');
  const model = cimText(item, 'ResourceSubType');
  return Number.isSafeInteger(type) && type > 0 ? [{ type, ...(hasText(model) && { model }) }] : [];
}
