import { BundleError } from '../../src/kit/errors/errors.ts';
import { busyMs } from './run-input.ts';
import { type Target, Violation } from './target.ts';

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const input = (word: string): Uint8Array => Uint8Array.from(word, (char) => char.charCodeAt(0));

/** A target with every fault there is, to see that each is found. */
export const TARGETS: readonly Target[] = [
  {
    name: 'faulty',
    group: 'crypto',
    share: 1,
    codes: ['CMS_SYNTAX'],
    open: async () => ({
      seeds: [
        'good',
        'refused',
        'other code',
        'exception',
        'violation',
        'slow',
        'hang',
        'memory',
        'good',
        'abort',
      ].map(input),
      mutate: () => input('good'),
      run: (bytes) => {
        switch (text(bytes)) {
          case 'refused':
            throw new BundleError('CMS_SYNTAX', 'refused as it should be');
          case 'other code':
            throw new BundleError('USAGE', 'not one of the codes of the target');
          case 'exception':
            throw new TypeError('no BundleError');
          case 'violation':
            throw new Violation('a property does not hold');
          case 'slow':
            for (const start = process.cpuUsage(); busyMs(process.cpuUsage(start)) < 1100; );
            return 'slow';
          case 'hang':
            for (;;);
          case 'abort':
            process.kill(process.pid, 'SIGABRT');
            for (;;);
          case 'memory': {
            const kept: unknown[] = [];
            for (;;) kept.push(new Array(1_000_000).fill(kept.length));
          }
          default:
            return 'good';
        }
      },
    }),
  },
];
