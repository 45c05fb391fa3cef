import type { Told } from '../../kit/errors/advice.ts';
import { showTime } from '../../trust/path/certificate-rules.ts';
import { shown } from '../../trust/path/findings.ts';
import type { TimestampMode } from '../../trust/publisher.ts';
import type { Examination } from '../../verdict/bundle/examine.ts';

/** [norm.2] [import.7] Timestamps of the bundle that are not in what has been written, and how they would be. */
export function lostTimestamps(
  { signature, signatures }: Examination,
  mode: TimestampMode | undefined,
): readonly Told[] {
  const authorities = signatures.flatMap(({ timestamps }) => timestamps);
  const lost = signature?.carried?.lost ?? [];
  return lost.map(({ member, token: { info } }) => {
    const same = authorities.find(({ time }) => time === info.time.toISOString());
    const by = same?.authority ? ` by "${shown(same.authority.subject)}"` : '';
    const lost = `the timestamp of ${showTime(info.time)}${by} in "${member}" is not in the result`;
    if (mode === 'ignore') return `${lost}: timestamps are ignored`;
    const of = `${lost}: it proves no time to you`;
    if (!same) return of;
    const text = `${of}; where only trust in its authority is missing, that keeps it`;
    return { text, advice: 'keep-timestamp', of };
  });
}
