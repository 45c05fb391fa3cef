// Loaded before the program: tells it to stop (STOP_SIGNAL) at the call STOP_AT of those that change the file system, once it listens;
// with STOP_TWICE a second time as soon as it has heard the first; with STOP_UNHEARD whether it listens or not. Who runs the
// program several times in one process says so before each (`arm`).
const fs = require('node:fs');
const promises = require('node:fs/promises');

const { STOP_AT, STOP_SIGNAL, STOP_TWICE, STOP_UNHEARD } = process.env;
const CHANGES = ['mkdir', 'rename', 'link', 'unlink', 'rm', 'rmdir', 'ftruncate', 'fsync'];
let at = Number(STOP_AT);
let signal = STOP_SIGNAL ?? 'SIGINT';
let listened = STOP_UNHEARD !== undefined;
let count = 0;

const isDue = () => {
  listened ||= process.listenerCount('SIGINT') > 0;
  return listened && ++count === at;
};
const stop = () => {
  if (STOP_TWICE) process.once(signal, () => setImmediate(() => process.kill(process.pid, signal)));
  process.kill(process.pid, signal);
};
/** Until the program has been told, and has done what it does at once. */
const told = () => new Promise((resolve) => setTimeout(resolve, 5));

for (const name of CHANGES.map((word) => `${word}Sync`)) {
  const real = fs[name];
  fs[name] = (...words) => {
    if (isDue()) stop();
    return real(...words);
  };
}
const delayed = (holder, name) => {
  const real = holder[name];
  holder[name] = async function (...words) {
    const due = isDue();
    if (due) stop();
    if (due) await told();
    return real.apply(this, words);
  };
};
for (const name of CHANGES.filter((word) => word in promises)) delayed(promises, name);
const { open } = promises;
promises.open = async (...words) => {
  const handle = await open(...words);
  promises.open = open;
  const shape = Object.getPrototypeOf(handle);
  for (const name of ['sync', 'truncate', 'datasync', 'write']) delayed(shape, name);
  return handle;
};
process.on('exit', () => process.stderr.write(`\ncalls: ${count}\n`));

exports.arm = (call, by) => {
  at = call;
  signal = by;
  listened = false;
  count = 0;
};
exports.countOfCalls = () => count;
