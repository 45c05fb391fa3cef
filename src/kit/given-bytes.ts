import { copyBytes } from './bytes.ts';
import { needed, object, path, type Rule, reading, refuse, shape } from './shape.ts';

/** Bytes in place of a file, and what errors and reports call them. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const TYPED_ARRAY: object = Object.getPrototypeOf(Uint8Array.prototype);
const kindOf = Object.getOwnPropertyDescriptor(TYPED_ARRAY, Symbol.toStringTag)?.get;

/** Whether it is a `Uint8Array`, of any realm, whatever it says of itself. */
export function isBytes(value: unknown): value is Uint8Array {
  return kindOf?.call(value) === 'Uint8Array';
}

/** Bytes in a `Uint8Array`. */
export const bytes = object<Uint8Array>(isBytes, 'a Uint8Array');

/** The same memory as an array of this realm. @throws {BundleError} `USAGE` when it is gone */
export function viewOf(given: Uint8Array, name: string): Uint8Array {
  const of = (key: string): unknown => Reflect.get(TYPED_ARRAY, key, given); // whatever it says of itself
  return reading(
    name,
    () => new Uint8Array(of('buffer') as ArrayBuffer, of('byteOffset') as number, of('byteLength') as number),
  );
}

/** Bytes with a name; a copy, which nobody changes meanwhile. */
export const namedBytes: Rule<NamedBytes> = shape<NamedBytes>({
  name: needed(path),
  bytes: needed((value, name) => {
    const given = bytes(value, name);
    return reading(name, () => copyBytes(given)); // its memory may be gone
  }),
});

/** What may be the name of a file or its bytes. */
export const fileOrBytes: Rule<string | NamedBytes> = (value, name) => {
  if (typeof value === 'string') return path(value, name);
  if (typeof value === 'object' && value !== null) return namedBytes(value, name);
  return refuse(name, value, 'the name of a file, or its bytes as { name, bytes }');
};
