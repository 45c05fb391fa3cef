import type { Told } from '../../kit/errors/advice.ts';
import { BundleError, toBundleError } from '../../kit/errors/errors.ts';
import { warned } from '../../verdict/report/report.ts';
import { sinkUntil } from '../../verdict/walk/sink-rule.ts';
import { refusedReport } from './ending.ts';
import type { ImportSink } from './import-sink.ts';
import type { Intake } from './intake.ts';

/** What a sink has been told. It is told one of the two, once. [import.11] */
type SinkState = 'taking' | 'published' | 'discarded';

/** Has a program's own sink take the members, until the signal has fired, and tells it in the end what they are worth. */
export function openOwnSink(sink: ImportSink, signal: AbortSignal | undefined): Intake {
  let state: SinkState = 'taking';
  const enter = (next: SinkState): void => {
    if (state !== 'taking') throw new BundleError('INTERNAL', `a sink that is ${state} is to be ${next}`);
    state = next;
  };
  /** What it throws here is said, and takes the place of no verdict. */
  const discard = async (): Promise<readonly Told[]> => {
    enter('discarded');
    try {
      await sink.discard();
      return [];
    } catch (error) {
      const { message } = toBundleError(error);
      return [`what has come could not be discarded, and may still be there: ${message}`];
    }
  };
  return {
    sink: sinkUntil(sink, signal),
    ending: {
      judged: async (report, errors) => (errors.length === 0 ? report : warned(report, await discard())),
      unfit: async (report, error) => warned(refusedReport(report, toBundleError(error)), await discard()),
      failed: async (error) => {
        const fault = toBundleError(error);
        const notes = state === 'taking' ? await discard() : [];
        if (notes.length === 0) return fault;
        const { code, message, where, why, advice, cause } = fault;
        return new BundleError(code, message, { where, why, fix: [...advice, ...notes], cause });
      },
    },
    publish: async (members) => {
      enter('published');
      await sink.publish(members);
      return undefined;
    },
    [Symbol.asyncDispose]: async () => {
      if (state === 'taking') await discard();
    },
  };
}
