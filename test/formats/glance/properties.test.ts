import { describe, expect, test } from 'vitest';
import { formatProperties, PROPERTY_FORMS } from '../../../src/formats/glance/format-properties.ts';
import { isUuid, keyTypeFor, meantName } from '../../../src/formats/glance/names.ts';
import { parseProperties } from '../../../src/formats/glance/properties.ts';
import { codeOf } from '../../factory/errors.ts';

const PROPERTIES = {
  signature: 'AAEC',
  hashMethod: 'SHA-256',
  keyType: 'RSA-PSS',
  certificateUuid: '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d',
};
const NAMED = {
  img_signature: 'AAEC',
  img_signature_certificate_uuid: PROPERTIES.certificateUuid,
  img_signature_hash_method: 'SHA-256',
  img_signature_key_type: 'RSA-PSS',
};

describe('properties', () => {
  test('[glance.1] are four, by the names of the metadata definition', () => {
    expect(JSON.parse(formatProperties(PROPERTIES, 'json'))).toEqual(NAMED);
  });

  test.each(PROPERTY_FORMS.filter((form) => form !== 'args'))(
    '[glance.8] as %s read back the same',
    (form) => {
      expect(parseProperties(formatProperties(PROPERTIES, form)).image).toEqual(PROPERTIES);
    },
  );

  test('[glance.8] as arguments of the openstack client', () => {
    expect(formatProperties(PROPERTIES, 'args').trim().split(' ')).toEqual(
      Object.entries(NAMED).flatMap(([name, value]) => ['--property', `${name}=${value}`]),
    );
  });

  test('[glance.6] are found in an image of the API and of the openstack client', () => {
    const image = { id: 'x', size: 5, checksum: 'ab', os_hash_algo: 'sha512', os_hash_value: null, tags: [] };
    const flat = parseProperties(JSON.stringify({ ...image, ...NAMED }));
    expect(flat).toEqual({ image: PROPERTIES, legacy: {}, checksum: 'ab', hashAlgorithm: 'sha512' });
    const nested = parseProperties(JSON.stringify({ ...image, properties: { ...NAMED, os_hidden: false } }));
    expect(nested.image).toEqual(PROPERTIES);
    expect(nested.checksum).toBe('ab');
  });

  test('[glance.6] of the legacy kind are told from the others', () => {
    const read = parseProperties('{"signature":"AA==","mask_gen_algorithm":"MGF1","pss_salt_length":"32"}');
    expect(read.legacy).toEqual({ signature: 'AA==', maskGenAlgorithm: 'MGF1', pssSaltLength: '32' });
    expect(read.image).toEqual({});
  });

  test.each([
    ['no JSON', 'img_signature=AA'],
    ['a text', '"AA"'],
    ['null', 'null'],
    ['a list that is no patch', '["AA"]'],
    ['a patch that removes', '[{"op":"remove","path":"/img_signature"}]'],
    [
      'a patch that sets twice',
      '[{"op":"add","path":"/a","value":"1"},{"op":"add","path":"/a","value":"2"}]',
    ],
    ['a number', '{"img_signature":5}'],
    ['a name twice', '{"img_signature":"AA==","img_signature":"AAEC"}'],
    ['a name twice, once escaped', '{"img_signature":"AA==","img\\u005fsignature":"AAEC"}'],
    ['a name twice, nested', '{"properties":{"img_signature":"AA==","img_signature":"AAEC"}}'],
    ['two values', '{"img_signature":"AA==","properties":{"img_signature":"AAEC"}}'],
    ['properties in one text', '{"properties":"img_signature=\'AA==\'"}'],
  ])('[glance.6] refuses %s', (_, text) => {
    expect(codeOf(() => parseProperties(text))).toBe('PROPERTIES_MALFORMED');
  });

  test('[glance.6] a key may be in two objects, and a text may look like a key', () => {
    const text = '{"a":"{\\"img_signature\\":","owner":{"name":"x"},"name":"y","img_signature":"AAEC"}';
    expect(parseProperties(text).image).toEqual({ signature: 'AAEC' });
  });
});

describe('[glance.13] names', () => {
  test.each([
    ['SECT571K1', 'ECC_SECT571K1'],
    ['ecc_secp384r1', 'ECC_SECP384R1'],
    ['secp521r1', 'ECC_SECP521R1'],
    ['RSA', 'RSA-PSS'],
    ['rsa_pss', 'RSA-PSS'],
    ['SHA256', 'SHA-256'],
    ['sha-512', 'SHA-512'],
    ['ECC-CURVES', undefined],
    ['MD5', undefined],
  ])('%s may have meant %s', (text, meant) => expect(meantName(text)).toBe(meant));

  test('[glance.4] every kind of key has at most one', () => {
    expect(keyTypeFor('rsa', undefined)).toBe('RSA-PSS');
    expect(keyTypeFor('ec', 'sect409r1')).toBe('ECC_SECT409R1');
    expect(keyTypeFor('ec', 'prime256v1')).toBeUndefined();
    expect(keyTypeFor('ed25519', undefined)).toBeUndefined();
  });

  test('[glance.5] a UUID has one form', () => {
    expect(isUuid(PROPERTIES.certificateUuid)).toBe(true);
    expect(isUuid(PROPERTIES.certificateUuid.toUpperCase())).toBe(true);
    for (const text of [
      '',
      '..',
      `${PROPERTIES.certificateUuid}/..`,
      `{${PROPERTIES.certificateUuid}}`,
      'x\n',
    ]) {
      expect(isUuid(text), text).toBe(false);
    }
  });
});
