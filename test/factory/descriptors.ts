import { type Descriptor, parseDescriptor } from '../../src/formats/ovf/descriptor.ts';
import { encodeUtf8 } from '../../src/kit/encoding.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/kit/limits.ts';

/** The namespaces of OVF 1.x and 2.x. */
export const OVF1 = 'http://schemas.dmtf.org/ovf/envelope/1';
export const OVF2 = 'http://schemas.dmtf.org/ovf/envelope/2';
const RASD = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData';

/** An envelope around some XML. */
export function envelope(inside: string, ovf = OVF1): string {
  return `<Envelope xmlns="${ovf}" xmlns:ovf="${ovf}" xmlns:rasd="${RASD}" xmlns:vmw="http://www.vmware.com/schema/ovf">${inside}</Envelope>`;
}

/** References with one file for each list of attributes, one a line. */
export function files(...attributes: readonly string[]): string {
  return `<References>${attributes.map((each) => `<File ${each}/>`).join('\n')}</References>`;
}

/** A descriptor with one file and one disk. */
export function diskDescriptor(attributes: string): string {
  const file = files('ovf:id="f" ovf:href="d.vmdk"');
  return envelope(
    `${file}<DiskSection><Info/><Disk ovf:diskId="d" ovf:fileRef="f" ${attributes}/></DiskSection>`,
  );
}

/** The descriptor in a text, under the default limits but for those given. */
export function parse(text: string | Uint8Array, limits: Partial<Limits> = {}): Descriptor {
  const bytes = typeof text === 'string' ? encodeUtf8(text) : text;
  const { notes: _, ...descriptor } = parseDescriptor(bytes, { ...DEFAULT_LIMITS, ...limits });
  return descriptor;
}

/** What is noted of the descriptor in a text. */
export function notes(text: string | Uint8Array): readonly string[] {
  const bytes = typeof text === 'string' ? encodeUtf8(text) : text;
  return parseDescriptor(bytes, DEFAULT_LIMITS).notes;
}

/** The line and message of the refusal, or `accepted`; any other error is thrown on. */
export function fault(text: string | Uint8Array, limits: Partial<Limits> = {}): string {
  try {
    parse(text, limits);
  } catch (error) {
    if (!isBundleError(error) || error.code !== 'DESCRIPTOR_SYNTAX') throw error;
    return `${error.where.line}: ${error.message}`;
  }
  return 'accepted';
}
