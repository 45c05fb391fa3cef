import { describe, expect, test, vi } from 'vitest';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { CheckId } from '../../../src/verdict/report/report.ts';
import { blocksFor } from '../../factory/blocks.ts';
import {
  archiveOf,
  DISK,
  descriptorFor,
  JUDGED_AT,
  makeBundle,
  makeMembers,
  type NamedBytes,
  NOTES,
  noiseFile,
  signerUnder,
  testAuthority,
  testSigner,
  withMember,
} from '../../factory/bundles.ts';
import { makeAuthority } from '../../factory/certificates.ts';
import { makeCrlDer } from '../../factory/crls.ts';
import { flipped, withFlipped } from '../../factory/damage.ts';
import { importHere } from '../../factory/importing.ts';
import { valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';
import { makeTimestampAuthority, makeTokenDer } from '../../factory/timestamps.ts';

vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => 4, // block digests are for several threads
}));

type Said = Partial<Record<CheckId, string>>;

/** Every check as `status: detail`. */
async function said(input: Parameters<typeof verify>[0], options: VerifyOptions): Promise<Said> {
  const { report } = await verify(input, options);
  const { checks } = valid(report);
  return Object.fromEntries(checks.map(({ id, status, detail }) => [id, `${status}: ${detail}`]));
}

interface Situation {
  readonly name: string;
  readonly bytes: () => Promise<Uint8Array>;
  readonly options?: (sandbox: Sandbox) => Promise<VerifyOptions>;
  /** the bundle is a file, and comes through no pipe */
  readonly asFile?: boolean;
  readonly is: Said;
}

const NO_INFORMATION = 'skip: no revocation information about these certificates is at hand';
const NO_TIMESTAMP = 'skip: the signature has no timestamp: it is judged by the clock';
const NOT_VOUCHED = 'skip: not reached: nobody who is trusted vouches for the signer';
const ACCEPTED = 'pass: key, digest and purpose are acceptable';
const BY_PUBLISHER = 'pass: key, digest, purpose and publisher are acceptable';
const STAMPED_AT = new Date('2020-07-01T12:00:00Z');
const PROVEN = 'pass: signed by 2020-07-01T12:00:01.000Z';
const NOT_BELIEVED =
  'the timestamp of 2020-07-01 12:00:00 UTC is no proof: it is of an authority that you have not said to trust (certificate "CN=Test TSA,O=Test", issued by "CN=Time Root")';
const UNREAD = 'skip: not read: nothing that is trusted vouches for it';
const bare = () => makeBundle();
const withList = async (revoked = false) => {
  const entries = revoked ? [{ certificate: await testSigner(), reason: 1 }] : [];
  const bytes = makeCrlDer({ issuer: await testAuthority(), revoked: entries });
  return makeBundle({ members: (members) => [...members, { name: 'revocation/ca.crl', bytes }] });
};
const replaced = async (text: string) => {
  const members = await makeMembers();
  return archiveOf(
    members.map((one) => (one.name.endsWith('.cert') ? { ...one, bytes: Buffer.from(text) } : one)),
  );
};
const mode = (revocation: VerifyOptions['revocation']) => async (sandbox: Sandbox) => ({
  ...(await trusting(sandbox)),
  ...(revocation && { revocation }),
});
const stranger = async (sandbox: Sandbox): Promise<VerifyOptions> => {
  const { pem } = await makeAuthority({ subject: 'CN=Somebody else' });
  const { at } = await trusting(sandbox);
  return { trust: { anchors: [sandbox.write('other.pem', pem)] }, ...(at && { at }) };
};

const timeRoot = makeAuthority({ subject: 'CN=Time Root', notBefore: new Date('2019-01-01') });
/** A bundle with a timestamp beside its certificate file, of a signer whose certificate has ended or has not. */
const stamped = async (isOver = false, over?: Uint8Array) => {
  const signer = await signerUnder(await testAuthority(), {
    ...(isOver && { notAfter: new Date('2021-01-01T00:00:00Z') }),
  });
  const authority = await makeTimestampAuthority(await timeRoot, { notBefore: new Date('2020-01-01') });
  const members = await makeMembers({ signed: { signer } });
  const certificate = members.find(({ name }) => name === 'app.cert')?.bytes ?? new Uint8Array();
  const bytes = makeTokenDer({ over: over ?? certificate, authority, time: STAMPED_AT });
  return archiveOf([...members, { name: 'app.tst', bytes }]);
};
const timed = () => {
  return async (sandbox: Sandbox): Promise<VerifyOptions> => {
    const { trust, ...rest } = await trusting(sandbox);
    const timestampAnchors = [sandbox.write('.trust/tsa.pem', (await timeRoot).pem)];
    return { ...rest, trust: { ...trust, timestampAnchors } };
  };
};
/** Publishers under the one anchor, by name, with their settings. */
const publishers = (settings: Readonly<Record<string, string>>) => async (sandbox: Sandbox) => {
  for (const [name, more] of Object.entries(settings)) {
    sandbox.write(`home/publishers/${name}/ca.pem`, (await testAuthority()).pem);
    sandbox.write(`home/publishers/${name}/publisher.toml`, `name = "${name}"\n${more}\n`);
  }
  return { trust: { folders: [sandbox.path('home')] }, at: JUDGED_AT, remember: false };
};
const withoutLine = () =>
  makeBundle({ lines: (lines) => lines.filter(({ name }) => !name.endsWith('.ovf')) });
