// How states look: a shape and a text always, a colour only when something is not normal (docs: the page's style).
import {
  Alarm, BagRecord, JobState, JobStateMeanings, MatchResult, MatchResultMeanings, ResultCodeMeanings, RobotState, RobotStateMeanings,
  Subsystem, TrayStock, BagRecordMeanings, AlarmMeanings, SubsystemMeanings, DeliveryState, DeliveryStateMeanings, type PreflightCheck,
} from '../generated/messages';
import { spoken } from './format';

export type Tone = 'normal' | 'muted' | 'warn' | 'alarm';
export type Shape = 'ring' | 'dot' | 'check' | 'cross' | 'triangle' | 'diamond' | 'octagon' | 'question' | 'bars' | 'play' | 'half' | 'down' | 'down2' | 'up' | 'up2';
export interface Look {
  shape: Shape;
  tone: Tone;
  text: string;
}

const look = (shape: Shape, tone: Tone, text: string): Look => ({ shape, tone, text });
const choose = (looks: Record<number, [Shape, Tone]>, value: number, text: string): Look => look(...(looks[value] ?? ['question', 'warn']), text);

/** Name a result code for people: "OK", "NOT ENOUGH STOCK", ... */
export const codeName = (code: number): string => spoken(ResultCodeMeanings.code[code]?.name ?? `CODE ${code}`);

export const subsystemLook = (level: number): Look => choose({
  [Subsystem.OK]: ['check', 'muted'], [Subsystem.WARN]: ['triangle', 'warn'],
  [Subsystem.ERROR]: ['cross', 'alarm'], [Subsystem.STALE]: ['question', 'alarm'],
}, level, spoken(SubsystemMeanings.level[level]?.name));

export const jobLook = (state: number): Look => choose({
  [JobState.NONE]: ['ring', 'muted'], [JobState.READY]: ['ring', 'normal'], [JobState.RUNNING]: ['play', 'normal'],
  [JobState.PAUSED]: ['bars', 'warn'], [JobState.WAITING_RELOAD]: ['triangle', 'warn'], [JobState.DONE]: ['check', 'normal'],
  [JobState.CANCELLED]: ['cross', 'muted'], [JobState.FAILED]: ['cross', 'alarm'],
}, state, spoken(JobStateMeanings.state[state]?.name));

export const stepText = (step: number): string => spoken(JobStateMeanings.step[step]?.name, 'STEP_').toLowerCase();

export const verdictLook = (verdict: number): Look => choose({
  [MatchResult.MATCH]: ['check', 'normal'], [MatchResult.MISMATCH]: ['cross', 'alarm'], [MatchResult.AMBIGUOUS]: ['half', 'warn'],
  [MatchResult.UNREADABLE]: ['question', 'warn'], [MatchResult.UNKNOWN]: ['diamond', 'warn'],
}, verdict, spoken(MatchResultMeanings.verdict[verdict]?.name));

export const decidedBy = (value: number): string => spoken(MatchResultMeanings.decided_by[value]?.name, 'BY_').toLowerCase();

export const bagLook = (outcome: number): Look => choose({
  [BagRecord.IN_TOLERANCE]: ['check', 'muted'], [BagRecord.UNDER]: ['triangle', 'alarm'], [BagRecord.OVER]: ['triangle', 'alarm'],
  [BagRecord.NO_ACTIVE_JOB]: ['question', 'warn'],
}, outcome, outcome === BagRecord.IN_TOLERANCE ? 'OK' : spoken(BagRecordMeanings.outcome[outcome]?.name));

/** Where a bag lies in its band: five zones, each with a word, a shape that points the way, and a colour for the outer four. */
export const zoneLook = (zone: number): Look => {
  const text = { [BagRecord.ZONE_REJECT_UNDER]: 'TOO LIGHT', [BagRecord.ZONE_WARN_UNDER]: 'LIGHT', [BagRecord.ZONE_OK]: 'OK',
    [BagRecord.ZONE_WARN_OVER]: 'HEAVY', [BagRecord.ZONE_REJECT_OVER]: 'TOO HEAVY' }[zone];
  return choose({
    [BagRecord.ZONE_REJECT_UNDER]: ['down2', 'alarm'], [BagRecord.ZONE_WARN_UNDER]: ['down', 'warn'], [BagRecord.ZONE_OK]: ['check', 'muted'],
    [BagRecord.ZONE_WARN_OVER]: ['up', 'warn'], [BagRecord.ZONE_REJECT_OVER]: ['up2', 'alarm'],
  }, zone, text ?? spoken(BagRecordMeanings.zone[zone]?.name, 'ZONE_'));
};

/** How a bag came out: its zone where there is one, otherwise what became of it. */
export const bagVerdict = (bag: BagRecord): Look =>
  bag.voided ? look('ring', 'muted', 'VOID') : bag.zone === BagRecord.ZONE_NONE ? bagLook(bag.outcome) : zoneLook(bag.zone);

