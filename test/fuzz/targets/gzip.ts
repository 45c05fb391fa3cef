import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import { gunzip } from '../../../src/archive/deflate/gunzip.ts';
import { type ByteStream, concat, copyBytes, equalBytes } from '../../../src/kit/bytes.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { mutateBytes } from '../mutators/byte-mutator.ts';
import { mutateTar } from '../mutators/tar-mutator.ts';
import type { Random } from '../random.ts';
import { inAnyChunks, readArchive } from '../reading.ts';
import { sha256 } from '../seeds/pki.ts';
import { vectorFiles } from '../seeds/vectors.ts';
import { expectThat, type Target, Violation } from '../target.ts';
import { ARCHIVE_CODES, refusal, tarSeeds } from './tar.ts';
import { pickSeed } from './x509.ts';

/** What a seed says that it inflates to. */
const MOST_INSIDE = 4 * 1024 * 1024;
const LIMITS = { ...DEFAULT_LIMITS, inflateFree: 1024 * 1024, totalBytes: 16 * 1024 * 1024 };

/** gzip: the same answer in any chunks; what is accepted is what zlib makes of it, and nothing stands behind it. */
export const GZIP: Target = {
  name: 'gzip',
  group: 'archives',
  share: 0.2,
  codes: ARCHIVE_CODES,
  open: async () => ({
    seeds: [
      ...tarSeeds().map((bytes) => Uint8Array.from(gzipSync(bytes))),
      ...vectorFiles('archives', /\.(tgz|gz|tar\.gz)$/).filter(isSmallInside),
    ],
    mutate: (random, corpus) => mutateGzip(random, pickSeed(random, corpus, 20_000)),
    run: async (input) => {
      const inflated = await inAnyChunks(input, inflate);
      if (inflated.bytes) {
        const other = Uint8Array.from(gunzipSync(input));
        expectThat(equalBytes(inflated.bytes, other), 'zlib makes something else of it');
      }
      const reading = await inAnyChunks(input, (source) => readArchive(source, LIMITS));
      return reading.code === 'ok' ? 'ok' : refusal(reading);
    },
  }),
};

/** Each is inflated a dozen times, so what is a bomb once is not measured here. */
function isSmallInside(gz: Uint8Array): boolean {
  return gz.byteLength < 4 || Buffer.from(gz).readUInt32LE(gz.byteLength - 4) <= MOST_INSIDE;
}

async function inflate(source: ByteStream): Promise<{ story: string; bytes?: Uint8Array }> {
  const parts: Uint8Array[] = [new Uint8Array()];
  try {
    for await (const chunk of gunzip(source, LIMITS)) parts.push(copyBytes(chunk));
    const bytes = concat(parts);
    return { story: `${bytes.byteLength} ${Buffer.from(sha256(bytes)).toString('hex')}`, bytes };
  } catch (error) {
    if (!isBundleError(error)) throw error;
    if (!ARCHIVE_CODES.includes(error.code))
      throw new Violation(`another error than an archive's: ${error.code}`);
    return { story: JSON.stringify([error.code, error.message, error.where]) };
  }
}

/** Header fields, deflate blocks, trailer, members behind each other; or another tar inside, compressed again. */
function mutateGzip(random: Random, gz: Uint8Array): Uint8Array {
  const inside = (): Uint8Array => random.pick(tarSeeds());
  switch (random.below(8)) {
    case 0:
      return Uint8Array.from(gzipSync(mutateTar(random, inside())));
    case 1: {
      const raw = deflateRawSync(mutateTar(random, inside()), { level: random.below(10) });
      return concat([flagged(random), raw, gz.subarray(-8)]);
    }
    case 2:
      return concat([
        gz,
        random.pick([gz, new Uint8Array(1), new Uint8Array(512), random.bytes(20), gz.subarray(0, 9)]),
      ]);
    case 3:
      return concat([flagged(random), gz.subarray(10)]);
    case 4:
      return Uint8Array.from(gzipSync(gz));
    case 5:
      return Uint8Array.from(
        gzipSync(
          new Uint8Array(random.below(random.chance(1, 30) ? 3_000_000 : 50_000)).fill(random.below(3)),
        ),
      );
    case 6:
      return gz.slice(0, random.below(gz.byteLength));
    default:
      return mutateBytes(random, gz);
  }
}

function flagged(random: Random): Uint8Array {
  const flags = random.below(random.chance(1, 6) ? 256 : 32);
  const head = Uint8Array.of(0x1f, 0x8b, random.chance(1, 20) ? 7 : 8, flags, 0, 0, 0, 0, 0, 3);
  const extra = random.below(40);
  return concat([
    head,
    ...(flags & 4 ? [Uint8Array.of(extra, 0), random.bytes(extra)] : []),
    ...(flags & 8 ? [new TextEncoder().encode('../../name\0')] : []),
    ...(flags & 16 ? [new TextEncoder().encode('comment\0')] : []),
    ...(flags & 2 ? [random.bytes(2)] : []),
  ]);
}
