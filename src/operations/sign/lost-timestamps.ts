import { showTime } from '../../trust/path/certificate-rules.ts';
import { shown } from '../../trust/path/findings.ts';
import type { TimestampMode } from '../../trust/publisher.ts';
import type { Examination } from '../../verdict/bundle/examine.ts';

/** [norm.2] [import.7] Timestamps of the bundle that are not in what has been written, and how they would be. */
export function lostTimestamps(
  { signature, signatures }: Examination,
  mode: TimestampMode | undefined,
): readonly string[] {
  const authorities = signatures.flatMap(({ timestamps }) => timestamps);
  const lost = signature?.carried?.lost ?? [];
  return lost.map(({ member, token: { info } }) => {
    const same = authorities.find(({ time }) => time === info.time.toISOString());
    const by = same?.authority ? ` by "${shown(same.authority.subject)}"` : '';
    const missing = same ? '; where only trust in its authority is missing, --trust-tsa FILE keeps it' : '';
    const why = mode === 'ignore' ? 'timestamps are ignored' : `it proves no time to you${missing}`;
    return `the timestamp of ${showTime(info.time)}${by} in "${member}" is not in the result: ${why}`;
  });
}
