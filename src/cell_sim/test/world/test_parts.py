from __future__ import annotations

from cell_sim.world.parts import SIMILAR_COUNT, TrayMix, by_similarity

NAMES = ('EM1-2U1', 'EM1-2U4', 'EM2-2U1', 'G8NB-17SR', 'G8NB-17SU', 'HF115F-012', 'HF115F-024', 'DT04-2P')


def test_the_same_seed_lays_the_same_pieces_whatever_the_order() -> None:
    one, other = (TrayMix(NAMES, 7, 0.3, 0.2) for _ in range(2))
    places = [('G8NB-17SR', tray, ordinal) for tray in (1, 2) for ordinal in range(50)]
    assert [one.draw(*place) for place in places] == [other.draw(*place) for place in reversed(places)][::-1]


def test_another_seed_lays_other_pieces() -> None:
    drawn = [[TrayMix(NAMES, seed, 0.3).draw('EM1-2U1', 1, n).part_number for n in range(60)] for seed in (1, 2)]
    assert drawn[0] != drawn[1]


def test_a_clean_mixture_holds_only_what_the_tray_says() -> None:
    pieces = [TrayMix(NAMES).draw('EM1-2U1', 1, n) for n in range(200)]
    assert {(piece.part_number, piece.unreadable) for piece in pieces} == {('EM1-2U1', False)}


def test_shares_come_out_about_as_asked() -> None:
    pieces = [TrayMix(NAMES, 3, 0.3, 0.1).draw('EM1-2U1', 1, n) for n in range(2000)]
    assert 0.27 < sum(piece.part_number != 'EM1-2U1' for piece in pieces) / 2000 < 0.33
    assert 0.08 < sum(piece.unreadable for piece in pieces) / 2000 < 0.12


def test_wrong_pieces_are_mostly_look_alikes() -> None:
    pieces = [TrayMix(NAMES, 3, 1.0).draw('G8NB-17SR', 1, n).part_number for n in range(1000)]
    near = by_similarity('G8NB-17SR', NAMES)[:SIMILAR_COUNT]
    assert near[0] == 'G8NB-17SU'
    assert 'G8NB-17SR' not in pieces
    assert sum(name in near for name in pieces) > 800
    assert len(set(pieces)) > SIMILAR_COUNT


def test_a_catalogue_of_one_part_has_no_wrong_piece() -> None:
    assert TrayMix(('EM1-2U1',), 1, 1.0).draw('EM1-2U1', 1, 1).part_number == 'EM1-2U1'
