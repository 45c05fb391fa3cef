import { beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/kit/limits.ts';
import { openBudget } from '../../../src/trust/path/budget.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import type { SignaturePolicy } from '../../../src/verdict/bundle/judge-signature.ts';
import { SignatureMemory } from '../../../src/verdict/bundle/signature-memory.ts';
import type { SignedManifest } from '../../../src/verdict/bundle/signed-manifest.ts';
import type { NamedMember } from '../../../src/verdict/walk/member.ts';
import { JUDGED_AT, makeMembers, testAuthority } from '../../factory/bundles.ts';
import { makeCrlDer } from '../../factory/crls.ts';

const POLICY: SignaturePolicy = {
  limits: DEFAULT_LIMITS,
  trust: { anchors: [], pins: [] },
  timestamping: [],
  allowances: NO_ALLOWANCES,
  at: JUDGED_AT,
  evidence: { crls: [], ocsps: [] },
  seen: new Map(),
  budget: openBudget(),
};

let signed: Required<SignedManifest>;

beforeAll(async () => {
  const members = await makeMembers();
  const named = (name: string): NamedMember => members.find((one) => one.name === name) as NamedMember;
  const crl = makeCrlDer({ issuer: await testAuthority() });
  signed = {
    manifest: named('app.mf'),
    certificate: named('app.cert'),
    timestamp: { name: 'app.tst', bytes: new Uint8Array([1, 2, 3]) },
    sidecars: [{ name: 'app.p7s', bytes: new Uint8Array([4, 5, 6]) }],
    evidence: [
      { name: 'revocation/a.crl', bytes: crl },
      { name: 'revocation/b.crl', bytes: crl },
    ],
  };
});

/** The same member with one bit of its content changed, and under another name. */
function otherThan(member: NamedMember): readonly NamedMember[] {
  const bytes = Uint8Array.from(member.bytes);
  bytes[bytes.byteLength >> 1] = (bytes[bytes.byteLength >> 1] ?? 0) ^ 1;
  return [
    { ...member, bytes },
    { ...member, name: `x${member.name}` },
  ];
}

/** Every way in which a part can be another; a part that is forgotten here does not compile. */
const CHANGED: Readonly<Record<keyof SignedManifest, () => readonly SignedManifest[]>> = {
  manifest: () => otherThan(signed.manifest).map((manifest) => ({ ...signed, manifest })),
  certificate: () => {
    const { certificate, ...unsigned } = signed;
    return [unsigned, ...otherThan(certificate).map((other) => ({ ...signed, certificate: other }))];
  },
  timestamp: () => {
    const { timestamp, ...without } = signed;
    return [without, ...otherThan(timestamp).map((other) => ({ ...signed, timestamp: other }))];
  },
  sidecars: () => {
    const [first] = signed.sidecars as [NamedMember];
    return [[], ...otherThan(first).map((other) => [other]), [first, { ...first, name: 'app.qa.p7s' }]].map(
      (sidecars) => ({ ...signed, sidecars }),
    );
  },
  evidence: () => {
    const [first, second] = signed.evidence as [NamedMember, NamedMember];
    return [
      [],
      [first],
      [second, first],
      ...otherThan(second).map((other) => [first, other]),
      ...otherThan(first).map((other) => [other, second]),
    ].map((evidence) => ({ ...signed, evidence }));
  },
};

/** The same bytes elsewhere in memory. */
function copyOf({
  manifest,
  certificate,
  timestamp,
  sidecars,
  evidence,
}: Required<SignedManifest>): SignedManifest {
  const copy = ({ name, bytes }: NamedMember): NamedMember => ({ name, bytes: Uint8Array.from(bytes) });
  return {
    manifest: copy(manifest),
    certificate: copy(certificate),
    timestamp: copy(timestamp),
    sidecars: sidecars.map(copy),
    evidence: evidence.map(copy),
  };
}

describe('[judge.1] a signature that was judged', () => {
  test('is not judged again when every part is the same, wherever it lies', () => {
    const memory = new SignatureMemory(POLICY);
    expect(memory.judge(copyOf(signed))).toBe(memory.judge(signed));
  });

  test.each(Object.keys(CHANGED) as readonly (keyof SignedManifest)[])(
    '[judge.3] is judged again when this is another: %s',
    (part) => {
      for (const other of CHANGED[part]()) {
        const memory = new SignatureMemory(POLICY);
        const judged = memory.judge(signed);
        expect(memory.judge(other)).not.toBe(judged);
        expect(memory.judge(signed)).not.toBe(judged); // what is remembered is the last one
      }
    },
  );

  test('is judged once on the way, whatever evidence comes after, and again for another manifest or certificate file', () => {
    const memory = new SignatureMemory(POLICY);
    const judged = memory.judgeAhead(signed);
    for (const part of ['timestamp', 'evidence'] as const)
      for (const other of CHANGED[part]()) expect(memory.judgeAhead(other)).toBe(judged);
    for (const part of ['manifest', 'certificate'] as const)
      for (const other of CHANGED[part]()) expect(memory.judgeAhead(other)).not.toBe(judged);
  });

  test('[judge.3] on the way is no judgement of what has come by the end', () => {
    const memory = new SignatureMemory(POLICY);
    const { timestamp: _, ...early } = { ...signed, evidence: [] };
    const ahead = memory.judgeAhead(early);
    expect(memory.judge(signed)).not.toBe(ahead);
  });
});
