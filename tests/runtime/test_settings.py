"""Settings: one list of names, and a sentence for whoever gets one wrong."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

from domain.errors import Misconfigured
from runtime.settings import PREFIX, Settings, environment_of, load_settings, settings_from

EXAMPLE = Path(__file__).parents[2] / ".env.example"
URL = "postgresql://phis_app:open-sesame@127.0.0.1/phis"


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_the_example_names_every_setting_and_no_other() -> None:
    named = re.findall(r"^#?(PHIS_[A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(PREFIX + name.upper() for name in Settings.model_fields)


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_an_unknown_name_in_the_environment_is_refused_with_the_likely_one(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path
) -> None:
    monkeypatch.setenv("PHIS_DATABSE_URL", URL)
    with pytest.raises(Misconfigured, match=r"PHIS_DATABSE_URL in the environment.*did you mean PHIS_DATABASE_URL"):
        load_settings(dotenv)


@pytest.mark.parametrize("name", ["PHIS_PROT", "PIHS_PORT", "PORT"])
def test_an_unknown_name_in_the_file_is_refused(dotenv: Path, name: str) -> None:
    dotenv.write_text(f"{name}=1\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match=rf"{name} in .*\.env is not a setting"):
        load_settings(dotenv)


def test_a_name_in_the_secrets_folder_that_no_setting_has_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dotenv: Path
) -> None:
    (tmp_path / "phis_key").write_text("x", encoding="utf-8")
    monkeypatch.setenv("PHIS_SECRETS_DIR", str(tmp_path))
    with pytest.raises(Misconfigured, match="did you mean PHIS_KEYS"):
        load_settings(dotenv)


def test_a_secret_may_stand_in_a_file_and_the_environment_goes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dotenv: Path
) -> None:
    (tmp_path / "phis_keys").write_text("k1:file\n", encoding="utf-8")
    (tmp_path / "phis_port").write_text("8100\n", encoding="utf-8")
    monkeypatch.setenv("PHIS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("PHIS_PORT", "8200")
    settings = load_settings(dotenv)
    assert (settings.keys.get_secret_value(), settings.port) == ("k1:file", 8200)


def test_a_wrong_value_is_named_without_being_shown(monkeypatch: pytest.MonkeyPatch, dotenv: Path) -> None:
    monkeypatch.setenv("PHIS_DATABASE_URL", "mysql://root:open-sesame@db/phis")
    with pytest.raises(Misconfigured, match=r"PHIS_DATABASE_URL.*postgresql://") as refused:
        load_settings(dotenv)
    assert "sesame" not in str(refused.value)


def test_a_folder_of_secrets_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, dotenv: Path) -> None:
    monkeypatch.setenv("PHIS_SECRETS_DIR", "/does/not/exist")
    with pytest.raises(Misconfigured, match="PHIS_SECRETS_DIR"):
        load_settings(dotenv)


def test_a_child_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch, dotenv: Path) -> None:
    monkeypatch.setenv("PHIS_DATABASE_URL", URL)
    monkeypatch.setenv("PHIS_SESSION_LENGTH", "PT1H30M")
    monkeypatch.setenv("PHIS_LARGEST_REQUEST", "3MiB")
    monkeypatch.setenv("PHIS_TEMPORAL_TLS", "true")
    settings = load_settings(dotenv)
    environment = environment_of(settings)
    assert settings_from(environment) == settings
    assert settings.session_length == timedelta(minutes=90)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings(dotenv) == settings


def test_a_missing_setting_is_named(dotenv: Path) -> None:
    with pytest.raises(Misconfigured, match="PHIS_KEYS is not set"):
        load_settings(dotenv).require("keys")


def test_nothing_secret_is_printed_with_the_settings(monkeypatch: pytest.MonkeyPatch, dotenv: Path) -> None:
    monkeypatch.setenv("PHIS_DATABASE_URL", URL)
    assert "open-sesame" not in repr(load_settings(dotenv))
