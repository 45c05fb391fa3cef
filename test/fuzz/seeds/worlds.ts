import { derElement, derOid, derSequence, derUnsigned } from '../../../src/formats/der/writer.ts';
import { concat } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { mutateTree } from '../mutators/der-mutator.ts';
import { formatTree, parseTree } from '../mutators/der-tree.ts';
import { formatParcel } from '../parcel.ts';
import { type Random, shuffled } from '../random.ts';
import { crlDer, ocspDer } from './evidence.ts';
import {
  authorityExtensions,
  extension,
  type FixedKey,
  fixedKey,
  nameDer,
  PURPOSE,
  signedStructure,
  signerExtensions,
  type TbsFields,
  tbsDer,
} from './pki.ts';

/** A name with a key; two may share either. */
interface Person {
  readonly name: string;
  readonly key: FixedKey;
}

/**
 * Certificates in a parcel, each signed by the one who is said to have issued it: a chain or a mesh of authorities that
 * certify each other, with constraints, a leaf, evidence; some changed before they were signed.
 */
export function makeWorld(random: Random): Uint8Array {
  const root: Person = { name: 'Root', key: fixedKey('Root') };
  const people = Array.from({ length: 1 + random.below(7) }, (_, i): Person => {
    const name = random.chance(1, 6) ? `CA ${random.below(3)}` : `CA ${i}`;
    return { name, key: fixedKey(random.chance(1, 8) ? 'CA key 0' : `CA key ${i}`) };
  });
  const serial = (): number => 1 + random.below(60);
  const certify = (issuer: Person, subject: Person, extensions: readonly Uint8Array[]): Uint8Array =>
    signed(random, issuer, {
      serial: serial(),
      issuer: issuer.name,
      subject: subject.name,
      spki: subject.key.spki,
      extensions,
      ...(random.chance(1, 30) && { until: '250101000000Z' }),
    });

  const authorities: Uint8Array[] = [];
  if (random.chance(1, 3)) {
    for (const issuer of [root, ...people]) {
      for (const subject of people) authorities.push(certify(issuer, subject, constraints(random, subject)));
    }
  } else {
    [root, ...people].slice(0, -1).forEach((issuer, i) => {
      const subject = people[i] ?? root;
      authorities.push(certify(issuer, subject, constraints(random, subject)));
      if (random.chance(1, 4)) authorities.push(certify(issuer, subject, constraints(random, subject)));
    });
  }
  const last = people.at(-1) ?? root;
  const leaf = certify(last, { name: 'Leaf', key: fixedKey('Leaf') }, [
    ...signerExtensions([PURPOSE.codeSigning]),
    ...(random.chance(1, 3) ? [alternativeNames(random)] : []),
    ...(random.chance(1, 3) ? [policies(random)] : []),
  ]);
  const anchor = certify(root, root, authorityExtensions(root.key));
  const typed = (kind: string, der: Uint8Array): Uint8Array => concat([encodeUtf8(kind), der]);
  return formatParcel([
    typed('l', leaf),
    ...shuffled(random, authorities).map((der) => typed('i', der)),
    typed('a', anchor),
    ...(random.chance(1, 10) ? [typed('a', authorities[0] ?? anchor)] : []),
    ...(random.chance(1, 2) ? evidence(random, [root, ...people]) : []),
    encodeUtf8(`m${random.pick(['', 'r', 'o'])}`),
  ]);
}

/** Signed by the issuer, now and then after changes. */
function signed(random: Random, issuer: Person, fields: TbsFields): Uint8Array {
  const tbs = tbsDer(fields);
  if (!random.chance(1, 8)) return signedStructure(tbs, issuer.key);
  const tree = parseTree(tbs);
  mutateTree(random, tree, []);
  return signedStructure(formatTree(tree), random.chance(1, 10) ? fixedKey('Nobody') : issuer.key);
}

