// Written by tools/alarm_docs.py from cell_common.alarm_texts; do not edit.
/** Name of a safety mode of the robot, without SAFETY_ -> stop and steps. OTHER: any other mode. */
export const STOP_TEXTS: Record<string, string> = {
  PROTECTIVE_STOP: "Protective stop. Find out what the arm has hit. Clear the robot area. Recover the robot.",
  RECOVERY: "Recovery mode. Move the joints back into their limits on the pendant.",
  SAFEGUARD_STOP: "Safeguard stop. Close and reset the safeguard. Recover the robot.",
  SYSTEM_EMERGENCY_STOP: "Emergency stop of the system. Remove the danger. Release the emergency stop at the machine. Recover the robot.",
  ROBOT_EMERGENCY_STOP: "Emergency stop. Remove the danger. Release the emergency stop at the machine. Recover the robot.",
  VIOLATION: "Safety violation. Call maintenance. Read the log on the pendant and restart safety there.",
  FAULT: "Safety fault. Call maintenance. Read the log on the pendant and restart safety there.",
  OTHER: "Stop by the safety system. Look at the pendant and fix the cause. Recover the robot.",
};