export const deliveryLook = (state: number): Look => choose({
  [DeliveryState.OFF]: ['ring', 'muted'], [DeliveryState.UP]: ['check', 'muted'], [DeliveryState.RETRYING]: ['triangle', 'warn'],
  [DeliveryState.PAUSED]: ['bars', 'alarm'],
}, state, spoken(DeliveryStateMeanings.state[state]?.name));

/** One line of the checks before a job. */
export const checkLook = (check: PreflightCheck): Look => check.ok ? look('check', 'muted', check.name) : look('cross', 'alarm', check.name);

/** A tray is marked when it is low or empty; one empty tray is no alarm as long as the others hold pieces. */
export const trayLook = (state: number): Look | null => state === TrayStock.EMPTY ? look('octagon', 'warn', 'empty')
  : state === TrayStock.LOW ? look('triangle', 'normal', 'low') : null;

export const alarmLook = (priority: number): Look => choose({
  [Alarm.LOW]: ['ring', 'normal'], [Alarm.MEDIUM]: ['diamond', 'warn'], [Alarm.HIGH]: ['triangle', 'alarm'],
  [Alarm.CRITICAL]: ['octagon', 'alarm'],
}, priority, spoken(AlarmMeanings.priority[priority]?.name));

export const alarmState = (state: number): string => ({
  [Alarm.UNACKNOWLEDGED]: 'stands, not seen', [Alarm.ACKNOWLEDGED]: 'stands, seen', [Alarm.RETURNED]: 'gone, not seen',
  [Alarm.SHELVED]: 'shelved',
})[state] ?? spoken(AlarmMeanings.state[state]?.name);

/** The robot's safety state, read only. */
export function safetyLook(robot: RobotState): Look {
  const text = spoken(RobotStateMeanings.safety_mode[robot.safety_mode]?.name, 'SAFETY_');
  if (!robot.connected) return look('question', 'warn', 'NO LINK');
  if (robot.safety_mode === RobotState.SAFETY_UNKNOWN) return look('ring', 'muted', 'NOT TOLD BY LINK');
  if (robot.safety_mode === RobotState.SAFETY_NORMAL) return look('check', 'muted', text);
  return look('octagon', robot.safety_mode === RobotState.SAFETY_REDUCED ? 'warn' : 'alarm', text);
}

/** The robot's link and mode. */
export function robotLook(robot: RobotState): Look {
  if (!robot.connected) return look('cross', 'alarm', 'NOT CONNECTED');
  const mode = robot.robot_mode;
  if (mode === RobotState.MODE_UNKNOWN) return look('check', 'muted', 'CONNECTED');
  const text = spoken(RobotStateMeanings.robot_mode[mode]?.name, 'MODE_');
  return mode === RobotState.MODE_RUNNING ? look('check', 'muted', text) : look('triangle', 'warn', text);
}

const ADVICE: Record<number, string> = {
  [RobotState.SAFETY_PROTECTIVE_STOP]: 'The arm stopped itself: it touched something or was overloaded. Look at the cause, then recover.',
  [RobotState.SAFETY_RECOVERY]: 'The arm is outside its limits. Move it back by hand at the pendant.',
  [RobotState.SAFETY_SAFEGUARD_STOP]: 'A safeguard is open. Close it and reset it at the machine.',
  [RobotState.SAFETY_SYSTEM_EMERGENCY_STOP]: 'An emergency stop is pressed. A person releases it at the machine; this page cannot.',
  [RobotState.SAFETY_ROBOT_EMERGENCY_STOP]: 'The emergency stop at the robot is pressed. A person releases it there; this page cannot.',
  [RobotState.SAFETY_VIOLATION]: 'Safety violation. Read what the pendant says; it is cleared there.',
  [RobotState.SAFETY_FAULT]: 'Safety fault. Call service.',
};

/** What stands in the way of the robot and what to do, for people; "" when all is well. */
export function robotTrouble(robot: RobotState): string {
  if (!robot.connected) return robot.message || 'No link to the robot. Is it switched on, and does its program run?';
  return robot.message || (ADVICE[robot.safety_mode] ?? '');
}

/** May a recovery be of use? The robot has stopped, or its link tells that it does not run. */
export function recoverable(robot: RobotState): boolean {
  const halted: number[] = [RobotState.PROGRAM_PAUSED, RobotState.PROGRAM_STOPPED];
  const off: number[] = [RobotState.MODE_POWER_OFF, RobotState.MODE_POWER_ON, RobotState.MODE_IDLE];
  return robot.connected && (halted.includes(robot.program_state) || off.includes(robot.robot_mode) || robot.safety_mode === RobotState.SAFETY_PROTECTIVE_STOP);
}

export const programText = (state: number): string => spoken(RobotStateMeanings.program_state[state]?.name, 'PROGRAM_').toLowerCase();
export const triggerText = (state: number): string => spoken(RobotStateMeanings.last_trigger_state[state]?.name, 'TRIGGER_').toLowerCase();
export const triggerIsOpen = (robot: RobotState): boolean => robot.last_trigger_state === RobotState.TRIGGER_UNKNOWN;
