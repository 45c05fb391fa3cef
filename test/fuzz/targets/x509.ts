import { type Certificate, isSignedBy, parseCertificate } from '../../../src/crypto/certificate.ts';
import { derElement, derOctets, derOid, derSequence, derUnsigned } from '../../../src/formats/der/writer.ts';
import { nameKey } from '../../../src/formats/x509/name.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { mutateDer } from '../mutators/der-mutator.ts';
import type { Random } from '../random.ts';
import {
  authorityExtensions,
  cast,
  certificateDer,
  extension,
  fixedKey,
  nameDer,
  otherSpkis,
  signerExtensions,
} from '../seeds/pki.ts';
import { suiteCertificates, unarmoured, vectorFiles } from '../seeds/vectors.ts';
import { openSignedBytes, tbsOf, unlessRefused } from '../signed-bytes.ts';
import type { Target } from '../target.ts';

/** Certificates with every extension that is read. */
function richCertificates(): readonly Uint8Array[] {
  const root = fixedKey('Root');
  const text = (tag: number, value: string): Uint8Array => derElement(tag, encodeUtf8(value));
  const directory = derElement(0xa4, nameDer('Elsewhere'));
  const names = [
    text(0x81, 'a@fuzz.example'),
    text(0x82, 'fuzz.example'),
    text(0x86, 'http://fuzz.example/a'),
  ];
  const subtree = (base: Uint8Array): Uint8Array => derSequence(base);
  const policy = derOid('2.16.840.1.101.3.2.1.48.1');
  const point = derSequence(
    derElement(0xa0, derElement(0xa0, text(0x86, 'http://fuzz.example/crl'))),
    derElement(0x81, Uint8Array.of(1, 0x60)),
    derElement(0xa2, directory),
  );
  const all = [
    extension(
      '2.5.29.17',
      false,
      derSequence(...names, directory, derElement(0x87, Uint8Array.of(10, 0, 0, 1))),
    ),
    extension(
      '2.5.29.30',
      true,
      derSequence(
        derElement(0xa0, subtree(text(0x82, 'fuzz.example')), subtree(directory)),
        derElement(0xa1, subtree(derElement(0x87, Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0)))),
      ),
    ),
    extension('2.5.29.31', false, derSequence(point)),
    extension('2.5.29.32', false, derSequence(derSequence(policy), derSequence(derOid('2.5.29.32.0')))),
    extension('2.5.29.33', true, derSequence(derSequence(policy, derOid('1.2.3')))),
    extension('2.5.29.35', false, derSequence(derElement(0x80, Uint8Array.of(1, 2, 3)))),
    extension(
      '2.5.29.36',
      true,
      derSequence(derElement(0x80, Uint8Array.of(1)), derElement(0x81, Uint8Array.of(0))),
    ),
    extension('2.5.29.46', false, derSequence(point)),
    extension('2.5.29.54', true, derUnsigned(Uint8Array.of(1))),
    extension(
      '1.3.6.1.5.5.7.1.1',
      false,
      derSequence(derSequence(derOid('1.3.6.1.5.5.7.48.1'), names[2] ?? directory)),
    ),
    extension('1.3.6.1.4.1.99999.7', false, derOctets(Uint8Array.of(1))),
  ];
  const [curve, rsa] = otherSpkis();
  const fields = { issuer: 'Root', subject: 'Rich' };
  return [
    certificateDer(
      {
        ...fields,
        serial: 10,
        spki: curve ?? root.spki,
        extensions: [...authorityExtensions(root, 3), ...all],
      },
      root,
    ),
    certificateDer(
      { ...fields, serial: 11, spki: rsa ?? root.spki, extensions: signerExtensions(['1.2.3']) },
      root,
    ),
  ];
}

/** A seed that is not large, most of the time: a change tells more in a small one. */
export function pickSeed(random: Random, corpus: readonly Uint8Array[], most = 6000): Uint8Array {
  const seed = random.pick(corpus);
  return seed.byteLength > most && random.chance(19, 20) ? random.pick(corpus) : seed;
}

/** Certificates: read or refused, and never another's. */
export const X509: Target = {
  name: 'x509',
  group: 'crypto',
  share: 1,
  codes: ['CERTIFICATE_MALFORMED', 'ALGORITHM_UNSUPPORTED'],
  open: async () => {
    const seeds = [
      ...Object.values(cast()),
      ...richCertificates(),
      ...vectorFiles('crypto/cms', /\.pem$/).flatMap(unarmoured),
      ...suiteCertificates(),
    ];
    const signed = openSignedBytes();
    const authorities = new Map<string, Certificate[]>();
    for (const seed of seeds) {
      const tbs = tbsOf(seed);
      if (tbs) signed.add(tbs);
      const certificate = unlessRefused(() => parseCertificate(seed));
      if (!certificate?.fields.extensions.basicConstraints?.ca) continue;
      const name = nameKey(certificate.fields.subject);
      authorities.set(name, [...(authorities.get(name) ?? []), certificate].slice(0, 4));
    }
    return {
      seeds,
      mutate: (random, corpus) => mutateDer(random, pickSeed(random, corpus), corpus),
      run: (input) => {
        const certificate = parseCertificate(input);
        const issuers = authorities.get(nameKey(certificate.fields.issuer)) ?? [];
        const verifies = [certificate, ...issuers].some((issuer) => isSignedBy(certificate, issuer));
        if (verifies) signed.expect(tbsOf(input) ?? input, 'a certificate');
        return verifies ? 'verifies' : 'read';
      },
    };
  },
};
