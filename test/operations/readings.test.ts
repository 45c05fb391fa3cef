import { linkSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadImageSigner, signImage } from '../../src/operations/glance/sign-image.ts';
import { importBundle } from '../../src/operations/import/import.ts';
import { normalize } from '../../src/operations/pack/normalize.ts';
import { pack } from '../../src/operations/pack/pack.ts';
import { repack } from '../../src/operations/repack/repack.ts';
import { sign } from '../../src/operations/sign/sign.ts';
import { signFile } from '../../src/operations/sign/sign-file.ts';
import { loadSigningIdentity } from '../../src/operations/sign/signing-identity.ts';
import { requestTimestampFile, timestamp } from '../../src/operations/sign/timestamp.ts';
import { replyIn } from '../../src/operations/sign/timestamp-source.ts';
import { join as joinVolumes } from '../../src/operations/volumes/join.ts';
import { split } from '../../src/operations/volumes/split.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

/** A verb that writes `output`, and the files in `desk` that it reads. */
interface Case {
  readonly reads: readonly string[];
  readonly make: (output: string, at: (name: string) => string) => Promise<unknown>;
}

const TAR = { format: 'tar', overwrite: true } as const;
const UUID = '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d';
const identityAt = (at: (name: string) => string) =>
  loadSigningIdentity(
    { key: at('signer.key'), certificate: at('signer.pem'), chain: at('other-ca.pem') },
    new Date(),
  );
const imageSignerAt = (at: (name: string) => string) =>
  loadImageSigner({ key: at('signer.key') }, { certificateUuid: UUID, at: new Date() });
const judgedBy = (at: (name: string) => string) => ({
  trust: {
    anchors: [at('ca.pem')],
    timestampAnchors: [at('tsa-ca.pem')],
    folders: [at('home')],
  },
  revocation: { crls: [at('clean.crl')], ocsps: [at('notes.txt')] },
});
const SIGNER = ['signer.key', 'signer.pem', 'other-ca.pem'];
const JUDGED = ['web.ova', 'ca.pem', 'tsa-ca.pem', 'clean.crl', 'notes.txt', 'home/revocation/old.crl'];

const CASES: Readonly<Record<string, Case>> = {
  pack: {
    reads: ['disk.qcow2', ...SIGNER, 'notes.txt'],
    make: async (output, at) =>
      pack([at('disk.qcow2')], {
        ...TAR,
        name: 'web',
        output,
        identity: await identityAt(at),
        imageSigner: await imageSignerAt(at),
        timestamp: replyIn(at('notes.txt'), new Date()),
      }),
  },
  'pack of a descriptor': {
    reads: ['web.ovf', 'web-disk1.qcow2'],
    make: (output, at) => pack([at('web.ovf')], { ...TAR, name: 'web', output }),
  },
  sign: {
    reads: ['web.ova', ...SIGNER, 'notes.txt'],
    make: async (output, at) =>
      sign(at('web.ova'), {
        ...TAR,
        output,
        identity: await identityAt(at),
        timestamp: replyIn(at('notes.txt'), new Date()),
      }),
  },
  signFile: {
    reads: ['web.ova', ...SIGNER, 'notes.txt'],
    make: async (output, at) =>
      signFile(at('web.ova'), {
        overwrite: true,
        output,
        identity: await identityAt(at),
        timestamp: replyIn(at('notes.txt'), new Date()),
      }),
  },
  timestamp: {
    reads: ['web.ova', 'notes.txt'],
    make: (output, at) =>
      timestamp(at('web.ova'), { ...TAR, output, source: replyIn(at('notes.txt'), new Date()) }),
  },
  requestTimestampFile: {
    reads: ['web.ova'],
    make: (output, at) => requestTimestampFile(at('web.ova'), { output, digest: 'sha256', overwrite: true }),
  },
  normalize: {
    reads: JUDGED,
    make: (output, at) => normalize(at('web.ova'), { ...TAR, output, ...judgedBy(at) }),
  },
  repack: {
    reads: [...JUDGED, ...SIGNER],
    make: async (output, at) =>
      repack(at('web.ova'), { ...TAR, output, ...judgedBy(at), identity: await identityAt(at) }),
  },
  importBundle: {
    reads: [...JUDGED, 'signer.key'],
    make: async (destination, at) =>
      importBundle(at('web.ova'), {
        destination,
        imageSigner: await imageSignerAt(at),
        ...judgedBy(at),
      }),
  },
  signImage: {
    reads: ['disk.qcow2', 'signer.key'],
    make: async (output, at) =>
      signImage(at('disk.qcow2'), { output, overwrite: true, signer: await imageSignerAt(at) }),
  },
  join: {
    reads: ['web.ova.001'],
    make: (output, at) => joinVolumes([at('.')], { output, overwrite: true }),
  },
};

