import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keySigner } from '../../src/engine/node/key-signer.ts';
import * as library from '../../src/index.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { JUDGED_AT, makeBundle } from '../factory/bundles.ts';
import { keeping, propertiesFor, rsaCertificate, signLike, UUID } from '../factory/images.ts';
import { identityOf } from '../factory/packing.ts';
import { makeSandbox, type Sandbox, trusting } from '../factory/sandbox.ts';

let sandbox: Sandbox;
let good: Uint8Array;
let ways: Readonly<Record<string, (input: library.ByteStream) => Promise<unknown>>>;

/** Everything that takes a stream. */
const NAMES = [
  'verify',
  'verifyFile',
  'inspect',
  'diff, left',
  'diff, right',
  'importBundle',
  'normalize',
  'signImage',
  'verifyImage',
  'verifyImage, compat',
] as const;

beforeAll(async () => {
  sandbox = makeSandbox();
  good = await makeBundle();
  const bundle = sandbox.write('good.ova', good);
  const identity = await identityOf(sandbox);
  const signature = sandbox.path('good.p7s');
  await library.signFile(bundle, { identity, output: signature });
  const trust = await trusting(sandbox);
  // what never comes is given up soon, and what is at hand is taken first, however slow the machine
  const limits = { idleMs: 50 };
  const judging = { ...trust, limits };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signer: library.ImageSigner = {
    signer: keySigner(privateKey, 'key.pem'),
    keyType: 'RSA-PSS',
    hash: 'SHA-256',
    certificateUuid: UUID,
    files: [],
    warnings: [],
  };
  const certificate = await rsaCertificate();
  const image = {
    limits,
    at: JUDGED_AT,
    properties: propertiesFor(signLike(certificate.privateKey, Buffer.from(good))),
    certificates: keeping(certificate),
  };
  const output = sandbox.path('out.ova');
  const table: Record<(typeof NAMES)[number], (input: library.ByteStream) => Promise<unknown>> = {
    verify: (input) => library.verify(input, judging),
    verifyFile: (input) => library.verifyFile(input, signature, judging),
    inspect: (input) => library.inspect(input, { limits }),
    'diff, left': (input) => library.diff(input, bundle, { limits }),
    'diff, right': (input) => library.diff(bundle, input, { limits }),
    importBundle: (input) =>
      library.importBundle(input, { ...judging, destination: sandbox.path('imported') }),
    normalize: (input) => library.normalize(input, { ...judging, output, format: 'tar' }),
    signImage: (input) =>
      library.signImage(input, { signer, limits, output: sandbox.path('properties.json') }),
    verifyImage: (input) => library.verifyImage(input, image),
    'verifyImage, compat': (input) => library.verifyImage(input, { ...image, compat: true }),
  };
  ways = table;
}, 120_000);
afterAll(() => sandbox[Symbol.dispose]());

/** The code of what an operation threw, or of what decides its report. */
async function answerOf(work: Promise<unknown>): Promise<string> {
  try {
    const result = (await work) as { readonly report?: library.Report } & library.Report;
    const report = result.report ?? result;
    return report.errors[0]?.code ?? `no error, ${report.verdict}`;
  } catch (error) {
    return isBundleError(error) ? error.code : `no BundleError: ${typeof error}`;
  }
}

/** An iterator that gives some bytes, and then whatever a test likes. */
function hostile(
  head: Uint8Array | undefined,
  then: () => unknown,
  more: object = {},
): library.ByteStream & { readonly pulls: number } {
  let pulls = 0;
  const next = (): unknown => {
    pulls++;
    return pulls === 1 && head ? { done: false, value: head } : then();
  };
  const stream = {
    [Symbol.asyncIterator]: () => ({ next, ...more }),
    get pulls() {
      return pulls;
    },
  };
  return stream as unknown as library.ByteStream & { readonly pulls: number };
}

function chunk(value: unknown): () => unknown {
  return () => ({ done: false, value });
}

