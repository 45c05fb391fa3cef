import { chmodSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AskedAccess } from '../../../src/formats/file-access.ts';
import { archiveOf, makeBundle, makeMembers, type NamedBytes } from '../../factory/bundles.ts';
import { expectFiles, importHere, left, recordingSink } from '../../factory/importing.ts';
import { codesOf } from '../../factory/reports.ts';
import { resumable } from '../../factory/resuming.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

const isRoot = process.geteuid?.() === 0;
const uid = process.geteuid?.() ?? 0;
const gid = process.getegid?.() ?? 0;
const STRANGER = 54_321;
if (!isRoot) console.warn('SKIPPED: files for other users, which only root can make');

afterEach(() => vi.restoreAllMocks());

/** Mode and owner of everything below the destination, and of itself, as they are. */
function found(sandbox: Sandbox): ReadonlySet<string> {
  const paths = ['home/here/', ...left(sandbox)].map((name) => [name, statSync(sandbox.path(name))] as const);
  return new Set(
    paths.map(([name, stats]) => {
      const kind = name.endsWith('/') ? 'folder' : 'file';
      return `${kind} ${(stats.mode & 0o7777).toString(8).padStart(4, '0')} ${stats.uid}:${stats.gid}`;
    }),
  );
}

const both = (mode: string, folderMode: string, owner = `${uid}:${gid}`): ReadonlySet<string> =>
  new Set([`folder ${folderMode} ${owner}`, `file ${mode} ${owner}`]);

const NESTED = { name: 'a/b/notes.txt', bytes: Buffer.from('notes') };

async function nested(): Promise<Uint8Array> {
  return archiveOf(await makeMembers({ files: [NESTED, { ...NESTED, name: 'more.txt' }] }));
}

describe('what is imported', () => {
  test('[import.14] is this user s alone where nothing is asked for, and the report says so', async () => {
    using sandbox = makeSandbox();
    const { report } = await importHere(sandbox, chunked(await makeBundle()));
    expect(found(sandbox)).toEqual(both('0600', '0700'));
    expect(report.result?.access).toEqual({ mode: '0600', folderMode: '0700', uid, gid });
  });

  test('[import.13] [import.14] has the mode that is asked for, whatever the umask, folders what goes with it', async () => {
    const umask = process.umask();
    for (const [mode, inOctal, folderMode] of [
      [0o640, '0640', '0750'],
      [0o644, '0644', '0755'],
      [0o660, '0660', '0750'],
      [0o400, '0400', '0700'],
    ] as const) {
      using sandbox = makeSandbox();
      const bundle = await nested();
      try {
        process.umask(0o077);
        const { report } = await importHere(sandbox, chunked(bundle), { mode });
        expect(report.result?.access).toEqual({ mode: inOctal, folderMode, uid, gid });
      } finally {
        process.umask(umask);
      }
      expect(found(sandbox)).toEqual(both(inOctal, folderMode));
      expect(left(sandbox)).toContain('home/here/a/b/');
    }
  });

  test('[import.13] has them in a folder that gives its own group on, too', async () => {
    using sandbox = makeSandbox();
    mkdirSync(sandbox.path('home'));
    chmodSync(sandbox.path('home'), 0o2755);
    await importHere(sandbox, chunked(await nested()), { mode: 0o640, owner: { gid } });
    expect(found(sandbox)).toEqual(both('0640', '0750'));
  });

  test('[import.13] is for oneself and a group that one is in without being root', async () => {
    using sandbox = makeSandbox();
    const groups = process.getgroups?.() ?? [];
    const group = groups.find((one) => one !== gid) ?? gid;
    const { report } = await importHere(sandbox, chunked(await nested()), { owner: { uid, gid: group } });
    expect(found(sandbox)).toEqual(both('0600', '0700', `${uid}:${group}`));
    expect(report.result?.access).toMatchObject({ uid, gid: group });
  });

  test.skipIf(!isRoot)('[import.13] [import.14] is for whom it is asked for, which root may', async () => {
    for (const [owner, owners] of [
      [{ uid: STRANGER, gid: STRANGER }, `${STRANGER}:${STRANGER}`],
      [{ uid: STRANGER }, `${STRANGER}:${gid}`],
      [{ gid: STRANGER }, `${uid}:${STRANGER}`],
    ] as const) {
      using sandbox = makeSandbox();
      const { report } = await importHere(sandbox, chunked(await nested()), { owner, mode: 0o640 });
      expect(found(sandbox)).toEqual(both('0640', '0750', owners));
      expect(report.result?.access).toEqual({ mode: '0640', folderMode: '0750', uid, gid, ...owner });
    }
  });

  test('[import.14] is said in a dry run, as far as it is known', async () => {
    using sandbox = makeSandbox();
    const bundle = await makeBundle();
    const known = async (asked: AskedAccess): Promise<unknown> => {
      const { report } = await importHere(sandbox, chunked(bundle), { ...asked, dryRun: true });
      return report.result?.access;
    };
    expect(await known({})).toEqual({ mode: '0600', folderMode: '0700' });
    expect(await known({ mode: 0o640, owner: { gid } })).toEqual({ mode: '0640', folderMode: '0750', gid });
    expect(left(sandbox)).toEqual([]);
  });
});

