import { constants, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as library from '../../src/index.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import {
  appliance,
  JUDGED_AT,
  makeBundle,
  noiseFile,
  testAuthority,
  testSigner,
} from '../factory/bundles.ts';
import { codeOf, codeOfAsync } from '../factory/errors.ts';
import { freshRsaKey } from '../factory/keys.ts';
import { identityOf } from '../factory/packing.ts';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';
import { zipOf } from '../factory/zip.ts';

let sandbox: Sandbox;
let good: Good;
let before: readonly string[];

const lockedKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'secret',
});

/** A way to call each function that does what it is for, and nothing that a wrong value could be mistaken for. */
interface Call {
  readonly call: (...given: readonly unknown[]) => unknown;
  readonly given: readonly unknown[];
}
type Good = Readonly<Record<string, Call>>;

beforeAll(async () => {
  sandbox = makeSandbox();
  good = await goodCalls();
  before = left();
}, 120_000);
afterAll(() => sandbox[Symbol.dispose]());

async function goodCalls(): Promise<Good> {
  const anchor = sandbox.write('ca.pem', (await testAuthority()).pem);
  const bundle = sandbox.write('app.ova', await makeBundle());
  for (const { name, bytes } of appliance()) sandbox.write(`in/${name}`, bytes);
  const identity = await identityOf(sandbox, await testSigner());
  const signal = new AbortController().signal;
  const output = sandbox.path('out/new.ova');
  const working = { signal, onProgress: () => {} };
  const limits = { ...library.DEFAULT_LIMITS };
  const reading = { ...working, relax: ['folders'], limits, deadlineMs: 60_000 };
  const judging = {
    ...reading,
    trust: { anchors: [anchor], pins: [], timestampAnchors: [], folders: [] },
    at: JUDGED_AT,
    revocation: { mode: 'if-present', crls: [], ocsps: [] },
    timestamp: 'prefer',
    allow: { unsigned: false, sha1: false, weakKeys: false, unlistedDescriptor: false },
    remember: true,
  };
  const { relax: _, ...comparing } = reading;
  const writing = { ...working, output, format: 'tar', overwrite: false, mtime: 0 };
  const copying = { ...writing, limits, deadlineMs: 60_000 };
  const inPlace = { ...working, overwrite: false, limits, deadlineMs: 60_000 };
  const loose = sandbox.path('in/app.ovf');
  const source = async (): Promise<Uint8Array> => new Uint8Array(1);
  const privateKey = freshRsaKey(2048);
  const publicKey = createPublicKey(privateKey);
  const files = [sandbox.path('.keys/key.pem')];
  const uuid = '11111111-2222-4333-8444-555555555555';
  const imageSigner = {
    signer: {
      publicKey: { spki: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })) },
      open: ({ digest, saltLength }: { readonly digest: string; readonly saltLength?: number }) => {
        const signing = createSign(digest);
        const padding = constants.RSA_PKCS1_PSS_PADDING;
        return {
          update: (chunk: Uint8Array) => void signing.update(chunk),
          finish: async () => signing.sign({ key: privateKey, padding, saltLength }),
        };
      },
    },
    keyType: 'RSA-PSS',
    hash: 'SHA-256',
    certificateUuid: uuid,
    files,
    warnings: [],
  };
  const signature = { signature: 'AAAA', hashMethod: 'SHA-256', keyType: 'RSA-PSS', certificateUuid: uuid };
  const client = { name: 'x', fetchSecret: async () => undefined, storeCertificate: async () => uuid };
  const name = { id: 'i', name: 'n', domainId: 'd', domainName: 'e' };
  const keyManager = (login: object): object => ({
    barbican: 'https://127.0.0.1:1/',
    authUrl: 'https://127.0.0.1:1/',
    login,
    choice: { region: 'r', interface: 'public' },
    caFile: anchor,
    timeoutMs: 1000,
    signal,
  });
  const requestFile = sandbox.path('request.json');
  await library.prepareSigning(bundle, { output: requestFile });
  const request = await library.readSigningRequest(requestFile);
  const responseFile = sandbox.path('response.json');
  await library.answerSigningRequest(request, { output: responseFile, identity });
  const response = await library.readSigningResponse(responseFile);
  const calls: Readonly<Record<string, readonly [unknown, ...(readonly unknown[])]>> = {
    verify: [library.verify, bundle, judging],
    'verify, with data': [
      library.verify,
      bundle,
      {
        trust: {
          publishers: [
            {
              name: 'acme',
              anchors: [{ name: 'ca', bytes: readFileSync(anchor) }],
              scopes: ['acme/*'],
              subjects: ['CN=x'],
              threshold: 1,
              from: JUDGED_AT,
              until: JUDGED_AT,
              revocation: 'off',
              timestamp: 'ignore',
            },
          ],
        },
      },
    ],
    verifyFile: [library.verifyFile, bundle, bundle, { ...judging, relax: [] }],
    openImage: [library.openImage, bundle, 'disk.img', judging],
    inspect: [library.inspect, bundle, reading],
    diff: [library.diff, bundle, bundle, comparing],
    importBundle: [
      library.importBundle,
      bundle,
      {
        ...judging,
        destination: sandbox.path('out/folder'),
        imagesOnly: false,
        keepChunks: false,
        decompress: false,
        dryRun: false,
        resume: false,
        imageSigner,
      },
    ],
    normalize: [library.normalize, bundle, { ...judging, output, format: 'tar', overwrite: false, mtime: 0 }],
    repack: [
      library.repack,
      bundle,
      {
        ...judging,
        output,
        format: 'tar',
        identity,
        set: [],
        digest: 'sha1',
        sha1ForOldImporters: true,
        cms: false,
        authority: source,
        overwrite: false,
        mtime: 0,
      },
    ],
    sign: [library.sign, bundle, { ...copying, identity, digest: 'sha256', cms: false, timestamp: source }],
    signPackage: [
      library.signPackage,
      loose,
      { ...inPlace, identity, digest: 'sha256', cms: false, timestamp: source },
    ],
    prepareSigning: [
      library.prepareSigning,
      bundle,
      { ...inPlace, output, digest: 'sha256', cms: false, certificate: sandbox.path('.keys/cert.pem') },
    ],
    readSigningRequest: [library.readSigningRequest, requestFile, { signal, deadlineMs: 60_000, limits }],
    answerSigningRequest: [
      library.answerSigningRequest,
      request,
      { signal, deadlineMs: 60_000, output, identity, overwrite: false },
    ],
    readSigningResponse: [library.readSigningResponse, responseFile, { signal, deadlineMs: 60_000, limits }],
    attachSignature: [
      library.attachSignature,
      bundle,
      response,
      {
        ...copying,
        timestamp: source,
        digest: 'sha256',
        certificate: sandbox.path('.keys/cert.pem'),
        at: JUDGED_AT,
      },
    ],
    timestamp: [library.timestamp, bundle, { ...copying, source }],
    timestampPackage: [library.timestampPackage, loose, { ...inPlace, source }],
    signFile: [
      library.signFile,
      bundle,
      {
        ...working,
        limits,
        deadlineMs: 60_000,
        output,
        identity,
        digest: 'sha256',
        timestamp: source,
        overwrite: false,
      },
    ],
    pack: [
      library.pack,
      [sandbox.path('in/disk.img')],
      {
        ...writing,
        name: 'new',
        plain: false,
        appliance: { product: 'p', vendor: 'v', version: '1', cpus: 1, memoryMiB: 1 },
        identity,
        digest: 'sha256',
        cms: false,
        timestamp: source,
        members: 9,
        chunkSize: 1000,
        order: 'leading',
        blockDigests: false,
        followLinks: false,
        imageSigner,
      },
    ],
    split: [
      library.split,
      bundle,
      { ...working, volumeSize: 5000, folders: [sandbox.folder], overwrite: false },
    ],
    join: [library.join, [bundle], { ...working, output, overwrite: false }],
    checkPath: [
      library.checkPath,
      sandbox.path('.keys/cert.pem'),
      {
        untrusted: [],
        anchors: [anchor],
        crls: [],
        ocsps: [],
        revocation: 'if-present',
        at: JUDGED_AT,
        purpose: 'any',
        maxDepth: 5,
        strict: false,
        policies: { initial: ['1.2.3'], explicit: false, inhibitMapping: false, inhibitAny: false },
        allow: { sha1: false, weakKeys: false },
      },
    ],
    loadSigningIdentity: [
      library.loadSigningIdentity,
      { key: files[0], certificate: sandbox.path('.keys/cert.pem'), chain: anchor, passphrase: () => 'x' },
      JUDGED_AT,
    ],
    authorityAt: [library.authorityAt, 'https://127.0.0.1:1/', { digest: 'sha256', at: JUDGED_AT, signal }],
    replyIn: [library.replyIn, bundle, JUDGED_AT],
    certificateFolder: [library.certificateFolder, sandbox.folder],
    barbicanCertificates: [library.barbicanCertificates, client],
    'openKeyManager, with a token': [library.openKeyManager, keyManager({ kind: 'token', token: 't' })],
    'openKeyManager, with a password': [
      library.openKeyManager,
      keyManager({ kind: 'password', user: name, password: 'p', project: name }),
    ],
    keyManagerCertificates: [
      library.keyManagerCertificates,
      keyManager({ kind: 'application-credential', id: 'i', name: 'n', user: name, secret: 's' }),
    ],
    loadImageSigner: [
      library.loadImageSigner,
      {
        key: files[0],
        passphrase: () => 'x',
        certificate: sandbox.path('.keys/cert.pem'),
        keyType: 'RSA-PSS',
        allowWeakKeys: false,
      },
      { hash: 'SHA-256', certificateUuid: uuid, at: JUDGED_AT },
    ],
    signImage: [
      library.signImage,
      bundle,
      {
        ...working,
        limits,
        deadlineMs: 60_000,
        signer: imageSigner,
        output,
        form: 'json',
        overwrite: false,
        oldGlance: false,
      },
    ],
    storeCertificate: [
      library.storeCertificate,
      sandbox.path('.keys/cert.pem'),
      () => client,
      { name: 'n', expiration: new Date('2040-01-01'), at: JUDGED_AT, signal, deadlineMs: 60_000 },
    ],
    verifyImage: [
      library.verifyImage,
      bundle,
      {
        ...judging,
        relax: [],
        timestamp: undefined,
        properties: {
          image: signature,
          legacy: { ...signature, maskGenAlgorithm: 'm', pssSaltLength: '1' },
          checksum: 'c',
          hashAlgorithm: 'h',
          hashValue: 'v',
          signatureVerified: 'True',
        },
        propertiesFile: 'p',
        certificates: { find: () => undefined },
        trustedIds: [uuid],
        compat: false,
        allowImage: { legacyMd5: false, anySalt: false },
      },
    ],
    uploadCommand: [
      library.uploadCommand,
      sandbox.folder,
      { name: 'disk.img', propertiesFile: 'disk.img.json', properties: { img_signature: 'x' } },
    ],
    parseProperties: [library.parseProperties, '{}'],
    formatProperties: [library.formatProperties, signature, 'json'],
    namedProperties: [library.namedProperties, signature],
  };
  return Object.fromEntries(
    Object.entries(calls).map(([key, [call, ...given]]) => [key, { call: call as Call['call'], given }]),
  );
}

