import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { concat } from '../../../src/kit/bytes.ts';
import type { Report } from '../../../src/verdict/report/report.ts';
import { archiveOf, JUDGED_AT, makeMembers, noiseFile, testAuthority } from '../../factory/bundles.ts';
import { namesIn } from '../../factory/packing.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { MAIN } from '../../factory/workbench.ts';
import { zipOf } from '../../factory/zip.ts';

const MIB = 1024 * 1024;

/** The program, with everything that it could take for a place to keep things in the sandbox. */
function bulla(sandbox: Sandbox, args: readonly string[]): ChildProcess {
  const env = { PATH: process.env['PATH'], TMPDIR: sandbox.folder, HOME: sandbox.folder };
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: sandbox.folder,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function write(child: ChildProcess, bytes: Uint8Array): Promise<void> {
  await new Promise((resolve) => child.stdin?.write(bytes, resolve));
}

describe('standard input', () => {
  test('[cli.11] [judge.1] is read once, as it comes, without a temporary copy', async () => {
    using sandbox = makeSandbox();
    sandbox.write('ca.pem', (await testAuthority()).pem);
    const bytes = await archiveOf(await makeMembers({ files: [noiseFile('large.img', 3 * MIB)] }));
    const child = bulla(sandbox, [
      'verify',
      '-',
      '--trust',
      'ca.pem',
      '--at',
      JUDGED_AT.toISOString(),
      '--quiet',
    ]);
    const ended = once(child, 'close');
    await write(child, bytes.subarray(0, 2 * MIB));
    expect(sandbox.list()).toEqual(['ca.pem']);
    await write(child, bytes.subarray(2 * MIB));
    child.stdin?.end();
    expect(await ended).toEqual([0, null]);
  });
});

describe('standard input that is a file', () => {
  async function verdict(sandbox: Sandbox, redirected: string): Promise<string> {
    const words = `verify - --trust ca.pem --at ${JUDGED_AT.toISOString()} --json`;
    const child = spawn(
      'bash',
      ['-c', `{ ${redirected}; '${process.execPath}' '${MAIN}' ${words}; } < bundle`],
      {
        cwd: sandbox.folder,
        env: { PATH: process.env['PATH'], TMPDIR: sandbox.folder, HOME: sandbox.folder },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const parts: Buffer[] = [];
    for await (const chunk of child.stdout ?? []) parts.push(chunk as Buffer);
    return Buffer.concat(parts).toString();
  }

  test.each(['tar', 'tgz', 'zip'] as const)(
    '[cli.16] is read as a file, from where it stands: %s',
    async (format) => {
      using sandbox = makeSandbox();
      sandbox.write('ca.pem', (await testAuthority()).pem);
      const files = [noiseFile('large.img', 3 * MIB)];
      const members = await makeMembers({ files });
      const bytes = format === 'zip' ? await zipOf(members) : await archiveOf(members, format === 'tgz');
      sandbox.write('bundle', concat([new Uint8Array(1000), bytes]));
      const report = JSON.parse(await verdict(sandbox, 'head -c 1000 > /dev/null')) as Report;
      expect([report.verdict, report.warnings, report.input]).toEqual([
        'trusted',
        [],
        { name: '-', size: bytes.byteLength, format },
      ]);
      sandbox.write('bundle', bytes);
      const same = JSON.parse(await verdict(sandbox, 'true')) as Report;
      expect(same).toEqual(report);
    },
  );

  test('[cli.16] is told of by the offset in what was read', async () => {
    using sandbox = makeSandbox();
    sandbox.write('ca.pem', (await testAuthority()).pem);
    const bytes = await archiveOf(await makeMembers({ files: [noiseFile('large.img', 3 * MIB)] }));
    sandbox.write('bundle', concat([new Uint8Array(700), bytes.subarray(0, 2 * MIB)]));
    const report = JSON.parse(await verdict(sandbox, 'head -c 700 > /dev/null')) as Report;
    expect(report.errors).toMatchObject([{ code: 'ARCHIVE_TRUNCATED', where: { offset: 2 * MIB } }]);
  });
});

describe('standard output', () => {
  test('[cli.11] is written as it is made', async () => {
    using sandbox = makeSandbox();
    const large = noiseFile('large.img', 8 * MIB);
    sandbox.write('large.img', large.bytes);
    const child = bulla(sandbox, [
      'pack',
      '--plain',
      'large.img',
      '-o',
      '-',
      '--format',
      'ova',
      '--name',
      'app',
      '--quiet',
    ]);
    const parts: Buffer[] = [];
    for await (const chunk of child.stdout ?? []) {
      if (parts.length === 0) expect([child.exitCode, sandbox.list()]).toEqual([null, ['large.img']]);
      parts.push(chunk as Buffer);
    }
    const made = Buffer.concat(parts);
    expect(await namesIn(made)).toEqual(['app.mf', 'large.img']);
    const line = `SHA256(large.img)= ${createHash('sha256').update(large.bytes).digest('hex')}\n`;
    expect(made.includes(line)).toBe(true);
    expect(sandbox.list()).toEqual(['large.img']);
  });
});
