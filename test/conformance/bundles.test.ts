import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VerifyOptions } from '../../src/operations/verify/options.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import type { Report } from '../../src/verdict/report/report.ts';
import { byteByByte, chunked } from '../factory/streams.ts';

const FOLDER = join(process.env['BULLA_VECTORS'] ?? '', 'ovf');
const found = process.env['BULLA_VECTORS'] !== undefined && existsSync(FOLDER);
if (!found)
  console.warn('SKIPPED: bundles of other producers (set BULLA_VECTORS to the folder that has ovf/)');

const AT = new Date('2027-01-15T12:00:00Z');
const SHA1 = 'DIGEST_WEAK';
const NO_TRUST = 'TRUST_EMPTY';

/** Each bundle as it is judged without trust and without allowances: exit code, then the codes. */
const DEFAULTS: readonly (readonly [bundle: string, exitCode: number, codes: readonly string[]])[] = [
  ['govmomi-ttylinux-pc_i486-16.1', 15, ['ARCHIVE_HEADER']],
  ['hand-badsig', 12, ['SIGNATURE_INVALID', NO_TRUST]],
  ['hand-openssl3-name', 10, ['SIGNATURE_MISSING']],
  ['hand-signed-chain', 20, [NO_TRUST]],
  ['hand-unlisted-extra-signed', 16, ['FILE_UNLISTED', NO_TRUST]],
  ['hand-vboxcms', 20, [NO_TRUST]],
  ['vbox-tdAppliance1-t1', 16, ['MANIFEST_MISSING', 'DESCRIPTOR_UNLISTED', 'SIGNATURE_MISSING']],
  ['vbox-tdAppliance1-t2', 16, ['DESCRIPTOR_UNLISTED', 'SIGNATURE_MISSING']],
  ['vbox-tdAppliance1-t2-ovftool-4.1.0', 10, ['SIGNATURE_MISSING']],
  ['vbox-tdAppliance1-t3', 16, ['DESCRIPTOR_UNLISTED', 'SIGNATURE_MISSING']],
  ['vbox-tdAppliance1-t3-ovftool-4.1.0', 10, ['SIGNATURE_MISSING']],
  ['vbox-tdAppliance1-t4', 16, ['DESCRIPTOR_UNLISTED', SHA1, 'KEY_WEAK', NO_TRUST]],
  ['vbox-tdAppliance1-t4-ovftool-4.1.0', 14, [SHA1, 'KEY_WEAK', NO_TRUST]],
  ['vbox-tdAppliance1-t5', 16, ['DESCRIPTOR_UNLISTED', 'CERTIFICATE_EXPIRED', SHA1, NO_TRUST]],
  ['vbox-tdAppliance1-t5-ovftool-4.1.0', 13, ['CERTIFICATE_EXPIRED', SHA1, NO_TRUST]],
  ['vbox-tdAppliance1-t6', 16, ['DESCRIPTOR_UNLISTED', SHA1, NO_TRUST]],
  ['vbox-tdAppliance1-t6-ovftool-4.1.0', 14, [SHA1, NO_TRUST]],
  ['vbox-tdAppliance1-t7-bad-instance', 15, ['ARCHIVE_HEADER']],
];

const ROOT = 'hand-root.pem';
const PINNED = 'vbox-tdAppliance1-t4.pem';
const OLD = { sha1: true, weakKeys: true };

/** With the anchor that belongs to them, and what has to be given up for them. */
const TRUSTED: readonly (readonly [
  bundle: string,
  anchor: string,
  allow: VerifyOptions['allow'],
  exitCode: number,
])[] = [
  ['hand-signed-chain', ROOT, {}, 0],
  ['hand-vboxcms', ROOT, {}, 0],
  ['hand-badsig', ROOT, {}, 12],
  ['hand-unlisted-extra-signed', ROOT, {}, 16],
  ['vbox-tdAppliance1-t4-ovftool-4.1.0', PINNED, OLD, 0],
  ['vbox-tdAppliance1-t4-ovftool-4.1.0', PINNED, { sha1: true }, 14],
  ['vbox-tdAppliance1-t4-ovftool-4.1.0', PINNED, { weakKeys: true }, 14],
  ['vbox-tdAppliance1-t4', PINNED, { ...OLD, unlistedDescriptor: true }, 0],
  ['vbox-tdAppliance1-t5-ovftool-4.1.0', PINNED, OLD, 13],
  ['vbox-tdAppliance1-t6-ovftool-4.1.0', PINNED, OLD, 0],
  ['vbox-tdAppliance1-t6', PINNED, { ...OLD, unlistedDescriptor: true }, 0],
  ['vbox-tdAppliance1-t6-ovftool-4.1.0', ROOT, OLD, 18],
];

