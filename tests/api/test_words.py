"""Every sentence stands in Korean, and times read as people say them."""

from __future__ import annotations

import gettext
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from api.ui.views.people import age, patient_view
from api.ui.views.times import Pressure, due
from api.ui.words import LOCALES, Language, preferred, words

API = LOCALES.parents[1]
KOREAN = LOCALES / "ko" / "LC_MESSAGES"
NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)  # 14:00 in Seoul


def extracted() -> set[str]:
    """Every sentence in `_()`, found the way `make messages` finds it."""
    with (LOCALES / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found = extract_from_dir(API, methods, options)
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    with (KOREAN / "messages.po").open("rb") as file:
        return read_po(file, locale="ko")


def test_every_sentence_has_its_korean_and_no_korean_is_left_over(catalog: Catalog) -> None:
    kept = {message.id if isinstance(message.id, str) else message.id[0] for message in catalog if message.id}
    assert extracted() - kept == set(), "run `make messages` and translate"
    assert kept - extracted() == set(), "run `make messages`"


def test_no_entry_is_empty_guessed_or_short_of_a_parameter(catalog: Catalog) -> None:
    wrong = []
    for message in catalog:
        if not message.id:
            continue
        source = message.id if isinstance(message.id, str) else message.id[0]
        korean = message.string if isinstance(message.string, str) else message.string[0]
        asked, given = set(re.findall(r"{(\w+)}", source)), set(re.findall(r"{(\w+)}", korean))
        if not korean or message.fuzzy or asked != given:
            wrong.append(source)
    assert wrong == []


def test_what_was_compiled_is_what_is_written(catalog: Catalog) -> None:
    compiled = gettext.translation("messages", LOCALES, ["ko"])
    stale = [
        message.id
        for message in catalog
        if isinstance(message.id, str) and message.id and compiled.gettext(message.id) != message.string
    ]
    assert stale == [], "run `make setup`"


def test_a_plural_reads_in_both_languages() -> None:
    assert words(Language.KO).ngettext("{count} free bed", "{count} free beds", 3) == "빈 병상 {count}"
    assert words(Language.EN).ngettext("{count} free bed", "{count} free beds", 1) == "{count} free bed"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", Language.KO),
        ("en", Language.EN),
        ("en-GB,ko;q=0.9", Language.EN),
        ("ko-KR,en;q=0.9", Language.KO),
        ("de, en;q=0.2", Language.EN),
        ("de", Language.KO),
        ("en;q=0", Language.KO),
        ("en;q=x", Language.KO),
    ],
)
def test_the_language_follows_the_wish(header: str, language: Language) -> None:
    assert preferred(header) is language


@pytest.mark.parametrize(
    ("minutes", "korean", "english", "pressure"),
    [
        (-12, "12분 늦음", "12 min late", Pressure.LATE),
        (-125, "2시간 5분 늦음", "2 h 5 min late", Pressure.LATE),
        (-0.5, "막 지남", "just past", Pressure.LATE),
        (0.5, "지금까지", "due now", Pressure.SOON),
        (15, "15분 남음", "15 min left", Pressure.SOON),
        (16, "16분 남음", "16 min left", Pressure.CALM),
        (60, "1시간 남음", "1 h left", Pressure.CALM),
        (24 * 60 + 60, "1일 1시간 남음", "1 d 1 h left", Pressure.CALM),
    ],
)
def test_a_deadline_reads_as_people_say_it(minutes: float, korean: str, english: str, pressure: Pressure) -> None:
    instant = NOW + timedelta(minutes=minutes)
    said = due(words(Language.KO), instant, NOW), due(words(Language.EN), instant, NOW)
    assert (said[0].text, said[1].text, said[0].pressure) == (korean, english, pressure)


def test_the_exact_time_is_the_hospitals() -> None:
    moment = due(words(Language.KO), NOW, NOW).moment
    assert (moment.short, moment.exact) == ("14:00", "11월 24일 (화) 14:00")
    assert due(words(Language.EN), NOW + timedelta(days=1), NOW).moment.short == "Wed 25 Nov 14:00"


@pytest.mark.parametrize(
    ("born", "text"),
    [
        (date(2026, 11, 24), "생후 0일"),
        (date(2026, 10, 25), "생후 30일"),
        (date(2026, 10, 24), "생후 1개월"),
        (date(2024, 11, 25), "생후 23개월"),
        (date(2024, 11, 24), "2세"),
        (date(1944, 11, 25), "81세"),
    ],
)
def test_an_age_is_in_the_unit_that_matters(born: date, text: str) -> None:
    assert age(words(Language.KO), born, date(2026, 11, 24)) == text


def test_a_patient_of_whom_little_is_known_is_still_shown() -> None:
    view = patient_view(words(Language.KO), {"resourceType": "Patient", "birthDate": "1960"}, NOW)
    assert (view.name, view.line, view.birth, view.phone) == ("이름 모름", "성별 모름", "", "")
