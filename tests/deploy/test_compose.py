"""No container engine runs where this is built, so the compose file is checked by what can be said about it."""

from __future__ import annotations

import importlib.resources
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runtime.settings import Settings
from tests.architecture.sources import ROOT
from tests.deploy.compose import ONE_SHOT, OURS, VARIABLE, interpolate, loaded, services, text

Service = dict[str, Any]

SETTINGS = {f"PHIS_{name.upper()}" for name in Settings.model_fields}
SECRET_WORDS = re.compile(r"PASSWORD|SECRET|PWD|TOKEN|KEYS?\b|_URL$", re.IGNORECASE)
NOT_SECRET = {"PHIS_PUBLIC_URL"}


def specification() -> dict[str, Any]:
    """The Compose specification's schema, as the `check-jsonschema` package carries it."""
    carried = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema: dict[str, Any] = json.loads(carried.read_text(encoding="utf-8"))
    return schema


def violations(document: dict[str, Any]) -> list[str]:
    validator = jsonschema.Draft202012Validator(specification())
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(document)]


def weaknesses(name: str, service: Service) -> list[str]:
    """What a service lacks of the protection that every service has."""
    user = str(service.get("user", ""))
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    demands: dict[str, bool] = {
        "a fixed user other than root": bool(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)),
        "a read-only root file system": service.get("read_only") is True,
        "no capabilities": service.get("cap_drop") == ["ALL"] and not service.get("cap_add"),
        "no new privileges": "no-new-privileges:true" in service.get("security_opt", []),
        "not privileged": not service.get("privileged"),
        "somewhere to write": bool(service.get("tmpfs")) or name == "proxy",
        "limits of processor, memory and processes": {"cpus", "memory", "pids"} <= set(limits),
        "a restart policy": bool(re.match(r"unless-stopped|always|on-failure:\d+", service.get("restart", ""))),
        "a health check": name in ONE_SHOT or bool(service.get("healthcheck", {}).get("test")),
        "an image of one exact version": exact_version(service.get("image", "")),
        "networks of its own": bool(service.get("networks")) and "network_mode" not in service,
    }
    return [demand for demand, met in demands.items() if not met]


def exact_version(image: str) -> bool:
    """A plain name, without a registry host, with its full version: PostgreSQL's has two numbers, all others' three."""
    version = r"\d+\.\d+" if image.startswith("postgres:") else r"\d+\.\d+\.\d+"
    return bool(re.fullmatch(rf"(?:[a-z0-9-]+/)?[a-z0-9-]+:{version}(?:-[a-z0-9.]+)*", image))


def secrets_in_environment(service: Service) -> list[str]:
    """Variables that would hold a secret; one that ends in _FILE names a file."""
    return [
        name
        for name in service.get("environment", {})
        if SECRET_WORDS.search(name) and not name.endswith("_FILE") and name not in NOT_SECRET
    ]


def test_the_file_follows_the_compose_specification() -> None:
    assert violations(loaded()) == []


@pytest.mark.parametrize("name", services())
def test_a_service_is_contained(name: str) -> None:
    assert weaknesses(name, services()[name]) == []


@pytest.mark.parametrize("name", services())
def test_secrets_come_as_files(name: str) -> None:
    service = services()[name]
    assert secrets_in_environment(service) == []
    assert set(service.get("secrets", [])) <= set(loaded()["secrets"])


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_are_told_only_what_is_a_setting(name: str) -> None:
    service = services()[name]
    told = {*service["environment"], *(secret.upper() for secret in service["secrets"])}
    assert told <= SETTINGS


def test_every_secret_is_a_file_and_somebody_needs_it() -> None:
    needed = {secret for service in services().values() for secret in service.get("secrets", [])}
    assert set(loaded()["secrets"]) == needed
    assert all(set(secret) == {"file"} for secret in loaded()["secrets"].values())


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert set(published) == {"proxy", "temporal-ui"}
    assert all(port.startswith("127.0.0.1:") for port in published["temporal-ui"])


def test_databases_stand_on_a_network_without_a_way_out() -> None:
    networks = loaded()["networks"]
    for name in ("postgres", "temporal", "temporal-schema", "bootstrap", "migrate", "worker"):
        assert all(networks[network]["internal"] for network in services()[name]["networks"]), name
    assert "data" not in services()["proxy"]["networks"]


def test_there_are_two_servers_behind_the_proxy_and_two_workers() -> None:
    assert services()["server-1"] == services()["server-2"]
    assert services()["worker"]["deploy"]["replicas"] == 2
    proxy = (ROOT / "deploy" / "proxy" / "haproxy.cfg").read_text(encoding="utf-8")
    backends = re.findall(r"^\s+server \S+ (\S+):(\d+)$", proxy, re.MULTILINE)
    port = services()["server-1"]["environment"]["PHIS_PORT"]
    assert backends == [("server-1", port), ("server-2", port)]
    assert set(services()["proxy"]["networks"]) & set(services()["server-1"]["networks"]) == {"edge"}


