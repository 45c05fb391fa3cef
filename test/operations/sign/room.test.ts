import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatResponse, parseResponse, type ResponseDocument } from '../../../src/formats/signing-room.ts';
import { decodeUtf8, encodeUtf8 } from '../../../src/kit/encoding.ts';
import { signPackage } from '../../../src/operations/sign/in-place/sign-package.ts';
import { answerSigningRequest, readSigningRequest } from '../../../src/operations/sign/room/answer.ts';
import { type AttachOptions, attachSignature } from '../../../src/operations/sign/room/attach.ts';
import { type PrepareOptions, prepareSigning } from '../../../src/operations/sign/room/prepare.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import type { SigningIdentity } from '../../../src/operations/sign/signing.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import {
  DISK,
  JUDGED_AT,
  makeBundle,
  makeMembers,
  signerUnder,
  testAuthority,
} from '../../factory/bundles.ts';
import { makeAuthority } from '../../factory/certificates.ts';
import { codeOfAsync } from '../../factory/errors.ts';
import { writePackage } from '../../factory/packages.ts';
import { identityOf, signingFiles } from '../../factory/packing.ts';
import { codesOf, valid } from '../../factory/reports.ts';
import { makeSandbox, type Sandbox, trusting } from '../../factory/sandbox.ts';
import { makeTimestampAuthority, makeTokenDer } from '../../factory/timestamps.ts';

/** The machine that has the bundle, and the one that has the key. */
interface Rooms extends Disposable {
  readonly outside: Sandbox;
  readonly inside: Sandbox;
}

function twoRooms(): Rooms {
  const [outside, inside] = [makeSandbox(), makeSandbox()];
  return {
    outside,
    inside,
    [Symbol.dispose]: () => {
      outside[Symbol.dispose]();
      inside[Symbol.dispose]();
    },
  };
}

/** Has a request written, carried, answered and carried back; gives the response. */
async function signedFor(
  { outside, inside }: Rooms,
  input: string,
  options: Partial<PrepareOptions> & { readonly identity?: SigningIdentity } = {},
): Promise<string> {
  const { identity = await identityOf(inside), ...asked } = options;
  const request = outside.path('request.json');
  valid(await prepareSigning(input, { output: request, overwrite: true, ...asked }));
  const read = await readSigningRequest(inside.write('request.json', readFileSync(request)));
  const output = inside.path('response.json');
  valid(await answerSigningRequest(read, { output, identity, overwrite: true }));
  return outside.write('response.json', readFileSync(output));
}

/** The bundle with a byte of its disk changed. */
function damaged(bundle: Uint8Array): Uint8Array {
  const place = Buffer.from(bundle).indexOf(DISK.bytes);
  return bundle.map((byte, at) => (at === place ? byte ^ 1 : byte));
}

const attaching = (response: string, output: string): AttachOptions => ({
  response,
  output,
  format: 'tar',
  at: JUDGED_AT,
});

