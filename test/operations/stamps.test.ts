import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OnProgress } from '../../src/kit/progress.ts';
import { loadImageSigner, signImage } from '../../src/operations/glance/sign-image.ts';
import { verifyImage } from '../../src/operations/glance/verify-image.ts';
import type { PackOptions } from '../../src/operations/pack/options.ts';
import { pack } from '../../src/operations/pack/pack.ts';
import { signFile } from '../../src/operations/sign/sign-file.ts';
import type { SigningIdentity } from '../../src/operations/sign/signing.ts';
import { openImage } from '../../src/operations/verify/open-image.ts';
import type { VerifyOptions } from '../../src/operations/verify/options.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { verifyFile } from '../../src/operations/verify/verify-file.ts';
import { join } from '../../src/operations/volumes/join.ts';
import { split } from '../../src/operations/volumes/split.ts';
import { archiveOf, descriptorFor, makeBundle, noiseFile } from '../factory/bundles.ts';
import { NOON } from '../factory/certificates.ts';
import { changeInPlace, settle } from '../factory/changes.ts';
import { codeOfAsync } from '../factory/errors.ts';
import { keeping, propertiesFor, rsaCertificate, signLike, UUID } from '../factory/images.ts';
import { identityOf } from '../factory/packing.ts';
import { codesOf } from '../factory/reports.ts';
import { resumable } from '../factory/resuming.ts';
import { makeSandbox, type Sandbox, trusting } from '../factory/sandbox.ts';

const MIB = 1024 * 1024;
const NOISE = noiseFile('disk.img', 5 * MIB).bytes;

let sandbox: Sandbox;
let trust: VerifyOptions;
let identity: SigningIdentity;

beforeAll(async () => {
  sandbox = makeSandbox();
  trust = await trusting(sandbox);
  identity = await identityOf(sandbox);
}, 120_000);
afterAll(() => sandbox[Symbol.dispose]());

const OUTPUT = 'out/result';

function packing(more: Partial<PackOptions>): (path: string, onProgress: OnProgress) => Promise<unknown> {
  return (path, onProgress) =>
    pack([path], { output: sandbox.path(OUTPUT), format: 'tar', name: 'app', onProgress, ...more });
}

/** The verbs that read a file which is no bundle, or no archive to them. */
const VERBS: Readonly<Record<string, (path: string, onProgress: OnProgress) => Promise<unknown>>> = {
  pack: packing({}),
  'pack, in two readings': packing({ format: 'tgz' }),
  'pack, the manifest last': packing({ order: 'trailing' }),
  'pack of a zip': packing({ format: 'zip' }),
  'pack in chunks': packing({ chunkSize: 2 * MIB }),
  'pack with block digests': packing({ blockDigests: true }),
  'pack as it is': packing({ plain: true }),
  'pack of what a descriptor names': (path, onProgress) => {
    const disk = { name: 'disk.img', bytes: NOISE };
    const descriptor = sandbox.write('in/app.ovf', descriptorFor('app.ovf', [disk]).bytes);
    expect(path).toBe(sandbox.path('in/disk.img'));
    return packing({})(descriptor, onProgress);
  },
  split: (path, onProgress) =>
    split(path, { volumeSize: 2 * MIB, folders: [sandbox.path('out')], onProgress }),
  'sign, detached': (path, onProgress) =>
    signFile(path, { output: sandbox.path(OUTPUT), identity, onProgress }),
  'glance sign': async (path, onProgress) => {
    const { privateKeyPem: key } = await rsaCertificate();
    const file = sandbox.write('key.pem', key);
    const signer = await loadImageSigner({ key: file }, { certificateUuid: UUID, at: NOON });
    return signImage(path, { signer, output: sandbox.path(OUTPUT), onProgress });
  },
};

describe.each(Object.entries(VERBS))('%s', (_, verb) => {
  test.each([1, 2, 3, 5])(
    '[stamp.1] of a file that is written to in place, its times put back, after part %i of it: nothing is made',
    async (parts) => {
      const path = sandbox.write('in/disk.img', NOISE);
      settle(path);
      mkdirSync(sandbox.path('out'), { recursive: true });
      let told = 0;
      const onProgress = (): void => {
        if (++told === parts) changeInPlace(path, 7);
      };
      expect(await codeOfAsync(verb(path, onProgress))).toBe('FILE_CHANGED');
      expect(told).toBeGreaterThanOrEqual(parts);
      expect(sandbox.list().filter((name) => name.startsWith('out/'))).toEqual(['out/']);
    },
  );
});

test('[stamp.1] a volume that is changed after its header was read has changed, and is not called damaged', async () => {
  const path = sandbox.write('in/disk.img', NOISE);
  mkdirSync(sandbox.path('volumes'));
  await split(path, { volumeSize: 2 * MIB, folders: [sandbox.path('volumes')] });
  const last = sandbox.path('volumes/disk.img.003');
  for (const at of [0, 4096, MIB]) {
    settle(last);
    let changed = false;
    const onProgress = (): void => {
      if (!changed) changeInPlace(last, at);
      changed = true;
    };
    const joining = join([sandbox.path('volumes')], { output: sandbox.path('out/joined'), onProgress });
    expect(await codeOfAsync(joining)).toBe('FILE_CHANGED');
    expect(sandbox.list()).not.toContain('out/joined');
    changeInPlace(last, at); // and back
  }
});

