import type { Certificate } from '../../crypto/certificate.ts';
import type { Allowances, Finding } from '../policy.ts';
import type { Budget } from './budget.ts';
import type { PolicyInputs } from './policies.ts';
import type { Purpose } from './purposes.ts';

/** From when to when certificates must be valid; both the same moment when nothing but the clock tells the time. */
export interface TimeWindow {
  readonly from: Date;
  readonly to: Date;
}

/** When, for what, and with how much leniency certificates are judged. */
export interface JudgeOptions {
  readonly window: TimeWindow;
  readonly allowances: Allowances;
  readonly purpose: Purpose;
  /** refuse what issuers get wrong without harm, too */
  readonly strict?: boolean;
}

/** What a path may end at, what it must keep to, and what it may cost. */
export interface PathOptions extends JudgeOptions {
  readonly anchors: readonly Certificate[];
  /** between leaf and anchor, self-issued ones not counted */
  readonly maxIntermediates?: number;
  readonly policies?: PolicyInputs;
  /** shared between the searches of one run */
  readonly budget?: Budget;
  /** judges a path that is good otherwise, such as by revocation; what it refuses makes the search go on */
  readonly judgeMore?: (path: readonly Certificate[]) => readonly Finding[];
}