describe('the signing room', () => {
  test.each([
    ['sha256', undefined],
    ['sha512', true],
    ['sha384', false],
  ] as const)(
    '[room.4] [room.6] makes what the key alone would have made: %s, CMS %s',
    async (digest, cms) => {
      using rooms = twoRooms();
      const { outside } = rooms;
      const input = outside.write('web.ova', await makeBundle({ signed: false }));
      const identity = await identityOf(rooms.inside);
      const how = { digest, ...(cms !== undefined && { cms }) };
      const response = await signedFor(rooms, input, { identity, ...how });
      valid(await attachSignature(input, attaching(response, outside.path('signed.ova'))));
      await sign(input, { output: outside.path('direct.ova'), format: 'tar', identity, ...how });
      expect(readFileSync(outside.path('signed.ova'))).toEqual(readFileSync(outside.path('direct.ova')));
      expect((await verify(outside.path('signed.ova'), await trusting(outside))).verdict).toBe('trusted');
    },
  );

  test('[room.1] [room.6] takes a package of files, with a manifest or without', async () => {
    for (const parts of [/\.cert$/, /\.(cert|mf)$/]) {
      using rooms = twoRooms();
      const members = (await makeMembers()).filter(({ name }) => !parts.test(name));
      const folder = writePackage(rooms.outside.path('web'), members);
      const direct = writePackage(rooms.outside.path('direct/web'), members);
      const identity = await identityOf(rooms.inside);
      const response = await signedFor(rooms, folder, { identity, digest: 'sha384' });
      valid(await attachSignature(folder, { response, at: JUDGED_AT }));
      valid(await signPackage(direct, { identity, digest: 'sha384' }));
      const listed = (prefix: string) =>
        rooms.outside
          .list()
          .filter((name) => name.startsWith(prefix) && !name.endsWith('/'))
          .map((name) => [name.slice(prefix.length), readFileSync(rooms.outside.path(name), 'latin1')]);
      expect(listed('web/')).toEqual(listed('direct/web/'));
      expect((await verify(folder, await trusting(rooms.outside))).verdict).toBe('trusted');
    }
  });

  test('[room.6] completes an archive where it lies, the file behind a link, and replaces a signature when asked', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const input = outside.write('web.ova', await makeBundle({ signed: false }));
    const link = outside.path('link.ova');
    symlinkSync(input, link);
    const response = await signedFor(rooms, link);
    const how = { response, format: 'tar', at: JUDGED_AT } as const;
    const report = valid(await attachSignature(link, how));
    expect(report.result).toMatchObject({ output: link });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect((await verify(input, await trusting(outside))).verdict).toBe('trusted');
    const signed = readFileSync(input);
    expect(await codeOfAsync(attachSignature(link, how))).toBe('DESTINATION_EXISTS');
    expect(readFileSync(input)).toEqual(signed);
    valid(await attachSignature(link, { ...how, overwrite: true }));
    expect(readFileSync(input)).toEqual(signed);
    expect(await codeOfAsync(attachSignature('-', how))).toBe('USAGE');
  });

  test('[room.6] has its timestamp from an authority when it is attached', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const authority = await makeTimestampAuthority(await makeAuthority({ subject: 'CN=Time Root,O=Time' }));
    const timestamp = async (over: Uint8Array) => makeTokenDer({ over, authority, time: JUDGED_AT });
    for (const cms of [true, false]) {
      const input = outside.write('web.ova', await makeBundle({ signed: false }));
      const response = await signedFor(rooms, input, { cms });
      const output = outside.path(`signed-${cms}.ova`);
      const report = valid(await attachSignature(input, { ...attaching(response, output), timestamp }));
      expect(report.result).toMatchObject({ timestamped: true });
      const { report: seen } = await verify(output, await trusting(outside));
      expect(seen.trusted).toBe(true);
      expect(JSON.stringify(seen)).toContain('Time');
    }
  });

  test('[room.1] asks for nothing that an importer would refuse', async () => {
    using outside = makeSandbox();
    const good = await makeBundle({ signed: false });
    const report = await prepareSigning(outside.write('web.ova', damaged(good)), {
      output: outside.path('request.json'),
    });
    expect(codesOf(report)).toEqual(['DIGEST_MISMATCH']);
    expect(outside.list()).toEqual(['web.ova']);
  });

  test('[room.3] tells what is signed from what is only said', async () => {
    using outside = makeSandbox();
    const output = outside.path('request.json');
    await prepareSigning(outside.write('web.ova', await makeBundle({ signed: false })), { output });
    const { files, about, manifest } = await readSigningRequest(output);
    expect(manifest).toBe('app.mf');
    expect(files.map(({ name }) => name)).toEqual(
      (await makeMembers()).map(({ name }) => name).filter((name) => !/\.(mf|cert)$/.test(name)),
    );
    expect(about.some((one) => /: \d+ bytes$/.test(one))).toBe(true);
  });

  test.each([
    [
      'the manifest',
      (text: string) => text.replace(/(\(disk\.img\)= )(.)/, (_, a, b) => `${a}${b === '0' ? '1' : '0'}`),
    ],
    ['the digest', (text: string) => text.replace(/sha256:(.)/, (_, b) => `sha256:${b === '0' ? '1' : '0'}`)],
    ['the algorithm', (text: string) => text.replace('"sha256:', '"sha512:')],
  ])('[room.2] refuses a request whose parts do not belong together: %s', async (_, change) => {
    using outside = makeSandbox();
    const output = outside.path('request.json');
    await prepareSigning(outside.write('web.ova', await makeBundle({ signed: false })), { output });
    const text = readFileSync(output, 'utf8');
    expect(change(text)).not.toBe(text);
    writeFileSync(output, change(text));
    expect(await codeOfAsync(readSigningRequest(output))).toBe('USAGE');
  });

  test('[room.4] is refused by another key than the one that is asked for', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const stranger = await signerUnder(await testAuthority(), { key: 'p256' });
    const input = outside.write('web.ova', await makeBundle({ signed: false }));
    const { certificate } = signingFiles(outside, stranger);
    expect(await codeOfAsync(signedFor(rooms, input, { certificate }))).toBe('KEY_MISMATCH');
    expect(rooms.inside.list()).not.toContain('response.json');
    const response = await signedFor(rooms, input);
    const attached = attachSignature(input, { ...attaching(response, outside.path('out.ova')), certificate });
    expect(await codeOfAsync(attached)).toBe('SIGNATURE_INVALID');
    expect(outside.list()).not.toContain('out.ova');
  });
});

