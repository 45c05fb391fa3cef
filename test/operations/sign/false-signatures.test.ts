import { constants, type KeyObject, sign as signData } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as library from '../../../src/index.ts';
import {
  descriptorFor,
  JUDGED_AT,
  makeBundle,
  noiseFile,
  signerUnder,
  testAuthority,
} from '../../factory/bundles.ts';
import type { TestCertificate } from '../../factory/certificates.ts';
import { qcow2 } from '../../factory/disk-images.ts';
import { freshRsaKey } from '../../factory/keys.ts';
import { identityOf } from '../../factory/packing.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { makeTimestampAuthority, makeTokenDer } from '../../factory/timestamps.ts';

let sandbox: Sandbox;
let bundle: string;
let disk: string;
let trust: library.VerifyOptions;
let keys: Readonly<Record<'rsa2048' | 'p384', { own: TestCertificate; identity: library.SigningIdentity }>>;

beforeAll(async () => {
  sandbox = makeSandbox();
  bundle = sandbox.write('in.ova', await makeBundle());
  disk = sandbox.write('disk.qcow2', qcow2());
  trust = await trusting(sandbox);
  const issuer = await testAuthority();
  const made = async (key: 'rsa2048' | 'p384') => {
    const own = await signerUnder(issuer, { key });
    return { own, identity: await identityOf(sandbox, own) };
  };
  keys = { rsa2048: await made('rsa2048'), p384: await made('p384') };
});
afterAll(() => sandbox[Symbol.dispose]());

type Key = keyof typeof keys;
/** What a token or a service answers. */
type Answer = (data: Uint8Array, form: { digest: string; saltLength?: number }, key: KeyObject) => Uint8Array;

const right: Answer = (data, { digest, saltLength }, key) => {
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: saltLength ?? 0 };
  return signData(digest, data, saltLength === undefined ? key : pss);
};

/** A signer of the program's own, whose key is elsewhere. */
function remote(key: Key, answer: Answer, spki = keys[key].own.certificate.publicKey.spki): library.Signer {
  return {
    publicKey: { spki } as library.Signer['publicKey'],
    open: (form) => {
      const parts: Uint8Array[] = [];
      return {
        update: (chunk) => void parts.push(Uint8Array.from(chunk)),
        finish: async () => answer(Buffer.concat(parts), form, keys[key].own.privateKey),
      };
    },
  };
}

const OUTPUT = { output: '', format: 'tar' } as const;
/** Everything that writes a signature, by the signer alone. */
const WORKS: Readonly<
  Record<string, (key: Key, signer: library.Signer, output: string) => Promise<unknown>>
> = {
  sign: (key, signer, output) =>
    library.sign(bundle, { ...OUTPUT, output, identity: { ...keys[key].identity, signer } }),
  'sign, CMS': (key, signer, output) =>
    library.sign(bundle, { ...OUTPUT, output, cms: true, identity: { ...keys[key].identity, signer } }),
  pack: (key, signer, output) =>
    library.pack([bundle], {
      ...OUTPUT,
      output,
      name: 'x',
      plain: true,
      identity: { ...keys[key].identity, signer },
    }),
  'pack, signing its images': (key, signer, output) =>
    library.pack([disk], {
      ...OUTPUT,
      output,
      name: 'x',
      identity: keys[key].identity,
      imageSigner: imageSigner(key, signer),
      appliance: { vendor: 'Acme' },
    }),
  signFile: (key, signer, output) =>
    library.signFile(bundle, { output, identity: { ...keys[key].identity, signer } }),
  signImage: (key, signer, output) => library.signImage(bundle, { output, signer: imageSigner(key, signer) }),
  'importBundle, signing its images': async (key, signer, destination) => {
    const options = { ...trust, destination, imageSigner: imageSigner(key, signer) };
    const { kind, report } = await library.importBundle(bundle, options);
    if (kind === 'refused') throw report.errors[0];
  },
};

function imageSigner(key: Key, signer: library.Signer): library.ImageSigner {
  const keyType = key === 'p384' ? 'ECC_SECP384R1' : 'RSA-PSS';
  const certificateUuid = '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d';
  return { signer, keyType, hash: 'SHA-256', certificateUuid, files: [], warnings: [] };
}

