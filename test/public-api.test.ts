import { expect, test } from 'vitest';
import * as library from '../src/index.ts';

test('the library gives these, and nothing else', () => {
  const kinds = Object.entries(library).map(([name, value]) => `${name}: ${typeof value}`);
  expect(kinds.sort()).toMatchInlineSnapshot(`
    [
      "BundleError: function",
      "DEFAULT_LIMITS: object",
      "RELAXATIONS: object",
      "answerSigningRequest: function",
      "attachSignature: function",
      "authorityAt: function",
      "barbicanCertificates: function",
      "certificateFolder: function",
      "checkPath: function",
      "diff: function",
      "formatProperties: function",
      "importBundle: function",
      "inspect: function",
      "isBundleError: function",
      "join: function",
      "keyManagerCertificates: function",
      "loadImageSigner: function",
      "loadSigningIdentity: function",
      "namedProperties: function",
      "normalize: function",
      "openImage: function",
      "openKeyManager: function",
      "pack: function",
      "parseProperties: function",
      "prepareSigning: function",
      "readSigningRequest: function",
      "readSigningResponse: function",
      "repack: function",
      "replyIn: function",
      "sign: function",
      "signFile: function",
      "signImage: function",
      "signPackage: function",
      "split: function",
      "storeCertificate: function",
      "timestamp: function",
      "timestampPackage: function",
      "uploadCommand: function",
      "verify: function",
      "verifyFile: function",
      "verifyImage: function",
    ]
  `);
});
