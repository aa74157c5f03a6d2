import type { PreflightCheck } from '../generated/messages';

/** A question to the operator before a command is sent. */
export interface Question {
  title: string;
  text: string;
  /** Text of the confirm button. */
  confirmLabel: string;
  /** Text of a second confirm button, e.g. to resume the job at once; the arm then moves. */
  resumeLabel?: string;
  /** Show the warning that the arm will move. */
  moves?: boolean;
  /** Pre-flight checks to show with the question. */
  checks?: PreflightCheck[];
}

/** State of a robot recovery. */
export interface Recovery {
  phase: 'asking' | 'running' | 'done' | 'failed';
  /** Started steps; the last one is in progress. */
  steps: string[];
  count: number;
  message: string;
}

/** Answer to a question: confirmed, and whether the job shall be resumed with it. */
export interface Decision {
  yes: boolean;
  resume: boolean;
}