test('[stamp.1] a file with a signature beside it, and an image, are not verified when they change', async () => {
  const path = sandbox.write('in/disk.img', NOISE);
  await signFile(path, { output: sandbox.path('disk.p7s'), identity });
  const certificate = await rsaCertificate();
  const properties = propertiesFor(signLike(certificate.privateKey, NOISE));
  const anchors = [sandbox.write('image.pem', certificate.pem)];
  const change = (): OnProgress => {
    settle(path);
    let told = 0;
    return () => {
      if (++told === 2) changeInPlace(path, 7);
    };
  };
  const given = { properties, certificates: keeping(certificate), at: NOON };
  const file = await verifyFile(path, sandbox.path('disk.p7s'), { ...trust, onProgress: change() });
  expect([codesOf(file), file.exitCode]).toEqual([['FILE_CHANGED'], 3]);
  changeInPlace(path, 7); // and back
  for (const compat of [false, true]) {
    const asked = compat ? given : { ...given, trust: { anchors } };
    const image = verifyImage(path, { ...asked, compat, onProgress: change() });
    const outcome = image.then(
      ({ errors, trusted }) => [errors[0]?.code, trusted],
      (error: { code: string }) => [error.code, false],
    );
    expect(await outcome).toEqual(['FILE_CHANGED', false]);
    changeInPlace(path, 7);
  }
});

test('[stamp.1] what is read, and so was looked at last at another time, is the same file', async () => {
  const path = sandbox.write('in/app.ova', await makeBundle({ files: [noiseFile('large.img', 3 * MIB)] }));
  settle(path);
  const onProgress = (): void => void sandbox.list();
  expect((await verify(path, { ...trust, onProgress })).verdict).toBe('trusted');
});

test('[stamp.2] what has changed is said, with what to do', async () => {
  const path = sandbox.write('in/app.ova', await makeBundle({ files: [noiseFile('large.img', 3 * MIB)] }));
  settle(path);
  let changed = false;
  const onProgress = (): void => {
    if (!changed) changeInPlace(path, 5);
    changed = true;
  };
  const { report } = await verify(path, { ...trust, onProgress });
  expect(report.errors[0]).toMatchObject({
    code: 'FILE_CHANGED',
    message:
      'the file changed while it was read: its change time is another, though not its size and modification time',
    fix: expect.stringMatching(/^see what else works on the file .*, then run again$/),
  });
});

test('[stamp.3] [judge.7] a part of an image that is not what was signed any more: the file has changed', async () => {
  const { members, disk } = await resumable(4 * MIB);
  const path = sandbox.write('in/app.ova', await archiveOf(members));
  settle(path);
  await using image = await openImage(path, 'disk.img', { ...trust, limits: { laneBytes: MIB } });
  const start = (await archiveOf(members)).byteLength - 4 * MIB - 1024;
  changeInPlace(path, start + 2 * MIB);
  expect(Buffer.compare(await image.read(0, MIB), disk.bytes.subarray(0, MIB))).toBe(0); // still what was signed
  expect(await codeOfAsync(image.read(0, 3 * MIB))).toBe('FILE_CHANGED');
});

test('[stamp.3] an image that is closed is not read any more, and one that is told to stop stops', async () => {
  const { members } = await resumable(40 * MIB);
  const path = sandbox.write('in/app.ova', await archiveOf(members));
  const stop = new AbortController();
  const options = { ...trust, limits: { laneBytes: MIB }, signal: stop.signal };
  const image = await openImage(path, 'disk.img', options);
  const closing = image.read(0, 40 * MIB); // goes on while it is closed
  await image[Symbol.asyncDispose]();
  expect(await codeOfAsync(closing)).toBe('USAGE');
  expect(await codeOfAsync(image.read(MIB, 10))).toBe('USAGE');
  await image[Symbol.asyncDispose]();
  const kept = await openImage(path, 'disk.img', options);
  expect((await kept.read(MIB, 10)).byteLength).toBe(10);
  await kept[Symbol.asyncDispose]();
  expect(await codeOfAsync(kept.read(MIB, 10)), 'a block that is kept').toBe('USAGE');
  expect(await codeOfAsync(kept.read(MIB, 0)), 'of which nothing is asked').toBe('USAGE');
  expect(await codeOfAsync(kept.read(99 * MIB, 10)), 'behind its end').toBe('USAGE');
  await using other = await openImage(path, 'disk.img', options);
  const reading = other.read(0, 40 * MIB);
  stop.abort();
  expect(await codeOfAsync(reading)).toBe('INTERRUPTED');
});
