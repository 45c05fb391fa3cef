import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { OCSP_RESPONSE } from '../../../src/formats/cms/signed-data.ts';
import { derElement, derOid } from '../../../src/formats/der/writer.ts';
import { formatPem } from '../../../src/formats/pem.ts';
import { concat, equalBytes } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { isBundleError } from '../../../src/kit/errors/errors.ts';
import type { VerifyOptions } from '../../../src/operations/verify/options.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import type { RevocationMode } from '../../../src/trust/publisher.ts';
import {
  archiveOf,
  DISK,
  descriptorFor,
  JUDGED_AT,
  makeMembers,
  type NamedBytes,
  signerUnder,
} from '../../factory/bundles.ts';
import { makeAuthority, makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { makeCms } from '../../factory/cms.ts';
import { makeCrlDer, pointValue, unknownCritical } from '../../factory/crls.ts';
import { importHere, left } from '../../factory/importing.ts';
import { makeOcspDer, NO_CHECK, unknownAnswerExtension } from '../../factory/ocsp.ts';
import { codesOf } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox } from '../../factory/sandbox.ts';
import { chunked } from '../../factory/streams.ts';

type Kind = 'crl' | 'ocsp';
type Says = 'good' | 'revoked' | 'hold';
type Mode = Exclude<RevocationMode, 'off'>;

const WAYS = ['given', 'trust folder', 'unlisted', 'listed', 'in the CMS signature'] as const;
type Way = (typeof WAYS)[number];

/** What is true of a piece of evidence by the way it was made. What must come of it follows from this alone. */
interface Facts {
  /** the key of the signer's issuer has signed it, or a responder that this has named for it */
  readonly genuine: boolean;
  /** about the signer's certificate, and not about another of that issuer */
  readonly about: boolean;
  /** nothing in it forbids its use: a signer that may sign, a digest that is accepted, extensions that are known */
  readonly usable: boolean;
  /** neither over nor yet to come */
  readonly fresh: boolean;
  /** of somebody who is known not to be revoked himself, which counts where proof is demanded [ocsp.5] */
  readonly sure: boolean;
  /** says something of everybody it is about, and not only what has changed */
  readonly whole: boolean;
  /** nothing but itself in its file */
  readonly pure: boolean;
  /** says, truly or not, that it is of the issuer of the signer, for certificates like the signer's */
  readonly named: boolean;
}

const PLAIN: Facts = {
  genuine: true,
  about: true,
  usable: true,
  fresh: true,
  sure: true,
  whole: true,
  pure: true,
  named: true,
};

/** One way of being made otherwise than right: what is then not so, and how each kind is made. */
interface Flaw {
  readonly not?: Partial<Facts>;
  readonly crl?: () => Partial<Parameters<typeof makeCrlDer>[0]>;
  readonly ocsp?: () => Partial<Parameters<typeof makeOcspDer>[0]>;
  /** of each answer */
  readonly answer?: () => Partial<Parameters<typeof makeOcspDer>[0]['answers'][number]>;
  /** of the finished file */
  readonly file?: (der: Uint8Array) => Uint8Array;
}

const HOUR = 3_600_000;
const OLD = new Date(+JUDGED_AT - 50 * HOUR);
const OVER = new Date(+JUDGED_AT - HOUR);
const LATER = new Date(+JUDGED_AT + HOUR);

let root: TestCertificate;
let signer: TestCertificate;
let other: TestCertificate;
/** of the root's name, with a key of its own */
let sibling: TestCertificate;
/** trusted as the root is, and not allowed to sign lists */
let mute: TestCertificate;
let signerOfMute: TestCertificate;
let stranger: TestCertificate;
/** under the root, for lists of its own */
let listSigner: TestCertificate;
let responders: Readonly<Record<'free' | 'unknown' | 'over' | 'unnamed' | 'ofSibling', TestCertificate>>;

