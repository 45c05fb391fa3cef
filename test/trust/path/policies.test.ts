import { beforeAll, describe, expect, test } from 'vitest';
import { derElement, derOid, derSequence } from '../../../src/formats/der/writer.ts';
import type { X509Extension } from '../../../src/formats/x509/extensions.ts';
import type { PolicyInputs } from '../../../src/trust/path/judge-options.ts';
import { makeAuthority, makeCertificate, type TestCertificate } from '../../factory/certificates.ts';
import { inhibitAny, mappings, policies, policyConstraints } from '../../factory/extensions.ts';
import { soonDone } from '../../factory/growth.ts';
import { verdict } from '../../factory/paths.ts';

const ANY = '2.5.29.32.0';
const [A, B, C] = ['1.2.3.1', '1.2.3.2', '1.2.3.3'] as const;
const REFUSED = 'PATH_CONSTRAINT';
let root: TestCertificate;

beforeAll(async () => {
  root = await makeAuthority({ subject: 'CN=Root' });
});

/** The verdict on a path below the root: extensions of the intermediates from the top, then of the leaf. */
async function along(
  inputs: PolicyInputs,
  ...levels: readonly (readonly X509Extension[])[]
): Promise<string> {
  const intermediates: TestCertificate[] = [];
  for (const [i, extensions] of levels.slice(0, -1).entries()) {
    const issuer = intermediates.at(-1) ?? root;
    intermediates.push(await makeAuthority({ subject: `CN=Sub ${i}`, issuer, extensions }));
  }
  const leaf = await makeCertificate({
    issuer: intermediates.at(-1) ?? root,
    extensions: levels.at(-1) ?? [],
  });
  return verdict({ leaf, intermediates, anchors: [root], policies: inputs });
}

const EXPLICIT: PolicyInputs = { explicit: true };

describe('policies', () => {
  test('[pol.1] nobody asks for a policy, unless the caller or a certificate does', async () => {
    expect(await along({}, [], [])).toBe('good');
    expect(await along({}, [policies(A)], [policies(B)])).toBe('good');
    expect(await along(EXPLICIT, [], [])).toBe(REFUSED);
    expect(await along({}, [policyConstraints(0)], [])).toBe(REFUSED);
    expect(await along({ initial: [A] }, [policies(B)], [policies(B)])).toBe('good');
  });

  test('[pol.2] a policy must stand in every certificate, or anyPolicy in its place', async () => {
    expect(await along(EXPLICIT, [policies(A)], [policies(A)])).toBe('good');
    expect(await along(EXPLICIT, [policies(A)], [policies(B)])).toBe(REFUSED);
    expect(await along(EXPLICIT, [policies(ANY)], [policies(B)])).toBe('good');
    expect(await along(EXPLICIT, [policies(A)], [policies(ANY)])).toBe('good');
    expect(await along(EXPLICIT, [policies(A, B)], [policies(C, B)])).toBe('good');
    expect(await along(EXPLICIT, [policies(A)], [], [policies(A)])).toBe(REFUSED);
  });

  test('[pol.2] anyPolicy stands for nothing where it is inhibited', async () => {
    const inhibited = { explicit: true, inhibitAny: true };
    expect(await along(inhibited, [policies(ANY)], [policies(A)])).toBe(REFUSED);
    expect(await along(EXPLICIT, [policies(A), inhibitAny(0)], [policies(ANY)])).toBe(REFUSED);
    expect(await along(EXPLICIT, [policies(A), inhibitAny(1)], [policies(ANY)])).toBe('good');
    expect(await along(EXPLICIT, [policies(A), inhibitAny(1)], [policies(A)], [policies(ANY)])).toBe(REFUSED);
  });

  test('[pol.3] a mapped policy goes on under its new name only', async () => {
    const mapped = [policies(A), mappings([A, B])];
    expect(await along(EXPLICIT, mapped, [policies(B)])).toBe('good');
    expect(await along(EXPLICIT, mapped, [policies(A)])).toBe(REFUSED);
    expect(await along({ explicit: true, inhibitMapping: true }, mapped, [policies(B)])).toBe(REFUSED);
    expect(await along(EXPLICIT, [policies(A), policyConstraints(undefined, 0)], mapped, [policies(B)])).toBe(
      REFUSED,
    );
    expect(await along(EXPLICIT, [policies(ANY), mappings([A, B])], [policies(B)])).toBe('good');
  });

  test('[pol.3] anyPolicy is neither mapped nor mapped to', async () => {
    expect(await along({}, [policies(A), mappings([ANY, B])], [policies(B)])).toBe(REFUSED);
    expect(await along({}, [policies(A), mappings([A, ANY])], [policies(B)])).toBe(REFUSED);
  });

  test('[pol.4] a demand counts from the certificate it names on, and is told at the first that misses it', async () => {
    // RFC 5280 section 6.1.5 (a) counts the last certificate as well
    expect(await along({}, [policyConstraints(1)], [])).toBe(REFUSED);
    expect(await along({}, [policyConstraints(2)], [])).toBe('good');
    expect(await along({}, [policyConstraints(2)], [], [])).toBe(REFUSED);
    expect(await along({}, [policyConstraints(3)], [], [])).toBe('good');
    expect(await along({}, [], [policyConstraints(0)])).toBe(REFUSED);
  });

  test('[pol.5] what is acceptable is named in the domain of the anchor', async () => {
    const mapped = [policies(A), mappings([A, B])];
    expect(await along({ explicit: true, initial: [A] }, mapped, [policies(B)])).toBe('good');
    expect(await along({ explicit: true, initial: [B] }, mapped, [policies(B)])).toBe(REFUSED);
    expect(await along({ explicit: true, initial: [A] }, [policies(ANY)], [policies(A)])).toBe('good');
    expect(await along({ explicit: true, initial: [B] }, [policies(ANY)], [policies(A)])).toBe(REFUSED);
    expect(await along({ explicit: true, initial: [A, ANY] }, [policies(B)], [policies(B)])).toBe('good');
    expect(await along({ explicit: true, initial: [A] }, [policies(ANY)], [policies(ANY)])).toBe('good');
  });

  test('[pol.6] mappings that multiply at every level take no time, and too many are refused', async () => {
    const all = Array.from({ length: 32 }, (_, i) => `1.2.3.${i}`);
    const pairs = all.flatMap((issuer) => all.map((subject) => [issuer, subject] as const));
    const level = [policies(...all), mappings(...pairs)];
    const levels = Array.from({ length: 7 }, () => level);
    expect(await soonDone(() => along(EXPLICIT, ...levels, [policies('1.2.3.5')]))).toBe('good');
    expect(await soonDone(() => along({ explicit: true, initial: ['1.9'] }, ...levels, level))).toBe(REFUSED);

    const endless = Array.from({ length: 3000 }, (_, i) => `1.2.${i}`);
    const wide = [policies(...endless), mappings(...endless.map((oid) => [oid, oid] as const))];
    expect(await along(EXPLICIT, wide, wide, wide, wide, wide)).toBe('POLICY_LIMIT');
  });
});