function throwing(error: unknown): () => never {
  return () => {
    throw error;
  };
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(100);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

function shrunk(): Uint8Array {
  const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
  const buffer = new Resizable(100, { maxByteLength: 100 }) as ArrayBuffer & { resize(size: number): void };
  const bytes = new Uint8Array(buffer, 50, 50);
  buffer.resize(10);
  return bytes;
}

const evil = new Proxy({}, { get: throwing(1), getPrototypeOf: throwing(1), has: throwing(1) });

/** [stream.1] What is no chunk. */
const NO_CHUNKS: Readonly<Record<string, () => unknown>> = {
  undefined: chunk(undefined),
  null: chunk(null),
  'a text': chunk('text'),
  'an empty text': chunk(''),
  'a number': chunk(7),
  false: chunk(false),
  'a symbol': chunk(Symbol('end')),
  'an ArrayBuffer': chunk(new ArrayBuffer(8)),
  'a SharedArrayBuffer': chunk(new SharedArrayBuffer(8)),
  'a DataView': chunk(new DataView(new ArrayBuffer(8))),
  'a Uint16Array': chunk(new Uint16Array(8)),
  'a Uint8ClampedArray': chunk(new Uint8ClampedArray(8)),
  'a list': chunk([1, 2, 3]),
  'a promise of bytes': chunk(Promise.resolve(new Uint8Array(1))),
  'a proxy of bytes': chunk(new Proxy(new Uint8Array(1), {})),
  'what seems bytes': chunk({ byteLength: 0, length: 0, subarray: () => [], buffer: new ArrayBuffer(0) }),
  'what inherits from bytes': chunk(Object.create(new Uint8Array(1))),
  'a detached buffer': () => ({ done: false, value: detached() }),
  'a shrunk buffer': () => ({ done: false, value: shrunk() }),
  'no result': () => undefined,
  'null as result': () => null,
  'a number as result': () => 1,
  'bytes as result': () => new Uint8Array(8),
  'an empty result': () => ({}),
  'done, but for true': () => ({ done: 1, value: undefined }),
  'done in a text': () => ({ done: 'false', value: new Uint8Array(1) }),
  'null for done': () => ({ done: null, value: new Uint8Array(1) }),
  'a done that throws': () => Object.defineProperty({}, 'done', { get: throwing('x') }),
  'a value that throws': () => Object.defineProperty({ done: false }, 'value', { get: throwing(null) }),
};

const counterfeit = Object.assign(new Error('all is good'), {
  name: 'BundleError',
  code: 'NO_SUCH_CODE',
  fix: 1,
});
const wordless = Object.defineProperty(new Error('x'), 'message', { get: throwing(1) });

/** [stream.5] What is thrown; each in a function, and as a rejection. */
const THROWN: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  'a text': 'text',
  'a symbol': Symbol('x'),
  'an object without anything': Object.create(null),
  'a proxy that throws': evil,
  'an error without words': wordless,
  'an error of the library': new library.BundleError('DIGEST_MISMATCH', 'so they say'),
  'an interruption': new library.BundleError('INTERRUPTED', 'so they say'),
  'a counterfeit': counterfeit,
  'an error of zlib': Object.assign(new Error('x'), { code: 'Z_BUF_ERROR' }),
  'end of file': Object.assign(new Error('x'), { code: 'EOF' }),
  'no such file': Object.assign(new Error('x'), { code: 'ENOENT', errno: -2 }),
};

/** [stream.1] What is no iterator. */
const NO_ITERATORS: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'a number': () => 1,
  'an object': () => ({}),
  'next as a text': () => ({ next: 'next' }),
  'next that throws': () => Object.defineProperty({}, 'next', { get: throwing(undefined) }),
  'a throw': throwing('x'),
  'a throw of nothing': throwing(undefined),
  'a throw of a verdict': throwing(new library.BundleError('DIGEST_MISMATCH', 'so they say')),
  'a proxy that throws': () => evil,
};

/** [stream.4] What `return` may be, once the stream has been left. */
const CLOSINGS: Readonly<Record<string, object>> = {
  'never settles': { return: () => new Promise(() => {}) },
  throws: { return: throwing('x') },
  'throws a verdict': { return: throwing(new library.BundleError('DIGEST_MISMATCH', 'so they say')) },
  rejects: { return: () => Promise.reject(undefined) },
  'gives nothing': { return: () => undefined },
  'is a text': { return: 'text' },
  'cannot be read': Object.defineProperty({}, 'return', { enumerable: true, get: () => evil }),
  // biome-ignore lint/suspicious/noThenProperty: one that throws
  'gives a thenable that throws': { return: () => ({ then: throwing(new Error('x')) }) },
};