beforeAll(async () => {
  const names = { subject: 'CN=Grid CA,O=Grid', key: 'p256' } as const;
  root = await makeAuthority(names);
  sibling = await makeAuthority({ ...names, key: 'p384' });
  mute = await makeAuthority({ ...names, subject: 'CN=Mute CA,O=Grid', keyUsage: ['keyCertSign'] });
  stranger = await makeAuthority({ subject: 'CN=Stranger' });
  const leaf = { subject: 'CN=Grid Release,O=Grid', key: 'p256' } as const;
  signer = await signerUnder(root, leaf);
  other = await signerUnder(root, leaf);
  signerOfMute = await signerUnder(mute, leaf);
  listSigner = await makeAuthority({ subject: 'CN=Lists,O=Grid', issuer: root, keyUsage: ['cRLSign'] });
  const responder = (issuer: TestCertificate, more: Parameters<typeof makeCertificate>[0] = {}) =>
    makeCertificate({
      subject: 'CN=Responder',
      issuer,
      keyUsage: ['digitalSignature'],
      eku: [OCSP_SIGNING],
      ...more,
    });
  responders = {
    free: await responder(root, { extensions: [NO_CHECK] }),
    unknown: await responder(root),
    over: await responder(root, { extensions: [NO_CHECK], notAfter: OVER }),
    unnamed: await responder(root, { extensions: [NO_CHECK], eku: ['1.3.6.1.5.5.7.3.3'] }),
    ofSibling: await responder(sibling, { extensions: [NO_CHECK] }),
  };
});

const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const by = (name: keyof typeof responders) => () => ({
  signer: responders[name],
  certificates: [responders[name]],
});

const FLAWS: Readonly<Record<string, Flaw>> = {
  none: { crl: () => ({}), ocsp: () => ({}) },
  'over by now': {
    not: { fresh: false },
    crl: () => ({ thisUpdate: OLD, nextUpdate: OVER }),
    answer: () => ({ thisUpdate: OLD, nextUpdate: OVER }),
  },
  'yet to come': {
    not: { fresh: false },
    crl: () => ({ thisUpdate: LATER }),
    answer: () => ({ thisUpdate: LATER }),
  },
  'of a stranger': {
    not: { genuine: false, named: false },
    crl: () => ({ issuer: stranger }),
    ocsp: () => ({ issuer: stranger }),
  },
  "of a stranger, in the issuer's name": {
    not: { genuine: false },
    crl: () => ({ signer: stranger }),
    ocsp: () => ({ signer: stranger, certificates: [stranger] }),
  },
  'of another CA with the same name': {
    not: { genuine: false },
    crl: () => ({ issuer: sibling }),
    ocsp: () => ({ issuer: sibling }),
  },
  "with the signer's own key": {
    not: { genuine: false },
    crl: () => ({ signer }),
    ocsp: () => ({ signer, certificates: [signer] }),
  },
  'of an issuer without cRLSign': { not: { usable: false }, crl: () => ({ issuer: mute }) },
  'of a responder': { ocsp: by('free') },
  'of a responder of whom nothing is known': { not: { sure: false }, ocsp: by('unknown') },
  'of a responder whose time is over': { not: { usable: false }, ocsp: by('over') },
  'of a responder that is none': { not: { genuine: false }, ocsp: by('unnamed') },
  "of a responder of the issuer's namesake": { not: { genuine: false }, ocsp: by('ofSibling') },
  'about another': { not: { about: false }, crl: () => ({}), ocsp: () => ({}) },
  'of changes only': { not: { whole: false }, crl: () => ({ base: 1, number: 2 }) },
  'with a critical extension': {
    not: { usable: false },
    crl: () => ({ extensions: [unknownCritical()] }),
    answer: () => ({ extensions: [unknownAnswerExtension()] }),
  },
  'over SHA-1': {
    not: { usable: false },
    crl: () => ({ digest: 'sha1' }),
    ocsp: () => ({ digest: 'sha1' }),
  },
  indirect: { crl: () => ({ point: pointValue({ indirect: true }) }) },
  'indirect, of an issuer that the certificate does not name': {
    not: { genuine: false, named: false },
    crl: () => ({ issuer: listSigner, point: pointValue({ indirect: true }) }),
  },
  'of authorities only': {
    not: { usable: false }, // [rev.14] what names the certificate is a doubt, though it is not for such
    crl: () => ({ point: pointValue({ onlyAuthorities: true }) }),
  },
  'with bytes behind it': {
    not: { pure: false },
    crl: () => ({}),
    ocsp: () => ({}),
    file: (der) => concat([der, encodeUtf8('#!/bin/sh\n')]),
  },
  'behind a text': {
    not: { pure: false },
    crl: () => ({}),
    ocsp: () => ({}),
    file: (der) => encodeUtf8(`#!/bin/sh\n${formatPem('X509 CRL', der)}`),
  },
};

