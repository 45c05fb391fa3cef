import { closeSync, constants, openSync } from 'node:fs';

/** To read, and never to wait: opening a named pipe would, for whoever writes to it. */
export const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** Opens a file for as long as `use` takes. @throws what the system does, and what `use` does */
export function whileOpen<Result>(path: string, flags: number, use: (descriptor: number) => Result): Result {
  const descriptor = openSync(path, flags);
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a file that `use` makes something of, which closes it. @throws what the system does, and what `use` does; nothing is open then */
export function openInto<Result>(path: string, flags: number, use: (descriptor: number) => Result): Result {
  const descriptor = openSync(path, flags);
  try {
    return use(descriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
