import { ControlJob_Request as Control, JobState } from '../generated/messages';

/** One answer to "was the step completed?". */
export interface Answer {
  action: number;
  label: string;
  /** What the operator sees when this answer is right. */
  meaning: string;
  testid: string;
}

const DONE: Record<number, string> = {
  [JobState.STEP_IDLE]: 'The robot program runs.', [JobState.STEP_PICK]: 'The gripper holds the piece.',
  [JobState.STEP_PLACE]: 'The piece is in its place.', [JobState.STEP_REJECT]: 'The piece is in the reject tray.',
};
const NOT_DONE: Record<number, string> = {
  [JobState.STEP_IDLE]: 'The robot program does not run.', [JobState.STEP_PICK]: 'The piece is still in the tray.',
  [JobState.STEP_PLACE]: 'The gripper still holds the piece.', [JobState.STEP_REJECT]: 'The gripper still holds the piece.',
};
const WITH_PIECE: number[] = [JobState.STEP_READ, JobState.STEP_MATCH, JobState.STEP_PLACE, JobState.STEP_REJECT];

/** Whether the place of the current piece may have to be answered: paused, and the piece is not booked. */
export function isPieceOpen(job: JobState): boolean {
  if (job.state !== JobState.PAUSED) return false;
  const picked = job.step === JobState.STEP_PICK && job.tray > 0 && job.piece === job.placed + job.rejected + 1;
  return job.unresolved_trigger || picked || WITH_PIECE.includes(job.step);
}

/** Return the answers for the current step. Without a piece there is none to remove. */
export function answersFor(job: JobState): Answer[] {
  const answers: Answer[] = [
    { action: Control.RESOLVE_DONE, label: 'Completed', meaning: DONE[job.step] ?? 'The gripper holds the piece.', testid: 'resolve-done' },
    { action: Control.RESOLVE_NOT_DONE, label: 'Not completed', meaning: NOT_DONE[job.step] ?? 'The piece is still in the tray.', testid: 'resolve-not-done' },
  ];
  if (job.step !== JobState.STEP_IDLE) {
    answers.push({ action: Control.RESOLVE_REMOVED, label: 'Piece removed', meaning: 'I took the piece out of the cell.', testid: 'resolve-removed' });
  }
  return answers;
}

export type Gripper = 'holds a piece' | 'empty' | 'no sensor' | 'unknown';

/** Return the line about the gripper's sensor that stands beside the question. */
export const gripperText = (gripper: Gripper): string => ({
  'holds a piece': 'Gripper sensor: holds a piece.', empty: 'Gripper sensor: empty.', 'no sensor': 'No gripper sensor: look at the gripper.',
  unknown: 'Gripper sensor: no data. Look at the gripper.',
})[gripper];

/** Return what to do with a piece when a paused job is canceled. */
export const cancelText = (gripper: Gripper): string => ({
  'holds a piece': 'The gripper holds a piece: remove it by hand afterwards.', empty: 'The gripper is empty.',
  'no sensor': 'Look at the gripper: remove a piece by hand.', unknown: 'Look at the gripper: remove a piece by hand.',
})[gripper];
