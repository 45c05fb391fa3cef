import { describe, expect, test } from 'vitest';
import {
  formatRequest,
  formatResponse,
  parseRequest,
  parseResponse,
  type RequestDocument,
} from '../../src/formats/signing-room.ts';
import { decodeUtf8, encodeUtf8 } from '../../src/kit/encoding.ts';
import { codeOf } from '../factory/errors.ts';

const REQUEST: RequestDocument = {
  bundle: 'web.ova',
  manifest: 'web.mf',
  digest: { algorithm: 'sha256', value: new Uint8Array(32).fill(7) },
  cms: true,
  signer: 'ab'.repeat(32),
  about: ['product: "Web"\u2028'],
  content: encodeUtf8('SHA256(a)= 00\r\n'),
};

const text = (bytes: Uint8Array): string => decodeUtf8(bytes) ?? '';

describe('documents of the signing room', () => {
  test('[room.1] [room.4] are read as they were written', () => {
    expect(parseRequest(formatRequest(REQUEST))).toEqual(REQUEST);
    const { bundle, manifest, digest } = REQUEST;
    const response = { bundle, manifest, digest, certificateFile: encodeUtf8('SHA256(web.mf)= 00\n') };
    expect(parseResponse(formatResponse(response))).toEqual(response);
  });

  test('[room.2] are JSON, with any blanks between', () => {
    const line = JSON.stringify(JSON.parse(text(formatRequest(REQUEST))));
    const odd = line.replace('\u2028', '\\u2028').replaceAll('","', '" ,\n"');
    expect(parseRequest(encodeUtf8(odd))).toEqual(REQUEST);
  });

  const written = text(formatRequest(REQUEST));
  test.each([
    ['nothing', ''],
    ['no JSON', '<html></html>'],
    ['no object', '[]'],
    ['null', 'null'],
    ['a byte order mark', `\uFEFF${written}`],
    ['text behind it', `${written}{}`],
    ['a comment', written.replace('{', '{ // here\n')],
    ['a member twice', written.replace('"bundle"', '"manifest": "web.mf", "bundle"')],
    [
      'the same member, spelled with an escape',
      written.replace('"bundle"', '"m\\u0061nifest": "x", "bundle"'),
    ],
    ['a member that is not known', written.replace('"bundle"', '"extra": 1, "bundle"')],
    ['a member less', written.replace(/ *"text": .*\n/, '').replace(/,\n\}/, '\n}')],
    ['a text spelled with an escape', written.replace('web.ova', 'w\\u0065b.ova')],
    ['a number for a text', written.replace('"web.ova"', '1')],
    ['an empty name', written.replace('"web.mf"', '""')],
    ['a name that no member has', written.replace('"web.mf"', '"../web.mf"')],
    ['a name of two lines', written.replace('"web.mf"', '"web\\n.mf"')],
    ['a name of no manifest', written.replace('"web.mf"', '"web"')],
    ['more than a person reads', written.replace(/"about": \[/, `"about": [${'"a",'.repeat(100)}`)],
    ['sha1', written.replace('sha256:', 'sha1:')],
    ['half a digit', written.replace('07"', '0"')],
    ['no list', written.replace(/"about": \[[^\]]*\]/, '"about": "web"')],
    ['a response', text(formatResponse({ ...REQUEST, certificateFile: new Uint8Array(0) }))],
    ['another version', written.replace('request/1', 'request/2')],
    ['a key that is none', written.replace('abab', 'AB')],
    ['depth', '['.repeat(50_000) + ']'.repeat(50_000)],
  ])('[room.2] are refused with %s', (_, document) => {
    const parse = (): unknown => parseRequest(encodeUtf8(document));
    expect(codeOf(parse)).toBe('USAGE');
    expect(parse).toThrow('this is not a request to sign');
  });

  test('[room.2] are refused when they are not UTF-8', () => {
    const bytes = formatRequest(REQUEST);
    bytes[bytes.indexOf(0x77)] = 0xff;
    expect(codeOf(() => parseRequest(bytes))).toBe('USAGE');
    const content = Uint8Array.of(0xff);
    expect(codeOf(() => formatRequest({ ...REQUEST, content }))).toBe('USAGE');
  });
});