/** What is there besides keys. */
function left(): readonly string[] {
  return sandbox.list().filter((name) => !name.startsWith('.keys/'));
}

/** What no option may be, besides what a value of the wrong kind is to each. */
const WRONG: readonly (readonly [what: string, value: unknown])[] = [
  ['null', null],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['-1', -1],
  ['1.5', 1.5],
  ['2^53', 2 ** 53],
  ['a BigInt', 1n],
  ['a symbol', Symbol('s')],
  ['an object of a class', new Map()],
  ['an object that inherits', Object.create({ anchors: [], mode: 'off', unsigned: true })],
  ['a list of a list', [[]]],
  ['a list with null', [null]],
  ['a list with a hole', new Array(1)],
  ['an invalid date', new Date(Number.NaN)],
  ['a text with NUL', 'a\0b'],
  ['a promise', Promise.resolve()],
  ['a set', new Set(['sha256'])],
  ['an object that seems a date', { getTime: () => 0, [Symbol.toStringTag]: 'Date' }],
  ['an object that seems a signal', { aborted: false, addEventListener: () => {} }],
  ['an unknown option', { unknownOption: 1 }],
  ['a symbol as option', { [Symbol('s')]: 1 }],
  ['an option that throws', Object.defineProperty({}, 'mode', { enumerable: true, get: thrower })],
  ['a proxy that throws', new Proxy({}, { ownKeys: thrower, getPrototypeOf: thrower, get: thrower })],
  ['a proxy of nothing', revoked()],
];
/** What is wrong for all that are of another kind. */
const KINDS: Readonly<Record<string, unknown>> = {
  string: 'Require',
  number: 1,
  boolean: true,
  function: () => {},
  list: [],
  date: new Date(0),
  object: {},
};

