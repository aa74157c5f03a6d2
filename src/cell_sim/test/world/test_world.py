from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cell_sim.faults import UnknownFaultError
from cell_sim.world.ground_truth import GroundTruthLog, read_ground_truth
from cell_sim.world.parts import PhysicalPart, TrayMix
from cell_sim.world.stock_sync import StockChange, StockSync
from cell_sim.world.world import EMPTY, ImpossibleMoveError, ViewPhase, World

PART = 'EM1-2U1'


@pytest.fixture
def seen() -> list[tuple[str, dict[str, Any]]]:
    return []


@pytest.fixture
def world(seen: list[tuple[str, dict[str, Any]]]) -> World:
    world = World(TrayMix((PART, 'EM1-2U4')), lambda event, **facts: seen.append((event, facts)))
    world.fill([(PART, 1, 2), (PART, 2, 1)])
    seen.clear()
    return world


def test_a_pick_takes_one_piece_out_of_the_tray(world: World) -> None:
    world.pick(PART, 1, now=10.0, duration=1.6)
    assert world.count(PART, 1) == 1
    assert world.held is not None


def test_an_empty_tray_gives_nothing(world: World) -> None:
    with pytest.raises(ImpossibleMoveError, match='tray 3 is empty'):
        world.pick(PART, 3, 10.0, 1.6)
    assert world.held is None


def test_a_full_gripper_does_not_pick(world: World) -> None:
    world.pick(PART, 1, 10.0, 1.6)
    with pytest.raises(ImpossibleMoveError, match='gripper is not empty'):
        world.pick(PART, 1, 12.0, 1.6)
    assert world.count(PART, 1) == 1


def test_tray_0_takes_from_the_first_tray_that_holds_something(world: World) -> None:
    for _ in range(3):
        world.pick(PART, 0, 0.0, 1.0)
        world.release(world.placed)
    assert [piece.serial for piece in world.placed] == [f'{PART}/1/1', f'{PART}/1/2', f'{PART}/2/1']
    with pytest.raises(ImpossibleMoveError, match='all trays are empty'):
        world.pick(PART, 0, 0.0, 1.0)


@pytest.mark.parametrize(
    ('now', 'phase'), [(10.0, ViewPhase.AWAY), (11.0, ViewPhase.MOVING), (11.5, ViewPhase.STILL), (99.0, ViewPhase.STILL)]
)
def test_the_camera_sees_the_piece_come_and_stand(world: World, now: float, phase: ViewPhase) -> None:
    world.pick(PART, 1, now=10.0, duration=1.6)
    assert world.view(now).phase is phase


def test_the_camera_sees_the_piece_leave(world: World) -> None:
    world.pick(PART, 1, 0.0, 1.0)
    world.carry_away(5.0, 1.0)
    assert world.view(5.1).phase is ViewPhase.MOVING
    assert world.view(5.5).phase is ViewPhase.AWAY
    world.release(world.rejected)
    assert world.view(6.0) == EMPTY


def test_an_empty_gripper_carries_nothing_away(world: World) -> None:
    with pytest.raises(ImpossibleMoveError, match='gripper is empty'):
        world.carry_away(0.0, 1.0)


def test_what_happens_is_observed(world: World, seen: list[tuple[str, dict[str, Any]]]) -> None:
    world.pick(PART, 1, 0.0, 1.0)
    world.settle()
    world.carry_away(2.0, 1.0)
    world.release(world.placed)
    assert [event for event, _ in seen] == ['picked', 'held_up', 'placed']
    assert seen[0][1] == {'ordered': PART, 'part_number': PART, 'unreadable': False, 'serial': f'{PART}/1/1'}


def test_the_reference_piece_is_known_good_and_goes_back_to_its_nest(world: World) -> None:
    world.pick('EM1-2U1', 1, 0.0, 1.0)
    world.release(world.placed)
    assert world.show_reference(2.0, 1.0).part_number == 'EM1-2U1'
    world.return_reference()
    assert world.held is None


def test_a_person_lays_another_reference_into_the_nest(world: World) -> None:
    world.place_in_nest('EM1-2U4')
    world.pick(PART, 1, 0.0, 1.0)
    world.release(world.placed)
    assert world.show_reference(2.0, 1.0).part_number == 'EM1-2U4'


def test_an_unknown_part_is_not_laid_into_the_nest(world: World) -> None:
    with pytest.raises(UnknownFaultError, match='EM1-2U1, EM1-2U4'):
        world.place_in_nest('X')


def test_a_picked_piece_stays_in_the_gripper_when_the_arm_goes_home(world: World) -> None:
    piece = world.pick(PART, 1, 0.0, 1.0)
    world.return_reference()
    assert world.held == piece
    world.remove_part()
    assert world.held is None


def test_the_stock_sync_fills_trays_once_and_then_follows_the_ledger(world: World) -> None:
    sync = StockSync(world)
    sync.apply(StockChange(4, PART, 1, 50))
    sync.report(5, [(PART, 1, 7), (PART, 3, 4)])
    sync.report(6, [(PART, 1, 1)])
    sync.apply(StockChange(5, PART, 1, 50))
    assert world.count(PART, 1) == 7
    sync.apply(StockChange(7, PART, 3, 2))
    sync.apply(StockChange(8, PART, 1, -9))
    assert (world.count(PART, 1), world.count(PART, 3)) == (0, 6)


def test_the_truth_is_written_line_by_line(tmp_path: Path) -> None:
    log = GroundTruthLog(str(tmp_path / 'deep' / 'truth.jsonl'), lambda: 1763700000.0)
    log('placed', part_number=PART)
    assert read_ground_truth(tmp_path / 'deep' / 'truth.jsonl') == [
        {'time': 1763700000.0, 'event': 'placed', 'part_number': PART}
    ]
    log.close()
    GroundTruthLog('', lambda: 0.0)('placed')


def test_a_half_written_last_line_of_the_truth_is_left_out(tmp_path: Path) -> None:
    (tmp_path / 'truth').write_text(json.dumps({'event': 'placed'}) + '\n{"event": "pla')
    assert read_ground_truth(tmp_path / 'truth') == [{'event': 'placed'}]


def test_pieces_are_plain_values() -> None:
    assert PhysicalPart(PART, False, 'a') == PhysicalPart(PART, False, 'a')
