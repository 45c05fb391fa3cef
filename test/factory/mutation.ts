import fc from 'fast-check';

/** Copies of an input with some bytes changed, a piece taken out or doubled, or the end cut off. */
export function mutated(valid: Uint8Array, head = valid.byteLength): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(Math.max(0, head - 1));
  const changes = fc.array(fc.tuple(place, fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))), {
    maxLength: 8,
  });
  return fc.oneof(
    changes.map((list) => {
      const bytes = valid.slice();
      for (const [at, value] of list) bytes[at] = value;
      return bytes;
    }),
    fc
      .tuple(place, fc.nat(64))
      .map(([at, length]) => Uint8Array.of(...valid.subarray(0, at), ...valid.subarray(at + length, head))),
    fc
      .tuple(place, fc.nat(64))
      .map(([at, length]) => Uint8Array.of(...valid.subarray(0, at + length), ...valid.subarray(at, head))),
    place.map((at) => valid.slice(0, at)),
  );
}
