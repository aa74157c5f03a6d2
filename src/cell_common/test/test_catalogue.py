from cell_common.catalogue import Part, Tray, fold_confusables, lookalike_warnings


def test_numbers_that_differ_in_a_distinct_character_are_no_twins():
    assert not lookalike_warnings(['G8NB-17SR', 'G8NB-17SU', 'HF115F-012', 'HF115F-024'])


def test_look_folds_what_fonts_print_alike():
    assert fold_confusables('EM1-2UI') == fold_confusables('em1 2u1')
    assert fold_confusables('DT04-2P') != fold_confusables('DT04-4P')


def test_the_part_number_is_the_first_text_that_identifies_a_part():
    assert Part('EM1-2U1', 'A', (Tray(1, 0, 4, 1),), prints=('SNEM1-2U1',)).printed_text == ('EM1-2U1', 'SNEM1-2U1')
