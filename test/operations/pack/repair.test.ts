import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../../src/kit/bytes.ts';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { archiveOf, makeBundle, makeMembers, type NamedBytes } from '../../factory/bundles.ts';
import { mutated } from '../../factory/mutation.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { file, header, MAGIC, padded, tar } from '../../factory/tar.ts';
import { type ZipItem, zip } from '../../factory/zip.ts';

const OUT = 'out.ova';

function oddTar(members: readonly NamedBytes[]): Uint8Array {
  const folder = header({ name: './', type: '5' });
  return tar(folder, ...members.map(({ name, bytes }) => file(`./${name}`, bytes)));
}

function oddZip(members: readonly NamedBytes[]): Uint8Array {
  const items = members.map(({ name, bytes }): ZipItem => ({ name, content: bytes, both: { flags: 0x808 } }));
  return concat([new Uint8Array(1000).fill(1), zip(items)]);
}

async function repaired(
  sandbox: Sandbox,
  bytes: Uint8Array,
  options: Partial<Parameters<typeof normalize>[1]> = {},
): ReturnType<typeof normalize> {
  const trust = await trusting(sandbox);
  const report = await normalize(chunked(bytes, 4000), {
    ...trust,
    output: sandbox.path(OUT),
    format: 'tar',
    repair: true,
    ...options,
  });
  valid(report);
  return report;
}

const made = (sandbox: Sandbox): boolean => sandbox.list().includes(OUT);

describe('what is repaired', () => {
  test.each([
    ['tar', oddTar],
    ['zip', oddZip],
  ])(
    '[repair.1] [repair.3] an odd %s is the canonical bundle afterwards, and the report says what it was',
    async (_, odd) => {
      using sandbox = makeSandbox();
      const members = await makeMembers();
      const report = await repaired(sandbox, odd(members));
      expect([report.exitCode, report.verdict]).toEqual([0, 'trusted']);
      expect(report.result?.repairs?.length).toBeGreaterThan(1);
      expect(Buffer.compare(readFileSync(sandbox.path(OUT)), await archiveOf(members))).toBe(0);
    },
  );

  test('[repair.1] without being asked for it is refused, by verify in any case, which names the repair', async () => {
    using sandbox = makeSandbox();
    const bytes = tar(
      ...(await makeMembers()).flatMap(({ name, bytes }) => [
        header({ name, size: bytes.byteLength, magic: MAGIC.v7 }),
        padded(bytes),
      ]),
    );
    expect(codesOf(await repaired(sandbox, bytes, { repair: false }))).toEqual(['ARCHIVE_HEADER']);
    expect(made(sandbox)).toBe(false);
    const { report } = await verify(chunked(bytes), await trusting(sandbox));
    expect(codesOf(report)).toEqual(['ARCHIVE_HEADER']);
    expect((await repaired(sandbox, bytes)).exitCode).toBe(0);
  });

  test('[repair.2] a sound bundle comes out as ever', async () => {
    using sandbox = makeSandbox();
    const bundle = await makeBundle();
    const report = await repaired(sandbox, bundle);
    expect(report.result?.repairs).toEqual([]);
    expect(Buffer.compare(readFileSync(sandbox.path(OUT)), bundle)).toBe(0);
  });

  test('[repair.7] what macOS adds is left out', async () => {
    using sandbox = makeSandbox();
    const members = await makeMembers();
    const added = members.flatMap((member) => [{ ...member, name: `._${member.name}` }, member]);
    expect((await repaired(sandbox, oddTar(added))).exitCode).toBe(0);
    expect(Buffer.compare(readFileSync(sandbox.path(OUT)), await archiveOf(members))).toBe(0);
  });

  test('[repair.7] what is signed under such a name is missing then', async () => {
    using sandbox = makeSandbox();
    const members = await makeMembers({ files: [{ name: '._disk.img', bytes: new Uint8Array(9) }] });
    expect(codesOf(await repaired(sandbox, oddTar(members)))).toEqual(['FILE_MISSING']);
    expect(made(sandbox)).toBe(false);
  });
});

describe('what is not written', () => {
  test.each<[string, Parameters<typeof makeMembers>[0], string]>([
    ['unsigned', { signed: false }, 'SIGNATURE_MISSING'],
    [
      'with a file beside',
      { members: (all) => [...all, { name: 'more', bytes: new Uint8Array(3) }] },
      'FILE_UNLISTED',
    ],
    ['without a file', { members: (all) => all.slice(0, -1) }, 'FILE_MISSING'],
    [
      'damaged',
      {
        members: (all) =>
          all.map((each) => (each.name === 'disk.img' ? { ...each, bytes: new Uint8Array(3000) } : each)),
      },
      'DIGEST_MISMATCH',
    ],
  ])('[repair.1] a bundle that is odd and %s', async (_, options, code) => {
    const members = await makeMembers(options);
    for (const odd of [oddTar, oddZip]) {
      using sandbox = makeSandbox();
      const report = await repaired(sandbox, odd(members));
      expect(codesOf(report)).toContain(code);
      expect(made(sandbox)).toBe(false);
    }
  });

  test('[repair.1] [repair.9] whatever the bytes, it ends with a report, and what is written is what was signed', async () => {
    const members = await makeMembers();
    const canonical = await archiveOf(members);
    using sandbox = makeSandbox();
    const trust = await trusting(sandbox);
    const odd = fc.constantFrom(oddTar(members), oddZip(members)).chain((bytes) => mutated(bytes));
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(odd, async (bytes) => {
        const written: Uint8Array[] = [];
        const sink = {
          write: async (chunk: Uint8Array) => void written.push(chunk.slice()),
          finish: async () => {},
          discard: async () => void written.splice(0),
        };
        const report = await normalize(chunked(bytes), {
          ...trust,
          output: sink,
          format: 'tar',
          repair: true,
        });
        expect([1, 2]).not.toContain(report.exitCode);
        if (report.exitCode === 0) expect(Buffer.compare(concat(written), canonical)).toBe(0);
        else refused++;
      }),
      { numRuns: 150 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  test('[repair.8] a file is read in place, and left as it is', async () => {
    using sandbox = makeSandbox();
    const bytes = oddZip(await makeMembers());
    writeFileSync(sandbox.path('odd.zip'), bytes);
    const report = await normalize(sandbox.path('odd.zip'), {
      ...(await trusting(sandbox)),
      output: sandbox.path(OUT),
      format: 'tar',
      repair: true,
    });
    expect([report.exitCode, report.warnings]).toEqual([0, []]);
    expect(Buffer.compare(readFileSync(sandbox.path('odd.zip')), bytes)).toBe(0);
  });
});
