import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as library from '../../../src/index.ts';
import { JUDGED_AT, makeBundle, testSigner } from '../../factory/bundles.ts';
import { codeOfAsync } from '../../factory/errors.ts';
import { ownKey } from '../../factory/keys.ts';
import { identityOf } from '../../factory/packing.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';

let sandbox: Sandbox;
let bundle: string;
let identity: library.SigningIdentity;

beforeAll(async () => {
  sandbox = makeSandbox();
  bundle = sandbox.write('in.ova', await makeBundle());
  sandbox.write('notes.txt', Buffer.from('notes'));
  identity = await identityOf(sandbox, await testSigner());
}, 120_000);
afterAll(() => sandbox[Symbol.dispose]());

const RSA = ownKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
const never = (): Promise<never> => new Promise(() => {});

/** Signers and authorities that answer as `answer` does. */
function askedOf(
  answer: () => Promise<never>,
): Readonly<Record<string, (end: { signal?: AbortSignal; deadlineMs?: number }) => Promise<unknown>>> {
  const output = sandbox.path('out.ova');
  const silent = {
    ...identity,
    signer: { publicKey: identity.signer.publicKey, open: () => ({ update: () => {}, finish: answer }) },
  };
  const copying = { output, format: 'tar' } as const;
  const client = { name: 'x', fetchSecret: answer, storeCertificate: async () => 'uuid' };
  const file = sandbox.path('.keys/cert.pem');
  return {
    sign: (end) => library.sign(bundle, { ...copying, ...end, identity: silent }),
    'sign, CMS': (end) => library.sign(bundle, { ...copying, ...end, identity: silent, cms: true }),
    'sign, timestamp': (end) => library.sign(bundle, { ...copying, ...end, identity, timestamp: answer }),
    'sign, CMS with timestamp': (end) =>
      library.sign(bundle, { ...copying, ...end, identity, cms: true, timestamp: answer }),
    signFile: (end) => library.signFile(bundle, { output, ...end, identity: silent }),
    'signFile, timestamp': (end) => library.signFile(bundle, { output, ...end, identity, timestamp: answer }),
    signImage: (end) =>
      library.signImage(bundle, {
        ...end,
        signer: {
          signer: { ...silent.signer, publicKey: RSA },
          keyType: 'RSA-PSS',
          hash: 'SHA-256',
          certificateUuid: '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d',
          files: [],
          warnings: [],
        },
      }),
    timestamp: (end) => library.timestamp(bundle, { ...copying, ...end, source: answer }),
    'storeCertificate, open': (end) => library.storeCertificate(file, answer, { ...end, at: JUDGED_AT }),
    'storeCertificate, store': (end) =>
      library.storeCertificate(file, async () => ({ ...client, storeCertificate: answer }), {
        ...end,
        at: JUDGED_AT,
      }),
    'storeCertificate, fetch': (end) =>
      library.storeCertificate(file, async () => client, { ...end, at: JUDGED_AT }),
  };
}

/** `pack` reads files alone and has no deadline. */
function packedBy(answer: () => Promise<never>, signal: AbortSignal): readonly Promise<unknown>[] {
  const common = { name: 'new', plain: true, format: 'tar', signal } as const;
  const silent = {
    ...identity,
    signer: { publicKey: identity.signer.publicKey, open: () => ({ update: () => {}, finish: answer }) },
  };
  const [first, second] = [sandbox.path('a.ova'), sandbox.path('b.ova')];
  return [
    library.pack([sandbox.path('notes.txt')], { ...common, output: first, identity: silent }),
    library.pack([sandbox.path('notes.txt')], { ...common, output: second, identity, timestamp: answer }),
  ];
}

