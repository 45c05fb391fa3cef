import { X509Certificate } from 'node:crypto';
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestHex } from '../../src/crypto/digest.ts';
import { importBundle, verify } from '../../src/index.ts';
import { timestamp } from '../../src/operations/sign/timestamp.ts';
import { testAuthority } from '../factory/bundles.ts';
import { runHere } from '../factory/command-line.ts';
import { makeTimestampAuthority, makeTokenDer } from '../factory/timestamps.ts';
import { type Desk, makeWorkbench, type Outcome, type Workbench } from '../factory/workbench.ts';

const FOLDER = join(process.env['BULLA_VECTORS'] ?? '', 'attacks');
const found = process.env['BULLA_VECTORS'] !== undefined && existsSync(FOLDER);
if (!found)
  console.warn(
    'SKIPPED: bundles made to be accepted wrongly (set BULLA_VECTORS to the folder with attacks/)',
  );

const AT = '2026-11-27';

/** A bundle of the folder, and what must come of it. */
interface Attack {
  readonly file: string;
  /** what the command line is told about trust; `$A` is the folder of the attacks */
  readonly options: string;
  /** of `verify`, `import` and `normalize` */
  readonly exitCode: number;
  /** of `sign` and `timestamp`, which do not ask whom to trust; left out where they are not held to anything here */
  readonly copied?: number;
  /** puts what the user has said once and for all into a trust folder */
  readonly settle?: (trustFolder: string) => void;
  /** what the library is told, as the command line is by `options` */
  readonly library: Parameters<typeof verify>[1];
}

const VENDOR = {
  options: '--trust $A/vendor-ca.pem',
  library: { trust: { anchors: [join(FOLDER, 'vendor-ca.pem')] } },
} as const;

const PAYLOAD = {
  options: '--trust $A/cert-payload/ca.pem',
  library: { trust: { anchors: [join(FOLDER, 'cert-payload/ca.pem')] } },
} as const;

/** A publisher in a trust folder with one anchor of the attacks. */
function publisher(name: string, ca: string, settings = ''): (trustFolder: string) => void {
  return (trustFolder) => {
    const folder = join(trustFolder, 'publishers', name);
    mkdirSync(folder, { recursive: true });
    cpSync(join(FOLDER, ca), join(folder, 'ca.pem'));
    writeFileSync(join(folder, 'publisher.toml'), `name = "${name}"\n${settings}\n`);
  };
}

/** What is said with `--pin`. */
function pinOf(file: string): string {
  if (!found) return '';
  const { publicKey } = new X509Certificate(readFileSync(join(FOLDER, file)));
  return `sha256:${digestHex('sha256', Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })))}`;
}

const named = (...files: readonly string[]) => files.map((file) => join(FOLDER, file));
const PIN = pinOf('revoked/pinleaf.pem');
const PIN_CRL = named('revoked/pin.crl');
const threshold = publisher('vendor', 'threshold/ca.pem', 'threshold = 2');
const shared = publisher('pb', 'other-publisher/ca.pem', 'subjects = ["CN=shared signer"]');
const OTHER = {
  file: 'other-publisher/b.tar',
  options: '--crl $A/other-publisher/r.crl',
  library: { revocation: { crls: named('other-publisher/r.crl') } },
  exitCode: 13,
} as const;
const DANGLING = {
  file: 'dangling/ok.ova',
  options: '--trust $A/dangling/ca.pem',
  library: { trust: { anchors: named('dangling/ca.pem') } },
} as const;