describe.each(NAMES)('%s', (name) => {
  /** Runs it over a stream, and expects a code and nothing new. */
  async function expectAnswer(stream: library.ByteStream, code: string, what: string): Promise<void> {
    const before = sandbox.list();
    const work = ways[name]?.(stream) ?? Promise.reject(new Error(name));
    expect(await answerOf(work), `${name}: ${what}`).toBe(code);
    expect(sandbox.list(), `${name}: ${what}`).toEqual(before);
  }

  /** At the beginning, in the middle, and where everything is good already. */
  function heads(): readonly (Uint8Array | undefined)[] {
    return [undefined, good.subarray(0, 1700), good];
  }

  test('[stream.1] is not misled by what is no chunk', { timeout: 240_000 }, async () => {
    for (const head of heads()) {
      for (const [what, then] of Object.entries(NO_CHUNKS)) {
        await expectAnswer(hostile(head, then), 'USAGE', `${what} behind ${head?.byteLength ?? 0} bytes`);
      }
    }
    for (const [what, iterator] of Object.entries(NO_ITERATORS)) {
      const stream = { [Symbol.asyncIterator]: iterator } as unknown as library.ByteStream;
      await expectAnswer(stream, 'USAGE', `${what} as iterator`);
    }
  });

  test('[stream.5] says what the stream throws, whatever that is', { timeout: 240_000 }, async () => {
    for (const head of heads()) {
      await expectAnswer(
        hostile(head, () => evil),
        'FILE_UNREADABLE',
        'a result that throws',
      );
      for (const [what, error] of Object.entries(THROWN)) {
        await expectAnswer(hostile(head, throwing(error)), 'FILE_UNREADABLE', what);
        await expectAnswer(
          hostile(head, () => Promise.reject(error)),
          'FILE_UNREADABLE',
          what,
        );
      }
    }
  });

  test('[cli.12] gives up what never comes', { timeout: 240_000 }, async () => {
    for (const head of heads()) {
      await expectAnswer(
        hostile(head, () => new Promise(() => {})),
        'INPUT_STALLED',
        'never',
      );
    }
  });

  test('[stream.4] is not held up, or contradicted, by the closing', { timeout: 240_000 }, async () => {
    for (const [what, closing] of Object.entries(CLOSINGS)) {
      await expectAnswer(hostile(good, chunk(undefined), closing), 'USAGE', what);
      await expectAnswer(
        hostile(good.subarray(0, 1700), () => new Promise(() => {}), closing),
        'INPUT_STALLED',
        what,
      );
    }
  });
});

describe('verify', () => {
  const verdictOn = async (stream: library.ByteStream): Promise<string> =>
    (await library.verify(stream, await trusting(sandbox))).verdict;

  test('[stream.1] asks nothing behind the end', async () => {
    const stream = hostile(good, () => ({ done: true, get value() { throw new Error('not to be read'); } })); // biome-ignore format: one idea
    expect(await verdictOn(stream)).toBe('trusted');
    expect(stream.pulls).toBe(2);
  });

  test('[stream.1] asks nothing behind a failure, and does not close what has failed', async () => {
    let closed = 0;
    const stream = hostile(good, throwing('x'), { return: () => closed++ });
    await verdictOn(stream);
    expect([stream.pulls, closed]).toEqual([2, 0]);
  });

  test('[stream.1] takes an iterator whose results are no promises, and shared memory', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(good.byteLength));
    shared.set(good);
    for (const bytes of [good, shared, Buffer.from(good)]) {
      const stream = hostile(bytes, () => ({ done: true, value: undefined }));
      expect(await verdictOn(stream)).toBe('trusted');
    }
  });

  test('[stream.2] judges what came, and not what the caller makes of it', async () => {
    const bytes = new Uint8Array(good);
    const stream = hostile(bytes, () => {
      bytes.fill(0xee);
      return { done: true, value: undefined };
    });
    expect(await verdictOn(stream)).toBe('trusted');
  });

  test('[stream.1] may be called by the stream that it reads', async () => {
    const inner: string[] = [];
    const stream = hostile(good, async () => {
      inner.push(await verdictOn(hostile(good, () => ({ done: true, value: undefined }))));
      return { done: true, value: undefined };
    });
    expect([await verdictOn(stream), ...inner]).toEqual(['trusted', 'trusted']);
  });

  test('[stream.5] gives the reason of the signal when the stream fails by it', async () => {
    const stop = new AbortController();
    const stream = hostile(good, () => {
      stop.abort();
      throw new Error('the stream has been told as well');
    });
    const answer = library.verify(stream, { ...(await trusting(sandbox)), signal: stop.signal });
    expect(await answerOf(answer)).toBe('INTERRUPTED');
  });
});
