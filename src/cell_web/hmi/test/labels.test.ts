import { describe, expect, it } from 'vitest';
import { constantLabel } from '../src/core/format';
import {
  alarmLabel, alarmState, bagLabel, bagVerdict, codeName, deliveryLabel, jobLabel, canRecover, robotLabel, robotMessage, safetyLabel, stepText,
  subsystemLabel, trayLabel, verdictLabel, zoneLabel, type StateLabel,
} from '../src/core/labels';
import {
  AlarmMeanings, BagRecord, BagRecordMeanings, DeliveryStateMeanings, JobStateMeanings, MatchResultMeanings, RobotState, RobotStateMeanings,
  SubsystemMeanings, type Meaning,
} from '../src/generated/messages';

describe('labels', () => {
  const tables: [string, Record<number, Meaning>, (value: number) => StateLabel][] = [
    ['job', JobStateMeanings.state!, jobLabel], ['verdict', MatchResultMeanings.verdict!, verdictLabel],
    ['alarm', AlarmMeanings.priority!, alarmLabel], ['bag', BagRecordMeanings.outcome!, bagLabel], ['zone', BagRecordMeanings.zone!, zoneLabel],
    ['delivery', DeliveryStateMeanings.state!, deliveryLabel],
    ['subsystem', SubsystemMeanings.level!, subsystemLabel],
  ];

  it.each(tables)('of %s states have distinct texts', (_name, meanings, labelOf) => {
    const texts = Object.keys(meanings).map((value) => labelOf(Number(value)).text);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.every(Boolean)).toBe(true);
  });

  it('that are colored have a shape that no normal state has', () => {
    for (const [, meanings, labelOf] of tables) {
      const labels = Object.keys(meanings).map((value) => labelOf(Number(value)));
      const normal = new Set(labels.filter((entry) => entry.tone === 'normal' || entry.tone === 'muted').map((entry) => entry.shape));
      for (const entry of labels.filter(({ tone }) => tone === 'warn' || tone === 'alarm')) {
        expect(entry.shape === 'cross' || !normal.has(entry.shape)).toBe(true);
      }
    }
  });

  it('of a bag are VOIDED, its zone, or its outcome without a zone', () => {
    const bag = { voided: false, zone: BagRecord.ZONE_WARN_OVER, outcome: BagRecord.IN_TOLERANCE } as BagRecord;
    expect(bagVerdict(bag)).toEqual({ shape: 'up', tone: 'warn', text: 'HEAVY' });
    expect(bagVerdict({ ...bag, voided: true }).text).toBe('VOIDED');
    expect(bagVerdict({ ...bag, zone: BagRecord.ZONE_NONE, outcome: BagRecord.NO_ACTIVE_JOB }).text).toBe('NO ACTIVE JOB');
  });

  it('of the five zones have five shapes', () => {
    const zones = Object.keys(BagRecordMeanings.zone!).map(Number).filter((zone) => zone !== BagRecord.ZONE_NONE);
    expect(new Set(zones.map((zone) => zoneLabel(zone).shape)).size).toBe(5);
  });

  it('of a stopped robot say what to do, and offer a recovery only where it can help', () => {
    const robot = { connected: true, robot_mode: 7, safety_mode: RobotState.SAFETY_NORMAL, program_state: RobotState.PROGRAM_PLAYING, message: '' } as RobotState;
    expect([robotMessage(robot), canRecover(robot)]).toEqual(['', false]);
    const stopped = { ...robot, safety_mode: RobotState.SAFETY_PROTECTIVE_STOP };
    expect([robotMessage(stopped).includes('Recover the robot'), canRecover(stopped)]).toEqual([true, true]);
    expect(robotMessage({ ...stopped, message: 'Joint 2 hit something.' })).toBe('Joint 2 hit something.');
    expect(canRecover({ ...stopped, connected: false })).toBe(false);
    expect(robotMessage({ ...robot, safety_mode: RobotState.SAFETY_ROBOT_EMERGENCY_STOP })).toContain('at the machine');
  });

  it('of an unknown value are a question mark', () => {
    expect(jobLabel(99)).toEqual({ shape: 'question', tone: 'warn', text: 'UNKNOWN' });
    expect([alarmState(99), stepText(99), codeName(9999), constantLabel(undefined)]).toEqual(['UNKNOWN', 'unknown', 'CODE 9999', 'UNKNOWN']);
  });

  it('of trays are marked only when low or empty', () => {
    expect([trayLabel(0)?.text, trayLabel(1)?.text, trayLabel(2)]).toEqual(['empty', 'low', null]);
  });

  it('of the robot hide its state while it is disconnected', () => {
    const robot = { connected: false, robot_mode: 7, safety_mode: 1 } as RobotState;
    expect([robotLabel(robot).text, safetyLabel(robot).text]).toEqual(['NOT CONNECTED', 'NO DATA']);
  });

  it('of safety are muted only when it is normal or not reported', () => {
    for (const value of Object.keys(RobotStateMeanings.safety_mode!).map(Number)) {
      const tone = safetyLabel({ connected: true, safety_mode: value } as RobotState).tone;
      expect(tone === 'muted').toBe(value === RobotState.SAFETY_UNKNOWN || value === RobotState.SAFETY_NORMAL);
    }
  });
});
