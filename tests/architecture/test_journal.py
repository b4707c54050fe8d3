"""Every line of a stay's story has its sentence."""

from __future__ import annotations

import pytest

from domain.journal import JournalKey


@pytest.mark.parametrize("key", JournalKey, ids=lambda key: key.value)
def test_a_journal_key_has_its_sentence(key: JournalKey) -> None:
    from api.ui.views.journal import SENTENCES

    assert SENTENCES[key]


def test_no_sentence_is_left_over() -> None:
    from api.ui.views.journal import SENTENCES

    assert set(SENTENCES) == set(JournalKey)