describe('[import.13] before anything is read', () => {
  async function* never(): AsyncGenerator<Uint8Array, void> {
    yield await Promise.reject(new Error('it was read'));
  }

  test.each([[{}], [{ dryRun: true }], [{ resume: true }]])(
    'an owner whom this user may not give files to is refused: %j',
    async (options) => {
      using sandbox = makeSandbox();
      vi.spyOn(process, 'geteuid').mockReturnValue(uid + 1); // not root, and not this one
      vi.spyOn(process, 'getegid').mockReturnValue(STRANGER);
      vi.spyOn(process, 'getgroups').mockReturnValue([STRANGER]);
      const cases: readonly (readonly [owner: AskedAccess['owner'], RegExp])[] = [
        [{ uid }, /only root may give files to the user/],
        [{ gid }, /you are not in the group/],
        [{ uid: uid + 1, gid }, /you are not in the group/],
      ];
      for (const [owner, message] of cases) {
        const asked = importHere(sandbox, never(), { ...options, ...(owner && { owner }) });
        await expect(asked).rejects.toMatchObject({ code: 'STORAGE_FAILED', message });
      }
      expect(left(sandbox)).toEqual([]);
    },
  );

  test('a system that has no owners is no place for them', async () => {
    using sandbox = makeSandbox();
    const { geteuid } = process;
    Reflect.set(process, 'geteuid', undefined);
    try {
      const asked = importHere(sandbox, never(), { mode: 0o640 });
      await expect(asked).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: /no owners and modes/ });
    } finally {
      Reflect.set(process, 'geteuid', geteuid);
    }
  });

  test('a mode that is none for data is refused, and both beside a sink', async () => {
    using sandbox = makeSandbox();
    const asked = importHere(sandbox, never(), { mode: 0o777 });
    await expect(asked).rejects.toMatchObject({ code: 'USAGE' });
    for (const options of [{ mode: 0o640 }, { owner: { uid } }]) {
      const given = importHere(sandbox, never(), { destination: recordingSink(), ...options });
      await expect(given).rejects.toMatchObject({ code: 'USAGE', message: /has no effect beside a sink/ });
    }
  });
});

describe('[import.13] [resume.2] an import that is gone on with', () => {
  const mode = 0o640;
  const resume = true;

  async function bundleOf(): Promise<{
    readonly members: readonly NamedBytes[];
    readonly bytes: Uint8Array;
  }> {
    const { members } = await resumable(2 * 1024 * 1024 + 123);
    return { members, bytes: await archiveOf(members) };
  }

  const filesIn = (folder: string): readonly string[] =>
    readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${(statSync(join(entry.parentPath, entry.name)).mode & 0o777).toString(8)}`);

  test('gives them to what was kept', async () => {
    using sandbox = makeSandbox();
    const { members, bytes } = await bundleOf();
    const part = bytes.subarray(0, bytes.byteLength - 600_000);
    const { report: first } = await importHere(sandbox, chunked(part, 300_000), { resume, mode });
    expect(codesOf(first)).toEqual(['ARCHIVE_TRUNCATED']);
    expect(new Set(filesIn(sandbox.path('home')))).toEqual(new Set(['600']));
    const { report } = await importHere(sandbox, chunked(bytes, 300_000), { resume, mode });
    expect(report.warnings.join()).toContain('was gone on with');
    expectFiles(sandbox, members);
    expect(found(sandbox)).toEqual(both('0640', '0750'));
  });

  test('is kept as this user s alone when it could not be published, and gone on with', async () => {
    using sandbox = makeSandbox();
    const { members, bytes } = await bundleOf();
    const options = { resume, mode, ...(isRoot && { owner: { uid: STRANGER, gid: STRANGER } }) };
    const home = sandbox.path('home');
    async function* slow(): AsyncGenerator<Uint8Array, void> {
      yield bytes;
      sandbox.write('home/here/another', '');
    }
    await expect(importHere(sandbox, slow(), options)).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    rmSync(sandbox.path('home/here'), { recursive: true });
    expect(new Set(filesIn(home))).toEqual(new Set(['600']));
    const { report } = await importHere(sandbox, chunked(bytes, 300_000), options);
    expect(report.warnings.join()).toContain('was gone on with');
    expectFiles(sandbox, members);
  });
});
