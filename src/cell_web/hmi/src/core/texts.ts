// How states look: a shape and a text always, a colour only when something is not normal (docs: the page's style).
import {
  Alarm, BagRecord, JobState, JobStateMeanings, MatchResult, MatchResultMeanings, ResultCodeMeanings, RobotState, RobotStateMeanings,
  Subsystem, TrayStock, BagRecordMeanings, AlarmMeanings, SubsystemMeanings,
} from '../generated/messages';
import { spoken } from './format';

export type Tone = 'normal' | 'muted' | 'warn' | 'alarm';
export type Shape = 'ring' | 'dot' | 'check' | 'cross' | 'triangle' | 'diamond' | 'octagon' | 'question' | 'bars' | 'play' | 'half';
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

export const programText = (state: number): string => spoken(RobotStateMeanings.program_state[state]?.name, 'PROGRAM_').toLowerCase();
export const triggerText = (state: number): string => spoken(RobotStateMeanings.last_trigger_state[state]?.name, 'TRIGGER_').toLowerCase();
export const triggerIsOpen = (robot: RobotState): boolean => robot.last_trigger_state === RobotState.TRIGGER_UNKNOWN;
