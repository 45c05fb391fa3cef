import { describe, expect, test } from 'vitest';
import type { CheckId } from '../../src/operations/report.ts';
import { type VerifyOptions, verify } from '../../src/operations/verify.ts';
import { archiveOf, makeBundle, makeMembers, testAuthority, testSigner } from '../factory/bundles.ts';
import { makeAuthority } from '../factory/certificates.ts';
import { makeCrlDer } from '../factory/crls.ts';
import { importHere } from '../factory/importing.ts';
import { valid } from '../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../factory/sandbox.ts';
import { chunked } from '../factory/streams.ts';

type Said = Partial<Record<CheckId, string>>;

/** Every check as `status: detail`. */
async function said(bytes: Uint8Array, options: VerifyOptions): Promise<Said> {
  const { report } = await verify(chunked(bytes), options);
  const { checks } = valid(report);
  return Object.fromEntries(checks.map(({ id, status, detail }) => [id, `${status}: ${detail}`]));
}

interface Situation {
  readonly name: string;
  readonly bytes: () => Promise<Uint8Array>;
  readonly options?: (sandbox: Sandbox) => Promise<VerifyOptions>;
  readonly is: Said;
}

const NO_INFORMATION = 'skip: no revocation information about these certificates is at hand';
const NO_TIMESTAMP = 'skip: the signature has no timestamp: it is judged by the clock';
const NOT_VOUCHED = 'skip: not reached: nobody who is trusted vouches for the signer';
const ACCEPTED = 'pass: key, digest, purpose and publisher are acceptable';
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

const SITUATIONS: readonly Situation[] = [
  {
    name: 'trusted, with nothing about revocation or time',
    bytes: bare,
    is: { policy: ACCEPTED, revocation: NO_INFORMATION, timestamp: NO_TIMESTAMP },
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
      revocation: 'pass: 1 of 1 certificates shown not to be revoked',
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
    is: { 'certificate.path': 'pass: 1 certificates, to the pinned key*', revocation: NO_INFORMATION },
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
  test.each(SITUATIONS)('[judge.2] is so: $name', async ({ bytes, options, is }) => {
    using sandbox = makeSandbox();
    const given = options ? await options(sandbox) : await trusting(sandbox);
    const checks = await said(await bytes(), given);
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
