import { describe, expect, test } from 'vitest';
import { type Certificate, parseCertificate } from '../../src/crypto/certificate.ts';
import { openCms } from '../../src/crypto/cms.ts';
import { parseSignedData } from '../../src/formats/cms/signed-data.ts';
import { isBundleError } from '../../src/kit/errors/errors.ts';
import { flipped } from '../factory/damage.ts';
import { certificateIn, pemToDer, vectorBytes, vectorFolder, vectorNames } from './vectors.ts';

const folder = vectorFolder('crypto/cms') ?? '';
const names = folder ? vectorNames(folder, '.p7s') : [];

/** `good` for every signer, or the code of what is wrong. */
function verdicts(
  signature: Uint8Array,
  content: Uint8Array,
  others: readonly Certificate[] = [],
): readonly string[] {
  try {
    const data = parseSignedData(signature, 'the signature');
    const cms = openCms(data, [...data.certificates.map(parseCertificate), ...others]);
    for (let at = 0; at < content.byteLength; at += 1000) cms.update(content.subarray(at, at + 1000));
    return cms.finish().map(({ fault }) => fault?.code ?? 'good');
  } catch (error) {
    if (isBundleError(error)) return [error.code];
    throw error;
  }
}

describe.skipIf(names.length === 0)('CMS signatures made by OpenSSL and by hand', () => {
  const content = folder ? vectorBytes(folder, 'data.bin') : new Uint8Array();

  test.each(names)('%s', (name) => {
    const raw = vectorBytes(folder, name);
    const text = Buffer.from(raw).toString('latin1');
    const signature = text.startsWith('-----') ? pemToDer(text) : raw;
    const others = name.includes('nocerts') ? [certificateIn(folder, 'rsa.pem')] : [];
    const attached = name.includes('attached');
    // the content of an attached one is inside: whether it may be is for those who expect the file beside it
    for (const verdict of verdicts(signature, content, others)) expect(verdict).toBe('good');
    expect(parseSignedData(signature, 'the signature').content !== undefined).toBe(attached);
    for (const verdict of verdicts(signature, flipped(content, 0), others)) expect(verdict).not.toBe('good');
  });
});
