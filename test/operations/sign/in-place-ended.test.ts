import { cpSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { clean } from '../../../src/operations/import/clean.ts';
import { signPackage } from '../../../src/operations/sign/in-place/sign-package.ts';
import type { SigningIdentity, TimestampSource } from '../../../src/operations/sign/signing.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { JUDGED_AT, makeMembers } from '../../factory/bundles.ts';
import { makeAuthority, type TestCertificate } from '../../factory/certificates.ts';
import { writePackage } from '../../factory/packages.ts';
import { identityOf } from '../../factory/packing.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { makeTimestampAuthority, makeTokenDer } from '../../factory/timestamps.ts';

/**
 * A process that ends at one of its changes of the file system: that one and all later ones fail, so that nothing of what it
 * does about that counts; or goes on when one alone has failed. The next one is another process to those that look at what was left.
 */
const machine = vi.hoisted(() => {
  const state = { endsAt: Number.POSITIVE_INFINITY, goesOn: false, changes: 0, process: 1 };
  const names = [
    'mkdir',
    'rename',
    'link',
    'unlink',
    'rm',
    'rmdir',
    'fsync',
    'ftruncate',
    'write',
    'writeFile',
  ];
  let fsyncSync: unknown;
  const ending =
    (real: (...words: unknown[]) => unknown) =>
    (...words: unknown[]): unknown => {
      const left = state.endsAt - ++state.changes;
      if (left === 0 || (left < 0 && !state.goesOn)) throw new Error('this process has ended');
      return real === fsyncSync ? undefined : real(...words); // no power is lost here
    };
  /** A module of Node in which each function that changes something may be where it ends. */
  const endingIn = (fs: Readonly<Record<string, unknown>>): object => {
    fsyncSync ??= fs['fsyncSync'];
    const changes = names.flatMap((name) => [name, `${name}Sync`]).filter((name) => name in fs);
    return { ...fs, ...Object.fromEntries(changes.map((name) => [name, ending(fs[name] as never)])) };
  };
  return { state, endingIn };
});
vi.mock('node:fs', async (original) => machine.endingIn(await original<Record<string, unknown>>()));
vi.mock('node:fs/promises', async (original) => machine.endingIn(await original<Record<string, unknown>>()));
vi.mock('../../../src/storage/unfinished/process-place.ts', async (original) => ({
  ...(await original<object>()),
  thisProcess: () => ({ place: '00000000', pid: machine.state.process, began: '1' }),
  isAtWork: ({ pid }: { readonly pid: number }) => (pid === machine.state.process ? 'yes' : 'no'),
}));
afterEach(() => {
  machine.state.endsAt = Number.POSITIVE_INFINITY;
});

let authority: TestCertificate;
beforeAll(async () => {
  authority = await makeTimestampAuthority(await makeAuthority({ subject: 'CN=Time Root,O=Time' }));
});
const stamping: TimestampSource = async (over) => makeTokenDer({ over, authority, time: JUDGED_AT });

/** A signed package with a timestamp in the folder `web`, which is signed again. */
class Package implements Disposable {
  readonly #sandbox: Sandbox;
  readonly #identity: SigningIdentity;
  readonly #timestamp: TimestampSource | undefined;
  readonly folder: string;
  readonly older: string;

  private constructor(sandbox: Sandbox, identity: SigningIdentity, timestamp: TimestampSource | undefined) {
    this.#sandbox = sandbox;
    this.#identity = identity;
    this.#timestamp = timestamp;
    this.folder = sandbox.path('web');
    this.older = this.content();
    cpSync(this.folder, sandbox.path('older'), { recursive: true, preserveTimestamps: true });
  }

  static async make(timestamp: TimestampSource | undefined): Promise<Package> {
    const sandbox = makeSandbox();
    writePackage(
      sandbox.path('web'),
      (await makeMembers()).filter(({ name }) => !/\.(mf|cert)$/.test(name)),
    );
    const identity = await identityOf(sandbox);
    await signPackage(sandbox.path('web'), { identity, digest: 'sha512', timestamp: stamping });
    return new Package(sandbox, identity, timestamp);
  }

  startAgain(): void {
    rmSync(this.folder, { recursive: true });
    cpSync(this.#sandbox.path('older'), this.folder, { recursive: true, preserveTimestamps: true });
  }

  content(): string {
    const names = readdirSync(this.folder).filter((name) => lstatSync(join(this.folder, name)).isFile());
    return JSON.stringify(names.sort().map((name) => [name, readFileSync(join(this.folder, name), 'hex')]));
  }

  /** Signs it, in a process of its own that may end at one of its changes, or see it fail; tells how many it made. */
  async sign(endsAt = Number.POSITIVE_INFINITY, goesOn = false): Promise<number> {
    const timestamp = this.#timestamp;
    const options = { identity: this.#identity, overwrite: true, ...(timestamp && { timestamp }) };
    return await this.#process(() => signPackage(this.folder, options), endsAt, goesOn);
  }

  async clean(endsAt = Number.POSITIVE_INFINITY): Promise<number> {
    return await this.#process(async () => clean(this.folder, { remove: true }), endsAt);
  }

  async #process(work: () => Promise<unknown>, endsAt: number, goesOn = false): Promise<number> {
    Object.assign(machine.state, { endsAt, goesOn, changes: 0, process: machine.state.process + 1 });
    try {
      await work();
    } catch (error) {
      if (endsAt === Number.POSITIVE_INFINITY) throw error;
    } finally {
      machine.state.endsAt = Number.POSITIVE_INFINITY;
    }
    return machine.state.changes;
  }

  /** Trusted as it was, or is meant to be; or what is wrong with it. */
  async state(): Promise<string> {
    if (this.content() === this.older) return 'older';
    const { verdict, report } = await verify(this.folder, {
      ...(await trusting(this.#sandbox)),
      at: JUDGED_AT,
    });
    if (verdict !== 'trusted') return codesOf(report).join();
    if (this.isMeant()) return 'newer';
    const { 'app.tst': _, ...others } = filesIn(this.older);
    return isDeepStrictEqual(filesIn(this.content()), others) ? 'older, without its timestamp' : 'mixed';
  }

  /** Whether what signs it is new, and has a timestamp where that was asked for. */
  isMeant(): boolean {
    const now = filesIn(this.content());
    const before = filesIn(this.older);
    const isStamped = now['app.tst'] !== undefined && now['app.tst'] !== before['app.tst'];
    return now['app.cert'] !== before['app.cert'] && isStamped === (this.#timestamp !== undefined);
  }

  /** What lies in folders of unfinished work; one that was not marked yet when the run ended stays, and has nothing in it. [import.8] */
  left(): readonly string[] {
    const works = readdirSync(this.folder).filter((name) => name.includes('.partial-'));
    const paths = works.flatMap((work) =>
      readdirSync(join(this.folder, work)).map((name) => `${work}/${name}`),
    );
    return paths.filter((path) => lstatSync(join(this.folder, path)).size > 0);
  }

  [Symbol.dispose](): void {
    this.#sandbox[Symbol.dispose]();
  }
}

function filesIn(content: string): Readonly<Record<string, string>> {
  return Object.fromEntries(JSON.parse(content) as readonly [string, string][]);
}

describe.each<[string, TimestampSource | undefined, string]>([
  ['made again', stamping, 'FILE_UNLISTED'], // the new signature, and a timestamp of the older one
  ['taken away', undefined, 'older, without its timestamp'],
])('[pkg.11] a package that is signed again, its timestamp %s', (_, timestamp, between) => {
  test('and the run ends at any change: it is old or new, or something between that the next run puts right, or clean', async () => {
    using web = await Package.make(timestamp);
    const calls = await web.sign();
    const seen = new Set<string>();
    let half = 0;
    for (let call = 1; call <= calls; call++) {
      web.startAgain();
      await web.sign(call);
      const state = await web.state();
      seen.add(state);
      if (call % 2 === 0) {
        await web.clean();
        expect(await web.state(), `clean after ${call}`).toBe(state === 'newer' ? 'newer' : 'older');
      } else {
        await web.sign();
        expect(await web.state(), `sign after ${call}`).toBe('newer');
      }
      expect(web.left(), `after ${call}`).toEqual([]);
      if (state === between) half = call;
    }
    expect(seen).toEqual(new Set(['older', between, 'newer']));

    for (let second = 1, isWhole = false; !isWhole; second++) {
      web.startAgain();
      await web.sign(half);
      isWhole = (await web.clean(second)) < second;
      expect(['older', between], `clean that ends at ${second}`).toContain(await web.state());
      await web.clean();
      expect([await web.state(), web.left()], `clean after ${second}`).toEqual(['older', []]);
    }
  });

  test('and any one change fails: it is old or new', async () => {
    using web = await Package.make(timestamp);
    const calls = await web.sign();
    for (let call = 1; call <= calls; call++) {
      web.startAgain();
      await web.sign(call, true);
      expect(['older', 'newer'], `change ${call} fails`).toContain(await web.state());
      await web.sign();
      expect([await web.state(), web.left()], `after ${call}`).toEqual(['newer', []]);
    }
  });
});