function constraints(random: Random, { key }: Person): Uint8Array[] {
  const skip = (): Uint8Array => derElement(random.pick([0x80, 0x81]), Uint8Array.of(random.below(3)));
  return [
    ...authorityExtensions(key, random.chance(1, 2) ? -1 : random.below(6)),
    ...(random.chance(1, 8) ? [extension('2.5.29.30', true, nameConstraints(random))] : []),
    ...(random.chance(1, 3) ? [policies(random)] : []),
    ...(random.chance(1, 8)
      ? [extension('2.5.29.33', true, derSequence(derSequence(policy(random), policy(random))))]
      : []),
    ...(random.chance(1, 12) ? [extension('2.5.29.36', true, derSequence(skip()))] : []),
    ...(random.chance(1, 12)
      ? [extension('2.5.29.54', true, derUnsigned(Uint8Array.of(random.below(3))))]
      : []),
    ...(random.chance(1, 12)
      ? [extension('2.5.29.37', false, derSequence(derOid(random.pick(Object.values(PURPOSE)))))]
      : []),
  ];
}

function policy(random: Random): Uint8Array {
  return derOid(random.pick(['1.2.3', '1.2.4', '1.2.5', '2.5.29.32.0']));
}

function policies(random: Random): Uint8Array {
  const list = ['1.2.3', '1.2.4', '1.2.5', '2.5.29.32.0'].filter(() => random.chance(1, 2));
  return extension('2.5.29.32', false, derSequence(...list.map((oid) => derSequence(derOid(oid)))));
}

function generalName(random: Random): Uint8Array {
  const host = random.pick([
    'fuzz.example',
    'a.fuzz.example',
    '*.fuzz.example',
    '.fuzz.example',
    '',
    'FUZZ.example',
    'a_b',
  ]);
  return random.pick([
    derElement(0x82, encodeUtf8(host)),
    derElement(0x81, encodeUtf8(`a@${host}`)),
    derElement(0x81, encodeUtf8(host)),
    derElement(0x86, encodeUtf8(`https://${host}:1/x`)),
    derElement(0x86, encodeUtf8(host)),
    derElement(0x87, Uint8Array.of(10, 0, 0, 1)),
    derElement(0x87, Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0)),
    derElement(0xa4, nameDer(random.pick(['Leaf', 'CA 0', 'CA 1']))),
    derElement(0xa4, derSequence()),
  ]);
}

function alternativeNames(random: Random): Uint8Array {
  const names = Array.from({ length: 1 + random.below(4) }, () => generalName(random));
  return extension('2.5.29.17', random.chance(1, 2), derSequence(...names));
}

function nameConstraints(random: Random): Uint8Array {
  const trees = (): Uint8Array[] =>
    Array.from({ length: 1 + random.below(3) }, () => derSequence(generalName(random)));
  return derSequence(
    ...(random.chance(1, 2) ? [derElement(0xa0, ...trees())] : []),
    derElement(0xa1, ...trees()),
  );
}

function evidence(random: Random, issuers: readonly Person[]): readonly Uint8Array[] {
  return Array.from({ length: 1 + random.below(6) }, () => {
    const { name, key } = random.pick(issuers);
    if (random.chance(1, 3)) {
      const single = {
        issuer: name,
        issuerKey: key,
        serial: 1 + random.below(60),
        revoked: random.chance(1, 5),
      };
      return concat([encodeUtf8('o'), ocspDer([single], key)]);
    }
    const entries = Array.from({ length: random.below(5) }, () => ({
      serial: 1 + random.below(60),
      ...(random.chance(1, 2) && { reason: random.below(7) }),
    }));
    const list = crlDer({
      issuer: name,
      key,
      entries,
      indirect: random.chance(1, 5),
      number: random.below(9),
      ...(random.chance(1, 5) && { base: random.below(9) }),
    });
    return concat([encodeUtf8('c'), list]);
  });
}