/** The verdicts of the README beside them; the title of a row is its clause and what it would do. */
const ATTACKS: readonly (readonly [title: string, attack: Attack])[] = [
  ['good.tar is what the others were made of', { file: 'good.tar', ...VENDOR, exitCode: 0, copied: 0 }],
  [
    '[name.4] two names swapped in front of readers without pax',
    { file: 'pax-names-swapped.tar', ...VENDOR, exitCode: 15, copied: 15 },
  ],
  [
    '[name.4] a member that overwrites another for readers without pax',
    { file: 'pax-hides-a-second-member.tar', ...VENDOR, exitCode: 15, copied: 15 },
  ],
  [
    '[bundle.6] [crl.12] a script with a stranger’s revocation list behind it',
    { file: 'evidence-is-a-script.tar', ...VENDOR, exitCode: 16 },
  ],
  [
    '[bundle.6] a stranger’s revocation list that carries a script',
    { file: 'evidence-carries-data.tar', ...VENDOR, exitCode: 16 },
  ],
  [
    '[cms.11] a script in an unsigned attribute',
    { file: 'cert-payload/unsigned_payload.ova', ...PAYLOAD, exitCode: 16 },
  ],
  [
    '[sigalg.1] a script in the parameters of a digest',
    { file: 'cert-payload/dalg_params.ova', ...PAYLOAD, exitCode: 16 },
  ],
  [
    '[rev.1] a leaf that is revoked, by its CA',
    {
      file: 'revoked/pin.tar',
      options: '--trust $A/revoked/pinca.pem --crl $A/revoked/pin.crl',
      library: { trust: { anchors: named('revoked/pinca.pem') }, revocation: { crls: PIN_CRL } },
      exitCode: 13,
    },
  ],
  ...(['require', undefined] as const).flatMap((mode): readonly (readonly [string, Attack])[] => [
    [
      `[rev.11] a pinned key that is revoked, ${mode ?? 'with no mode'}`,
      {
        file: 'revoked/pin.tar',
        options: `--pin ${PIN} --crl $A/revoked/pin.crl${mode ? ` --revocation ${mode}` : ''}`,
        library: { trust: { pins: [PIN] }, revocation: { crls: PIN_CRL, ...(mode && { mode }) } },
        exitCode: 13,
      },
    ],
    [
      `[rev.10] a leaf that is trusted itself and revoked, ${mode ?? 'with no mode'}`,
      {
        file: 'revoked/pin.tar',
        options: `--trust $A/revoked/pinleaf.pem --trust $A/revoked/pinca.pem --crl $A/revoked/pin.crl${mode ? ` --revocation ${mode}` : ''}`,
        library: {
          trust: { anchors: named('revoked/pinleaf.pem', 'revoked/pinca.pem') },
          revocation: { crls: PIN_CRL, ...(mode && { mode }) },
        },
        exitCode: 13,
      },
    ],
  ]),
  [
    '[path.25] one key in two spellings for two signers',
    { file: 'threshold/two.tar', options: '', settle: threshold, library: {}, exitCode: 14 },
  ],
  [
    '[pub.8] one signer for two',
    { file: 'threshold/one.tar', options: '', settle: threshold, library: {}, exitCode: 14 },
  ],
  ['[pub.15] a signer that is revoked', { ...OTHER, settle: shared }],
  [
    '[pub.15] and stays so beside a publisher that looks at no revocation',
    {
      ...OTHER,
      settle: (folder) => {
        shared(folder);
        const settings = 'scopes = ["other/*"]\nsubjects = ["CN=somebody else"]\nrevocation = "off"';
        publisher('pa', 'other-publisher/ca.pem', settings)(folder);
      },
    },
  ],
  [
    '[rev.2] a leaf that is revoked by a list in the trust folder',
    {
      ...DANGLING,
      exitCode: 13,
      settle: (folder) =>
        cpSync(join(FOLDER, 'dangling/revoked.crl'), join(folder, 'revocation/revoked.crl')),
    },
  ],
  ...['', 'revocation', 'revocation/revoked.crl', 'revocation/seen'].map(
    (link): readonly [string, Attack] => [
      `[pub.16] and where "${link}" there is a link that leads nowhere`,
      {
        ...DANGLING,
        exitCode: 3,
        settle: (folder) => {
          mkdirSync(dirname(join(folder, link)), { recursive: true });
          symlinkSync('/nowhere/at/all', join(folder, link));
        },
      },
    ],
  ),
];