function thrower(): never {
  throw new TypeError('of the caller');
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (value instanceof Date) return 'date';
  return typeof value;
}

/** A path to a value within arguments, and all the values that may not stand there. */
interface Place {
  readonly at: readonly (string | number)[];
  readonly value: unknown;
}

/** Every value in the arguments: the arguments, their options, and the options of those. */
function placesIn(value: unknown, at: readonly (string | number)[] = []): readonly Place[] {
  const own = at.length > 0 ? [{ at, value }] : [];
  if (Array.isArray(value)) return [...own, ...value.flatMap((item, i) => placesIn(item, [...at, i]))];
  const isOptions =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  if (!isOptions || at.includes('leaf')) return own;
  // certificates are the library's own, and of a public key nothing else is looked at
  const looked = at.at(-1) === 'publicKey' ? ['spki'] : Object.keys(value);
  return [
    ...own,
    ...looked.flatMap((key) => placesIn((value as Record<string, unknown>)[key], [...at, key])),
  ];
}

function replaced(value: unknown, [first, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (first === undefined) return by;
  if (Array.isArray(value)) {
    return value.map((item, i) => (i === first ? replaced(item, rest, by) : item));
  }
  const inner = (value as Record<string, unknown>)[first];
  return { ...(value as object), [first]: replaced(inner, rest, by) };
}

/** What comes of a call, whether it throws or rejects; a function that gives a promise must not throw. */
async function outcome(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'nothing was wrong';
  } catch (error) {
    return isBundleError(error) ? error.code : `${error}`;
  }
}

