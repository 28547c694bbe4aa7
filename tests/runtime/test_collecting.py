"""While a run is driven, the garbage collector leaves alone what lives to its end anyway."""

import gc

import pytest

from orchestrator.runtime.collecting import YOUNG, seldom_collecting


def test_what_is_there_already_is_not_searched_and_new_things_only_seldom():
    before = gc.get_freeze_count()

    with seldom_collecting():
        assert gc.get_freeze_count() > before
        assert gc.get_threshold()[0] == YOUNG
        assert gc.isenabled()


def test_afterwards_everything_is_as_it_was_even_if_the_run_failed():
    thresholds = gc.get_threshold()

    with pytest.raises(OSError, match="disk"), seldom_collecting():
        raise OSError("disk")

    assert gc.get_threshold() == thresholds
    assert gc.get_freeze_count() == 0
