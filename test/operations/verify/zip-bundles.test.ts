import { appendFileSync, mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openArchive } from '../../../src/archive/open-archive.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { pack } from '../../../src/operations/pack/pack.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import { inspect } from '../../../src/operations/verify/inspect.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import {
  bytesOf,
  JUDGED_AT,
  makeBundle,
  makeMembers,
  type NamedBytes,
  noiseFile,
  testAuthority,
} from '../../factory/bundles.ts';
import { flipped } from '../../factory/damage.ts';
import { expectFiles, importHere, left } from '../../factory/importing.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { zip, zipOf } from '../../factory/zip.ts';
import { BUNDLE_VECTORS, type BundleVector, type VectorOptions } from '../../vectors/bundles.ts';

const MIB = 1024 * 1024;
const COPY = /a zip cannot be read in order/;

/** The members of an archive, or undefined when it is not sound. */
async function membersOf(bytes: Uint8Array): Promise<readonly NamedBytes[] | undefined> {
  const members: NamedBytes[] = [];
  try {
    for await (const { name, body } of (await openArchive(chunked(bytes), DEFAULT_LIMITS)).entries)
      members.push({ name, bytes: await bytesOf(body) });
    return members;
  } catch {
    return undefined;
  }
}

async function optionsFor(sandbox: Sandbox, options: VectorOptions = {}): Promise<VerifyOptions> {
  const { at = JUDGED_AT, allow, publishers, anchors = async () => [await testAuthority()] } = options;
  const common = { at, ...(allow ? { allow } : {}) };
  if (!publishers) {
    const files = (await anchors()).map(({ pem }, i) => sandbox.write(`.trust/${i}.pem`, pem));
    return { ...common, trust: { anchors: files } };
  }
  for (const [name, { toml, ca }] of Object.entries(await publishers())) {
    mkdirSync(sandbox.path(`trust/publishers/${name}`), { recursive: true });
    writeFileSync(sandbox.path(`trust/publishers/${name}/publisher.toml`), toml);
    writeFileSync(sandbox.path(`trust/publishers/${name}/ca.pem`), ca.pem);
  }
  return { ...common, trust: { folders: [sandbox.path('trust')] } };
}

/** What a report says, but for where in the container things are. */
function findings({ exitCode, verdict, checks, signatures, files, errors, warnings }: Report): unknown {
  return {
    exitCode,
    verdict,
    checks,
    signatures,
    files: files.map(({ offset: _, ...file }) => file),
    errors: errors.map(({ where: { file: _, offset: __, ...where }, ...error }) => ({ ...error, where })),
    warnings: warnings.filter((warning) => !COPY.test(warning)),
  };
}

const VECTORS = BUNDLE_VECTORS.map((vector): readonly [string, BundleVector] => [
  `${vector.clause} ${vector.name}`,
  vector,
]);

