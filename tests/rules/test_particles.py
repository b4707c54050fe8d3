"""Particles are spoken as they should be after whatever a sentence was filled in with."""

from __future__ import annotations

import pytest

from rules.particles import fitted


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("코드을(를) 수와(과) 비교합니다", "코드를 수와 비교합니다"),
        ("목록이(가) 있고 글은(는) 없다", "목록이 있고 글은 없다"),
        ("사실(이)라는 것, 코드(이)라는 것", "사실이라는 것, 코드라는 것"),
        ("길(으)로, 결과(으)로, 목록(으)로", "길로, 결과로, 목록으로"),
        ("6을(를) 2와(과), 3(으)로, 7(으)로, 10을(를)", "6을 2와, 3으로, 7로, 10을"),
        ("‘없음’은(는) (코드)이(가)", "‘없음’은 (코드)가"),
        ("spo2은(는) ward이(가)", "spo2는 ward이(가)"),
    ],
)
def test_a_particle_follows_the_sound_before_it(written: str, spoken: str) -> None:
    assert fitted(written) == spoken
