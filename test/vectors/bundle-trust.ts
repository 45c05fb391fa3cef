import {
  DISK,
  descriptorFor,
  makeBundle,
  signerUnder,
  testAuthority,
  testSigner,
} from '../factory/bundles.ts';
import { EKU, makeAuthority, type TestCertificate } from '../factory/certificates.ts';
import type { BundleVector, VectorOptions } from './bundles.ts';

const GOOD = { exitCode: 0, codes: [] } as const;

/** The usual bundle, signed by somebody under `testAuthority`. */
function signedBy(options: Parameters<typeof signerUnder>[1]): () => Promise<Uint8Array> {
  return async () => makeBundle({ signed: { signer: await signerUnder(await testAuthority(), options) } });
}

/** Trusting the publisher "acme", whose CA is `testAuthority`, with these settings. */
function publisher(settings: string): VectorOptions {
  return {
    publishers: async () => ({ acme: { toml: `name = "acme"\n${settings}\n`, ca: await testAuthority() } }),
  };
}

function anchors(...make: readonly (() => Promise<TestCertificate>)[]): VectorOptions {
  return { anchors: () => Promise.all(make.map((one) => one())) };
}

const stranger = (): Promise<TestCertificate> =>
  makeAuthority({ subject: 'CN=Another CA,O=Another', key: 'rsa2048' });

/** Vectors about who is believed. */
export const TRUST_VECTORS: readonly BundleVector[] = [
  {
    name: 'the signer trusted itself',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: anchors(testSigner),
    ...GOOD,
  },
  {
    name: 'an intermediate in the certificate file',
    clause: '[judge.3]',
    build: async () => {
      const middle = await makeAuthority({
        subject: 'CN=Middle,O=Acme',
        issuer: await testAuthority(),
        key: 'rsa2048',
      });
      return makeBundle({ signed: { signer: await signerUnder(middle), chain: [middle] } });
    },
    ...GOOD,
  },
  {
    name: 'a signer nobody knows',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: anchors(stranger),
    exitCode: 18,
    codes: ['SIGNER_UNKNOWN'],
  },
  {
    name: 'nobody is trusted',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: anchors(),
    exitCode: 20,
    codes: ['TRUST_EMPTY'],
  },
  {
    name: 'an expired signer',
    clause: '[judge.3]',
    build: signedBy({ subject: 'CN=Old', notAfter: new Date('2021-01-01T00:00:00Z') }),
    exitCode: 13,
    codes: ['CERTIFICATE_EXPIRED'],
  },
  {
    name: 'the same, judged when it was valid',
    clause: '[judge.3]',
    build: signedBy({ subject: 'CN=Old', notAfter: new Date('2021-01-01T00:00:00Z') }),
    options: { at: new Date('2020-06-01T00:00:00Z') },
    ...GOOD,
  },
  {
    name: 'a signer whose time has not come',
    clause: '[judge.3]',
    build: signedBy({ subject: 'CN=New', notBefore: new Date('2040-01-01T00:00:00Z') }),
    exitCode: 13,
    codes: ['CERTIFICATE_NOT_YET_VALID'],
  },
  {
    name: 'a certificate for web servers',
    clause: '[judge.3]',
    build: signedBy({ subject: 'CN=www', eku: [EKU.serverAuth] }),
    exitCode: 14,
    codes: ['PURPOSE_REFUSED'],
  },
  {
    name: 'a weak key',
    clause: '[judge.3]',
    build: signedBy({ subject: 'CN=Weak', key: 'rsa1024' }),
    exitCode: 14,
    codes: ['KEY_WEAK'],
  },
  {
    name: 'a weak key, allowed',
    clause: '[rep.4]',
    build: signedBy({ subject: 'CN=Weak', key: 'rsa1024' }),
    options: { allow: { weakKeys: true } },
    ...GOOD,
    warning: '1024 bits',
  },
  {
    name: 'a publisher that may sign anything',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: publisher(''),
    ...GOOD,
  },
  {
    name: 'a publisher within its scope',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: publisher('scopes = ["other/*", "acme/app"]'),
    ...GOOD,
  },
  {
    name: 'a publisher outside of its scope',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: publisher('scopes = ["acme/web"]'),
    exitCode: 14,
    codes: ['SCOPE_REFUSED'],
  },
  {
    name: 'another vendor in the descriptor',
    clause: '[judge.3]',
    build: () => makeBundle({ files: [descriptorFor('app.ovf', [DISK], { vendor: 'Umbrella' }), DISK] }),
    options: publisher('scopes = ["acme/*"]'),
    exitCode: 14,
    codes: ['SCOPE_REFUSED'],
  },
  {
    name: 'a plain bundle has no vendor, and no name that is signed',
    clause: '[judge.3]',
    build: () => makeBundle({ files: [DISK] }),
    options: publisher('scopes = ["acme/*", "_/app"]'),
    exitCode: 14,
    codes: ['SCOPE_REFUSED'],
  },
  {
    name: 'a subject of the publisher',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: publisher('subjects = ["CN=Acme Release"]'),
    ...GOOD,
  },
  {
    name: 'another subject than those of the publisher',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: publisher('subjects = ["CN=Acme Nightly"]'),
    exitCode: 14,
    codes: ['SUBJECT_REFUSED'],
  },
  {
    name: 'a publisher whose time is over',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: publisher('until = 2025-12-31'),
    exitCode: 14,
    codes: ['PUBLISHER_LIFETIME'],
  },
  {
    name: 'a publisher that wants two signers',
    clause: '[judge.3]',
    build: () => makeBundle(),
    options: publisher('threshold = 2'),
    exitCode: 14,
    codes: ['THRESHOLD_NOT_MET'],
  },
];
