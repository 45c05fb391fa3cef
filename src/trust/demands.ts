import { expectNoUse } from '../kit/shape.ts';
import type { Anchor, TrustStore } from './judge-signer.ts';
import type { Publisher, RevocationMode, TimestampMode } from './publisher.ts';

/** What a caller asks of every signer; what is left out is left to the publishers, and then to the defaults. */
export interface Asked {
  readonly revocation?: RevocationMode;
  readonly timestamp?: TimestampMode;
}

/** What those who vouch for signers ask, and the anchors and pins of those who ask the same. */
export interface Demand {
  readonly trust: TrustStore;
  /** how the signer's certificates are judged */
  readonly revocation: RevocationMode;
  /** how those of timestamp authorities are, which are nobody's but the caller's: a publisher may only ask for more */
  readonly authorities: RevocationMode;
  /** a timestamp must prove when the signature was made */
  readonly proof: boolean;
  /** certificates are judged at the time that a timestamp proves */
  readonly provenTime: boolean;
}

const STRICTNESS: readonly RevocationMode[] = ['off', 'if-present', 'require'];
const DEFAULT_MODE: RevocationMode = 'if-present';

/**
 * [rev.15] [api.3] Lists and answers that are given are looked at, whatever else is asked: whoever gives them and says that
 * nobody is to look has made a slip. They are by the names that the caller has for them.
 *
 * @throws {BundleError} `USAGE`
 */
export function expectLookedAt(
  mode: RevocationMode | undefined,
  given: Readonly<Record<string, readonly unknown[] | undefined>>,
): void {
  if (mode !== 'off') return;
  for (const [name, lists] of Object.entries(given)) {
    expectNoUse(lists, name, 'beside the revocation mode "off"');
  }
}

/** [tst.1] [api.3] Authorities that are given are believed about times, or nobody asks them. @throws {BundleError} `USAGE` */
function expectBelieved(
  mode: TimestampMode | undefined,
  given: readonly unknown[] | undefined,
  name: string,
): void {
  if (mode === 'ignore') expectNoUse(given, name, 'beside the timestamp mode "ignore"');
}

/** What a caller gives beside what is judged, as far as it must go with what is asked. */
export interface GivenFor {
  readonly trust?: { readonly timestampAnchors?: readonly unknown[] };
  readonly revocation?: {
    readonly mode?: RevocationMode;
    readonly crls?: readonly unknown[];
    readonly ocsps?: readonly unknown[];
  };
  readonly timestamp?: TimestampMode;
}

/** What a caller asks who gives this; lists that are given are looked at, whatever a publisher does without. [rev.15] @throws {BundleError} `USAGE` */
export function askedOf({ trust = {}, revocation = {}, timestamp }: GivenFor): Asked {
  const { crls = [], ocsps = [] } = revocation;
  const { mode = crls.length + ocsps.length > 0 ? 'if-present' : undefined } = revocation;
  expectLookedAt(mode, { 'revocation.crls': crls, 'revocation.ocsps': ocsps });
  expectBelieved(timestamp, trust.timestampAnchors, 'trust.timestampAnchors');
  return { ...(mode !== undefined && { revocation: mode }), ...(timestamp !== undefined && { timestamp }) };
}

/** How much a mode asks for; more is stricter. */
export function strictnessOf(mode: RevocationMode): number {
  return STRICTNESS.indexOf(mode);
}

/**
 * The demands of all whom the user trusts, each with those who have it: a signer must meet the demand of the one that
 * accepts it, whatever others ask of theirs. [pub.14] [pub.15]
 */
export function demandsOf({ anchors, pins }: TrustStore, asked: Asked): readonly Demand[] {
  const demands = new Map<string, Demand>();
  const add = (
    publisher: Publisher | undefined,
    own: readonly Anchor[],
    ownPins: readonly string[],
  ): void => {
    const demand = demandOf(publisher, asked);
    const key = JSON.stringify(demand);
    const { trust } = demands.get(key) ?? { trust: { anchors: [], pins: [] } };
    demands.set(key, {
      ...demand,
      trust: { anchors: [...trust.anchors, ...own], pins: [...trust.pins, ...ownPins] },
    });
  };
  if (pins.length > 0 || anchors.length === 0) add(undefined, [], pins);
  for (const anchor of anchors) add(anchor.publisher, [anchor], []);
  return [...demands.values()];
}

/** A key that a publisher's settings do not have is the caller's, and else the default. */
function demandOf(
  { revocation: own, timestamp }: Pick<Publisher, 'revocation' | 'timestamp'> = {},
  asked: Asked,
): Omit<Demand, 'trust'> {
  return {
    revocation:
      own && asked.revocation ? stricter(own, asked.revocation) : (own ?? asked.revocation ?? DEFAULT_MODE),
    authorities: stricter(own ?? 'off', asked.revocation ?? DEFAULT_MODE),
    proof: timestamp === 'require' || asked.timestamp === 'require',
    provenTime: timestamp !== 'ignore' && asked.timestamp !== 'ignore',
  };
}

function stricter(a: RevocationMode, b: RevocationMode): RevocationMode {
  return strictnessOf(a) > strictnessOf(b) ? a : b;
}