/** Whether a wrong value is right here after all. */
function isRight({ at, value }: Place, wrong: unknown): boolean {
  const last = at.at(-1);
  if (typeof wrong !== 'string') return false;
  if (at.at(-2) === 'warnings') return true; // one that advises nothing
  if (at.at(-3) === 'warnings' && last !== 'advice') return true; // its words
  if (typeof value !== 'string') return false;
  return isText(String(last), at) || (wrong !== 'a\0b' && !isWord(value));
}

const WORDS =
  /^(tar|json|sha256|SHA-256|RSA-PSS|if-present|prefer|folders|leading|any|public|token|password|application-credential)$/;

function isWord(value: string): boolean {
  return WORDS.test(value);
}

/** Texts that may hold anything. */
function isText(last: string, at: readonly (string | number)[]): boolean {
  const parent = at.at(-2);
  return (
    /^(product|vendor|version|token|password|secret|signature|hashMethod|keyType|certificateUuid|img_signature)$/.test(
      last,
    ) ||
    ['image', 'legacy', 'properties', 'pins', 'trustedIds', 'warnings', 'user', 'project', 'choice'].includes(
      String(parent),
    ) ||
    /^(checksum|hash|name|domain|signatureVerified|propertiesFile|id$)/.test(last) ||
    at.length === 1
  );
}