describe.skipIf(!found)('bundles made to be accepted wrongly', () => {
  let workbench: Workbench;
  beforeAll(async () => {
    workbench = await makeWorkbench();
  });
  afterAll(() => workbench[Symbol.dispose]());

  const at = (): Desk => workbench.desk('keys');
  const published = (desk: Desk): readonly string[] =>
    readdirSync(desk.folder).filter((name) => name.startsWith('out'));

  describe.each(ATTACKS)('%s', (_, attack) => {
    const { file, options, exitCode, copied, library, settle } = attack;
    const settled = (): Desk => {
      const desk = at();
      settle?.(join(desk.home, 'bulla'));
      return desk;
    };
    const trusting = [...options.split(' '), '--at', AT]
      .filter((word) => word !== '')
      .map((word) => word.replace('$A', FOLDER));
    const bundle = join(FOLDER, file);
    const expectVerdict = (desk: Desk, { code, stderr }: Outcome): void => {
      expect(code, stderr).toBe(exitCode);
      if (exitCode !== 0) expect(published(desk), 'nothing at the destination').toEqual([]);
    };

    test.each([
      ['verify', []],
      ['import', ['--to', 'out']],
      ['normalize', ['-o', 'out.tar']],
    ])('%s', async (verb, rest) => {
      using desk = settled();
      expectVerdict(desk, await runHere(desk, verb, bundle, ...rest, ...trusting));
    });

    test('import of a pipe, by the program', async () => {
      using desk = settled();
      const quoted = trusting.map((word) => `'${word}'`).join(' ');
      expectVerdict(desk, await desk.run(`cat '${bundle}' | bulla import - --to out ${quoted}`));
    });

    test.skipIf(copied === undefined).each([
      ['sign', '-o out.tar --key signer.key --cert signer.pem'],
      ['timestamp', '--tsq-out out.tsq'],
    ])('%s', async (verb, rest) => {
      using desk = at();
      const { code, stderr } = await runHere(desk, verb, bundle, ...rest.split(' '));
      expect(code, stderr).toBe(copied);
      if (copied !== 0) expect(published(desk), 'nothing at the destination').toEqual([]);
    });

    test('the library', async () => {
      using desk = settled();
      const trust = { ...library?.trust, ...(settle && { folders: [join(desk.home, 'bulla')] }) };
      const asked = { ...library, trust, at: new Date(AT) };
      const destination = join(desk.folder, 'out');
      if (exitCode === 3) {
        const code = 'FILE_UNREADABLE'; // settings that cannot be read are no verdict
        await expect(verify(join(FOLDER, file), asked)).rejects.toMatchObject({ code });
        await expect(importBundle(join(FOLDER, file), { ...asked, destination })).rejects.toMatchObject({
          code,
        });
        expect(published(desk)).toEqual([]);
        return;
      }
      for (const input of [join(FOLDER, file), createReadStream(join(FOLDER, file))]) {
        const { verdict, report } = await verify(input, asked);
        expect([verdict === 'trusted', report.exitCode]).toEqual([exitCode === 0, exitCode]);
      }
      const { imported } = await importBundle(join(FOLDER, file), { ...asked, destination });
      expect([imported, published(desk).length > 0]).toEqual([exitCode === 0, exitCode === 0]);
    });
  });

  // what sign and timestamp copy is held to more than what they only read
  test.each(['evidence-is-a-script.tar', 'evidence-carries-data.tar'])(
    '[pack.6] %s is neither signed nor timestamped',
    async (file) => {
      using desk = at();
      const keys = ['--key', 'signer.key', '--cert', 'signer.pem'];
      const signing = await runHere(desk, 'sign', join(FOLDER, file), '-o', 'out.tar', ...keys);
      const source = async (over: Uint8Array): Promise<Uint8Array> =>
        makeTokenDer({
          over,
          authority: await makeTimestampAuthority(await testAuthority()),
          time: new Date(AT),
        });
      const output = join(desk.folder, 'out.tar');
      const stamped = await timestamp(join(FOLDER, file), { output, format: 'tar', source });
      expect([signing.code, stamped.exitCode, published(desk)]).toEqual([16, 16, []]);
    },
  );

  test('[pack.10] a certificate file that carries a script is not timestamped', async () => {
    for (const file of ['unsigned_payload.ova', 'dalg_params.ova']) {
      using desk = at();
      const bundle = join(FOLDER, 'cert-payload', file);
      const { code } = await runHere(desk, 'timestamp', bundle, '--tsq-out', 'out.tsq');
      expect([code, published(desk)]).toEqual([16, []]);
    }
  });
});