/** A piece of evidence, and how it comes. */
interface Piece {
  readonly kind: Kind;
  readonly flaw: string;
  readonly says: Says;
  readonly way: Way;
}

function flawOf({ flaw }: Piece): Flaw {
  const found = FLAWS[flaw];
  if (!found) throw new Error(`no such flaw: ${flaw}`);
  return found;
}

function factsOf(piece: Piece): Facts {
  return { ...PLAIN, ...flawOf(piece).not };
}

const isMute = ({ flaw }: Piece): boolean => flaw === 'of an issuer without cRLSign';

/** The file. `issuer` and whom it is about are the grid's; the flaw changes what it must. */
function bytesOf(piece: Piece): Uint8Array {
  const { kind, says } = piece;
  const flaw = flawOf(piece);
  const subject = isMute(piece) ? signerOfMute : factsOf(piece).about ? signer : other;
  const reason = says === 'hold' ? 6 : 1;
  const file = flaw.file ?? ((der: Uint8Array) => der);
  if (kind === 'crl') {
    const revoked = says === 'good' ? [] : [{ certificate: subject, reason }];
    return file(makeCrlDer({ issuer: root, revoked, ...flaw.crl?.() }));
  }
  const answer = { certificate: subject, status: says === 'good' ? 'good' : 'revoked', reason } as const;
  return file(makeOcspDer({ issuer: root, answers: [{ ...answer, ...flaw.answer?.() }], ...flaw.ocsp?.() }));
}

/** Whether two are the same bytes. */
function isAlike(one: Piece, other: Piece): boolean {
  return equalBytes(bytesOf(one), bytesOf(other));
}

/** Whether the one who signed the signer's certificate says that it is revoked. */
function isRevoking(piece: Piece): boolean {
  const { genuine, about } = factsOf(piece);
  return genuine && about && piece.says !== 'good';
}

/** Whether it shows that the signer is not revoked: a list does by saying nothing of it. */
function isClearing(piece: Piece, mode: Mode): boolean {
  const { genuine, about, usable, fresh, sure, whole } = factsOf(piece);
  const speaks = piece.kind === 'crl' ? piece.says === 'good' || !about : piece.says === 'good' && about;
  return genuine && usable && fresh && (sure || mode !== 'require') && whole && speaks;
}

const OLDER = 'over by now';
const isInForce = (piece: Piece): boolean => {
  const { genuine, usable, fresh } = factsOf(piece);
  return genuine && usable && fresh;
};

/** A list that is over says what it says as of the time of the newest changes to it. [crl.8] */
function isRenewed({ kind, flaw, says }: Piece, pieces: readonly Piece[]): boolean {
  const isChange = (one: Piece): boolean => !factsOf(one).whole && isInForce(one);
  return kind === 'crl' && flaw === OLDER && says === 'good' && pieces.some(isChange);
}

/** Whether what is newer, and right in everything, takes it back: by evidence of the same kind and scope. [rev.5] */
function isTakenBack(piece: Piece, pieces: readonly Piece[], mode: Mode): boolean {
  const isNewer = (one: Piece): boolean =>
    one.kind === piece.kind && (one.kind === 'ocsp' || one.flaw !== 'indirect') && isClearing(one, mode);
  return piece.flaw === OLDER && pieces.some(isNewer);
}

/** Whether the signer's path answers for it: who may say so has signed it, about a certificate on the path. */
function isVouchedFor(piece: Piece): boolean {
  const { genuine, about, usable } = factsOf(piece);
  return genuine && usable && (piece.kind === 'crl' || about);
}

/** Text around PEM is the user's own affair; in a bundle there is no room for it, and OCSP has no PEM. [crl.12] */
function isUnreadable(piece: Piece): boolean {
  const isOwn = piece.way === 'given' || piece.way === 'trust folder';
  return !factsOf(piece).pure && !(isOwn && piece.kind === 'crl' && piece.flaw === 'behind a text');
}

