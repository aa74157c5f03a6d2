"""An executor that spends less on each callback than rclpy's own.

Jazzy's SingleThreadedExecutor wakes itself around each callback, and each time makes a new wait set of all entities of the
node: a trigger that passes through six callbacks costs some twenty rounds of it, several milliseconds. Here the entities are
put together anew only when they changed, tasks under way are resumed until none gets further, and the executor's own thread
never wakes itself. Events of the middleware (a peer whose QoS or type does not fit: two of each publisher and subscription)
are looked at once a second, not waited for. What is ready is taken and carried out by rclpy's own handlers, in rclpy's order,
so that timers, coroutines, callback groups, actions and errors behave as they do there (bench/robot.py shows what it saves).

It overrides private methods of rclpy.executors.Executor (7.1): test_executor.py fails when another release no longer has them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterable
from contextlib import ExitStack
from typing import Any

from rclpy.context import Context
from rclpy.event_handler import EventHandler
from rclpy.executors import (
    ConditionReachedException,
    ExternalShutdownException,
    ShutdownException,
    SingleThreadedExecutor,
    TimeoutException,
    TimeoutObject,
)
from rclpy.impl.implementation_singleton import rclpy_implementation as rcl
from rclpy.node import Node
from rclpy.task import Task
from rclpy.waitable import NumberOfEntities

__all__ = ['CachedWaitSetExecutor']

EVENTS_S = 1.0
"""So often events of the middleware are looked at; each that is waited for makes every wait longer."""
ENTITY_KINDS = ('subscription', 'guard_condition', 'timer', 'client', 'service')
"""What a wait set calls the kinds of entities; the order of the lists in WaitingFor."""

ReadyTasks = Generator[tuple[Task, Any, Any], None, bool]
"""Tasks to carry out, each with its entity and node; returns whether there was one."""


class WaitSetCache:
    """What the executor waits for, and the wait set; holds each handle, so that none is destroyed while it is waited for."""

    def __init__(self, plain: list[list[Any]], waitables: list[Any], context: Context) -> None:
        """Take subscriptions, guard conditions, timers, clients and services, and the waitables beside them."""
        if context.handle is None:
            raise ExternalShutdownException
        self.key = (plain, waitables)
        self._stack = ExitStack()
        self.plain = [[entity for entity in kind if self._acquire(entity.handle)] for kind in plain]
        self.waitables = [waitable for waitable in waitables if self._acquire(waitable)]
        self._stack.enter_context(context.handle)
        subscriptions, guards, timers, clients, services = (len(kind) for kind in self.plain)
        count = NumberOfEntities(subscriptions, guards, timers, clients, services)
        for waitable in self.waitables:
            count += waitable.get_num_entities()
        self.wait_set = rcl.WaitSet(
            count.num_subscriptions,
            count.num_guard_conditions,
            count.num_timers,
            count.num_clients,
            count.num_services,
            count.num_events,
            context.handle,
        )
        adders = [getattr(self.wait_set, f'add_{kind}') for kind in ENTITY_KINDS]
        self._adders = [(add, entity.handle) for add, kind in zip(adders, self.plain, strict=True) for entity in kind]

    def _acquire(self, handle: Any) -> bool:
        try:
            self._stack.enter_context(handle)
        except rcl.InvalidHandle:  # destroyed since it was listed
            return False
        return True

    def wait(self, timeout_ns: int) -> list[list[Any]]:
        """Wait until something is ready or the time is over; return what is ready of each kind."""
        self.wait_set.clear_entities()
        for add, handle in self._adders:
            add(handle)
        for waitable in self.waitables:
            waitable.add_to_wait_set(self.wait_set)
        self.wait_set.wait(timeout_ns)
        ready = []
        for kind, entities in zip(ENTITY_KINDS, self.plain, strict=True):
            pointers = self.wait_set.get_ready_entities(kind)
            ready.append([entity for entity in entities if entity.handle.pointer in pointers] if pointers else [])
        return ready

    def release(self) -> None:
        """Let go of the handles."""
        self._stack.close()


class CachedWaitSetExecutor(SingleThreadedExecutor):
    """Runs callbacks in the thread that spins; what SingleThreadedExecutor promises holds here too."""

    def __init__(self, *, context: Context | None = None) -> None:
        """Make an executor of this context, the default one when it is None."""
        self._waiting_for: WaitSetCache | None = None
        self._spinner: int | None = None
        self._events_due = 0.0
        super().__init__(context=context)

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Stop, and let go of the entities; call it from the thread that spun, or after it."""
        done = bool(super().shutdown(timeout_sec))
        self._release()
        return done

    def wake(self) -> None:
        """Have the thread that spins look again at what it waits for; in that thread it does so anyway."""
        if threading.get_ident() != self._spinner:
            super().wake()

    def create_task(self, callback: Callable[..., Any] | Coroutine[Any, Any, Any], *args: Any, **kwargs: Any) -> Task:
        """Add a callback or a coroutine that is carried out while this executor spins."""
        task = Task(callback, args, kwargs, executor=self)
        with self._tasks_lock:
            self._tasks.append((task, None, None))
        self.wake()
        return task

    def _wait_for_ready_callbacks(
        self,
        timeout_sec: float | TimeoutObject | None = None,
        nodes: list[Node] | None = None,
        condition: Callable[[], bool] = lambda: False,
    ) -> Generator[tuple[Task, Any, Any], None, None]:
        """Yield what is ready to be carried out, as the method of the same name in rclpy does, with the same exceptions."""
        self._spinner = threading.get_ident()
        try:
            seconds = timeout_sec.timeout if isinstance(timeout_sec, TimeoutObject) else timeout_sec
            deadline = None if seconds is None or seconds < 0 else time.monotonic() + seconds
            while not self._is_shutdown and not condition():
                if (yield from self._run_tasks()):
                    return
                among = self.get_nodes() if nodes is None else nodes
                now = time.monotonic()
                if now >= self._events_due and (yield from self._poll_events(among, now)):
                    return
                left = self._events_due - now if deadline is None else max(0.0, min(deadline, self._events_due) - now)
                if (yield from self._wait_ready(among, left)):
                    return
                if deadline is not None and time.monotonic() >= deadline:
                    raise TimeoutException
            raise ShutdownException if self._is_shutdown else ConditionReachedException
        finally:
            self._spinner = None

    def _run_tasks(self) -> ReadyTasks:
        """Resume the tasks under way until none of them ends any more."""
        worked = False
        while True:
            with self._tasks_lock:
                before = list(self._tasks)
            for task, entity, node in before:
                if not task.executing() and not task.done():
                    yield task, entity, node
            with self._tasks_lock:
                self._tasks = [entry for entry in self._tasks if not entry[0].done() and not entry[0].cancelled()]
                if self._tasks == before:
                    return worked
            worked = True

    def _poll_events(self, nodes: list[Node], now: float) -> ReadyTasks:
        """Look for events of the middleware, and yield a task for each."""
        self._events_due = now + EVENTS_S
        handlers = [it for node in nodes for it in node.waitables if isinstance(it, EventHandler) and self.can_execute(it)]
        there = WaitSetCache([[] for _ in ENTITY_KINDS], handlers, self._context)
        try:
            if there.waitables:
                there.wait(0)
            work = [it for it in there.waitables if it.is_ready(there.wait_set)]
        finally:
            there.release()
        yield from self._tasks_of([(handler, self._take_waitable) for handler in work])
        return bool(work)

    def _wait_ready(self, nodes: list[Node], seconds: float) -> ReadyTasks:
        """Wait once, and yield a task for each entity that is ready."""
        waiting_for = self._collect_entities(nodes)
        subscriptions, guards, timers, clients, services = waiting_for.wait(int(seconds * 1e9))
        if self._is_shutdown:
            raise ShutdownException
        if not self._context.ok():
            raise ExternalShutdownException
        for guard in guards:
            guard._executor_triggered = True
        work = [(it, self._take_waitable) for it in waiting_for.waitables if it.is_ready(waiting_for.wait_set)]
        # A cancelled timer may seem ready: rcl's own workaround, as in rclpy.
        work += [(timer, self._take_timer) for timer in timers if timer.handle.is_timer_ready()]
        work += [(subscription, self._take_subscription) for subscription in subscriptions]
        work += [(guard, self._take_guard_condition) for guard in guards if guard.callback_group is not None]
        work += [(client, self._take_client) for client in clients]
        work += [(service, self._take_service) for service in services]
        yield from self._tasks_of(work)
        return bool(work)

    def _tasks_of(self, work: Iterable[tuple[Any, Callable[[Any], Any]]]) -> Generator[tuple[Task, Any, Any], None, None]:
        """Yield a task for each entity whose group lets it."""
        for entity, take in work:
            if entity.callback_group.can_execute(entity):
                yield self._make_handler(entity, None, take), entity, None

    def _collect_entities(self, nodes: Iterable[Node]) -> WaitSetCache:
        """Return what may be waited for now; the same object as before when nothing changed."""
        plain: list[list[Any]] = [[], [self._guard, self._sigint_gc], [], [], []]
        waitables: list[Any] = []
        for node in nodes:
            of_node = (node.subscriptions, node.guards, node.timers, node.clients, node.services)
            for kind, entities in zip(plain, of_node, strict=True):
                kind.extend(filter(self.can_execute, entities))
            waitables.extend(it for it in node.waitables if not isinstance(it, EventHandler) and self.can_execute(it))
        for guard in plain[1]:
            if guard._executor_triggered and guard.callback_group is not None:
                guard.trigger()  # it was ready before, but could not be carried out
        if self._waiting_for is None or self._waiting_for.key != (plain, waitables):
            self._release()
            self._waiting_for = WaitSetCache(plain, waitables, self._context)
        return self._waiting_for

    def _release(self) -> None:
        if self._waiting_for is not None:
            self._waiting_for.release()
            self._waiting_for = None

    def _make_handler(self, entity: Any, node: Any, take_from_wait_list: Callable[[Any], Any]) -> Task:
        """Make a task that takes what an entity has and carries out its callback."""
        entity._executor_event = True  # not waited for until it is taken

        async def handle() -> None:
            if self._is_shutdown or not entity.callback_group.beginning_execution(entity):
                entity._executor_event = False
                return
            with self._work_tracker:
                work = take_from_wait_list(entity)
                entity._executor_event = False
                try:
                    if work is not None:
                        await work()
                finally:
                    entity.callback_group.ending_execution(entity)

        task = Task(handle, executor=self)
        with self._tasks_lock:
            self._tasks.append((task, entity, node))
        return task