describe('a response that does not fit', () => {
  type Change = (response: ResponseDocument, other: ResponseDocument) => ResponseDocument;
  const edited =
    (change: (text: string, other: string) => string): Change =>
    (response, other) => {
      const [text, another] = [response, other].map((one) => decodeUtf8(one.certificateFile) ?? '');
      return { ...response, certificateFile: encodeUtf8(change(text ?? '', another ?? '')) };
    };
  const certificateIn = (text: string): string => text.slice(text.indexOf('-----BEGIN'));

  test.each<readonly [string, Change, string]>([
    ['of another bundle', (_, other) => other, 'SIGNATURE_INVALID'],
    [
      'of another bundle, called this one',
      ({ digest }, other) => ({ ...other, digest }),
      'SIGNATURE_INVALID',
    ],
    ['of another manifest name', (one) => ({ ...one, manifest: 'other.mf' }), 'SIGNATURE_INVALID'],
    [
      'of another algorithm',
      (one) => ({ ...one, digest: { ...one.digest, algorithm: 'sha512' } }),
      'SIGNATURE_INVALID',
    ],
    [
      'whose certificate is of another key',
      edited((text, other) => text.replace(certificateIn(text), certificateIn(other))),
      'SIGNATURE_INVALID',
    ],
    ['that says it has a CMS signature', (one) => ({ ...one, cms: true }), 'SIGNATURE_INVALID'],
    ['with blanks', edited((text) => text.replace(')= ', ')=  ')), 'SIGNATURE_INVALID'],
    [
      'over another digest than it says',
      edited((text) => text.replace('SHA256', 'SHA512')),
      'SIGNATURE_INVALID',
    ],
    [
      'that has no certificate',
      edited((text) => text.replace(certificateIn(text), '')),
      'CERTIFICATE_FILE_SYNTAX',
    ],
    ['that has nothing', edited(() => ''), 'CERTIFICATE_FILE_SYNTAX'],
  ])('[room.5] is refused, and nothing written: %s', async (_, change, code) => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const input = outside.write('web.ova', await makeBundle({ signed: false }));
    const elsewhere = outside.write('other.ova', await makeBundle({ signed: false, algorithm: 'sha512' }));
    const stranger = await signerUnder(await testAuthority(), { key: 'p256' });
    const mine = await signedFor(rooms, input).then((file) => parseResponse(readFileSync(file)));
    const identity = await identityOf(rooms.inside, stranger);
    const theirs = await signedFor(rooms, elsewhere, { identity }).then((file) =>
      parseResponse(readFileSync(file)),
    );
    const response = outside.write('changed.json', formatResponse(change(mine, theirs)));
    const before = readFileSync(input);
    const attached = attachSignature(input, { response, format: 'tar', at: JUDGED_AT });
    expect(await codeOfAsync(attached)).toBe(code);
    expect(readFileSync(input)).toEqual(before);
  });

  test('[room.5] is refused when importers would not take its certificate, or another digest is asked for', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const input = outside.write('web.ova', await makeBundle({ signed: false }));
    const response = await signedFor(rooms, input);
    const how = attaching(response, outside.path('out.ova'));
    const late = attachSignature(input, { ...how, at: new Date('2060-01-01') });
    expect(await codeOfAsync(late)).toBe('CERTIFICATE_EXPIRED');
    expect(await codeOfAsync(attachSignature(input, { ...how, digest: 'sha512' }))).toBe('SIGNATURE_INVALID');
    expect(outside.list()).not.toContain('out.ova');
  });

  test('[room.6] is not attached to a bundle that was damaged since', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const good = await makeBundle({ signed: false });
    const input = outside.write('web.ova', good);
    const response = await signedFor(rooms, input);
    writeFileSync(input, damaged(good));
    const report = await attachSignature(input, { response, format: 'tar', at: JUDGED_AT });
    expect(codesOf(report)).toEqual(['DIGEST_MISMATCH']);
    expect(readFileSync(input)).toEqual(Buffer.from(damaged(good)));
  });
});
