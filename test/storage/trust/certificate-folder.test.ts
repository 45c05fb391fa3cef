import { describe, expect, test } from 'vitest';
import { certificateFolder } from '../../../src/operations/glance/certificate-sources.ts';
import { codeOfAsync } from '../../factory/errors.ts';
import { rsaCertificate, UUID } from '../../factory/images.ts';
import { makeSandbox } from '../../factory/sandbox.ts';

describe('[glance.27] certificates in a folder', () => {
  test('are found by UUID, in either case, the first of a file counting', async () => {
    using sandbox = makeSandbox();
    const certificate = await rsaCertificate();
    const other = await rsaCertificate(3072);
    sandbox.write(`${UUID.toUpperCase()}.pem`, `a note\n${certificate.pem}${other.pem}`);
    const answer = await certificateFolder(sandbox.folder).find(UUID);
    expect(answer).toMatchObject({
      kind: 'found',
      certificate: { fingerprint: certificate.certificate.fingerprint },
    });
    expect(answer).toMatchObject({ others: [{ fingerprint: other.certificate.fingerprint }] });
  });

  test('in DER are read, with a warning that Glance does not', async () => {
    using sandbox = makeSandbox();
    sandbox.write(`${UUID}.pem`, (await rsaCertificate()).der);
    const answer = await certificateFolder(sandbox.folder).find(UUID);
    expect(answer).toMatchObject({ kind: 'found', warnings: [expect.stringContaining('DER')] });
  });

  test('are nobody’s when there is no such file, and no other file is looked at', async () => {
    using sandbox = makeSandbox();
    const { pem } = await rsaCertificate();
    sandbox.write('secret.pem', pem);
    const folder = certificateFolder(sandbox.path('.'));
    for (const uuid of [UUID, 'secret', '../secret', `x/../${UUID}`]) {
      expect(await folder.find(uuid)).toMatchObject({ kind: 'absent', error: { code: 'SIGNER_UNKNOWN' } });
    }
  });

  test.each([
    ['garbage', 'x'],
    ['half a block', '-----BEGIN CERTIFICATE-----\nAAAA\n'],
    ['a block of garbage', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
  ])('that are %s are refused', async (_, content) => {
    using sandbox = makeSandbox();
    const file = sandbox.write(`${UUID}.pem`, content);
    const answer = await certificateFolder(sandbox.folder).find(UUID);
    expect(answer).toMatchObject({
      kind: 'absent',
      error: { code: 'CERTIFICATE_MALFORMED', where: { file } },
    });
  });

  test('that are nowhere are told apart', async () => {
    using sandbox = makeSandbox();
    const file = sandbox.write('file', 'x');
    expect(await codeOfAsync(certificateFolder(sandbox.path('nowhere')).find(UUID))).toBe('FILE_NOT_FOUND');
    expect(await codeOfAsync(certificateFolder(file).find(UUID))).toBe('FILE_UNREADABLE');
  });
});
