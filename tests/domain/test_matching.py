"""Who may be the same person: spellings, slips and numbers, and what they are worth."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from domain.matching import Grade, name_keys, score
from domain.matching.keys import birth_dates, phone
from domain.matching.names import distance
from domain.matching.scoring import POINTS
from domain.matching.sounds import sound

NATIONAL = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NI"}]}


def person(text: str = "", family: str = "", given: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    name = {"text": text, "family": family, "given": list(given)}
    return {"resourceType": "Patient", "name": [{key: value for key, value in name.items() if value}], **more}


def number(value: str, **more: Any) -> list[dict[str, Any]]:
    return [{"system": "urn:mrn", "value": value, **more}]


@pytest.mark.parametrize(
    "spellings",
    [
        "김 kim gim",
        "이 lee yi rhee i",
        "박 park pak bak",
        "최 choi choe",
        "정 jung jeong chung",
        "조 cho jo",
        "강 kang gang",
        "윤 yoon yun",
        "임 lim im rim",
        "류 ryu yoo yu",
        "서 seo suh",
        "권 kwon gwon",
        "안 ahn an",
        "문 moon mun",
        "백 baek paik baik",
        "허 heo hur huh",
        "노 noh roh no",
        "우 woo u wu",
        "염 yeom yum",
        "영희 younghee yeonghui",
        "길동 gildong kildong",
        "승우 seungwoo",
        "수빈 soobin subin",
    ],
)
def test_a_name_sounds_the_same_however_it_is_romanised(spellings: str) -> None:
    assert len({sound(each) for each in spellings.split()}) == 1


def test_different_names_mostly_sound_different() -> None:
    families = "김 이 박 최 정 조 강 윤 임 신 권 문 배 백 허 홍 황 송".split()  # noqa: SIM905
    assert len({sound(each) for each in families}) == len(families)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (person("김하나"), person(family="김", given=("하나",)), "name-same"),
        (person("김 하나"), person(unicodedata.normalize("NFD", "김하나")), "name-same"),
        (person("김하나"), person("Kim Ha-na"), "name-sounds"),
        (person("KIM HANA"), person("Hana Kim"), "name-same"),
        (person("김하나"), person("Hana GIM"), "name-sounds"),
        (person("Lee Young Hee"), person(family="Yi", given=("Yeonghui",)), "name-sounds"),
        (person("남궁민수"), person(family="Namgung", given=("Min", "Soo")), "name-sounds"),
        (person("김정숙"), person("김종숙"), "name-alike"),  # one vowel
        (person("Jonathan Smith"), person("Jonathon Smith"), "name-alike"),
        (person("José María Núñez"), person(family="nunez", given=("Jose", "Maria")), "name-same"),
        (person(family="Smith", given=("John", "Paul")), person("John Smith"), "name-same"),
        (person("김하나"), person("김영희"), "name-part"),
        (person("김하나"), person("박철수"), "name-different"),
        (person("김하나"), person("Park Chulsoo"), "name-different"),
        (person("!!!"), person("김하나"), None),
        (person(), {"name": [{"family": 3, "given": "x"}, None]}, None),
    ],
)
def test_names_are_compared_across_scripts_orders_and_slips(
    one: dict[str, Any], other: dict[str, Any], found: str | None
) -> None:
    assert [each for each in score(one, other).found if each.startswith("name")] == ([found] if found else [])
    assert score(one, other) == score(other, one)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("1980-05-07", "1980-05-07", "birth-same"),
        ("1980-05-07", "1980-07-05", "birth-exchanged"),
        ("1980-05-07", "1990-05-07", "birth-digit"),
        ("1980-05-07", "1980-05", "birth-partial"),
        ("1980", "1980-05-07", "birth-partial"),
        ("1980", "1980", "birth-partial"),
        ("1980-05-07", "1981-06-08", "birth-different"),
        ("1980-05-07", None, None),
    ],
)
def test_dates_of_birth_are_compared_with_the_slips_that_people_make(
    one: str, other: str | None, found: str | None
) -> None:
    said = score({"birthDate": one}, {"birthDate": other} if other else {}).found
    assert said == ((found,) if found else ())


def test_one_slip_makes_only_dates_that_there_are() -> None:
    near = birth_dates("1980-05-17")
    assert {"1980-05-17", "1990-05-17", "1980-06-17", "1980-05-27"} <= near
    assert not near & {"1980-17-05", "1980-05-37", "1980-15-17"}


@pytest.mark.parametrize(
    "text", ["010-1234-5678", "+82 10-1234-5678", "0082 10 1234 5678", "01012345678", "+82(0)10.1234.5678"]
)
def test_a_telephone_number_is_one_however_it_is_written(text: str) -> None:
    assert phone(text) == "01012345678"
    assert phone("119") == ""


def test_an_identifier_is_certain_until_the_rest_says_otherwise() -> None:
    born = {"birthDate": "1980-05-07"}
    one = person("김하나", identifier=number("A-1"), **born)
    assert score({"identifier": number("a1")}, one).grade is Grade.CERTAIN
    assert score(person("박철수", identifier=number("A-1")), one).grade is Grade.PROBABLE
    assert score(person("박철수", identifier=number("A-1"), birthDate="1931-01-01"), one).grade is Grade.POSSIBLE
    assert score({"identifier": [{"value": "A-1"}]}, one).grade is Grade.POSSIBLE
    assert score({"identifier": number("A-2")}, one).grade is None


def test_what_people_say_of_themselves_adds_up_to_a_grade() -> None:
    known = person(
        "김하나",
        birthDate="1980-05-07",
        gender="female",
        telecom=[{"system": "phone", "value": "010-1234-5678"}],
        address=[{"line": ["장미로 1"], "postalCode": "04524"}],
    )
    asked: dict[str, Any] = person("김하나", birthDate="1980-05-07", gender="female")
    assert (score(asked, known).points, score(asked, known).grade) == (60, Grade.PROBABLE)
    asked["telecom"] = [{"system": "phone", "value": "+821012345678"}]
    assert score(asked, known).grade is Grade.PROBABLE
    asked["address"] = [{"line": ["장미로 1"], "postalCode": "04524"}]
    assert (score(asked, known).points, score(asked, known).grade) == (90, Grade.CERTAIN)
    assert score(asked, known).score == 0.9
    assert score({**asked, "gender": "male"}, known).grade is Grade.PROBABLE
    assert score(person("박철수", birthDate="1980-05-07", gender="female"), known).grade is None


def test_two_national_numbers_are_two_people() -> None:
    born = {"birthDate": "1980-05-07", "gender": "female"}
    one = person("김하나", identifier=number("800507-2000001", type=NATIONAL), **born)
    other = person("김하나", identifier=number("800507-2000002", type=NATIONAL), **born)
    assert (score(one, other).grade, score(one, other).score) == (Grade.CERTAINLY_NOT, 0.0)
    hidden = person("김하나", identifier=number("800507-2******", type=NATIONAL), **born)
    assert score(one, hidden).grade is Grade.PROBABLE
    was = person("김하나", identifier=number("800507-2000002", type=NATIONAL, use="old"), **born)
    assert score(one, was).grade is Grade.PROBABLE


def test_every_kind_of_agreement_has_its_points() -> None:
    assert POINTS["identifier-same"] > POINTS["name-same"] > POINTS["name-sounds"] > POINTS["name-alike"] > 0
    assert all(POINTS[each] < 0 for each in POINTS if each.endswith("different"))


def test_absurd_names_cost_little() -> None:
    long = person("가" * 100_000, family="나" * 100_000, given=("다" * 1000,) * 1000)
    assert score(long, long).found == ("name-same",)
    assert len(name_keys({"name": [long["name"][0]] * 10_000})) < 20
    assert distance("abcd", "abdc") == 1