const other = freshRsaKey(2048);
const FALSE: Readonly<Record<string, readonly [Key, Answer]>> = {
  'of another key': ['rsa2048', (data, form) => right(data, form, other)],
  'of other data': ['rsa2048', (data, form, key) => right(data.subarray(1), form, key)],
  'with another salt': [
    'rsa2048',
    (data, form, key) => right(data, { ...form, saltLength: (form.saltLength ?? 20) - 1 }, key),
  ],
  'of zeros': ['rsa2048', () => new Uint8Array(256)],
  'without a byte': ['rsa2048', () => new Uint8Array(0)],
  'in r and s': [
    'p384',
    (data, { digest }, key) => signData(digest, data, { key, dsaEncoding: 'ieee-p1363' }),
  ],
};

describe.each(Object.entries(WORKS))('[pack.13] [glance.37] %s', (_, work) => {
  test.each(Object.entries(FALSE))('writes no signature %s', async (_what, [key, answer]) => {
    const before = sandbox.list();
    await expect(work(key, remote(key, answer), sandbox.path('out'))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/makes signatures that its (certificate|public key) does not verify/),
    });
    expect(sandbox.list()).toEqual(before);
  });

  test.each(['rsa2048', 'p384'] as const)('writes that of a service which signs rightly: %s', async (key) => {
    await work(key, remote(key, right), sandbox.path('out'));
    expect(sandbox.list().filter((name) => name.startsWith('out'))).not.toEqual([]);
    rmSync(sandbox.path('out'), { recursive: true });
  });
});

/** It takes what it is given apart, when it has read it. */
function harming(key: Key): library.Signer {
  const { publicKey, open } = remote(key, right);
  return {
    publicKey,
    open: (form) => {
      const { update, finish } = open(form);
      return {
        update: (chunk) => {
          update(chunk);
          chunk.fill(0);
          structuredClone(chunk.buffer, { transfer: [chunk.buffer as ArrayBuffer] });
        },
        finish,
      };
    },
  };
}

describe('[pack.13] [glance.37] a signer that harms what it is given', () => {
  test.each(['leading', 'trailing'] as const)('harms no bundle that is packed: %s', async (order) => {
    const signed = {
      identity: { ...keys.rsa2048.identity, signer: harming('rsa2048') },
      imageSigner: imageSigner('p384', harming('p384')),
    };
    await library.pack([disk], {
      ...OUTPUT,
      ...signed,
      output: sandbox.path('out'),
      name: 'x',
      order,
      appliance: { vendor: 'Acme' },
    });
    const { kind } = await library.importBundle(sandbox.path('out'), {
      ...trust,
      destination: sandbox.path('here'),
    });
    expect([kind, Buffer.compare(readFileSync(sandbox.path('here/disk.qcow2')), readFileSync(disk))]).toEqual(
      ['imported', 0],
    );
    for (const name of ['out', 'here']) rmSync(sandbox.path(name), { recursive: true });
  });

  test.each([3000, 3_000_000])('harms no file that is imported, of %d bytes', async (size) => {
    const file = noiseFile('disk.img', size);
    const from = sandbox.write(
      'from.ova',
      await makeBundle({ files: [descriptorFor('app.ovf', [file]), file] }),
    );
    const destination = sandbox.path('here');
    const { kind } = await library.importBundle(from, {
      ...trust,
      destination,
      imageSigner: imageSigner('p384', harming('p384')),
    });
    expect([kind, Buffer.compare(readFileSync(sandbox.path('here/disk.img')), file.bytes)]).toEqual([
      'imported',
      0,
    ]);
    rmSync(destination, { recursive: true });
  });
});

test.each([false, true])(
  '[pack.13] a source of timestamps that harms what it is given harms a copy: CMS %s',
  async (cms) => {
    const authority = await makeTimestampAuthority(await testAuthority());
    const timestamp = async (over: Uint8Array): Promise<Uint8Array> => {
      const token = makeTokenDer({ over: Uint8Array.from(over), authority, time: JUDGED_AT });
      over.fill(0);
      return token;
    };
    const output = sandbox.path('stamped');
    await library.sign(bundle, { ...OUTPUT, output, cms, timestamp, identity: keys.rsa2048.identity });
    expect((await library.verify(output, trust)).verdict).toBe('trusted');
    rmSync(output);
  },
);

test('[glance.37] a key that was loaded cannot be made to answer otherwise', () => {
  expect(() => Object.assign(keys.rsa2048.identity.signer, { open: () => {} })).toThrow(TypeError);
});

test('[pack.13] a key that is not that of the certificate is refused, whatever it signs', async () => {
  const spki = keys.p384.own.certificate.publicKey.spki;
  const identity = { ...keys.rsa2048.identity, signer: remote('p384', right, spki) };
  const refused = library.sign(bundle, { ...OUTPUT, output: sandbox.path('out'), identity });
  await expect(refused).rejects.toMatchObject({ code: 'USAGE' });
});
