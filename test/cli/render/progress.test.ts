import { describe, expect, test } from 'vitest';
import { createProgress, formatBytes, type ProgressMode } from '../../../src/cli/render/progress.ts';
import type { ProgressEvent } from '../../../src/kit/progress.ts';
import { makeScreen } from '../screen.ts';

const MB = 1_000_000;

/** Plays events at their times, in milliseconds, and returns what standard error got. */
function play(
  mode: ProgressMode,
  terminal: boolean,
  events: readonly (readonly [at: number, bytes: number, rest?: Partial<ProgressEvent>])[],
  columns = 80,
): readonly string[] {
  const screen = makeScreen({ terminal, columns });
  let now = 1000;
  const progress = createProgress(mode, screen.context, () => now);
  for (const [at, bytes, rest] of events) {
    now = 1000 + at;
    progress.onProgress({ phase: 'read', bytes, ...rest });
  }
  progress.end();
  expect(screen.out).toEqual([]);
  return screen.err;
}

describe('[cli.6] progress', () => {
  test('is one line drawn over on a terminal, ten times a second, and gone at the end', () => {
    const drawn = play('auto', true, [
      [50, MB],
      [100, 2 * MB, { total: 100 * MB, member: 'a.vmdk' }],
      [150, 3 * MB],
      [1000, 20 * MB, { total: 100 * MB, member: 'a.vmdk' }],
    ]);
    expect(drawn).toEqual([
      '\r\x1b[Jread 2% of 100 MB, 20 MB/s, 5 s left  a\r',
      '\r\x1b[Jread 20% of 100 MB, 20 MB/s, 4 s left  \r',
      '\r\x1b[J',
    ]);
  });

  test('never fills the last of 40 columns, so that no terminal starts another line, were it to become as narrow', () => {
    for (const [columns, most] of [
      [200, 39],
      [40, 39],
      [30, 29],
    ] as const) {
      const [line = ''] = play('auto', true, [[100, MB, { member: 'x'.repeat(200) }]], columns);
      expect(line.replace('\r\x1b[J', '').trimEnd()).toHaveLength(most);
    }
  });

  test('has no size of four digits', () => {
    const [line = ''] = play('auto', true, [[100, 999.7 * MB, { total: 9_997 * MB }]]);
    expect(line).toContain('10% of 10 GB');
    expect(play('auto', true, [[100, MB, { total: 999.7 * MB }]])[0]).toContain('0% of 1.0 GB');
  });

  test('shows a hostile member name harmlessly', () => {
    const [line = ''] = play('auto', true, [[100, MB, { member: '\x1b[2J\nc' }]]);
    expect(line.replace('\r\x1b[J', '').trimEnd()).toMatch(/ {2}\\u\{1b\}\[2J\\u\{a\}c$/);
  });

  test('is a plain line every 30 seconds elsewhere, and says nothing of short work', () => {
    const hour = 3600;
    expect(play('auto', false, [[29_999, MB]])).toEqual([]);
    expect(
      play('auto', false, [
        [30_000, 30 * MB, { total: 30 * MB * hour }],
        [59_999, 40 * MB],
        [60_000, 6000 * MB],
      ]),
    ).toEqual(['read 0% of 108.0 GB, 1.0 MB/s, 29 h 59 min left\n', 'read 6.0 GB, 100.0 MB/s\n']);
  });

  test('is a line of JSON a second, the first at once, whatever standard error is', () => {
    for (const terminal of [true, false]) {
      const lines = play('json', terminal, [
        [0, 1],
        [999, 2],
        [1000, 3, { total: 9, member: 'a\nb' }],
      ]);
      expect(lines.map((line) => JSON.parse(line))).toEqual([
        { phase: 'read', bytes: 1 },
        { phase: 'read', bytes: 3, total: 9, member: 'a\nb' },
      ]);
      expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
    }
  });

  test('is nothing at all when it is not wanted', () => {
    expect(play('none', true, [[60_000, MB]])).toEqual([]);
  });
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [196_624, '196.6 kB'],
  [60e9, '60.0 GB'],
  [9.1e15, '9100.0 TB'],
])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
