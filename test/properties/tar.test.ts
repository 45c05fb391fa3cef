import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openArchive } from '../../src/archive/open-archive.ts';
import { writeTar } from '../../src/archive/tar/tar-writer.ts';
import { memberNameFault, memberNameKey } from '../../src/formats/member-name.ts';
import { formatTarHeader, parseTarHeader } from '../../src/formats/tar/header.ts';
import { parsePax } from '../../src/formats/tar/pax.ts';
import { concat, copyBytes, once } from '../../src/kit/bytes.ts';
import { decodeUtf8, encodeUtf8 } from '../../src/kit/encoding.ts';
import { ERROR_TABLE } from '../../src/kit/errors/error-codes.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../src/kit/limits.ts';
import { asArchive, asTar, type Outcome, read, sha256 } from '../factory/archives.ts';
import { flipped } from '../factory/damage.ts';
import { mutated } from '../factory/mutation.ts';
import { chunked, irregular, sourceOf } from '../factory/streams.ts';
import { file, header, pax, record, tar, withChecksum } from '../factory/tar.ts';

const names = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
    fc.stringMatching(/^[a-d]{1,60}(\/[a-d]{1,60}){0,3}$/),
  )
  .filter((name) => memberNameFault(name, DEFAULT_LIMITS) === undefined);

const contents = fc.oneof(
  fc.uint8Array({ maxLength: 1600 }),
  fc.constantFrom(0, 511, 512, 513, 1024).map((size) => new Uint8Array(size).fill(7)),
);

const members = fc.array(fc.record({ name: names, content: contents }), { maxLength: 8 }).map((list) => {
  const keys = new Set<string>();
  return list.filter(({ name }) => {
    const key = memberNameKey(name);
    const clash = [...keys].some(
      (other) => other === key || other.startsWith(`${key}/`) || key.startsWith(`${other}/`),
    );
    keys.add(key);
    return !clash && encodeUtf8(name).byteLength <= 100;
  });
});

async function written(
  list: readonly { readonly name: string; readonly content: Uint8Array }[],
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const files = list.map(({ name, content }) => ({ name, size: content.byteLength, body: once(content) }));
  for await (const chunk of writeTar(files, { mtime: 1 })) parts.push(copyBytes(chunk));
  return concat(parts);
}

/** What the refusal of an archive must look like, if it is refused. */
function expectOrderly({ error }: Outcome, length: number): void {
  if (!error) return;
  expect(['archive', 'unsupported']).toContain(ERROR_TABLE[error.code].kind);
  expect(error.offset).toBeGreaterThanOrEqual(0);
  expect(error.offset).toBeLessThanOrEqual(length);
}

test('[tar.10] what is written is read again, however the bytes arrive', async () => {
  await fc.assert(
    fc.asyncProperty(members, fc.nat(), async (list, seed) => {
      const bytes = await written(list);
      const outcome = await read(sourceOf(bytes, { sizes: irregular(seed), hostile: true }));
      if (list.length === 0) {
        expect(outcome.error?.code).toBe('ARCHIVE_EMPTY');
        return;
      }
      expect(outcome.error).toBeUndefined();
      expect(outcome.members.map(({ name, sha256: digest }) => [name, digest])).toEqual(
        list.map(({ name, content }) => [name, sha256(content)]),
      );
    }),
    { numRuns: 200 },
  );
});

test('[tar.10] any name is written so that it is read again, or refused', async () => {
  const any = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[a./\\:~ ]{0,12}$/),
    names,
  );
  await fc.assert(
    fc.asyncProperty(any, async (name) => {
      try {
        const outcome = await read(chunked(await written([{ name, content: encodeUtf8('x') }])));
        expect(outcome.members.map((member) => member.name)).toEqual([name]);
        expect(outcome.error).toBeUndefined();
      } catch (error) {
        if (!isBundleError(error)) throw error;
        expect(error.code).toBe('ARCHIVE_NAME');
      }
    }),
    { numRuns: 1000 },
  );
});

