import { ControlJob_Request, ResultCode } from '../generated/messages';
import { CallError } from './connection';

/** Common part of the cell's responses: a ResultCode, and a message for the operator. */
export type ServiceResult = { code: number; message: string };

/** Titles of the notices of control_job, by action. */
export const CONTROL_TITLES: Record<number, string> = {
  [ControlJob_Request.PAUSE]: 'Pause', [ControlJob_Request.RESUME]: 'Resume', [ControlJob_Request.CANCEL]: 'Cancel job',
  [ControlJob_Request.RESOLVE_DONE]: 'Resolve', [ControlJob_Request.RESOLVE_NOT_DONE]: 'Resolve', [ControlJob_Request.RESOLVE_REMOVED]: 'Resolve',
};

/**
 * Summarize one half of a stop: of the robot program, or of the pick job.
 *
 * @param result Settled call; both halves are sent at once, so that a failure of one does not delay the other.
 * @param done Text for a success without a message.
 * @param idle Result codes that mean "not running", which is no failure of a stop.
 */
export function stopOutcome(result: PromiseSettledResult<ServiceResult>, done: string, idle: number[] = []): { good: boolean; text: string } {
  if (result.status === 'rejected') return { good: false, text: errorText(result.reason) };
  const { code, message } = result.value;
  if (idle.includes(code)) return { good: true, text: 'not running.' };
  return code === ResultCode.OK ? { good: true, text: message || done } : { good: false, text: message };
}

/** Return the message of a failed call. */
export const errorText = (error: unknown): string => (error instanceof CallError ? error.message : `Internal page error: ${String(error)}`);