const NAMES = [
  ...new Set(Object.entries(library).flatMap(([name, value]) => (isOperation(name, value) ? [name] : []))),
];

function isOperation(name: string, value: unknown): boolean {
  return typeof value === 'function' && !['BundleError', 'isBundleError'].includes(name);
}

test('[api.1] every function of the library is called here', () => {
  const called = new Set(Object.keys(good).map((name) => name.replace(/,.*/, '')));
  expect([...called].sort()).toEqual([...NAMES].sort());
});

describe.each(NAMES)('%s', (name) => {
  test('[api.1] [api.2] refuses every wrong value of every option, before it does anything', async () => {
    const calls = Object.entries(good).filter(([key]) => key.replace(/,.*/, '') === name);
    for (const [, { call, given }] of calls) {
      let tried = 0;
      for (const place of placesIn(given)) {
        const kinds = Object.entries(KINDS).filter(([kind]) => kind !== kindOf(place.value));
        const words = typeof place.value === 'string' && isWord(place.value) ? [['word', 'Require']] : [];
        for (const [what, wrong] of [...WRONG, ...kinds, ...words] as typeof WRONG) {
          if (isRight(place, wrong)) continue;
          const args = replaced(given, place.at, wrong) as readonly unknown[];
          const came = await outcome(() => call(...args));
          expect(came, `${name} with ${what} as ${place.at.join('.')}`).toBe('USAGE');
          tried++;
        }
      }
      expect(tried).toBeGreaterThan(5);
    }
    expect(left()).toEqual(before);
  });

  test('[api.1] names an option that it does not know', async () => {
    for (const [key, { call, given }] of Object.entries(good)) {
      if (key.replace(/,.*/, '') !== name) continue;
      for (const { at, value } of placesIn(given)) {
        if (Object.getPrototypeOf(value ?? 0) !== Object.prototype || isFace(at, value)) continue;
        const args = replaced(given, at, { ...(value as object), Revocation: 'x' }) as readonly unknown[];
        const work = async (): Promise<unknown> => call(...args);
        await expect(work(), at.join('.')).rejects.toMatchObject({
          code: 'USAGE',
          message: expect.stringContaining('there is no option "Revocation"'),
        });
      }
    }
  });
});

/** Objects of any class, with whatever else they have. */
function isFace(at: readonly (string | number)[], value: unknown): boolean {
  const last = at.at(-1);
  const faces = ['identity', 'signer', 'publicKey', 'imageSigner', 'leaf', 'certificates', 'intermediates'];
  return (
    faces.includes(String(last)) ||
    at.some((step) => step === 'leaf' || step === 'intermediates') ||
    (typeof value === 'object' && value !== null && 'fetchSecret' in value) ||
    (typeof value === 'object' && value !== null && 'propertiesFile' in value && 'name' in value) ||
    (last === 'properties' && typeof value === 'object' && value !== null && 'img_signature' in value) ||
    (typeof value === 'object' && value !== null && 'hashMethod' in value && at.length === 1)
  );
}

