import { chmodSync, lstatSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatResponse, parseResponse, type ResponseDocument } from '../../../src/formats/signing-room.ts';
import { decodeUtf8, encodeUtf8 } from '../../../src/kit/encoding.ts';
import { BundleError } from '../../../src/kit/errors/errors.ts';
import { signPackage } from '../../../src/operations/sign/in-place/sign-package.ts';
import { answerSigningRequest, readSigningRequest } from '../../../src/operations/sign/room/answer.ts';
import {
  type AttachOptions,
  attachSignature,
  readSigningResponse,
} from '../../../src/operations/sign/room/attach.ts';
import { type PrepareOptions, prepareSigning } from '../../../src/operations/sign/room/prepare.ts';
import { sign } from '../../../src/operations/sign/sign.ts';
import type { SigningIdentity } from '../../../src/operations/sign/signing.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import {
  DISK,
  JUDGED_AT,
  makeBundle,
  makeMembers,
  type NamedBytes,
  signerUnder,
  testAuthority,
  testSigner,
  textFile,
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

/** Attaches what is in a file. */
async function attach(input: string, response: string, options: AttachOptions = {}) {
  return attachSignature(input, await readSigningResponse(response), { at: JUDGED_AT, ...options });
}

const to = (output: string): AttachOptions => ({ output, format: 'tar' });

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
      valid(await attach(input, response, to(outside.path('signed.ova'))));
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
      valid(await attach(folder, response));
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
    const report = valid(await attach(link, response));
    expect(report.result).toMatchObject({ output: input });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect((await verify(input, await trusting(outside))).verdict).toBe('trusted');
    const signed = readFileSync(input);
    expect(await codeOfAsync(attach(link, response))).toBe('DESTINATION_EXISTS');
    expect(readFileSync(input)).toEqual(signed);
    valid(await attach(link, response, { overwrite: true }));
    expect(readFileSync(input)).toEqual(signed);
    expect(await codeOfAsync(attach('-', response))).toBe('USAGE');
  });

  test('[room.6] leaves to a bundle that is completed where it lies its container and its mode', async () => {
    using rooms = twoRooms();
    const input = rooms.outside.write('odd.ova', await makeBundle({ signed: false, gzip: true }));
    chmodSync(input, 0o600);
    const report = valid(await attach(input, await signedFor(rooms, input)));
    expect(report.result).toMatchObject({ format: 'tgz' });
    expect([...readFileSync(input).subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect(lstatSync(input).mode & 0o777).toBe(0o600);
  });

  test('[room.6] replaces no timestamp unasked, and tells damage first', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const unsigned = { signed: false } as const;
    const stamped = (members: readonly NamedBytes[]) => [...members, textFile('app.tst', 'a timestamp')];
    const input = outside.write('web.ova', await makeBundle({ ...unsigned, members: stamped }));
    const response = await signedFor(rooms, input);
    expect(await codeOfAsync(attach(input, response))).toBe('DESTINATION_EXISTS');
    writeFileSync(input, damaged(readFileSync(input)));
    expect(codesOf(await attach(input, response))).toEqual(['DIGEST_MISMATCH']);
  });

  test('[room.6] is not attached in place of a file that was changed while it was written', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const input = outside.write('web.ova', await makeBundle({ signed: false }));
    const response = await signedFor(rooms, input);
    const timestamp = async (): Promise<Uint8Array> => {
      outside.write('new.ova', 'another');
      renameSync(outside.path('new.ova'), input);
      throw new BundleError('REMOTE_FAILED', 'too late');
    };
    expect(await codeOfAsync(attach(input, response, { timestamp }))).toBe('REMOTE_FAILED');
    expect(readFileSync(input, 'utf8')).toBe('another');
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
      const report = valid(await attach(input, response, { ...to(output), timestamp }));
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

  test('[room.1] [room.4] names the signer of a file that has a whole chain, and is answered within a time', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const { pem } = await testAuthority();
    const input = outside.write('web.ova', await makeBundle({ signed: false }));
    const { certificate } = signingFiles(outside, await testSigner());
    const chain = outside.write('chain.pem', `${pem}${readFileSync(certificate, 'utf8')}`);
    const response = await signedFor(rooms, input, { certificate: chain });
    valid(await attach(input, response, { ...to(outside.path('out.ova')), certificate: chain }));

    const request = await readSigningRequest(outside.path('request.json'));
    const own = await identityOf(rooms.inside);
    const never = {
      ...own.signer,
      open: () => ({ update: () => {}, finish: () => new Promise<never>(() => {}) }),
    };
    const answered = answerSigningRequest(request, {
      identity: { ...own, signer: never },
      output: outside.path('late.json'),
      deadlineMs: 50,
    });
    expect(await codeOfAsync(answered)).toBe('INPUT_STALLED');
    expect(outside.list()).not.toContain('late.json');
  });

  test('[room.5] is refused when its certificate is another of the same key', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const input = outside.write('web.ova', await makeBundle({ signed: false }));
    const other = await makeAuthority({ subject: 'CN=Other CA', key: 'p384' });
    const own = await testSigner();
    const twin = await signerUnder(other, { spki: own.certificate.publicKey.spki, key: 'rsa2048' });
    const { certificate } = signingFiles(outside, own);
    const response = await signedFor(rooms, input, { certificate });
    const written = parseResponse(readFileSync(response));
    const text = decodeUtf8(written.certificateFile) ?? '';
    const swapped = `${text.slice(0, text.indexOf('-----BEGIN'))}${twin.pem}`;
    for (const signer of [written.signer, undefined]) {
      const { signer: _, ...rest } = written;
      const file = outside.write(
        'swapped.json',
        formatResponse({
          ...rest,
          ...(signer !== undefined && { signer }),
          certificateFile: encodeUtf8(swapped),
        }),
      );
      expect(await codeOfAsync(attach(input, file, { certificate }))).toBe('SIGNATURE_INVALID');
      if (signer) expect(await codeOfAsync(attach(input, file))).toBe('SIGNATURE_INVALID');
    }
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
    const attached = attach(input, response, { ...to(outside.path('out.ova')), certificate });
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
    ['asked of another certificate', (one) => ({ ...one, signer: 'ab'.repeat(32) }), 'SIGNATURE_INVALID'],
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
    const attached = attach(input, response);
    expect(await codeOfAsync(attached)).toBe(code);
    expect(readFileSync(input)).toEqual(before);
  });

  test('[room.5] is refused when importers would not take its certificate, or another digest is asked for', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const input = outside.write('web.ova', await makeBundle({ signed: false }));
    const response = await signedFor(rooms, input);
    const how = to(outside.path('out.ova'));
    const late = attach(input, response, { ...how, at: new Date('2060-01-01') });
    expect(await codeOfAsync(late)).toBe('CERTIFICATE_EXPIRED');
    expect(await codeOfAsync(attach(input, response, { ...how, digest: 'sha512' }))).toBe(
      'SIGNATURE_INVALID',
    );
    expect(outside.list()).not.toContain('out.ova');
  });

  test('[room.6] is not attached to a bundle that was damaged since', async () => {
    using rooms = twoRooms();
    const { outside } = rooms;
    const good = await makeBundle({ signed: false });
    const input = outside.write('web.ova', good);
    const response = await signedFor(rooms, input);
    writeFileSync(input, damaged(good));
    const report = await attach(input, response);
    expect(codesOf(report)).toEqual(['DIGEST_MISMATCH']);
    expect(readFileSync(input)).toEqual(Buffer.from(damaged(good)));
  });
});
