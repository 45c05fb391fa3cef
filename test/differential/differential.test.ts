import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { accepted, bytesOf, found, pathOf } from '../conformance/archive-vectors.ts';
import { asArchive, read } from '../factory/archives.ts';
import { folderForTests } from '../factory/sandbox.ts';
import { chunked } from '../factory/streams.ts';
import { hasPeer } from '../interop/peer.ts';
import { generate } from './generate.ts';
import { type Seen, TAR_PEERS, ZIP_PEERS } from './peers.ts';

/** How many archives are generated, and which is the first; `npm run differential -- --count N --from N` sets them. */
const COUNT = Number(process.env['DIFFERENTIAL_COUNT'] ?? 400);
const FROM = Number(process.env['DIFFERENTIAL_FROM'] ?? 1);
/** Archives that are handed to a reader at a time. */
const BATCH = 250;

const folder = folderForTests();

/** An archive that we accept, where it is, and what we see in it. */
interface Accepted {
  readonly title: string;
  readonly path: string;
  readonly ours: readonly Seen[];
}

const PEERS = {
  tar: TAR_PEERS.filter(({ name, probe }) => hasPeer(probe, `${name} on tars that we accept`)),
  zip: ZIP_PEERS.filter(({ name, probe }) => hasPeer(probe, `${name} on zips that we accept`)),
};

/** What we see in an archive; undefined when we refuse it. */
async function ours(bytes: Uint8Array): Promise<readonly Seen[] | undefined> {
  const { members, error } = await read(chunked(bytes), asArchive);
  if (error) return undefined;
  return members
    .map(({ name, size, sha256 }) => ({ name, size, sha256 }))
    .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

/** Every reader that sees something else than we do in one of these. */
async function disagreements(archives: readonly Accepted[]): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (const kind of ['tar', 'zip'] as const) {
    const some = archives.filter(({ path }) => path.endsWith('.zip') === (kind === 'zip'));
    for (const { name, read: peer } of PEERS[kind]) {
      const theirs = await peer(some.map(({ path }) => path));
      some.forEach(({ title, ours: expected }, i) => {
        if (JSON.stringify(theirs[i]) !== JSON.stringify(expected))
          found.push({ title, reader: name, theirs: theirs[i], ours: expected });
      });
    }
  }
  return found;
}

describe('what we accept is read alike by all others', () => {
  test.skipIf(!found)('[arc.5] the archives of other makers', { timeout: 120_000 }, async () => {
    mkdirSync(join(folder, 'vectors'));
    const archives: Accepted[] = [];
    for (const [i, vector] of accepted.entries()) {
      const path = join(folder, 'vectors', `${i}.${vector.format === 'gz' ? 'tgz' : vector.format}`);
      copyFileSync(pathOf(vector), path);
      archives.push({ title: vector.file, path, ours: (await ours(bytesOf(vector))) ?? [] });
    }
    expect(archives.length).toBeGreaterThan(70);
    expect(await disagreements(archives)).toEqual([]);
  });

  test(`[arc.5] ${COUNT} that are made by chance, from ${FROM} on`, {
    timeout: 60_000 + COUNT * 500,
  }, async () => {
    const kinds = { tar: 0, tgz: 0, zip: 0 };
    let refused = 0;
    const different: unknown[] = [];
    for (let start = FROM; start < FROM + COUNT; start += BATCH) {
      const batch = join(folder, String(start));
      mkdirSync(batch);
      const archives: Accepted[] = [];
      for (let seed = start; seed < Math.min(FROM + COUNT, start + BATCH); seed++) {
        const { format, bytes } = generate(seed);
        const members = await ours(bytes);
        if (!members) refused++;
        else {
          kinds[format]++;
          const path = join(batch, `${seed}.${format}`);
          writeFileSync(path, bytes);
          archives.push({ title: `seed ${seed}`, path, ours: members });
        }
      }
      const seen = await disagreements(archives);
      if (seen.length > 0) console.error(`from ${start} on: ${JSON.stringify(seen)}`); // a long run tells at once
      different.push(...seen);
      rmSync(batch, { recursive: true });
    }
    console.info(
      `${kinds.tar} tars, ${kinds.tgz} compressed, ${kinds.zip} zips read alike; ${refused} refused by us`,
    );
    expect(different).toEqual([]);
    for (const count of Object.values(kinds)) expect(count).toBeGreaterThan(COUNT / 40);
    expect(refused).toBeGreaterThan(COUNT / 10);
  });
});
