import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import type { ErrorCode } from '../../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { file, MAGIC, pax, record, tar } from '../../factory/tar.ts';
import { mutateTar } from '../mutators/tar-mutator.ts';
import { inAnyChunks, type Reading, readArchive } from '../reading.ts';
import { sha256 } from '../seeds/pki.ts';
import { vectorFiles } from '../seeds/vectors.ts';
import { expectThat, type Target, Violation } from '../target.ts';
import { pickSeed } from './x509.ts';

/** Codes of archives that are refused; any other error is a finding. */
export const ARCHIVE_CODES: readonly ErrorCode[] = [
  'ARCHIVE_DUPLICATE',
  'ARCHIVE_EMPTY',
  'ARCHIVE_HEADER',
  'ARCHIVE_LIMIT',
  'ARCHIVE_NAME',
  'ARCHIVE_PADDING',
  'ARCHIVE_PAX',
  'ARCHIVE_SIZE_CONFLICT',
  'ARCHIVE_TRAILING',
  'ARCHIVE_TRUNCATED',
  'ARCHIVE_TYPE',
  'FORMAT_UNSUPPORTED',
  'GZIP_MALFORMED',
  'ZIP_FEATURE',
  'ZIP_MALFORMED',
];

/** Small archives of the dialects that are read. */
export function tarSeeds(): readonly Uint8Array[] {
  return [
    tar(
      file('a.ovf', '<Envelope/>'),
      file('a.mf', 'SHA256(a.ovf)= 00\n'),
      file('disk.img', 'x'.repeat(1025)),
    ),
    tar(
      file('one', ''),
      file('two', 'x'.repeat(512), { magic: MAGIC.gnu }),
      file('three', 'y', { magic: MAGIC.ovftool }),
    ),
    tar(
      pax([record('path', 'long/name'), record('mtime', '1.5')]),
      file('long/name', 'x'.repeat(700)),
      file('b', 'z'),
    ),
    tar(file('folder/file', 'x', { prefix: 'deep' })),
  ];
}

/** Tar: the same answer in any chunks; what is accepted is the bytes that are there, and another reader reads it alike. */
export const TAR: Target = {
  name: 'tar',
  group: 'archives',
  share: 1,
  codes: ARCHIVE_CODES,
  open: async () => ({
    seeds: [...tarSeeds(), ...vectorFiles('archives', /\.tar$/)],
    mutate: (random, corpus) => mutateTar(random, pickSeed(random, corpus, 20_000)),
    run: async (input) => {
      const reading = await inAnyChunks(input, (source) => readArchive(source, DEFAULT_LIMITS));
      if (reading.code !== 'ok') return refusal(reading);
      reading.members.forEach(({ size, dataOffset }, i) => {
        const bytes = input.subarray(dataOffset, dataOffset + size);
        const digest = Buffer.from(sha256(bytes)).toString('hex');
        expectThat(digest === reading.digests[i], 'a member is not the bytes at its place');
      });
      if (input[0] !== 0x1f) await expectAlike(input, reading);
      return 'ok';
    },
  }),
};

/** The code, when it is one of an archive. @throws {Violation} */
export function refusal({ code, story }: Reading): string {
  if (!ARCHIVE_CODES.some((known) => known === code))
    throw new Violation(`another error than an archive's: ${story}`);
  return code;
}

/** tar-stream reads what we accept, name for name and byte for byte. */
async function expectAlike(input: Uint8Array, { members, digests }: Reading): Promise<void> {
  const seen: string[] = [];
  for await (const entry of Readable.from([Buffer.from(input)]).pipe(extract())) {
    const bytes = await buffer(entry);
    seen.push(`${entry.header.name} ${entry.header.size} ${Buffer.from(sha256(bytes)).toString('hex')}`);
  }
  const ours = members.map(({ name, size }, i) => `${name} ${size} ${digests[i]}`);
  expectThat(
    ours.join('\n') === seen.join('\n'),
    `tar-stream reads ${seen.join(', ')}; we read ${ours.join(', ')}`,
  );
}
