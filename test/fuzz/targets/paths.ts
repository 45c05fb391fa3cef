import { type Certificate, parseCertificate } from '../../../src/crypto/certificate.ts';
import { parseCrl } from '../../../src/formats/crl/crl.ts';
import { parseOcspResponse } from '../../../src/formats/ocsp/response.ts';
import { decodeUtf8 } from '../../../src/kit/encoding.ts';
import { type Anchor, judgeSigner } from '../../../src/trust/judge-signer.ts';
import { openBudget } from '../../../src/trust/path/budget.ts';
import { findPath, type PathResult } from '../../../src/trust/path/find-path.ts';
import { NO_ALLOWANCES } from '../../../src/trust/policy.ts';
import type { RevocationMode } from '../../../src/trust/publisher.ts';
import type { RevocationEvidence } from '../../../src/trust/revocation/evidence.ts';
import { judgeRevocation } from '../../../src/trust/revocation/judge-revocation.ts';
import { mutateDer } from '../mutators/der-mutator.ts';
import { formatParcel, parseParcel } from '../parcel.ts';
import type { Random } from '../random.ts';
import { limboParcels } from '../seeds/limbo.ts';
import { makeWorld } from '../seeds/worlds.ts';
import { unlessRefused } from '../signed-bytes.ts';
import { expectThat, type Target } from '../target.ts';
import { expectSound } from './path-oracle.ts';

const LIMITS = ['PATH_LIMIT', 'NAME_LIMIT', 'POLICY_LIMIT', 'PATH_TOO_LONG'];
const MODES: Readonly<Record<string, RevocationMode>> = { r: 'require', o: 'off' };

/** Searches for paths among hostile certificates, with hostile evidence. */
export const PATHS: Target = {
  name: 'paths',
  group: 'crypto',
  share: 0.2,
  codes: ['CERTIFICATE_MALFORMED', 'ALGORITHM_UNSUPPORTED'],
  open: async () => ({
    seeds: [makeWorld(FIXED), ...limboParcels()],
    mutate: (random, corpus) => {
      if (random.chance(3, 4)) return makeWorld(random);
      const parts = parseParcel(random.pick(corpus));
      const at = random.below(parts.length);
      const other = parts[random.below(parts.length)] ?? new Uint8Array();
      return formatParcel(
        parts.map((part, i) =>
          i === at ? retyped(part, mutateDer(random, part.subarray(1), [other.subarray(1)])) : part,
        ),
      );
    },
    run: (input) => {
      const world = openWorld(input);
      if (!world) return 'no leaf';
      const result = search(world, world.intermediates);
      expectSound(result, world.anchors, world.at);
      const other = search(world, world.intermediates.toReversed());
      expectSound(other, world.anchors, world.at);
      const limited = [...result.errors, ...other.errors].some(({ code }) => LIMITS.includes(code));
      expectThat(
        limited || (other.kind === 'good') === (result.kind === 'good'),
        `the order of the certificates makes a path ${other.kind} that is ${result.kind}`,
      );
      const store = {
        anchors: world.anchors.map((certificate): Anchor => ({ certificate, source: '' })),
        pins: [],
      };
      const signer = judgeSigner({ leaf: world.leaf, intermediates: world.intermediates }, store, {
        at: world.at,
        window: { from: world.at, to: world.at },
        allowances: NO_ALLOWANCES,
      });
      expectThat(
        (signer.errors.length === 0) === (signer.trustedBy !== undefined),
        'trusted by nobody, or refused',
      );
      return result.kind === 'good' ? 'good' : (result.errors[0]?.code ?? 'none');
    },
  }),
};

/** Always the first of what there is to choose from. */
const FIXED: Random = {
  below: () => 0,
  chance: () => false,
  pick: (list) => list[0] as never,
  bytes: (n) => new Uint8Array(n),
};

function retyped(part: Uint8Array, contents: Uint8Array): Uint8Array {
  return Uint8Array.of(part[0] ?? 0, ...contents);
}

interface World {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly evidence: RevocationEvidence;
  readonly at: Date;
  readonly mode: RevocationMode;
}

/** Each part begins with a letter: leaf, intermediate, anchor, CRL, OCSP response, time, mode. What cannot be read is left out. */
function openWorld(input: Uint8Array): World | undefined {
  const parts = parseParcel(input).map((part) => ({
    kind: String.fromCharCode(part[0] ?? 0),
    bytes: part.subarray(1),
  }));
  const all = <T>(kind: string, read: (bytes: Uint8Array) => T): readonly T[] =>
    parts.filter((part) => part.kind === kind).flatMap(({ bytes }) => unlessRefused(() => read(bytes)) ?? []);
  const [leaf] = all('l', parseCertificate);
  if (!leaf) return undefined;
  const [text] = all('t', decodeUtf8);
  const at = new Date(text ?? '2026-11-21T12:00:00Z');
  const [mode = ''] = all('m', decodeUtf8);
  return {
    leaf,
    intermediates: all('i', parseCertificate),
    anchors: all('a', parseCertificate),
    evidence: {
      crls: all('c', (bytes) => parseCrl(bytes, 'the fuzzer')),
      ocsps: all('o', (bytes) => parseOcspResponse(bytes, 'the fuzzer')),
    },
    at: Number.isNaN(at.getTime()) ? new Date('2026-11-21T12:00:00Z') : at,
    mode: MODES[mode] ?? 'if-present',
  };
}

function search(world: World, intermediates: readonly Certificate[]): PathResult {
  const { leaf, anchors, at, evidence, mode } = world;
  const budget = openBudget();
  return findPath(
    { leaf, intermediates },
    {
      anchors,
      window: { from: at, to: at },
      allowances: NO_ALLOWANCES,
      purpose: 'any',
      budget,
      judgeMore: (path) =>
        judgeRevocation(path, evidence, {
          mode,
          at,
          seen: new Map(),
          allowances: NO_ALLOWANCES,
          issuers: [...intermediates, ...anchors],
          anchors,
          budget,
        }).findings,
    },
  );
}
