import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { loadPolicy } from '../../../src/operations/verify/load-policy.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import { examine } from '../../../src/verdict/bundle/examine.ts';
import { makeReport, type Report } from '../../../src/verdict/report/report.ts';
import { JUDGED_AT, testAuthority } from '../../factory/bundles.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { folderForTests } from '../../factory/sandbox.ts';
import { chunked, irregular, sourceOf, type TestSource } from '../../factory/streams.ts';
import { BUNDLE_VECTORS, type VectorOptions } from '../../vectors/bundles.ts';

const FOLDER = folderForTests();
let files = 0;

function place(content: Uint8Array | string): string {
  const path = join(FOLDER, `file-${files++}`);
  writeFileSync(path, content);
  return path;
}

async function optionsFor(options: VectorOptions = {}): Promise<VerifyOptions> {
  const { at = JUDGED_AT, allow, publishers, anchors = async () => [await testAuthority()] } = options;
  const common = { at, ...(allow ? { allow } : {}) };
  if (!publishers) return { ...common, trust: { anchors: (await anchors()).map(({ pem }) => place(pem)) } };
  const folder = join(FOLDER, `trust-${files++}`);
  for (const [name, { toml, ca }] of Object.entries(await publishers())) {
    mkdirSync(join(folder, 'publishers', name), { recursive: true });
    writeFileSync(join(folder, 'publishers', name, 'publisher.toml'), toml);
    writeFileSync(join(folder, 'publishers', name, 'ca.pem'), ca.pem);
  }
  return { ...common, trust: { folders: [folder] } };
}

const PIPE = join(FOLDER, 'pipe');

/** Whatever is refused is read no further: then there is nobody who takes the rest. */
async function verifyPipe(bytes: Uint8Array, options: VerifyOptions): Promise<Report> {
  const written = writeFile(PIPE, bytes).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const { report } = await verify(PIPE, options);
  await written;
  return report;
}

/** Straight to the part that reads, past the copy that is made of what a program hands in. */
async function examineHostile(stream: TestSource, options: VerifyOptions): Promise<unknown> {
  const source = {
    name: '(hostile)',
    repeatable: false,
    stream: () => stream,
    checkUnchanged: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const { checks, contents, errors, warnings } = await examine(source, {
    ...(await loadPolicy(options, {
      allowances: { ...NO_ALLOWANCES, ...options.allow },
      at: options.at ?? JUDGED_AT,
      inputs: [],
    })),
    limits: DEFAULT_LIMITS,
  });
  return findings(makeReport({ operation: 'verify', checks, files: contents.files, errors, warnings }));
}

/** What a report says of the bundle, whatever way it came and by what name. */
function findings({ checks, files, errors, warnings }: Report): unknown {
  const places = errors.map(({ where: { file, ...where }, ...error }) => ({ ...error, where }));
  return { checks, files, errors: places, warnings };
}

const VECTORS = BUNDLE_VECTORS.map((vector) => [`${vector.clause} ${vector.name}`, vector] as const);

describe('[lane.1] a bundle gets its verdict, the same by every way in', () => {
  beforeAll(() => void execFileSync('mkfifo', [PIPE]));

  test.each(VECTORS)('%s', async (title, { build, options, exitCode, codes, warning, where }) => {
    const bytes = await build();
    const judged = await optionsFor(options);
    const { report } = await verify(place(bytes), judged);
    valid(report);
    expect({ codes: codesOf(report), exitCode: report.exitCode }).toEqual({ codes, exitCode });
    if (warning !== undefined) expect(report.warnings.join('\n')).toContain(warning);
    if (where) expect(report.errors[0]?.where).toMatchObject(where);
    expect(report.allowances).toEqual(Object.keys(options?.allow ?? {}));

    const few = title === VECTORS[0]?.[0] ? 1 : 13;
    const streams: readonly [string, TestSource][] = [
      ['whole', chunked(bytes)],
      // all come byte for byte below, where nothing copies them; where copies are made, which hang on no boundary, some do
      [`chunks of ${few}`, chunked(bytes, few)],
      ['chunks of 513', chunked(bytes, 513)],
      ['random chunks', sourceOf(bytes, { sizes: irregular(bytes.byteLength) })],
    ];
    const others: [string, unknown][] = [['pipe', findings(await verifyPipe(bytes, judged))]];
    for (const threads of [1, 2]) {
      const limits = { laneBytes: 1, threads }; // every member is worth a thread
      const { report: apart } = await verify(place(bytes), { ...judged, limits });
      others.push([`hashed apart by ${threads}`, findings(apart)]);
    }
    for (const [way, stream] of streams) others.push([way, findings((await verify(stream, judged)).report)]);
    for (const size of [1, 512, 1000]) {
      const hostile = sourceOf(bytes, { sizes: () => size, hostile: true });
      others.push([`hostile chunks of ${size}`, await examineHostile(hostile, judged)]);
    }
    for (const [way, found] of others) expect({ way, found }).toEqual({ way, found: findings(report) });
  });
});