describe('what is right', () => {
  test('[api.1] is passed on, and undefined is what is left out', async () => {
    const { call, given } = good['verify'] as Call;
    const [bundle, options] = given as readonly [string, object];
    expect(await call(bundle, options)).toMatchObject({ verdict: 'trusted' });
    const undefineds = { ...options, relax: undefined, allow: undefined, signal: undefined };
    expect(await call(bundle, undefineds)).toMatchObject({ verdict: 'trusted' });
    expect(await call(bundle, Object.assign(Object.create(null), options))).toMatchObject({
      verdict: 'trusted',
    });
    expect(await codeOfAsync((async () => call(bundle, null))())).toBe('USAGE');
    expect(await codeOfAsync((async () => call(undefined))())).toBe('USAGE');
  });

  test('[api.2] is read once, so that it is what was looked at', async () => {
    const { call, given } = good['verify'] as Call;
    const [bundle, options] = given as readonly [string, object];
    let reads = 0;
    let items = 0;
    const allow = {
      get unsigned() {
        reads++;
        return reads > 1 ? 'no' : false;
      },
    };
    const list = new Proxy([...(options as { trust: { anchors: string[] } }).trust.anchors], {
      get: (target, key) => {
        if (key === '0') items++;
        return Reflect.get(target, key);
      },
    });
    const trusting = { ...options, allow, trust: { anchors: list } };
    expect(await call(bundle, trusting)).toMatchObject({ verdict: 'trusted' });
    expect([reads, items]).toEqual([1, 1]);
  });

  test('[api.2] limits cannot be changed for everybody', () => {
    expect(Object.isFrozen(library.DEFAULT_LIMITS)).toBe(true);
  });
});

describe('limits', () => {
  test('[api.1] of time that no timer can wait are no limits that are over at once', async () => {
    const { given } = good['verify'] as Call;
    const options = { ...(given[1] as object), limits: { idleMs: 2 ** 40 }, deadlineMs: 2 ** 40 };
    const stream = (async function* () {
      const bytes = await makeBundle();
      await new Promise(setImmediate); // timers would have their turn
      yield bytes;
    })();
    expect((await library.verify(stream, options)).verdict).toBe('trusted');
  });

  test('[api.3] of a private copy count', async () => {
    const stream = (async function* () {
      yield await zipOf(appliance());
    })();
    const { report } = await library.inspect(stream, { limits: { spoolBytes: 1000 } });
    expect(report.errors.map(({ code }) => code)).toEqual(['ARCHIVE_LIMIT']);
  });

  test('[api.1] [norm.2] normalize writes no zip', async () => {
    const { call, given } = good['normalize'] as Call;
    expect(await outcome(() => call(given[0], { ...(given[1] as object), format: 'zip' }))).toBe('USAGE');
  });
});

test('[api.1] what a source of certificates answers is looked at as well', async () => {
  const { call, given } = good['verifyImage'] as Call;
  for (const answer of [undefined, null, 7, 'x', [], {}, { kind: 'found' }, { kind: 'absent' }]) {
    const source = { find: async () => answer };
    const args = replaced(given, [1, 'certificates'], source) as readonly unknown[];
    expect(await outcome(() => call(...args)), String(answer)).toBe('USAGE');
  }
});

test('[api.1] what a signer, a timestamp source and a passphrase answer is looked at as well', async () => {
  const answers = [undefined, null, 7, 'x', [], {}, new ArrayBuffer(4), { byteLength: 3 }];
  for (const answer of answers) {
    const finishing = { update: () => {}, finish: async () => answer };
    for (const [at, asked] of [
      [[1, 'identity', 'signer', 'open'], () => answer],
      [[1, 'identity', 'signer', 'open'], () => finishing],
      [[1, 'identity', 'signer', 'open'], () => ({ ...finishing, update: async () => answer })],
      [[1, 'timestamp'], async () => answer],
    ] as const) {
      const { call, given } = good['sign'] as Call;
      const here = replaced(given, [1, 'output'], sandbox.path('new.ova'));
      const args = replaced(here, at, asked) as readonly unknown[];
      expect(await outcome(() => call(...args)), `${at.join('.')}: ${String(answer)}`).toBe('USAGE');
    }
    if (typeof answer === 'string') continue;
    const key = sandbox.write('.keys/locked.pem', lockedKey);
    for (const name of ['loadSigningIdentity', 'loadImageSigner']) {
      const { call, given } = good[name] as Call;
      const files = { ...(given[0] as object), key, passphrase: async () => answer };
      expect(await outcome(() => call(files, given[1]))).toBe('USAGE');
    }
  }
  expect(left()).toEqual(before);
});

