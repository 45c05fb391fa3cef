import { formatJson } from '../../kit/json.ts';
import type { OnProgress, ProgressEvent } from '../../kit/progress.ts';
import type { Context } from '../context.ts';
import { cutRow } from './cut-row.ts';
import { shown } from './field.ts';

/** How progress is shown: a line that is drawn over on a terminal, a plain line now and then elsewhere, or JSON lines. */
export type ProgressMode = 'auto' | 'json' | 'none';

const TERMINAL_MS = 100;
const PLAIN_MS = 30_000;
const JSON_MS = 1000;
/** Takes away the drawn line, at whose start the cursor waits. */
const CLEAR = '\r\x1b[J';
/**
 * Columns of a drawn line at most. A terminal that becomes narrower breaks what it shows, and what it has pushed up by that
 * nobody can take away again: so a line is drawn that fits into 40, the last of which stays empty.
 */
const MOST_COLUMNS = 39;

/** Shows how far an operation is, on standard error only; `end` clears what was drawn. */
export function createProgress(
  mode: ProgressMode,
  context: Context,
  clock: () => number = () => performance.now(), // the clock of the machine may be set back
): { readonly onProgress: OnProgress; end(): void } {
  const { stderr } = context;
  const draws = stderr.isTTY && context.env['TERM'] !== 'dumb'; // which knows no way back to the start of a line
  const interval = mode === 'json' ? JSON_MS : draws ? TERMINAL_MS : PLAIN_MS;
  const start = clock();
  let next = start + (mode === 'json' ? 0 : interval);
  let drawn = false;
  return {
    onProgress: (event) => {
      const now = clock();
      if (mode === 'none' || now < next) return;
      next = now + interval;
      if (mode === 'json') {
        stderr.write(`${formatJson(event, 'line')}\n`);
        return;
      }
      const seconds = (now - start) / 1000;
      const columns = Math.min(MOST_COLUMNS, stderr.columns - 1);
      if (draws)
        stderr.write(`${CLEAR}${cutRow(describeBriefly(event, seconds), columns)}\r`); // [cli.6]
      else stderr.write(`${describe(event, seconds)}\n`);
      drawn = draws;
    },
    end: () => {
      if (drawn) stderr.write(CLEAR);
      drawn = false;
    },
  };
}

function describe(event: ProgressEvent, seconds: number): string {
  const { share, rate, left, member } = partsOf(event, seconds);
  return [share, rate, ...(left ? [left] : [])].join(', ') + member;
}

/** The same in few columns: sizes of at most three digits, the larger unit of the time that is left, and as much of the name as there is room for. */
function describeBriefly({ phase, bytes, total, member }: ProgressEvent, seconds: number): string {
  const rate = seconds > 0 ? bytes / seconds : 0;
  const share = total
    ? `${Math.floor((100 * bytes) / total)}% of ${formatBytes(total, 'brief')}`
    : formatBytes(bytes);
  const left = total && rate > 0 ? [largestUnit((total - bytes) / rate)] : [];
  const line = [`${phase} ${share}`, `${formatBytes(rate, 'brief')}/s`, ...left].join(', ');
  const fitting = line.length <= MOST_COLUMNS ? line : line.replace(/ left$/, '');
  return fitting + (member ? `  ${shown(member)}` : '');
}

interface Parts {
  readonly share: string;
  readonly rate: string;
  readonly left: string | undefined;
  readonly member: string;
}

function partsOf({ phase, bytes, total, member }: ProgressEvent, seconds: number): Parts {
  const rate = seconds > 0 ? bytes / seconds : 0;
  const share = total ? `${Math.floor((100 * bytes) / total)}% of ${formatBytes(total)}` : formatBytes(bytes);
  return {
    share: `${phase} ${share}`,
    rate: `${formatBytes(rate)}/s`,
    left: total && rate > 0 ? `${formatSeconds((total - bytes) / rate)} left` : undefined,
    member: member ? `  ${shown(member)}` : '',
  };
}

/** Bytes for people, in units of 1000 as disks and networks are sold; `brief`: one of two digits or more without a fraction. */
export function formatBytes(bytes: number, form?: 'brief'): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  const most = form === 'brief' ? 999.5 : 1000; // which is written as 1000
  while (value >= most && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const isWhole = unit === 0 || (form === 'brief' && value >= 9.95);
  return `${isWhole ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function largestUnit(seconds: number): string {
  const [most = '', unit = ''] = formatSeconds(seconds).split(' ');
  return `${most} ${unit} left`;
}

function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