describe('extensions about policies', () => {
  const issued = (...extensions: readonly X509Extension[]) => makeCertificate({ issuer: root, extensions });
  const one = (value: Uint8Array, oid: string): X509Extension => ({ oid, critical: false, value });
  const twice = derSequence(derSequence(derOid(A)), derSequence(derOid(A)));

  test.each([
    ['policies: none', '2.5.29.32', derSequence()],
    ['policies: one twice', '2.5.29.32', twice],
    ['policies: no sequence', '2.5.29.32', derSequence(derOid(A))],
    ['mappings: none', '2.5.29.33', derSequence()],
    ['mappings: half of one', '2.5.29.33', derSequence(derSequence(derOid(A)))],
    ['constraints: none', '2.5.29.36', derSequence()],
    ['constraints: negative', '2.5.29.36', derSequence(derElement(0x80, Uint8Array.of(0xff)))],
    ['inhibitAnyPolicy: negative', '2.5.29.54', derElement(0x02, Uint8Array.of(0xff))],
    ['inhibitAnyPolicy: no number', '2.5.29.54', derSequence()],
  ])('[x509.12] %s is malformed', async (_, oid, value) => {
    await expect(issued(one(value, oid))).rejects.toMatchObject({ code: 'CERTIFICATE_MALFORMED' });
  });

  test('[x509.12] qualifiers are passed over, and numbers of any size read', async () => {
    const qualified = derSequence(derSequence(derOid(A), derSequence(derSequence(derOid(B)))));
    const { certificate } = await issued(
      one(qualified, '2.5.29.32'),
      one(derElement(0x02, Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 0xff)), '2.5.29.54'),
    );
    expect(certificate.fields.extensions.certificatePolicies).toEqual([A]);
    expect(certificate.fields.extensions.inhibitAnyPolicy).toBeGreaterThan(100);
  });
});
