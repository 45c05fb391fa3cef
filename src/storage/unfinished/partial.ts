import { unguessable } from '../../engine/node/random.ts';
import { formatHex } from '../../kit/encoding.ts';
import { thisProcess } from './process-place.ts';

const NAME_BYTES = 255;
const FORM = /\.partial-[0-9a-f]{8}-[1-9]\d{0,9}-[0-9a-z]{1,12}-[0-9a-f]{8}$/;

/**
 * A new name, unlike any other, for what will be `base` when it is complete. It tells a person which process made it;
 * nothing is believed because of it.
 */
export function partialName(base: string): string {
  const { place, pid, began } = thisProcess();
  const ending = `.partial-${place}-${pid}-${began}-${formatHex(unguessable(4))}`;
  let start = base;
  while (Buffer.byteLength(start + ending) > NAME_BYTES) start = [...start].slice(0, -1).join('');
  return start + ending;
}

/** Whether a name is of that form, so that it is worth a look. */
export function isPartialName(name: string): boolean {
  return FORM.test(name);
}