const LARGE = noiseFile('large.img', 6 * 1024 * 1024 + 100);
const inBlocks = (change = (bytes: Uint8Array) => bytes) => {
  const blocks = blocksFor(LARGE);
  return makeBundle({
    files: [descriptorFor('app.ovf', [blocks, LARGE]), blocks, LARGE],
    members: (members) =>
      withMember(members, LARGE.name, ({ name, bytes }) => [{ name, bytes: change(bytes) }]),
  });
};
const byThreads = async (sandbox: Sandbox) => ({
  ...(await trusting(sandbox)),
  limits: { laneBytes: 1024 * 1024 },
});
const plain = (files: readonly NamedBytes[]) => makeBundle({ base: 'files', files });

const SITUATIONS: readonly Situation[] = [
  {
    name: 'trusted, with nothing about revocation or time',
    bytes: bare,
    is: {
      'archive.safety': 'pass: 5 members, read to the end',
      'package.members': 'pass: every member is listed, every listed file is there',
      'manifest.syntax': 'pass: 3 lines',
      signature: 'pass: RSA-2048 sha256',
      'signature.cms': 'skip: the certificate file has no CMS block',
      'certificate.path': 'pass: 2 certificates, to *ca.pem',
      policy: ACCEPTED,
      revocation: NO_INFORMATION,
      timestamp: NO_TIMESTAMP,
      'manifest.digests': 'pass: 3 of 3 files match the manifest',
      descriptor: 'pass: 2 references, all in the bundle',
      scope: 'skip: the signer is trusted without a publisher, so for bundles of any name',
    },
  },
  {
    name: 'nobody looks at revocation, whatever is there',
    bytes: () => withList(true),
    options: mode({ mode: 'off' }),
    is: { policy: ACCEPTED, revocation: 'skip: revocation is not looked at: its mode is off' },
  },
  {
    name: 'a list clears the signer',
    bytes: () => withList(),
    is: {
      revocation: 'pass: 1 of 1 certificate shown not to be revoked',
      'package.members': 'pass: every member but 1 with evidence is listed, every listed file is there',
    },
  },
  {
    name: 'a list revokes the signer',
    bytes: () => withList(true),
    is: {
      revocation: 'fail: *was revoked on*',
      'certificate.path': 'skip: no path is accepted: *was revoked on*',
      policy: 'skip: not settled: *was revoked on*',
    },
  },
  {
    name: 'proof is demanded, and there is none',
    bytes: bare,
    options: mode({ mode: 'require' }),
    is: {
      revocation: 'fail: *',
      'certificate.path': 'skip: no path is accepted: *',
      policy: 'skip: not settled: *',
    },
  },
  {
    name: 'the signer is unknown',
    bytes: () => withList(true),
    options: stranger,
    is: { 'certificate.path': 'fail: *', revocation: NOT_VOUCHED, policy: 'skip: not settled: *' },
  },
  {
    name: 'the signer is a pin that nobody has looked up',
    bytes: bare,
    options: async (sandbox) => {
      const { at } = await trusting(sandbox);
      return {
        trust: { pins: [`sha256:${(await testSigner()).certificate.spkiSha256}`] },
        ...(at && { at }),
      };
    },
    is: { 'certificate.path': 'pass: 1 certificate, to the pinned key*', revocation: NO_INFORMATION },
  },
  {
    name: 'the signer is an anchor itself',
    bytes: bare,
    options: async (sandbox) => {
      const anchors = [sandbox.write('signer.pem', (await testSigner()).pem)];
      return { trust: { anchors }, at: JUDGED_AT };
    },
    is: {
      'certificate.path': 'pass: 1 certificate, to *signer.pem',
      revocation: NO_INFORMATION,
      policy: ACCEPTED,
    },
  },
  {
    name: 'a publisher accepts the signer',
    bytes: bare,
    options: publishers({ pa: '' }),
    is: {
      'certificate.path': 'pass: 2 certificates, to publisher "pa"',
      policy: BY_PUBLISHER,
      scope: 'pass: acme/app is in the scope of the publisher',
    },
  },
  {
    name: 'a publisher refuses the signer',
    bytes: bare,
    options: publishers({ pa: 'subjects = ["CN=Somebody else"]' }),
    is: {
      'certificate.path': 'skip: no path is accepted: *is not a subject that may sign for publisher "pa"',
      policy: 'fail: *is not a subject that may sign for publisher "pa"',
      scope: 'skip: not reached: the bundle is refused already',
    },
  },
  {
    name: 'one accepts it without a look at revocation, and another knows that it is revoked',
    bytes: () => withList(true),
    options: publishers({ pa: 'revocation = "off"', pb: '' }),
    is: {
      policy: BY_PUBLISHER,
      revocation:
        'warn: publisher "pa" accepts it without a look at revocation, and another publisher has found: *was revoked on*',
    },
  },
  ...['scopes = ["other/*"]', 'threshold = 2', 'subjects = ["CN=Somebody else"]'].map(
    (more): Situation => ({
      name: `one that does not look refuses it by ${more}, and another for a revocation`,
      bytes: () => withList(true),
      options: publishers({ pa: `revocation = "off"\n${more}`, pb: '' }),
      is: { revocation: 'fail: certificate "CN=Acme Release,O=Acme" was revoked on*' },
    }),
  ),
  {
    name: 'a timestamp proves a time',
    bytes: () => stamped(),
    options: timed(),
    is: {
      timestamp: PROVEN,
      policy: ACCEPTED,
      'package.members': 'pass: every member but 1 with evidence is listed, every listed file is there',
    },
  },
  {
    name: 'a timestamp proves that a signer was there whose certificate has ended since',
    bytes: () => stamped(true),
    options: timed(),
    is: { timestamp: PROVEN, 'certificate.path': 'pass: 2 certificates, to *ca.pem', policy: ACCEPTED },
  },
  {
    name: 'a timestamp counts for nothing, as was asked',
    bytes: () => stamped(),
    options: async (sandbox) => ({ ...(await trusting(sandbox)), timestamp: 'ignore' }),
    is: {
      timestamp: 'skip: the timestamps of the signature count for nothing here: it is judged by the clock',
      policy: ACCEPTED,
    },
  },
  {
    name: 'a timestamp that would help counts for nothing, as was asked',
    bytes: () => stamped(true),
    options: async (sandbox) => ({ ...(await trusting(sandbox)), timestamp: 'ignore' }),
    is: {
      timestamp: 'skip: the timestamps of the signature count for nothing here: it is judged by the clock',
      'certificate.path': 'fail: certificate "CN=Acme Release,O=Acme" expired on 2021-01-01 00:00:00 UTC',
      policy: 'skip: not settled: *expired on*',
    },
  },
  {
    name: 'a timestamp is of a stranger, and not needed',
    bytes: () => stamped(),
    is: { timestamp: `warn: ${NOT_BELIEVED}`, policy: ACCEPTED },
  },
  {
    name: 'a timestamp is of a stranger, and needed',
    bytes: () => stamped(true),
    is: { timestamp: `warn: ${NOT_BELIEVED}`, 'certificate.path': 'fail: *expired on*' },
  },
  {
    name: 'a timestamp is of a stranger, and demanded',
    bytes: () => stamped(),
    options: async (sandbox) => ({ ...(await trusting(sandbox)), timestamp: 'require' }),
    is: { timestamp: `fail: ${NOT_BELIEVED}`, policy: `fail: ${NOT_BELIEVED}` },
  },
  {
    name: 'a timestamp is over something else',
    bytes: () => stamped(false, new Uint8Array(3)),
    options: timed(),
    is: {
      timestamp: 'warn: *is no proof: it is over something else',
      'package.members':
        'fail: "app.tst" is not in the manifest, and nobody who is trusted answers for all of it: it is a timestamp over something else than the certificate file',
    },
  },
  {
    name: 'the descriptor is not listed',
    bytes: withoutLine,
    is: {
      'package.members': 'fail: the manifest does not list the descriptor "app.ovf"',
      'manifest.digests': 'pass: 2 of 2 files match the manifest',
      descriptor: UNREAD,
      scope: 'skip: the signer is trusted without a publisher, so for bundles of any name',
    },
  },
  {
    name: 'the descriptor is not listed, as is allowed',
    bytes: withoutLine,
    options: async (sandbox) => ({ ...(await trusting(sandbox)), allow: { unlistedDescriptor: true } }),
    is: {
      'package.members': 'warn: "app.ovf" is not listed, as was allowed',
      'manifest.digests': 'pass: 2 of 2 files match the manifest',
      descriptor: 'pass: 2 references, all in the bundle',
    },
  },
  {
    name: 'a disk matches its digest, and has block digests that nobody needed',
    bytes: () => inBlocks(),
    is: { 'manifest.digests': 'pass: 3 of 3 files match the manifest' },
  },
  {
    name: 'a disk matches its block digests',
    bytes: () => inBlocks(),
    options: byThreads,
    asFile: true,
    is: { 'manifest.digests': 'pass: 3 of 3 files match the manifest, 1 of them by its blocks' },
  },
  {
    name: 'a disk does not match one of its block digests',
    bytes: () => inBlocks((bytes) => flipped(bytes, 5)),
    options: byThreads,
    asFile: true,
    is: {
      'manifest.digests':
        'fail: "large.img" does not match its blocks in "large.img.blocks": 1 of 7 blocks differs, bytes 0 to 1048575',
      descriptor: UNREAD,
    },
  },
  {
    name: 'there is no descriptor',
    bytes: () => plain([DISK, NOTES]),
    is: {
      'manifest.digests': 'pass: 2 of 2 files match the manifest',
      descriptor: 'skip: the bundle has no descriptor',
      scope: 'skip: the signer is trusted without a publisher, so for bundles of any name',
    },
  },
  {
    name: 'there is one file, and no descriptor',
    bytes: () => plain([NOTES]),
    options: publishers({ pa: '' }),
    is: {
      'archive.safety': 'pass: 3 members, read to the end',
      'manifest.syntax': 'pass: 1 line',
      'manifest.digests': 'pass: 1 of 1 file matches the manifest',
      scope: 'pass: _/_ is in the scope of the publisher',
    },
  },
  {
    name: 'one of two files is another',
    bytes: () =>
      makeBundle({
        ...{ base: 'files', files: [DISK, NOTES] },
        members: (members) => withFlipped(members, NOTES.name, 0),
      }),
    is: { 'manifest.digests': 'fail: "notes.txt" does not match its sha256 digest*' },
  },
  {
    name: 'a timestamp is demanded, and there is none',
    bytes: bare,
    options: async (sandbox) => ({ ...(await trusting(sandbox)), timestamp: 'require' }),
    is: { timestamp: 'fail: *has no timestamp', policy: 'fail: *has no timestamp' },
  },
  {
    name: 'the certificate file cannot be read',
    bytes: () => replaced('not a certificate file'),
    is: {
      signature: 'fail: *',
      'signature.cms': 'skip: not reached: *',
      'certificate.path': 'skip: not reached: *',
      revocation: 'skip: not reached: *',
      timestamp: 'skip: not reached: *',
      policy: 'skip: not reached: *',
    },
  },
  {
    name: 'the bundle is not signed, as is allowed',
    bytes: async () => archiveOf((await makeMembers()).filter(({ name }) => !name.endsWith('.cert'))),
    options: async (sandbox) => ({ ...(await trusting(sandbox)), allow: { unsigned: true } }),
    is: {
      signature: 'warn: the bundle has no signature of *',
      revocation: 'skip: the bundle has no signature',
      timestamp: 'skip: the bundle has no signature',
      scope: 'skip: the bundle has no signature',
    },
  },
  {
    name: 'the archive ends too early',
    bytes: async () => (await bare()).subarray(0, 2048),
    is: { 'archive.safety': 'fail: *', timestamp: 'skip: not reached: *', revocation: 'skip: *' },
  },
];

describe('what checks say', () => {
  test.each(SITUATIONS)('[judge.2] is so: $name', async ({ bytes, options, asFile, is }) => {
    using sandbox = makeSandbox();
    const given = options ? await options(sandbox) : await trusting(sandbox);
    const bundle = await bytes();
    const checks = await said(asFile ? sandbox.write('bundle.ova', bundle) : chunked(bundle), given);
    for (const [id, expected] of Object.entries(is)) {
      const pattern = expected
        .split('*')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*');
      expect(checks[id as CheckId], id).toMatch(new RegExp(`^${pattern}$`));
    }
  });

  test('[judge.2] an import that stops early does not say what was never there to be seen', async () => {
    using sandbox = makeSandbox();
    const bytes = await makeBundle({
      members: (members) => [
        ...members,
        { name: 'odd.txt', bytes: new Uint8Array(1) },
        { name: 'late.txt', bytes: new Uint8Array(1) },
      ],
    });
    const { report } = await importHere(sandbox, chunked(bytes), await trusting(sandbox));
    const timestamp = valid(report).checks.find(({ id }) => id === 'timestamp');
    expect(timestamp?.detail).toBe('not reached: the bundle is refused, and was not read to its end');
  });
});
