const MOST_MIB = { must: 110, aim: 70 };

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

/** What was measured on, and when. */
function conditionsOf({ date, gib, rounds, machine }) {
  return `${date}, disks of ${gib} GiB, median of ${rounds} rounds, ${machine.processor}, ${machine.processors} processors; Node ${machine.node}, ${machine.openssl}.`;
}

function mostOf(cases) {
  return Math.max(...cases.map(({ peakMib }) => peakMib ?? 0));
}

/** The most memory that anything took, and what it may be. */
export function memoryOf(cases) {
  return `the most memory was ${mostOf(cases).toFixed(0)} MiB (limit ${MOST_MIB.must}, aim ${MOST_MIB.aim})`;
}

export function isTooLarge(cases) {
  return mostOf(cases) > MOST_MIB.must;
}

/** All that was measured, for the page of the bench. */
export function longTable(document) {
  const { cases } = document;
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
  return `${conditionsOf(document)}

${tableOf(['what', 'over', 'ratio', 'limit', 'aim', 's', 'MiB', 'disturbed'], rows)}

And ${memoryOf(cases)}.

Others, in the same rounds, as a ratio to the same reference:

${tableOf(['what', 'with', 'ratio', 's'], rivals)}`;
}

/** What somebody wants to know who has a bundle before them: the case, what is typed, and the peer beside it, if not the reference. */
const LINES = [
  ['verify', '`bulla verify`, one disk'],
  ['verify-two', '`bulla verify`, two disks'],
  ['import', '`bulla import`, one disk', 'tar xf; openssl'],
  ['pack', '`bulla pack` with a signature, one disk', 'openssl; tar c'],
  ['start-verify', '`bulla verify`, a tiny bundle'],
];

/** The five lines of the README: seconds, and those of the programs that one would take otherwise. */
export function shortTable(document) {
  const { cases, gib, machine } = document;
  const rows = LINES.map(([id, what, peerName]) => {
    const each = cases.find((candidate) => candidate.id === id);
    if (!each) return [what, '', ''];
    const peer = each.peers.find(({ name }) => name === peerName);
    const others = peer?.seconds ?? median(each.rounds.map(({ reference }) => reference.wall));
    return [what, timeOf(each.seconds), `${timeOf(others)}, \`${peer?.name ?? programOf(each.reference)}\``];
  });
  return `${tableOf([`${gib} GiB in all`, 'takes', 'beside it'], rows)}

On ${machine.processors} processors (${machine.processor}, ${document.date}); at most ${mostOf(cases).toFixed(0)} MiB of memory, whatever the size.`;
}

/** Seconds as one says them. */
function timeOf(seconds) {
  return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
}

/** A line of a shell without the names of the files that were measured with. */
function programOf(line) {
  return line.replace(/ \S+\.(ova|raw)$/, '');
}

function tableOf(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
