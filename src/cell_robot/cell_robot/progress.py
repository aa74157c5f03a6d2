"""Progress of one trigger, reported from the backend's thread to the client and to the node."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock

from cell_robot.backends.trigger import TriggerPhase


class ProgressReporter:
    """Publishes SENT and ACKNOWLEDGED to the client, in order, and records both in the node's thread.

    SENT is published only until the acknowledgement arrives, which is mostly within a millisecond. Publishing it first would
    delay the acknowledgement by a millisecond, here and in the client.
    """

    def __init__(
        self,
        publish: Callable[[TriggerPhase], None],
        record: Callable[[TriggerPhase], None],
        run_in_node: Callable[[Callable[[], None]], None],
        on_error: Callable[[TriggerPhase, Exception], None],
    ) -> None:
        """Store the callbacks.

        Args:
            publish: Sends feedback to the client. ACKNOWLEDGED is published from the calling thread, because rcl_publish is
                thread-safe and waiting for the node's thread takes milliseconds.
            record: Updates the node's own state; called in the node's thread.
            run_in_node: Queues a call for the node's thread.
            on_error: Called when `publish` raises; the trigger continues without the feedback.
        """
        self._publish, self._record, self._run_in_node, self._on_error = publish, record, run_in_node, on_error
        self._order = Lock()
        self._acknowledged = False
        self._acknowledgement_done = Event()

    def report(self, phase: TriggerPhase) -> None:
        """Report a phase; from any thread.

        Args:
            phase: SENT or ACKNOWLEDGED; each at most once, in this order.
        """
        if phase is TriggerPhase.ACKNOWLEDGED:
            self._publish_in_order(phase)
        self._run_in_node(lambda: self._report_in_node(phase))

    def wait_acknowledged(self, timeout_s: float) -> bool:
        """Wait until the acknowledgement was published; returns False on timeout."""
        return self._acknowledgement_done.wait(timeout_s)

    def _report_in_node(self, phase: TriggerPhase) -> None:
        if phase is TriggerPhase.SENT:
            self._publish_in_order(phase)
        self._record(phase)

    def _publish_in_order(self, phase: TriggerPhase) -> None:
        """Publish a phase unless a later one was published; an error of the client is reported and ignored."""
        with self._order:
            if self._acknowledged:
                return
            # SENT is queued and may come second: after the acknowledgement it would be a step back.
            self._acknowledged = phase is TriggerPhase.ACKNOWLEDGED
            try:
                self._publish(phase)
            except Exception as error:
                self._on_error(phase, error)
            finally:
                if self._acknowledged:
                    self._acknowledgement_done.set()
