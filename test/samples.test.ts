import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { runWithin } from './factory/command-line.ts';
import { launch } from './factory/faults.ts';
import { folderForTests } from './factory/sandbox.ts';
import { MAIN, type Outcome } from './factory/workbench.ts';

const ROOT = join(import.meta.dirname, '..');
const SAMPLES = join(ROOT, 'samples');

/** Every sample, and the exit code of `bulla verify` that its page promises. */
const SAMPLE_CODES: readonly (readonly [sample: string, code: number])[] = [
  ['appliance.ova', 0],
  ['appliance-trailing.ova', 0],
  ['blocks.ova', 0],
  ['appliance.tgz', 0],
  ['appliance.zip', 0],
  ['plain.tar', 0],
  ['stamped.ova', 0],
  ['pak.zip', 0],
  ['unsigned.ova', 10],
  ['tampered/disk-changed.ova', 11],
  ['tampered/digest-changed.ova', 11],
  ['tampered/signature-changed.ova', 12],
  ['tampered/extra-file.ova', 16],
  ['tampered/renamed.ova', 16],
  ['tampered/truncated.ova', 15],
];

/** A line of the page; that the program itself ends as the page promises is the table's. */
function bulla(line: string): Promise<Outcome> {
  return runWithin({ folder: SAMPLES, env: { NO_COLOR: '1' } }, `bulla ${line}`);
}

function filesBelow(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(folder, name)).isFile()).sort();
}

describe('samples', () => {
  test.each(SAMPLE_CODES)('%s ends with %i and its expected report', async (sample, code) => {
    const words = ['verify', sample, '--trust', 'ca/ca.pem', '--at', '2026-12-01', '--json'];
    const seen = await launch({ folder: SAMPLES, env: {} }, [process.execPath, MAIN, ...words]).ended;
    const expected = readFileSync(join(SAMPLES, 'expected', `${sample}.json`), 'utf8');
    expect(JSON.parse(seen.stdout)).toEqual(JSON.parse(expected));
    expect(seen.code).toBe(code);
  });

  test('every expected report belongs to a sample that is tried', () => {
    const reports = filesBelow(join(SAMPLES, 'expected')).map((name) => name.slice(0, -'.json'.length));
    expect(reports).toEqual(SAMPLE_CODES.map(([sample]) => sample).sort());
  });

  test('[tst.1] a timestamp outlives the certificate of the signer, for whoever trusts its authority', async () => {
    const later = 'verify stamped.ova --trust ca/ca.pem --at 2060-01-01';
    expect((await bulla(later)).code).toBe(13);
    expect((await bulla(`${later} --trust-tsa ca/tsa-ca.pem`)).code).toBe(0);
  });

  test('[file.1] a file with its signature beside it', async () => {
    const signature = '--signature plain/notice.txt.p7s --trust ca/ca.pem --at 2026-12-01';
    expect((await bulla(`verify plain/notice.txt ${signature}`)).code).toBe(0);
    expect((await bulla(`verify plain/settings.json ${signature}`)).code).toBe(12);
  });

  test('nobody trusts the sample CA unasked, nor after its time', async () => {
    expect((await bulla('verify appliance.ova --trust ca/ca.pem --at 2060-01-01 --json')).code).toBe(13);
    expect((await bulla(`verify appliance.ova --pin sha256:${'0'.repeat(64)}`)).code).toBe(18);
  });
});

/** The properties of the appliance's disk, and the exit code of `bulla glance verify` that the page promises. */
const GLANCE_CODES: readonly (readonly [properties: string, code: number])[] = [
  ['good', 0],
  ['short-salt', 12],
  ['python-bytes', 16],
  ['documentation-name', 17],
  ['three-of-four', 16],
  ['unknown-certificate', 18],
];

describe('samples for OpenStack', () => {
  test.each(GLANCE_CODES)('%s ends with %i', async (properties, code) => {
    const line = `glance verify appliance/appliance-disk1.vmdk --properties glance/${properties}.json`;
    const { code: seen } = await bulla(
      `${line} --certificates glance/certificates --trust ca/ca.pem --at 2026-12-01`,
    );
    expect(seen).toBe(code);
    const compat = await bulla(`${line} --certificates glance/certificates --compat --json`);
    expect(JSON.parse(compat.stdout).result.cursive.verdict).toBe(code === 0 ? 'accept' : 'reject');
  });

  test('are all tried', () => {
    const names = readdirSync(join(SAMPLES, 'glance')).filter((name) => name.endsWith('.json'));
    expect(names.sort()).toEqual(GLANCE_CODES.map(([name]) => `${name}.json`).sort());
  });
});

describe('make.mjs', () => {
  const folder = folderForTests();
  beforeAll(() => {
    const made = spawnSync(process.execPath, [join(SAMPLES, 'make.mjs'), folder], { encoding: 'utf8' });
    expect(made.status, made.stderr).toBe(0);
  }, 120_000);

  test('the same inputs give the same bytes', () => {
    for (const name of filesBelow(folder)) {
      if (/appliance\.(tgz|zip)/.test(name)) continue;
      const same = readFileSync(join(folder, name)).equals(readFileSync(join(SAMPLES, name)));
      expect(same, `${name} is what make.mjs makes of it`).toBe(true);
    }
  });

  test('but for compression, which is that of the zlib at hand', async () => {
    const [made, kept] = [folder, SAMPLES].map((at) => gunzipSync(readFileSync(join(at, 'appliance.tgz'))));
    expect(made).toEqual(kept);
    const membersIn = async (at: string): Promise<unknown> => {
      const { stdout } = await bulla(`inspect ${join(at, 'appliance.zip')} --json`);
      const { files } = JSON.parse(stdout);
      return files.map(({ name, actual }: { name: string; actual: string }) => [name, actual]);
    };
    expect(await membersIn(folder)).toEqual(await membersIn(SAMPLES));
  });
});
