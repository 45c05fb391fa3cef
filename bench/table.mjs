export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A ratio, or milliseconds. */
function show(value, unit) {
  return unit === 'ms' ? `+${value.toFixed(0)} ms` : value.toFixed(2);
}

function verdictOf({ value, must, aim, peers }) {
  if (value > must) return 'MISSED';
  const rival = peers.find(({ below }) => below);
  if (rival && value >= rival.value) return 'MISSED';
  return value <= aim ? 'aim' : 'met';
}

/** One line of what is printed while it is measured. */
export function lineOf(result) {
  const { title, value, unit, must, aim, seconds, cpu, peakMib } = result;
  const numbers = [show(value, unit), `(${show(must, unit)}, ${show(aim, unit)})`, verdictOf(result)];
  const times = `${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of processors, ${peakMib?.toFixed(0) ?? '-'} MiB`;
  return `${title.padEnd(54)} ${numbers.join(' ')}  ${times}`;
}

/** The rounds by themselves; * marks those in which others kept the machine busy. */
export function roundsLine({ rounds, unit }) {
  const each = rounds.map(
    ({ ratio, disturbed }) => (unit === 'ms' ? ratio.toFixed(0) : ratio.toFixed(2)) + (disturbed ? '*' : ''),
  );
  return `    rounds ${each.join(' ')}, load ${Math.max(...rounds.map(({ ours }) => ours.load)).toFixed(1)}`;
}

/** The table that the README quotes. */
export function markdownOf({ date, gib, rounds, machine, cases }, memory) {
  const rows = cases.map((each) => {
    const { title, value, unit, must, aim, seconds, peakMib } = each;
    const disturbed = each.rounds.filter((round) => round.disturbed).length;
    const verdict = verdictOf(each);
    return [
      title,
      `\`${each.reference}\``,
      `${verdict === 'MISSED' ? '**' : ''}${show(value, unit)}${verdict === 'MISSED' ? '**' : ''}`,
      show(must, unit),
      show(aim, unit),
      seconds.toFixed(2),
      peakMib?.toFixed(0) ?? '',
      disturbed > 0 ? `${disturbed} of ${each.rounds.length}` : '',
    ];
  });
  const rivals = cases.flatMap(({ title, peers }) =>
    peers.map(({ name, value, seconds }) => [title, name, value.toFixed(2), seconds.toFixed(2)]),
  );
  return `${date}, disks of ${gib} GiB, median of ${rounds} rounds, ${machine.processor}, ${machine.processors} processors; Node ${machine.node}, ${machine.openssl}.

${tableOf(['what', 'over', 'ratio', 'limit', 'aim', 's', 'MiB', 'disturbed'], rows)}

The most memory was ${memory.value.toFixed(0)} MiB (limit ${memory.must}, aim ${memory.aim}).

Others, in the same rounds, as a ratio to the same reference:

${tableOf(['what', 'with', 'ratio', 's'], rivals)}
`;
}

function tableOf(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