test('[tar.10] any size is written so that it is read again', () => {
  const size = fc.oneof(fc.maxSafeNat(), fc.integer({ min: 8 ** 11 - 3, max: 8 ** 11 + 3 }));
  fc.assert(
    fc.property(size, names, fc.nat(), (bytes, name, mtime) => {
      fc.pre(encodeUtf8(name).byteLength <= 100);
      const header = parseTarHeader(formatTarHeader({ name, size: bytes, mtime }));
      expect([header.size, decodeUtf8(header.name)]).toEqual([bytes, name]);
    }),
  );
});

describe('damage', () => {
  const good = tar(
    file('a.ovf', 'hello'),
    pax([record('path', 'dir/b'), record('mtime', '1.5')]),
    file('dir/b', new Uint8Array(700).fill(3)),
    file('c', '', { size: '7 \0\0\0\0\0\0\0\0\0\0' }).subarray(0, 512),
    new Uint8Array(512),
  );

  test('[tar.2] any byte of any header changed is refused, or changes nothing', async () => {
    const archive = tar(
      file('a.ovf', 'hello'),
      pax([record('path', 'dir/b')]),
      file('dir/b', new Uint8Array(700).fill(3)),
    );
    const reference = await read(chunked(archive));
    expect(reference.members).toHaveLength(2);
    for (const header of [0, 1024, 2048]) {
      for (let at = header; at < header + 512; at++) {
        for (const bit of [0, 4, 7]) {
          const bytes = flipped(archive, at, bit);
          const outcome = await read(chunked(bytes));
          if (outcome.error) expectOrderly(outcome, bytes.byteLength);
          else expect(outcome, `byte ${at}`).toEqual(reference);
        }
      }
    }
  });

  test('[tar.3] any byte of a header changed, the checksum made right, gives members or a refusal', async () => {
    const archive = tar(file('a.ovf', 'hello'), file('EVIL', 'x'));
    for (let at = 0; at < 512; at++) {
      for (const value of [0, 0x20, 0x30, 0x35, 0x39, 0x2f, 0x5c, 0x7f, 0x80, 0x81, 0xff]) {
        const block = archive.slice(0, 512);
        block[at] = value;
        const bytes = concat([withChecksum(block), archive.subarray(512)]);
        const outcome = await read(chunked(bytes));
        expectOrderly(outcome, bytes.byteLength);
        if (outcome.error) expect(outcome.members.map(({ name }) => name)).not.toContain('EVIL');
      }
    }
  });

  test('[arc.2] [arc.3] a good tar with any bytes changed gives members or a refusal, the same in chunks', async () => {
    await fc.assert(
      fc.asyncProperty(mutated(good), fc.nat(), async (bytes, seed) => {
        const outcome = await read(chunked(bytes));
        expectOrderly(outcome, bytes.byteLength);
        expect(await read(sourceOf(bytes, { sizes: irregular(seed), hostile: true }))).toEqual(outcome);
      }),
      { numRuns: 2000 },
    );
  });

  test('[arc.3] any bytes give members or a refusal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        for (const open of [asTar, asArchive])
          expectOrderly(await read(chunked(bytes), open), bytes.byteLength);
      }),
      { numRuns: 500 },
    );
  });

  test('[arc.3] any header with a right checksum gives members or a refusal', async () => {
    const block = fc.uint8Array({ minLength: 512, maxLength: 512 }).map(withChecksum);
    const near = mutated(good.subarray(0, 512))
      .filter((bytes) => bytes.byteLength === 512)
      .map(withChecksum);
    await fc.assert(
      fc.asyncProperty(fc.oneof(block, near), async (bytes) => {
        const archive = tar(bytes, file('b', 'x'));
        expectOrderly(await read(chunked(archive)), archive.byteLength);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('pax', () => {
  const harmless = fc.constantFrom('comment', 'SCHILY.xattr.user.x', 'LIBARCHIVE.xattr.user.x');
  const text = fc.string({ unit: 'grapheme' }).filter((value) => !/[\0\n]/.test(value));

  test('[pax.2] records of any length are read', () => {
    fc.assert(
      fc.property(
        text.filter((value) => value !== ''),
        text,
        harmless,
        fc.maxSafeNat(),
        (path, other, key, size) => {
          const beside = record(key, other);
          const body = concat([record('path', path), beside, record('size', String(size))]);
          expect(parsePax(body)).toEqual({ path, size, beside: beside.byteLength });
        },
      ),
    );
  });

  test('[arc.3] any body gives records or a refusal', () => {
    const body = concat([record('path', 'a/b'), record('size', '1234'), record('comment', 'ü')]);
    fc.assert(
      fc.property(fc.oneof(mutated(body), fc.uint8Array()), (bytes) => {
        try {
          parsePax(bytes);
        } catch (error) {
          if (!isBundleError(error)) throw error;
          expect(error.code).toBe('ARCHIVE_PAX');
        }
      }),
      { numRuns: 5000 },
    );
  });
});

test('[arc.4] whenever the reader leaves, the source is closed', async () => {
  const archive = tar(file('a', 'x'.repeat(3000)), file('b', 'y'.repeat(3000)), file('c'));
  await fc.assert(
    fc.asyncProperty(fc.nat(2), fc.nat(8), fc.nat(), async (member, chunks, seed) => {
      const source = sourceOf(archive, { sizes: irregular(seed), hostile: true });
      const { entries } = await openArchive(source, DEFAULT_LIMITS);
      let count = 0;
      for await (const entry of entries) {
        if (count++ < member) continue;
        let left = chunks;
        for await (const _ of entry.body) if (left-- === 0) break;
        break;
      }
      expect(source.seen.closed).toBe(true);
    }),
  );
});

test('[tar.3] [tar.11] a number is what a pattern says it is', () => {
  const number = fc.stringMatching(/^ {0,3}[0-8]{0,12}[ \0]{0,3}$/).map((text) => text.slice(0, 12));
  fc.assert(
    fc.property(fc.oneof(number, fc.string({ maxLength: 12 })), (text) => {
      const field = text.padEnd(12, '\0');
      const digits = /^ *([0-7]+)(?:\0[ \0]*)?$/.exec(field)?.[1];
      const sized = outcomeOf(() => parseTarHeader(header({ size: field })).size);
      if (field.charCodeAt(0) < 0x80 && /^[\0-\xff]*$/.test(field))
        expect(sized).toBe(digits === undefined ? 'ARCHIVE_HEADER' : Number.parseInt(digits, 8));
      const device = field.slice(0, 8);
      if (!/^[\0-\xff]*$/.test(device)) return;
      const whole = outcomeOf(() => parseTarHeader(header({ device })).size);
      expect(whole).toBe(/^ *[0-7]*[ \0]*$/.test(device) ? 0 : 'ARCHIVE_HEADER');
    }),
    { numRuns: 5000 },
  );
});

function outcomeOf(work: () => number): number | string {
  try {
    return work();
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return error.code;
  }
}

test('[name.3] a name is as good below a folder as at the top', () => {
  const name = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.stringMatching(/^[\w.+=@, ~-]{1,12}$/),
    fc.stringMatching(/^(con|prn|AUX|nul|com[0-9]|LPT1)[ .a-z]{0,3}$/),
    fc.nat(300).map((length) => 'n'.repeat(length)),
  );
  const limits = { ...DEFAULT_LIMITS, nameBytes: 280 };
  fc.assert(
    fc.property(
      name.filter((text) => !text.includes('/')),
      (text) => {
        const below = memberNameFault(`x/${text}`, { ...limits, nameBytes: 282 });
        expect(memberNameFault(text, limits)).toBe(
          text === '' ? 'the name is empty' : below?.replace('282', '280'),
        );
      },
    ),
    { numRuns: 5000 },
  );
});
