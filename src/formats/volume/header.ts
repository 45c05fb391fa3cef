import { concat, isZero } from '../../kit/bytes.ts';
import { isDigestHex } from '../../kit/digest-name.ts';
import { decodeUtf8, encodeUtf8, printable } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../kit/limits.ts';
import { memberNameFault } from '../member-name.ts';

/** Every volume begins with a header of so many bytes; what follows is its part of the file. */
export const VOLUME_HEADER_BYTES = 4096;

/** The most volumes that a file is cut into, as three digits count them. */
export const MOST_VOLUMES = 999;

const MAGIC = 'bulla-volume/1\n';

/** What a volume says of itself and of the file that it is a part of. Digests are SHA-256, lower-case hex. */
export interface VolumeHeader {
  readonly name: string;
  /** of the whole file */
  readonly size: number;
  readonly sha256: string;
  /** which of how many, counted from 1 */
  readonly volume: number;
  readonly volumes: number;
  /** what follows the header: where it belongs in the file, and its digest */
  readonly offset: number;
  readonly length: number;
  readonly digest: string;
}

/** True when these first bytes begin a volume. */
export function isVolume(head: Uint8Array): boolean {
  const magic = encodeUtf8(MAGIC);
  return head.byteLength >= magic.byteLength && magic.every((byte, i) => head[i] === byte);
}

/** The header as it stands at the beginning of a volume. [vol.1] @throws {BundleError} `ARCHIVE_NAME` */
export function formatVolumeHeader(header: VolumeHeader): Uint8Array {
  const fault = memberNameFault(header.name, DEFAULT_LIMITS);
  if (fault) throw new BundleError('ARCHIVE_NAME', `the file "${printable(header.name)}": ${fault}`);
  const text = encodeUtf8(`${MAGIC}${canonical(header)}\n`);
  return concat([text, new Uint8Array(VOLUME_HEADER_BYTES - text.byteLength)]);
}

/**
 * Parses the header of a volume.
 *
 * It decides about one volume alone: whether several belong together is for `operations/volumes/join.ts`.
 *
 * @throws {BundleError} `VOLUME_SYNTAX`, without a place
 * @see spec/volumes.md, clauses vol.1 and vol.2
 */
export function parseVolumeHeader(bytes: Uint8Array): VolumeHeader {
  if (!isVolume(bytes)) throw syntax('this is no volume of a split bundle');
  if (bytes.byteLength < VOLUME_HEADER_BYTES) throw syntax('the volume ends in its header');
  const start = MAGIC.length;
  const end = bytes.indexOf(0x0a, start);
  const text = end < 0 ? undefined : decodeUtf8(bytes.subarray(start, end));
  if (text === undefined || !isZero(bytes.subarray(end + 1, VOLUME_HEADER_BYTES)))
    throw syntax('the header of the volume is damaged');
  const header = parseJson(text);
  // [vol.2] One spelling: what two readers could read differently is not read at all.
  if (header === undefined || canonical(header) !== text) throw syntax('the header of the volume is damaged');
  const fault = faultOf(header);
  if (fault) throw syntax(`the header of the volume contradicts itself: ${fault}`);
  return header;
}

function parseJson(text: string): VolumeHeader | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as VolumeHeader) : undefined;
  } catch {
    return undefined; // the caller says that it is damaged
  }
}

function canonical({ name, size, sha256, volume, volumes, offset, length, digest }: VolumeHeader): string {
  return JSON.stringify({ name, size, sha256, volume, volumes, offset, length, digest });
}

function faultOf(header: VolumeHeader): string | undefined {
  const { name, size, sha256, volume, volumes, offset, length, digest } = header;
  const whole = [size, volume, volumes, offset, length];
  if (typeof name !== 'string' || !whole.every((value) => Number.isSafeInteger(value) && value >= 0))
    return 'a number or the name is none';
  if (![sha256, digest].every((hex) => typeof hex === 'string' && isDigestHex(hex, 'sha256')))
    return 'a digest is none';
  if (volumes < 1 || volumes > MOST_VOLUMES || volume < 1 || volume > volumes)
    return 'the number of the volume';
  if (length === 0 || offset + length > size) return 'its place in the file';
  if (volume === 1 ? offset !== 0 : offset === 0) return 'its place in the file';
  if (volume === volumes && offset + length !== size) return 'its place in the file';
  return memberNameFault(name, DEFAULT_LIMITS);
}

function syntax(message: string): BundleError {
  return new BundleError('VOLUME_SYNTAX', message);
}