test('[api.1] no deadline is over before it begins', async () => {
  const timed = Object.entries(good).filter(([, { given }]) => given.some(hasDeadline));
  expect(timed.length).toBeGreaterThan(8);
  for (const [name, { call, given }] of timed) {
    const args = given.map((one) => (hasDeadline(one) ? { ...one, deadlineMs: 0 } : one));
    expect(await outcome(() => call(...args)), name).toBe('USAGE');
  }
  expect(left()).toEqual(before);
});

function hasDeadline(given: unknown): given is object {
  return typeof given === 'object' && given !== null && 'deadlineMs' in given;
}

test('[api.2] what an async onProgress throws ends the work at the next event, and no process', async () => {
  using own = makeSandbox();
  const bundle = own.write('large.ova', await makeBundle({ files: [noiseFile('disk.img', 4 * 1024 ** 2)] }));
  let told = 0;
  const onProgress = async (): Promise<void> => {
    told++;
    throw new Error('late');
  };
  const { report } = await library.verify(bundle, { onProgress });
  expect(report.errors[0]).toMatchObject({ code: 'USAGE', message: 'onProgress throws' });
  expect(told).toBe(1);
});

test('[api.2] what onProgress throws is the slip of the caller', async () => {
  const { given } = good['verify'] as Call;
  const options = { ...(given[1] as object), onProgress: thrower };
  const { report } = await library.verify(given[0] as string, options);
  expect(report.errors[0]).toMatchObject({ code: 'USAGE', message: 'onProgress throws' });
  expect(report.exitCode).toBe(2);
  const counterfeit = (): never => {
    throw Object.assign(new Error('x'), { name: 'BundleError', code: 'NO_SUCH_CODE', fix: 'x' });
  };
  const told = await library.verify(given[0] as string, { ...options, onProgress: counterfeit });
  expect(told.report.errors[0]).toMatchObject({ code: 'USAGE', message: 'onProgress throws' });
});

describe('[api.3] what has no effect is refused', () => {
  test.each<[string, string, object]>([
    ['verifyFile', 'allow.unsigned', { allow: { unsigned: true } }],
    ['verifyFile', 'allow.unlistedDescriptor', { allow: { unlistedDescriptor: true } }],
    ['verifyFile', 'relax', { relax: ['folders'] }],
    ['verifyImage', 'relax', { relax: ['folders'] }],
    ['verifyImage', 'timestamp', { timestamp: 'require' }],
    [
      'verifyImage',
      'trust.timestampAnchors',
      { timestamp: undefined, trust: { timestampAnchors: [{ name: 'tsa', bytes: new Uint8Array(1) }] } },
    ],
    ['verifyImage', 'trust.anchors', { compat: true }],
    ['verifyImage', 'revocation.mode', { compat: true, trust: {}, revocation: { mode: 'require' } }],
    ['verifyImage', 'allow.sha1', { compat: true, trust: {}, revocation: {}, allow: { sha1: true } }],
    [
      'verifyImage',
      'allowImage.anySalt',
      { compat: true, trust: {}, revocation: {}, allowImage: { anySalt: true } },
    ],
    ['importBundle', 'resume', { dryRun: true, resume: true, imageSigner: undefined }],
    ['importBundle', 'imageSigner', { dryRun: true }],
    ['pack', 'timestamp', { identity: undefined, cms: undefined }],
    ['pack', 'cms', { identity: undefined, timestamp: undefined, cms: true }],
    ['join', 'overwrite', { output: undefined, overwrite: true }],
    ['signImage', 'overwrite', { output: undefined, overwrite: true }],
  ])('%s: %s', async (name, option, change) => {
    const { call, given } = good[name] as Call;
    const args = [...given.slice(0, -1), { ...(given.at(-1) as object), ...change }];
    const work = async (): Promise<unknown> => call(...args);
    await expect(work()).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(`the option ${option} has no effect`),
    });
    expect(left()).toEqual(before);
  });
});

test('[api.1] a wrong option of a function that gives no promise is thrown', () => {
  expect(codeOf(() => library.parseProperties(7 as never))).toBe('USAGE');
});
