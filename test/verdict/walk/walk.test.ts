import {
  appendFileSync,
  chmodSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBundleError } from '../../../src/kit/errors/errors.ts';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import type { OnProgress } from '../../../src/kit/progress.ts';
import { importBundle } from '../../../src/operations/import/import.ts';
import { normalize } from '../../../src/operations/pack/normalize.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import type { SigningIdentity } from '../../../src/operations/sign/signing.ts';
import { requestTimestampFile, timestamp } from '../../../src/operations/sign/timestamp.ts';
import { diff } from '../../../src/operations/verify/diff.ts';
import { inspect } from '../../../src/operations/verify/inspect.ts';
import { openImage } from '../../../src/operations/verify/open-image.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { openSource } from '../../../src/storage/sources/open-source.ts';
import { exitCodeOf } from '../../../src/verdict/report/exit-codes.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { walkBundle } from '../../../src/verdict/walk/walk.ts';
import { archiveOf, makeBundle, makeMembers, noiseFile } from '../../factory/bundles.ts';
import { makeAuthority, type TestCertificate } from '../../factory/certificates.ts';
import { changeInPlace, settle, untilSeen } from '../../factory/changes.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { resumable } from '../../factory/resuming.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { makeTimestampAuthority, makeTokenDer } from '../../factory/timestamps.ts';
import { zipOf } from '../../factory/zip.ts';

const MIB = 1024 * 1024;

let sandbox: Sandbox;
let trust: VerifyOptions;
let identity: SigningIdentity;
let authority: TestCertificate;

beforeAll(async () => {
  authority = await makeTimestampAuthority(await makeAuthority());
  sandbox = makeSandbox();
  trust = await trusting(sandbox);
  identity = await identityOf(sandbox);
}, 120_000);
afterAll(() => sandbox[Symbol.dispose]());

/** What every verb that walks through an archive says of the one in `path`, while `onProgress` is told of it. */
const VERBS: Readonly<Record<string, (path: string, onProgress: OnProgress) => Promise<Report>>> = {
  verify: async (path, onProgress) => (await verify(path, { ...trust, onProgress })).report,
  'verify, by several threads': async (path, onProgress) => {
    const limits = { laneBytes: MIB, threads: 2 };
    return (await verify(path, { ...trust, limits, onProgress })).report;
  },
  inspect: async (path, onProgress) => (await inspect(path, { onProgress })).report,
  diff: async (path, onProgress) => (await diff(path, path, { onProgress })).report,
  import: async (path, onProgress) => {
    const destination = sandbox.path('out/folder');
    return (await importBundle(path, { ...trust, destination, onProgress })).report;
  },
  normalize: (path, onProgress) =>
    normalize(path, { ...trust, output: sandbox.path('out/new.ova'), format: 'tar', onProgress }),
  sign: (path, onProgress) =>
    sign(path, { identity, output: sandbox.path('out/new.ova'), format: 'tar', onProgress }),
  timestamp: (path, onProgress) =>
    timestamp(path, {
      source: async (over) => makeTokenDer({ over, authority }),
      output: sandbox.path('out/new.ova'),
      format: 'tar',
      onProgress,
    }),
  openImage: async (path, onProgress) => {
    await using image = await openImage(path, 'disk.img', {
      ...trust,
      limits: { laneBytes: MIB },
      onProgress,
    });
    throw new Error(`${image.name} was opened`);
  },
};

/** The codes and the exit code, whether they are told by a report or by an exception. */
async function outcome(work: Promise<Report>): Promise<readonly [codes: readonly string[], exit: number]> {
  try {
    const report = valid(await work);
    return [codesOf(report), report.exitCode];
  } catch (error) {
    const fault = toBundleError(error);
    return [[fault.code], exitCodeOf([fault])];
  }
}

const CHANGES: readonly (readonly [what: string, change: (path: string) => void])[] = [
  ['is cut', (path) => truncateSync(path, 2 * MIB)],
  ['is emptied', (path) => truncateSync(path, 0)],
  ['grows', (path) => appendFileSync(path, new Uint8Array(512))],
  ['is written again', (path) => writeFileSync(path, new Uint8Array(readFileSync(path).byteLength))],
  ['is touched', (path) => utimesSync(path, new Date(0), new Date(0))],
  // [stamp.1] what a modification time does not tell, where it has been read and where it will be
  ['is changed behind us, its times put back', (path) => changeInPlace(path, 5)],
  ['is changed before us, its times put back', (path) => changeInPlace(path, 5 * MIB)],
  ['is replaced', (path) => renameSync(sandbox.write('in/other', 'other'), path)],
  ['gets another mode', (path) => untilSeen(path, () => chmodSync(path, 0o640))],
  [
    'gets another name',
    (path) => {
      rmSync(`${path}.link`, { force: true });
      linkSync(path, `${path}.link`);
    },
  ],
];

describe.each(Object.entries(VERBS))('%s', (name, verb) => {
  const kinds = name === 'openImage' ? ['tar'] : name.startsWith('verify,') ? ['tar'] : ['tar', 'tgz', 'zip'];

  test.each(kinds.flatMap((kind) => CHANGES.map(([what, change]) => [kind, what, change] as const)))(
    '[judge.6] [judge.7] [stamp.1] a %s that %s while it is read has changed, and nothing is made of it',
    async (kind, _, change) => {
      const path = sandbox.write('in/app.ova', await bundleOf(kind));
      settle(path);
      sandbox.write('out/before', 'here already');
      let changed = false;
      const onProgress = (): void => {
        if (!changed) change(path);
        changed = true;
      };
      const [codes, exit] = await outcome(verb(path, onProgress));
      expect([codes[0], exit]).toEqual(['FILE_CHANGED', 3]);
      expect(codes.filter((code) => code.startsWith('ARCHIVE_') || code.startsWith('GZIP_'))).toEqual([]);
      expect(sandbox.list().filter((file) => file.startsWith('out/'))).toEqual(['out/', 'out/before']);
    },
  );
});

const made = new Map<string, Promise<Uint8Array>>();

/** A bundle with a large disk, which has block digests and no pattern that could be compressed. */
function bundleOf(kind: string): Promise<Uint8Array> {
  const make = async (): Promise<Uint8Array> => {
    const { members } = await resumable(6 * MIB);
    if (kind === 'zip') return zipOf(members);
    return archiveOf(members, kind === 'tgz');
  };
  const bundle = made.get(kind) ?? make();
  made.set(kind, bundle);
  return bundle;
}

test('[judge.7] the request for a timestamp is not made of a bundle that changes', async () => {
  const path = sandbox.write('in/app.ova', await makeBundle({ files: [noiseFile('large.img', 3 * MIB)] }));
  const output = sandbox.path('out/app.tsq');
  const asked = requestTimestampFile(path, { output, digest: 'sha256' });
  truncateSync(path, 2 * MIB); // it is open by now, and nothing has been read of it
  expect(await outcome(asked)).toEqual([['FILE_CHANGED'], 3]);
  expect(sandbox.list()).not.toContain('out/app.tsq');
});

test('[judge.7] what the visitor throws is the fault, whatever became of the file, when it is not of the bytes', async () => {
  const path = sandbox.write('in/app.ova', await archiveOf(await makeMembers()));
  await using source = await openSource(path, { idleMs: DEFAULT_LIMITS.idleMs });
  const { fault, result } = await walkBundle(source, { limits: DEFAULT_LIMITS }, async () => {
    truncateSync(path, 0);
    throw new Error('of ours');
  });
  expect([fault?.code, fault?.where, result]).toEqual(['INTERNAL', { file: path }, undefined]);
});