const pathOf = (bundle: string): string => join(FOLDER, `${bundle}.ova`);

/** What the program itself says of a bundle on its standard input. */
function fromStdin(bundle: string): Report {
  const args = ['dist/cli/main.js', 'verify', '-', '--json', '--at', AT.toISOString()];
  const env = { ...process.env, BULLA_HOME: '/nonexistent' };
  const { stdout } = spawnSync(process.execPath, args, {
    stdio: [openSync(pathOf(bundle), 'r'), 'pipe', 'pipe'],
    env,
  });
  return JSON.parse(stdout.toString()) as Report;
}

/** The same through a pipe. */
function fromPipe(bundle: string): Report {
  const command = `cat '${pathOf(bundle)}' | '${process.execPath}' dist/cli/main.js verify - --json --at ${AT.toISOString()} || true`;
  const env = { ...process.env, BULLA_HOME: '/nonexistent' };
  return JSON.parse(execFileSync('sh', ['-c', command], { env }).toString()) as Report;
}

const judgedAs = ({ exitCode, errors }: Report): unknown => [
  exitCode,
  new Set(errors.map(({ code }) => code)),
  errors.map(({ where }) => ({ ...where, file: undefined })),
];

describe.skipIf(!found)('bundles of ovftool, VirtualBox, govmomi, and made by hand', () => {
  it.each(DEFAULTS)('%s ends with %i', async (bundle, exitCode, codes) => {
    const { report } = await verify(pathOf(bundle), { at: AT });
    expect([report.exitCode, new Set(report.errors.map(({ code }) => code))]).toEqual([
      exitCode,
      new Set(codes),
    ]);

    const bytes = readFileSync(pathOf(bundle));
    const finely = await verify(byteByByte(bytes, report.files), { at: AT });
    expect(judgedAs(finely.report), 'byte by byte').toEqual(judgedAs(report));
    for (const size of [513, bytes.byteLength]) {
      const streamed = await verify(chunked(bytes, size), { at: AT });
      expect(judgedAs(streamed.report), `chunks of ${size}`).toEqual(judgedAs(report));
    }
    expect(judgedAs(fromStdin(bundle)), 'standard input').toEqual(judgedAs(report));
    expect(judgedAs(fromPipe(bundle)), 'a pipe').toEqual(judgedAs(report));
  });

  it.each(TRUSTED)('%s with %s and %j ends with %i', async (bundle, anchor, allow = {}, exitCode) => {
    const { report } = await verify(pathOf(bundle), {
      at: AT,
      allow,
      trust: { anchors: [join(FOLDER, anchor)] },
    });
    expect(report.exitCode, JSON.stringify(report.errors)).toBe(exitCode);
    expect(report.trusted).toBe(exitCode === 0);
  });

  it.each(['govmomi-ttylinux-pc_i486-16.1', 'vbox-tdAppliance1-t7-bad-instance'])(
    '[relax.9] %s, written by bsdtar, is read with its numbers that end in blanks',
    async (bundle) => {
      const { report } = await verify(pathOf(bundle), { at: AT, relax: ['blank-ended-numbers'] });
      expect([report.exitCode, report.errors.map(({ code }) => code)]).toEqual([10, ['SIGNATURE_MISSING']]);
    },
  );

  it('says that the digests of ttylinux match, and that t5 is expired and its issuer unknown', async () => {
    const { report } = await verify(pathOf('govmomi-ttylinux-pc_i486-16.1'), {
      at: AT,
      relax: ['blank-ended-numbers'],
    });
    expect(report.checks.find(({ id }) => id === 'manifest.digests')?.status).toBe('pass');
    const trust = { anchors: [join(FOLDER, ROOT)] };
    const expired = await verify(pathOf('vbox-tdAppliance1-t5-ovftool-4.1.0'), { at: AT, allow: OLD, trust });
    expect(expired.report.errors.map(({ code }) => code)).toEqual(['CERTIFICATE_EXPIRED', 'SIGNER_UNKNOWN']);
  });
});