def test_servers_believe_the_proxy_and_nobody_else() -> None:
    assert (
        services()["server-1"]["environment"]["PHIS_TRUSTED_PROXIES"]
        == services()["proxy"]["networks"]["edge"]["ipv4_address"]
    )


def test_nothing_starts_before_what_it_needs() -> None:
    for name in ("server-1", "server-2", "worker"):
        needs = services()[name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert needs["temporal"]["condition"] == "service_healthy"
    waits = {
        name: condition["condition"]
        for service in services().values()
        for name, condition in service.get("depends_on", {}).items()
    }
    assert all(
        condition == ("service_completed_successfully" if name in ONE_SHOT else "service_healthy")
        for name, condition in waits.items()
    )


def test_what_is_mounted_exists_and_is_used() -> None:
    configs = loaded()["configs"]
    assert all((ROOT / config["file"]).is_file() for config in configs.values())
    mounted = [config["source"] for service in services().values() for config in service.get("configs", [])]
    assert sorted(mounted) == sorted(configs)


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").rglob("*.sh")), ids=lambda path: path.name)
def test_a_script_can_be_read_by_its_shell(script: Path) -> None:
    shell = script.read_text(encoding="utf-8").splitlines()[0].rpartition("/")[2]
    assert shell in {"sh", "bash"}
    subprocess.run([shell, "-n", str(script)], check=True)


def test_an_entrypoint_script_is_mounted_where_it_is_called() -> None:
    for name, service in services().items():
        for argument in service.get("entrypoint", []):
            if argument.startswith("/etc/phis/"):
                assert argument in [config["target"] for config in service["configs"]], name


def test_a_drain_ends_before_the_container_is_killed() -> None:
    assert Settings.model_fields["server_drain"].default.total_seconds() < 20
    assert services()["server-1"]["stop_grace_period"] == "20s"
    assert Settings.model_fields["worker_drain"].default.total_seconds() < 30
    assert services()["worker"]["stop_grace_period"] == "30s"


def test_variables_are_settings_or_plainly_composes_own() -> None:
    """`phis` refuses names in `.env` that it does not know; those that begin with COMPOSE_ are not for it."""
    names = {match.group(1) for match in VARIABLE.finditer(text())}
    assert {name for name in names if name not in SETTINGS and not name.startswith("COMPOSE_")} == set()


def test_the_secrets_script_makes_what_the_file_mounts(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    script = ROOT / "deploy" / "make-secrets.sh"
    subprocess.run(["sh", str(script), str(folder)], check=True, capture_output=True)
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(made) == set(loaded()["secrets"])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(content.strip() == content for name, content in made.items() if name != "proxy_certificate")
    subprocess.run(["sh", str(script), str(folder)], check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == made


def test_the_made_secrets_are_settings_that_are_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from runtime.settings import load_settings
    from store.sealing import KeyRing

    subprocess.run(["sh", str(ROOT / "deploy" / "make-secrets.sh"), str(tmp_path)], check=True, capture_output=True)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PHIS_SECRETS_DIR", str(tmp_path))
    settings = load_settings(tmp_path / "no.env")
    assert settings.database_url is not None
    assert settings.keys is not None
    KeyRing.parse(settings.keys.get_secret_value())


@pytest.mark.parametrize(
    ("demand", "spoil"),
    [
        ("a fixed user other than root", lambda service: service.update(user="0:0")),
        ("a fixed user other than root", lambda service: service.pop("user")),
        ("a read-only root file system", lambda service: service.update(read_only=False)),
        ("no capabilities", lambda service: service.update(cap_add=["NET_ADMIN"])),
        ("no new privileges", lambda service: service.update(security_opt=[])),
        ("a health check", lambda service: service.pop("healthcheck")),
        ("an image of one exact version", lambda service: service.update(image="postgres:latest")),
        ("an image of one exact version", lambda service: service.update(image="registry.example.org/postgres:18.6")),
        ("limits of processor, memory and processes", lambda service: service.pop("deploy")),
        ("a restart policy", lambda service: service.update(restart="no")),
        ("networks of its own", lambda service: service.update(network_mode="host")),
    ],
)
def test_a_weakness_is_found(demand: str, spoil: Callable[[Service], object]) -> None:
    service = services()["worker"]
    spoil(service)
    assert demand in weaknesses("worker", service)


def test_the_checks_can_fail() -> None:
    assert violations(yaml.safe_load("services: {a: {image: x, restarts: always}}"))
    assert violations(yaml.safe_load("services: {a: {image: x, ports: 80}}"))
    assert secrets_in_environment({"environment": {"POSTGRES_PASSWORD": "x", "POSTGRES_PASSWORD_FILE": "/x"}}) == [
        "POSTGRES_PASSWORD"
    ]
    assert interpolate("${A:-b} $$c ${D}", {"D": "d"}) == "b $c d"
    with pytest.raises(LookupError):
        interpolate("${A:?say it}", {})
