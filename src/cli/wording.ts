import { type Typed, withNames, withTrust } from './typed-names.ts';

/** A sentence as the command line says it, made of the one that every face says and of what that is about. */
export type Wording = (text: string, of: string, typed: Typed) => string;

/** The same, and then the command, or the options of the one that was given. */
export const thus =
  (command: string): Wording =>
  (text) =>
    `${text}: ${command}`;

/** The same, with what was typed in the place of BUNDLE and NEW.ova; for a command that asks whom to trust, and takes `--inner` as the one that was run may have. */
export const thenOn =
  (command: string): Wording =>
  (text, _, typed) =>
    `${text}: ${withTrust(withNames(typed.isInner ? command.replace('BUNDLE', 'BUNDLE --inner') : command, typed), typed)}`;

/** The same, and more. */
export const more =
  (words: string): Wording =>
  (text) =>
    text + words;

/** A sentence of its own, where the command or the option belongs into the middle. */
export const instead =
  (words: string): Wording =>
  () =>
    words;

/** A warning of what was allowed, and by which option. */
export const by =
  (option: string): Wording =>
  (_, warning) =>
    `${warning} (${option})`;