function deskWithAll(): Desk {
  const desk = workbench.desk('bundle', 'keys', 'disk', 'appliance', 'chain', 'stamped');
  return desk;
}

describe('[out.1] no verb writes to what it reads', () => {
  test.each(Object.entries(CASES))('%s', async (_, { reads, make }) => {
    using desk = deskWithAll();
    await desk.run(
      'mkdir -p home/revocation; cp clean.crl home/revocation/old.crl; cp notes.txt web.ova.001',
    );
    const at = (name: string): string => join(desk.folder, name);
    for (const [i, name] of reads.entries()) {
      const before = readFileSync(at(name));
      symlinkSync(at(name), at(`link-${i}`));
      linkSync(at(name), at(`hard-${i}`));
      for (const output of [at(name), at(`link-${i}`), at(`hard-${i}`)]) {
        await expect(make(output, at), output).rejects.toMatchObject({
          code: 'USAGE',
          message: expect.stringMatching(/^the output would (replace|be one of)/),
          where: { file: output },
        });
        expect(readFileSync(output).equals(before)).toBe(true);
      }
    }
  });

  test('split, where a volume is another name of the bundle', async () => {
    using desk = workbench.desk('bundle');
    const at = (name: string): string => join(desk.folder, name);
    linkSync(at('web.ova'), at('web.ova.002'));
    const made = split(at('web.ova'), { volumeSize: 9000, folders: [desk.folder], overwrite: true });
    await expect(made).rejects.toMatchObject({ code: 'USAGE', where: { file: at('web.ova.002') } });
    expect((await desk.run('ls')).stdout).toBe('web.ova\nweb.ova.002\n');
  });
});

describe('[out.1] standard streams that are files', () => {
  test('that is read and written is refused', async () => {
    using desk = workbench.desk('bundle', 'keys');
    const before = readFileSync(join(desk.folder, 'web.ova'));
    for (const line of [
      'normalize web.ova --trust ca.pem -o - 1<>web.ova',
      'normalize web.ova --trust ca.pem -o - >>web.ova',
      'normalize - --trust ca.pem -o web.ova --force <web.ova',
      'sign - --key signer.key --cert signer.pem -o - <web.ova 1<>web.ova',
    ]) {
      const { code, stderr } = await desk.run(`bulla ${line}`);
      expect(stderr).toMatch(
        /the output would (replace|be written to) .* which is read.* {2}\[USAGE, exit 2\]/,
      );
      expect(code).toBe(2);
      expect(readFileSync(join(desk.folder, 'web.ova')).equals(before)).toBe(true);
    }
  });

  test('by a name that the system keeps is refused', async () => {
    using desk = workbench.desk('disk');
    for (const name of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', '/dev/nonsense', 'd/stdout']) {
      const line = `ln -sfn /dev d; bulla pack disk.qcow2 -o ${name} --format tar --force > out.ova`;
      const { code, stderr } = await desk.run(line);
      expect(stderr).toContain('the system itself keeps this name');
      expect(code).toBe(2);
      expect(readFileSync(join(desk.folder, 'out.ova')).byteLength).toBe(0);
    }
  });

  test('that are not read may be written', async () => {
    using desk = workbench.desk('bundle', 'keys');
    const { code } = await desk.run(
      'bulla normalize web.ova --trust ca.pem -o - > out.ova && bulla verify - --trust ca.pem < out.ova',
    );
    expect(code).toBe(0);
    expect(
      (await desk.run('bulla join . -o x --check; bulla normalize web.ova -o web2.ova --trust .')).code,
    ).not.toBe(2);
  });
});