describe('a service that never answers', () => {
  test('[stream.6] is given up at the deadline', { timeout: 60_000 }, async () => {
    const before = sandbox.list();
    for (const [name, work] of Object.entries(askedOf(never))) {
      expect(await codeOfAsync(work({ deadlineMs: 100 })), name).toBe('INPUT_STALLED');
    }
    expect(sandbox.list()).toEqual(before);
  });

  test('[stream.6] is left when it is interrupted', { timeout: 60_000 }, async () => {
    const before = sandbox.list();
    const calls = Object.keys(askedOf(never));
    for (const name of calls) {
      const stop = new AbortController();
      const stopping = (): Promise<never> => {
        stop.abort();
        return never();
      };
      const work = askedOf(stopping)[name]?.({ signal: stop.signal });
      expect(await codeOfAsync(work ?? never()), name).toBe('INTERRUPTED');
    }
    const stop = new AbortController();
    const packing = packedBy(() => {
      stop.abort();
      return never();
    }, stop.signal);
    const codes = await Promise.all(packing.map(codeOfAsync)); // all at once: one that nobody awaits yet would end the run
    expect(new Set(codes)).toEqual(new Set(['INTERRUPTED']));
    expect(sandbox.list()).toEqual(before);
  });
});

/** What says that it is an error of the library, and is none; a real one may be spoilt, too. */
const COUNTERFEITS = [
  Object.assign(new Error('so they say'), { name: 'BundleError', code: 'USAGE', fix: 'x' }),
  Object.assign(new Error('so they say'), {
    name: 'BundleError',
    code: 'NO_SUCH_CODE',
    fix: 'x',
    at: () => 1,
  }),
  Object.assign(new library.BundleError('DIGEST_MISMATCH', 'so they say'), { where: null }),
  Object.assign(new library.BundleError('DIGEST_MISMATCH', 'so they say'), { where: { file: 5 } }),
  Object.defineProperty(new library.BundleError('DIGEST_MISMATCH', 'x'), 'code', {
    get: () => {
      throw new Error('x');
    },
  }),
];

test.each([
  undefined,
  null,
  'a text',
  Object.create(null),
  new TypeError('the line is cut'),
  ...COUNTERFEITS,
])('[api.2] a service that throws %s is a slip of the caller', async (thrown) => {
  const before = sandbox.list();
  for (const [name, work] of Object.entries(askedOf(() => Promise.reject(thrown)))) {
    expect(await codeOfAsync(work({})), name).toBe('USAGE');
  }
  expect(sandbox.list()).toEqual(before);
});

test('[api.2] an error of the library that a service throws is taken as it was when it was thrown', async () => {
  const file = sandbox.path('there');
  const thrown = new library.BundleError('REMOTE_FAILED', 'the server is down', { where: { file } });
  Object.assign(thrown, { at: () => 5 });
  for (const [name, work] of Object.entries(askedOf(() => Promise.reject(thrown)))) {
    await expect(work({}), name).rejects.toMatchObject({ code: 'REMOTE_FAILED', where: { file } });
  }
});

describe('[glance.33] a certificate that is stored, and not read back', () => {
  test.each<[string, (stop: AbortController) => Promise<never>, string]>([
    [
      'since it is stopped',
      (stop) => {
        stop.abort();
        return never();
      },
      'INTERRUPTED',
    ],
    ['since the client throws', () => Promise.reject(new Error('no route')), 'USAGE'],
    [
      'since the key manager refuses',
      () => Promise.reject(new library.BundleError('REMOTE_FAILED', 'no')),
      'REMOTE_FAILED',
    ],
  ])(
    '%s: the error names where it is, and does not say that nothing was written',
    async (_, answer, code) => {
      const stop = new AbortController();
      const client = {
        name: 'https://keys/',
        fetchSecret: () => answer(stop),
        storeCertificate: async () => 'the-uuid',
      };
      const stored = library.storeCertificate(sandbox.path('.keys/cert.pem'), async () => client, {
        at: JUDGED_AT,
        signal: stop.signal,
      });
      await expect(stored).rejects.toMatchObject({
        code,
        where: { file: 'https://keys/secrets/the-uuid' },
        why: expect.stringContaining('is stored as https://keys/secrets/the-uuid'),
        fix: expect.not.stringContaining('nothing'),
      });
    },
  );
});