/** By what the signer is believed; the pin beside the issuer's certificate, which may so speak of it. */
const TRUSTS = ['anchor', 'publisher', 'pin'] as const;
type Trust = (typeof TRUSTS)[number];

/** How a bundle is judged. */
interface How {
  readonly mode: Mode;
  readonly trust: Trust;
}

/** What must be said of a bundle that comes with these; nothing: it is trusted. This is the whole rule. */
function codesFor(pieces: readonly Piece[], { mode, trust }: How): readonly (readonly string[])[] {
  if (pieces.some(isUnreadable)) return [['REVOCATION_MALFORMED', 'CMS_SYNTAX']];
  const revoking = pieces.filter((one) => isRevoking(one) && !isTakenBack(one, pieces, mode));
  const isCleared = pieces.some((one) => isClearing(one, mode) || isRenewed(one, pieces));
  const found: (readonly string[])[] = [];
  // [rev.3] [rev.14] nothing that is of the same time takes back what the issuer says
  if (revoking.some((one) => factsOf(one).usable)) found.push(['CERTIFICATE_REVOKED']);
  else if (revoking.length > 0) found.push(['REVOCATION_UNKNOWN']);
  else if (!isCleared) {
    // [rev.11] what nobody above it vouches for may have been revoked by whom nobody knows
    const isClaimed = pieces.some((one) => factsOf(one).named && factsOf(one).about && one.says !== 'good');
    if (mode === 'require' || (trust === 'pin' && isClaimed)) found.push(['REVOCATION_UNKNOWN']);
  }
  // [bundle.6] asked of a signer who is trusted
  if (found.length === 0 && pieces.some((one) => one.way === 'unlisted' && !isVouchedFor(one)))
    found.push(['FILE_UNLISTED']);
  return found;
}

/** The bundle and the options that bring the pieces along. */
async function arrange(
  pieces: readonly Piece[],
  { mode, trust }: How,
  sandbox: Sandbox,
): Promise<{ readonly bytes: Uint8Array; readonly options: VerifyOptions }> {
  const named = pieces.map((piece, i) => ({ piece, name: `${i}.${piece.kind}`, bytes: bytesOf(piece) }));
  const comes = (way: Way) => named.filter(({ piece }) => piece.way === way);
  const inBundle = (way: Way): readonly NamedBytes[] =>
    comes(way).map(({ name, bytes }) => ({ name: `revocation/${name}`, bytes }));
  const files = (kind: Kind): readonly string[] =>
    comes('given').flatMap(({ piece, name, bytes }) =>
      piece.kind === kind ? sandbox.write(name, bytes) : [],
    );
  for (const { name, bytes } of comes('trust folder')) sandbox.write(`home-folder/revocation/${name}`, bytes);
  const folder = trust === 'publisher' ? 'home-folder/publishers/grid' : 'anchors';
  const anchors = [root, mute].map(({ pem }, i) => sandbox.write(`${folder}/${i}.pem`, pem));
  if (trust === 'publisher') sandbox.write(`${folder}/publisher.toml`, 'name = "grid"\n');
  const who = pieces.some(isMute) ? signerOfMute : signer;
  const pins = [`sha256:${who.certificate.spkiSha256}`];
  const members = await makeMembers({
    files: [descriptorFor('app.ovf', [DISK, ...inBundle('listed')]), DISK, ...inBundle('listed')],
    signed: { signer: who },
    members: (all) => [...all, ...inBundle('unlisted')],
  });
  const content = members.find(({ name }) => name === 'app.mf')?.bytes ?? new Uint8Array();
  const embedded = comes('in the CMS signature').map(({ piece, bytes }) =>
    piece.kind === 'crl' ? bytes : derElement(0xa1, derOid(OCSP_RESPONSE), bytes),
  );
  const cms = formatPem('CMS', makeCms({ content, signers: [{ by: who }], crls: embedded }));
  const withCms = members.map((one) =>
    one.name === 'app.cert' && embedded.length > 0
      ? { ...one, bytes: concat([one.bytes, encodeUtf8(cms)]) }
      : one,
  );
  return {
    bytes: await archiveOf(withCms),
    options: {
      trust: {
        ...(trust !== 'publisher' && { anchors }),
        ...(trust === 'pin' && { pins }),
        folders: [sandbox.path('home-folder')],
      },
      revocation: { mode, crls: files('crl'), ocsps: files('ocsp') },
      remember: false,
      at: JUDGED_AT,
    },
  };
}

