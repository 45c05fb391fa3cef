import type { Advised } from '../../kit/errors/advice.ts';
import { RELAXATION_MEANINGS, type Relaxation } from '../../kit/relaxation.ts';

/** What is to be said about leftovers of runs that were killed, by name. [import.8] */
export function sweptWarnings(swept: readonly string[]): readonly string[] {
  return swept.map((name) => `removed "${name}", which an earlier run had left`);
}

/** [relax.1] What was let pass, by its name. */
export function relaxedWarnings(used: readonly Relaxation[]): readonly Advised[] {
  return used.map((name) => ({
    text: `let pass: ${RELAXATION_MEANINGS[name]} (relax: ${name})`,
    advice: 'relaxed',
    of: name,
  }));
}

/** [zip.14] Said, since it takes time and room that a tar does not. */
export function copyWarning(bytes: number | undefined): readonly string[] {
  if (bytes === undefined) return [];
  return [`a zip cannot be read in order: its ${bytes} bytes were kept in a private file, which is gone`];
}