describe('a bundle in a zip', () => {
  test.each(VECTORS)('%s: has the same report as in a tar', async (_, { build, options }) => {
    using sandbox = makeSandbox();
    const tar = await build();
    const members = await membersOf(tar);
    if (!members) return expect((await verify(chunked(tar))).report.exitCode).toBe(15); // nothing to put into a zip
    const judging = await optionsFor(sandbox, options);
    const expected = findings((await verify(sandbox.write('x.ova', tar), judging)).report);
    const path = sandbox.write('x.zip', await zipOf(members));
    const { report } = await verify(path, judging);
    expect(valid(report).input?.format).toBe('zip');
    expect(findings(report)).toEqual(expected);
    const piped = (await verify(chunked(readFileSync(path), 1000), judging)).report;
    expect(findings(piped)).toEqual(expected);
    return expect(piped.warnings.some((warning) => COPY.test(warning))).toBe(true); // [zip.14]
  });

  test('[import.1] is imported as from a tar, from a file and through a pipe', async () => {
    const members = await makeMembers();
    const bytes = await zipOf(members);
    for (const piped of [false, true]) {
      using sandbox = makeSandbox();
      const input = piped ? chunked(bytes, 333) : sandbox.write('in.zip', bytes);
      const { imported, report } = await importHere(sandbox, input);
      expect([imported, codesOf(report)]).toEqual([true, []]);
      expectFiles(sandbox, members);
    }
  });

  test.each([
    ['a changed byte', (bytes: Uint8Array) => flipped(bytes, 8000), 15],
    ['a cut', (bytes: Uint8Array) => bytes.subarray(0, -30), 15],
  ])('[import.1] with %s leaves nothing', async (_, damage, exitCode) => {
    using sandbox = makeSandbox();
    const bytes = damage(await zipOf(await makeMembers({ files: [noiseFile('large.img', MIB)] })));
    const { report } = await importHere(sandbox, sandbox.write('in.zip', bytes));
    expect([report.exitCode, left(sandbox)]).toEqual([exitCode, []]);
  });

  test.each([
    ['grows', (path: string) => appendFileSync(path, new Uint8Array(512))],
    ['shrinks', (path: string) => truncateSync(path, 2 * MIB)],
    ['is written to', (path: string) => utimesSync(path, new Date(0), new Date(0))],
  ])('[judge.6] that %s meanwhile is refused as changed', async (_, change) => {
    using sandbox = makeSandbox();
    const large = { name: 'large.img', bytes: new Uint8Array(3 * MIB).map((__, i) => (i * i) >> 7) };
    const path = sandbox.write(
      'app.zip',
      zip((await makeMembers({ files: [large] })).map(({ name, bytes }) => ({ name, content: bytes }))),
    );
    let changed = false;
    const onProgress = (): void => {
      if (!changed) change(path);
      changed = true;
    };
    const { report } = await verify(path, { ...(await trusting(sandbox)), onProgress });
    expect(codesOf(valid(report))).toEqual(['FILE_CHANGED']);
  });

  test('tells how far it is, up to the last member', async () => {
    using sandbox = makeSandbox();
    const bytes = await zipOf(await makeMembers({ files: [noiseFile('large.img', 3 * MIB)] }));
    const seen: number[] = [];
    await verify(sandbox.write('app.zip', bytes), {
      ...(await trusting(sandbox)),
      onProgress: ({ bytes: at, total }) => {
        expect(total).toBe(bytes.byteLength);
        seen.push(at);
      },
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBeGreaterThan(bytes.byteLength - 1000);
    expect(seen.at(-1)).toBeLessThanOrEqual(bytes.byteLength);
  });

  test('[pack.6] is signed again, into any container and from any', async () => {
    using sandbox = makeSandbox();
    const identity = await identityOf(sandbox);
    const members = await makeMembers();
    const inputs = [
      ['in.ova', await makeBundle()],
      ['in.zip', await zipOf(members)],
    ] as const;
    const made: Uint8Array[] = [];
    for (const [name, bytes] of inputs) {
      const output = sandbox.path(`${name}.zip`);
      const report = await sign(sandbox.write(name, bytes), { output, format: 'zip', identity });
      expect(codesOf(valid(report))).toEqual([]);
      expect((await verify(output, await trusting(sandbox))).verdict).toBe('trusted');
      made.push(readFileSync(output));
    }
    expect(Buffer.compare(made[0] ?? new Uint8Array(0), made[1] ?? new Uint8Array(0))).toBe(0);
    const back = sandbox.path('back.ova');
    await sign(sandbox.path('in.zip'), { output: back, format: 'tar', identity });
    expect((await verify(back, await trusting(sandbox))).verdict).toBe('trusted');
  });

  test('[pack.1] [bundle.5] with the names signature.mf and signature.cert is packed, verified and imported', async () => {
    using sandbox = makeSandbox();
    const output = sandbox.path('pak.zip');
    const inputs = [
      sandbox.write('manifest.txt', '{}\n'),
      sandbox.write('payload.pak', noiseFile('p', 20_000).bytes),
    ];
    const options = { output, format: 'zip', name: 'signature', plain: true } as const;
    await pack(inputs, { ...options, identity: await identityOf(sandbox) });
    const { report, inspection } = await inspect(output);
    expect(report.files.map(({ name, role }) => [name, role])).toEqual([
      ['signature.mf', 'manifest'],
      ['signature.cert', 'certificate'],
      ['manifest.txt', 'file'],
      ['payload.pak', 'file'],
    ]);
    expect([report.exitCode, inspection.kind, inspection.format]).toEqual([0, 'plain', 'zip']);
    const { imported } = await importHere(sandbox, output);
    expect(imported).toBe(true);
  });
});
