import { describe, expect, test } from 'vitest';
import { HASH_METHOD_NAMES, KEY_TYPE_NAMES } from '../../../src/formats/glance/names.ts';
import { PROPERTY_NAMES } from '../../../src/formats/glance/properties.ts';
import { planLikeCursive, planLikeMitaka } from '../../../src/trust/glance/cursive.ts';
import { curveFaults, planLegacySalt, planStrictly } from '../../../src/trust/glance/plan.ts';

const UUID = '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d';
const GOOD = { signature: 'AAEC', hashMethod: 'SHA-256', keyType: 'RSA-PSS', certificateUuid: UUID };

/** Codes and words of the faults. */
function faultsOf(properties: Partial<typeof GOOD>): readonly string[] {
  return planStrictly(properties, PROPERTY_NAMES).faults.map(
    ({ code, message, fix }) => `${code}: ${message}. ${fix}`,
  );
}

describe('the plan for a strict verification', () => {
  test('[glance.3] [glance.4] every spelling that Glance has', () => {
    for (const hashMethod of HASH_METHOD_NAMES) {
      for (const keyType of KEY_TYPE_NAMES) {
        const { plan } = planStrictly({ ...GOOD, hashMethod, keyType }, PROPERTY_NAMES);
        expect(plan).toEqual({
          signature: Uint8Array.of(0, 1, 2),
          hash: hashMethod,
          keyType,
          certificateUuid: UUID,
        });
      }
    }
  });

  test('[glance.2] none of the four is an unsigned image, some of them is a fault that names the others', () => {
    expect(faultsOf({})[0]).toMatch(/^SIGNATURE_MISSING/);
    for (const key of ['signature', 'hashMethod', 'keyType', 'certificateUuid'] as const) {
      const { [key]: _, ...rest } = GOOD;
      expect(faultsOf(rest)[0]).toMatch(`PROPERTIES_MALFORMED: ${PROPERTY_NAMES[key]} is missing`);
      expect(faultsOf({ [key]: GOOD[key] })[0]).toMatch(/, .* are missing/);
    }
  });

  test.each(['SHA256', 'sha-256', 'SHA-1', 'MD5', '', 'SHA-512/256', 'toString'])(
    '[glance.3] refuses the hash %j',
    (hashMethod) => {
      expect(faultsOf({ ...GOOD, hashMethod })[0]).toMatch(
        /^ALGORITHM_UNSUPPORTED: img_signature_hash_method/,
      );
    },
  );

  test.each([
    ['SECT571K1', /write ECC_SECT571K1/],
    ['ecc_secp384r1', /write ECC_SECP384R1/],
    ['RSA', /write RSA-PSS/],
    ['ECC-CURVES', /use one of/],
    ['constructor', /use one of/],
    ['', /use one of/],
  ])('[glance.4] [glance.13] refuses the key type %j', (keyType, fix) => {
    expect(faultsOf({ ...GOOD, keyType })[0]).toMatch(fix);
  });

  test.each(['', '../secrets/x', `http://x/v1/secrets/${UUID}`, `${UUID}/`, UUID.replaceAll('-', '')])(
    '[glance.5] refuses the UUID %j',
    (certificateUuid) => {
      expect(faultsOf({ ...GOOD, certificateUuid })[0]).toMatch(/^PROPERTIES_MALFORMED: .*no UUID/);
    },
  );

  test('[glance.5] a UUID is looked up in lower case', () => {
    const { plan } = planStrictly({ ...GOOD, certificateUuid: UUID.toUpperCase() }, PROPERTY_NAMES);
    expect(plan?.certificateUuid).toBe(UUID);
  });

  test('[glance.12] a curve that this Node lacks is told apart', () => {
    expect(curveFaults('ECC_SECT571K1', () => false)[0]?.message).toBe(
      'this Node has no elliptic curve sect571k1',
    );
    expect(curveFaults('RSA-PSS', () => false)).toEqual([]);
    expect(curveFaults('ECC_SECT571K1')).toEqual([]);
  });

  test('[glance.21] the two optional properties of a legacy signature', () => {
    expect(planLegacySalt({})).toEqual({});
    expect(planLegacySalt({ maskGenAlgorithm: 'MGF1', pssSaltLength: ' 32 ' })).toEqual({ saltLength: 32 });
    expect(planLegacySalt({ maskGenAlgorithm: 'MGF2' })).toMatchObject({ code: 'ALGORITHM_UNSUPPORTED' });
    for (const pssSaltLength of ['abcd', '-1', '', '3.5', '0x20']) {
      expect(planLegacySalt({ pssSaltLength })).toMatchObject({ code: 'PROPERTIES_MALFORMED' });
    }
  });
});

describe('[glance.15] the plan as cursive makes it', () => {
  /** What is said, or the UUID asked for. */
  function said(properties: Partial<typeof GOOD>): string {
    const plan = planLikeCursive(properties);
    return 'error' in plan ? plan.message : plan.certificateUuid;
  }

  test('the order of the checks', () => {
    const bad = { signature: 'A', hashMethod: 'x', keyType: 'y', certificateUuid: 'z' };
    expect(said({})).toMatch(/Missing property: img_signature_uuid\.$/);
    expect(said({ certificateUuid: 'z' })).toMatch(/img_signature_hash_method/);
    expect(said(bad)).toMatch(/base64/);
    expect(said({ ...bad, signature: '' })).toMatch(/hash method: x/);
    expect(said({ ...bad, signature: '', hashMethod: 'SHA-224' })).toMatch(/key type: y/);
    expect(said({ ...GOOD, certificateUuid: 'z' })).toBe('Secret incorrectly specified.');
  });

  test('the last part of an address is all that counts of it', () => {
    expect(said({ ...GOOD, certificateUuid: `http://example/v1/secrets/${UUID}` })).toBe(UUID);
    expect(said({ ...GOOD, certificateUuid: `../secrets/${UUID.toUpperCase()}` })).toBe(UUID.toUpperCase());
  });

  test('[glance.21] the salt is what int() of Python makes of it', () => {
    const salt = (pssSaltLength: string): unknown => planLikeMitaka({ ...GOOD, pssSaltLength });
    expect(salt(' +3_2\n')).toMatchObject({ saltLength: 32 });
    expect(salt('-1')).toMatchObject({ error: 'builtins.ValueError' });
    expect(salt('3__2')).toMatchObject({ message: 'Invalid pss_salt_length: 3__2' });
    expect(planLikeMitaka({ ...GOOD, keyType: 'DSA', maskGenAlgorithm: 'MGF2' })).not.toHaveProperty('error');
  });
});
