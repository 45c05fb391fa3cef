import type { ByteStream } from '../kit/bytes.ts';
import { openDeadline } from '../kit/deadline.ts';
import { isBytes, type NamedBytes, namedBytes, viewOf } from '../kit/given-bytes.ts';
import { DEFAULT_LIMITS } from '../kit/limits.ts';
import { list, moment, needed, refuse, shape, text } from '../kit/shape.ts';
import { sourceOptions } from '../kit/source.ts';
import { dataSource } from '../kit/streams/data-source.ts';
import { askedOf } from '../trust/demands.ts';
import { openBudget } from '../trust/path/budget.ts';
import { allowancesOf } from '../trust/policy.ts';
import type { RevocationMode } from '../trust/publisher.ts';
import { parseTrust, type Trust } from '../trust/trust.ts';
import { revocationMode, timestampMode, trustedPublisher } from '../trust/trust-rules.ts';
import { judgeSource, type VerifyResult, verifyResult } from './judge-source.ts';
import type { JudgingOptions } from './judging-options.ts';
import { allowances, READING, streamIn } from './judging-rules.ts';
import { type OwnEvidence, parseOwn } from './signers/evidence.ts';
import { innerSource } from './walk/inner-source.ts';
import type { BundleSink } from './walk/member.ts';
import { bundleSink, sinkUntil } from './walk/sink-rule.ts';

/** How a bundle is verified where there are no files: whom to trust, what revokes and what time it is are data. */
export interface VerifyBundleOptions extends JudgingOptions {
  readonly trust: Trust;
  /** the moment certificates must be valid at: what time it is, for most */
  readonly at: Date;
  /** whether revocation must be ruled out, and what tells about it; `if-present` without a mode [rev.1] */
  readonly revocation?: Evidence & { readonly mode?: RevocationMode };
  /**
   * where the members go while they are read, before there is a verdict: use nothing of it unless that is `trusted`, and then only
   * what `contents.files` names. With it, and manifest and signature at the front, the first thing wrong ends the reading.
   */
  readonly sink?: BundleSink;
}

/** Lists and answers that are given as data. */
export interface Evidence {
  /** CRLs, PEM or DER */
  readonly crls?: readonly NamedBytes[];
  /** OCSP responses, DER */
  readonly ocsps?: readonly NamedBytes[];
}

const verifyBundleOptions = shape<VerifyBundleOptions>({
  ...READING,
  trust: needed(
    shape<Trust>({
      anchors: list(namedBytes),
      pins: list(text),
      timestampAnchors: list(namedBytes),
      publishers: list(trustedPublisher),
      untrusted: list(namedBytes),
    }),
  ),
  at: needed(moment),
  revocation: shape<NonNullable<VerifyBundleOptions['revocation']>>({
    mode: revocationMode,
    crls: list(namedBytes),
    ocsps: list(namedBytes),
  }),
  timestamp: timestampMode,
  allow: allowances,
  sink: bundleSink,
});

/**
 * Verifies a bundle that comes as bytes or as a stream of them, in one pass, with nothing but what is given: no file, no network, no
 * clock, and nothing is remembered.
 *
 * A bad bundle is a verdict, not an exception. A zip is read from bytes, not from a stream: its directory is at its end.
 *
 * @throws {BundleError} `USAGE`, `CONFIG_INVALID` or `REVOCATION_MALFORMED` for what is given besides the bundle
 * @see spec/bundle.md, and spec/trust.md, clause pub.20
 */
export async function verifyBundle(
  bundle: Uint8Array | ByteStream,
  options: VerifyBundleOptions,
): Promise<VerifyResult> {
  const data = bundleData(bundle, 'bundle');
  const given = verifyBundleOptions(options, '');
  const { at, sink } = given;
  const asked = askedOf(given);
  using deadline = openDeadline(given);
  const timed = { ...given, ...deadline };
  await using opened = dataSource(data, sourceOptions(timed)); // first: it knows what is there now
  const { inner, relax } = given;
  const limits = { ...DEFAULT_LIMITS, ...given.limits };
  const source = inner ? innerSource(opened, { limits, ...(relax !== undefined && { relax }) }) : opened;
  const { signers, timestamping, untrusted } = parseTrust(given.trust);
  const policy = {
    at,
    allowances: allowancesOf(given),
    trust: signers,
    timestamping,
    untrusted,
    evidence: await parseOwn(ownEvidence(given.revocation)),
    seen: new Map(),
    budget: openBudget(),
    ...asked,
  };
  const { examination, report } = await judgeSource(source, {
    ...timed,
    operation: 'verify',
    policy,
    ...(sink !== undefined && { sink: sinkUntil(sink, timed.signal) }),
  });
  if (report.errors.length === 0) deadline.expectInTime(); // [cli.21] a refusal is one however late
  return verifyResult(examination, report);
}

function bundleData(value: unknown, name: string): Uint8Array | ByteStream {
  if (isBytes(value)) return viewOf(value, name);
  return streamIn(value) ?? refuse(name, value, 'a Uint8Array, or a stream of Uint8Array chunks');
}

function ownEvidence({ crls = [], ocsps = [] }: Evidence = {}): readonly OwnEvidence[] {
  return [
    ...crls.map((one) => ({ ...one, kind: 'crl', named: true })),
    ...ocsps.map((one) => ({ ...one, kind: 'ocsp', named: true })),
  ];
}