/** The codes of an outcome, whether it is a report or what stops it. */
async function outcomeOf(run: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await run();
  } catch (error) {
    if (isBundleError(error)) return [error.code];
    throw error;
  }
}

async function expectRule(pieces: readonly Piece[], how: How): Promise<void> {
  using sandbox = makeSandbox();
  const expected = codesFor(pieces, how);
  const { bytes, options } = await arrange(pieces, how, sandbox);
  const codes = await outcomeOf(async () => {
    const { verdict, report } = await verify(chunked(bytes), options);
    expect(verdict === 'trusted').toBe(report.errors.length === 0);
    return codesOf(report);
  });
  const label = `${JSON.stringify(how)}: ${pieces.map((one) => JSON.stringify(one)).join(' + ')}`;
  for (const any of expected)
    expect(
      any.some((code) => codes.includes(code)),
      `${label}: ${codes} and not ${any}`,
    ).toBe(true);
  for (const code of codes) expect(expected.flat(), label).toContain(code);
  if (expected.length > 0 || pieces.every(({ way }) => way === 'given' || way === 'trust folder')) return;

  // what is published is what somebody answers for
  const imported = await outcomeOf(async () =>
    codesOf((await importHere(sandbox, chunked(bytes), options)).report),
  );
  expect(imported, label).toEqual([]);
  const published = left(sandbox).join();
  for (const [i, piece] of pieces.entries()) {
    const isThere = published.includes(`revocation/${i}.`);
    // [bundle.11] once
    const isAgain = pieces.slice(0, i).some((one) => one.way === 'unlisted' && isAlike(one, piece));
    expect(isThere, label).toBe(piece.way === 'listed' || (piece.way === 'unlisted' && !isAgain));
  }
}

const KINDS: readonly Kind[] = ['crl', 'ocsp'];
const SAYS: readonly Says[] = ['good', 'revoked', 'hold'];
const MODES: Readonly<Record<Says, readonly Mode[]>> = {
  good: ['if-present', 'require'],
  revoked: ['require'], // and nothing else may clear
  hold: ['if-present'],
};

function isMade(kind: Kind, flaw: string): boolean {
  const { crl, ocsp, answer } = FLAWS[flaw] ?? {};
  return kind === 'crl' ? crl !== undefined : (ocsp ?? answer) !== undefined;
}

const ALL: readonly Piece[] = KINDS.flatMap((kind) =>
  Object.keys(FLAWS)
    .filter((flaw) => isMade(kind, flaw))
    .flatMap((flaw) => SAYS.flatMap((says) => WAYS.map((way): Piece => ({ kind, flaw, says, way })))),
);

describe('evidence of every kind, by every way', () => {
  test.each(WAYS)(
    '[rev.3] [rev.14] [bundle.6] revokes when it is genuine, and clears only when all is right: %s',
    async (way) => {
      for (const piece of ALL.filter((one) => one.way === way))
        for (const mode of MODES[piece.says]) await expectRule([piece], { mode, trust: 'anchor' });
    },
  );

  test('[rev.3] [rev.11] [bundle.6] several together hide nothing of each other, whoever is trusted', async () => {
    const together = ALL.filter((one) => !isMute(one));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...together), { minLength: 1, maxLength: 4 }),
        fc.record({
          mode: fc.constantFrom<Mode>('if-present', 'require'),
          trust: fc.constantFrom(...TRUSTS),
        }),
        expectRule,
      ),
      {
        numRuns: 60,
        seed: 1, // the same each time: other ones are for who looks for more
        // was passed over where only a pin is trusted
        examples: [
          [
            [{ kind: 'crl', flaw: 'of authorities only', says: 'revoked', way: 'listed' }],
            { mode: 'if-present', trust: 'pin' },
          ],
        ],
      },
    );
  });
});
