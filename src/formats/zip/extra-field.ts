import { isZeroFrom } from '../../kit/bytes.ts';
import { counted } from '../../kit/encoding.ts';
import { BundleError } from '../../kit/errors/errors.ts';
import { IN_ZIP64, longAt, viewOf } from './records.ts';

const ZIP64 = 0x0001;

/** [zip.8] Extra fields that change nothing of what is unpacked: times, owners, and the mark of a Java archive. */
const HARMLESS: ReadonlyMap<number, (field: Uint8Array) => boolean> = new Map([
  [0x5455, isTimes],
  [0x7875, isOwners],
  [0x5855, ({ byteLength }) => byteLength === 8 || byteLength === 12],
  [0x000a, isTimesOfWindows],
  [0xcafe, ({ byteLength }) => byteLength === 0],
]);

/** Flags, and a time for each flag; in the directory the first alone. */
function isTimes(field: Uint8Array): boolean {
  const [flags = 0] = field;
  const times = [1, 2, 4].filter((flag) => (flags & flag) !== 0).length;
  return field.byteLength === 1 + 4 * times || field.byteLength === 1 + 4 * (flags & 1);
}

/** Version 1, and user and group, each a number behind its length. */
function isOwners(field: Uint8Array): boolean {
  const [version, user = 0] = field;
  const group = field[2 + user] ?? 0;
  return version === 1 && user <= 8 && group <= 8 && field.byteLength === 3 + user + group;
}

/** Four bytes of nothing, and one attribute with three times. */
function isTimesOfWindows(field: Uint8Array): boolean {
  return (
    field.byteLength === 32 &&
    isZeroFrom(field, 0, 4) &&
    field[4] === 1 &&
    field[5] === 0 &&
    field[6] === 24 &&
    field[7] === 0
  );
}

/** What others are, to name them in the refusal. */
const OTHERS: ReadonlyMap<number, string> = new Map([
  [0x7075, 'a second name, which some readers use and some do not'],
  [0x6375, 'a second comment'],
  [0x9901, 'AES encryption'],
  [0x0017, 'strong encryption'],
  [0x000d, 'owners or a link of PKWARE for Unix'],
  [0x756e, 'a mode or a link of ASi'],
  [0x7855, 'owners of an old Info-ZIP'],
  [0x0009, 'attributes of OS/2'],
]);

/** The content of the zip64 field among these extra fields; undefined when there is none. */
export type Zip64Field = Uint8Array | undefined;

/**
 * Reads the extra fields of a header: all of them known, each once, filling the space exactly.
 *
 * @throws {BundleError} `ZIP_MALFORMED`, `ZIP_FEATURE`
 * @see spec/archive.md, clause zip.8
 */
export function parseExtraFields(bytes: Uint8Array): Zip64Field {
  const view = viewOf(bytes);
  const seen = new Set<number>();
  let zip64: Zip64Field;
  for (let at = 0; at < bytes.byteLength; ) {
    if (bytes.byteLength - at < 4)
      throw malformed(`${bytes.byteLength - at} stray bytes end the extra fields of the member`);
    const id = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    if (length > bytes.byteLength - at - 4)
      throw malformed(`the extra field ${hex(id)} of the member is longer than the space for it`);
    if (seen.has(id)) throw malformed(`the member has the extra field ${hex(id)} twice`);
    seen.add(id);
    if (id === ZIP64) zip64 = bytes.subarray(at + 4, at + 4 + length);
    else if (HARMLESS.has(id)) {
      // [zip.8] bsdtar unpacks nothing of a zip with a field that ends too early
      if (!HARMLESS.get(id)?.(bytes.subarray(at + 4, at + 4 + length)))
        throw malformed(`the extra field ${hex(id)} of the member does not hold what belongs there`);
    } else {
      const what = OTHERS.get(id);
      throw new BundleError(
        'ZIP_FEATURE',
        `the member has the extra field ${hex(id)}${what ? `: ${what}` : ''}`,
      );
    }
    at += 4 + length;
  }
  return zip64;
}

/**
 * The values of a header's fields: those that say so stand in the zip64 field, in the same order, and nothing else does.
 *
 * @throws {BundleError} `ZIP_MALFORMED`, `ARCHIVE_LIMIT`
 * @see spec/archive.md, clause zip.9
 */
export function withZip64(zip64: Zip64Field, fields: readonly number[]): readonly number[] {
  const wanted = fields.filter((value) => value === IN_ZIP64.value).length;
  if (!zip64 && wanted === 0) return fields;
  if (!zip64) throw malformed('the header leaves a size or the offset to a zip64 field, and there is none');
  if (zip64.byteLength !== wanted * 8) {
    throw malformed(
      `the zip64 field has ${counted(zip64.byteLength, 'byte')}, and the header leaves ${wanted * 8} to it`,
    );
  }
  const view = viewOf(zip64);
  let at = 0;
  return fields.map((value) => {
    if (value !== IN_ZIP64.value) return value;
    at += 8;
    return longAt(view, at - 8);
  });
}

function malformed(message: string): BundleError {
  return new BundleError('ZIP_MALFORMED', message);
}

function hex(id: number): string {
  return `0x${id.toString(16).padStart(4, '0')}`;
}
