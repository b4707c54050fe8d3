"""Every setting of an installation. Only `runtime` builds it; everything else is handed the value it needs.

A setting is read from the environment, then from `.env`, then from a file of its name (`phis_keys`) in the secrets
folder. What belongs to one hospital is master data in the store, never a setting.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import AfterValidator, ByteSize, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import Misconfigured

if TYPE_CHECKING:
    from temporalio.service import TLSConfig

PREFIX = "PHIS_"
DOTENV = Path(".env")
DOCKER_SECRETS = Path("/run/secrets")

Port = Annotated[int, Field(ge=1, le=65535)]


_UNSET = SecretStr("")


def _postgres_url(value: SecretStr) -> SecretStr:
    if value and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("a PostgreSQL address begins with postgresql://")
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]


class Settings(BaseSettings):
    """Build it with `load_settings`, which also refuses names that no setting has."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    database_url: DatabaseUrl = _UNSET
    """PostgreSQL (16 or newer) as role phis_app. Left out, `phis up` brings its own."""
    database_system_url: DatabaseUrl = _UNSET
    """The same database as role phis_system: ledger, outbox and process rows of all hospitals."""
    database_migrate_url: DatabaseUrl = _UNSET
    """The same database as role phis_migrate; only `phis migrate` and `phis up` use it."""
    database_pool: Annotated[int, Field(ge=1, le=200)] = 8
    """Connections that one server or worker holds at most as phis_app; a server two more, for health and signing in."""
    database_system_pool: Annotated[int, Field(ge=1, le=50)] = 3
    """Connections that one server or worker holds at most as phis_system."""

    temporal_address: str = ""
    """host:port of the Temporal frontend. Left out, `phis up` brings its own."""
    temporal_namespace: str = "phis"
    """The namespace of this installation; `phis up` registers it."""
    temporal_screens: str | None = None
    """Address of Temporal's own web interface, shown to administrators."""
    temporal_tls: bool = False
    """Speak TLS to Temporal."""
    temporal_tls_ca: Path | None = None
    """Certificate of the authority that signed Temporal's; None trusts the system's authorities."""
    temporal_tls_certificate: Path | None = None
    """Our certificate for mutual TLS."""
    temporal_tls_key: Path | None = None
    """Our private key for mutual TLS."""
    temporal_tls_name: str | None = None
    """The name to expect in Temporal's certificate when it differs from the address."""

    keys: SecretStr = _UNSET
    """Key ring that seals records and process payloads: `id:base64,older:base64`, the first one seals."""
    audit_checkpoints: Path | None = None
    """Folder for the signed lines of the sealed audit, out of the database's reach; `phis up` keeps one itself."""

    manifest: Path | None = None
    """The signed manifest of what is installed; None looks for phis-manifest.json beside the packages."""
    manifest_key: str = ""
    """Public key of whoever signs the manifest, from phis manifest key; empty leaves the files unchecked."""
    tamper: Literal["warn", "refuse"] = "warn"
    """When files are not as they were signed: say so only, or refuse to write, too."""

    host: str = "127.0.0.1"
    """The address that `phis server` listens on."""
    port: Port = 8000
    """The port that `phis server` listens on."""
    public_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+/?$")] | None = None
    """The origin under which browsers see us, such as https://phis.example.org; https makes cookies secure."""
    trusted_proxies: str = "127.0.0.1"
    """Proxies, separated by commas, whose X-Forwarded headers are believed."""
    session_length: Annotated[timedelta, Field(gt=timedelta())] = timedelta(hours=12)
    """A signed-in person signs in again after this time."""
    largest_request: ByteSize = ByteSize(2 * 1024 * 1024)
    """Request bodies above this size are refused."""
    requests_at_once: Annotated[int, Field(ge=4, le=10_000)] = 64
    """Requests that one server works on at once; four times as many wait in line, others hear 503."""
    request_time: Annotated[timedelta, Field(gt=timedelta())] = timedelta(seconds=60)
    """A request whose answer has not begun after this time is given up with 503."""
    body_time: Annotated[timedelta, Field(gt=timedelta())] = timedelta(seconds=30)
    """A request whose body has not come after this time is given up with 408."""
    outgoing_hosts: str = ""
    """Hosts, separated by commas, that we may call: clients' published keys, a hospital's own sign-on, subscribers."""
    notify_url: Annotated[str, Field(pattern=r"^(https?://[^/\s]+/?)?$")] = ""
    """The gateway that brings messages to pagers and telephones; empty: nobody is called, and set-up is alarmed."""
    notify_token: SecretStr = _UNSET
    """What the gateway knows us by."""
    export_lifetime: Annotated[timedelta, Field(gt=timedelta())] = timedelta(hours=24)
    """How long the files of a finished $export may be fetched; they lie sealed in the database."""
    oidc: SecretStr = _UNSET
    """Hospitals' own sign-ons: a JSON list of hospital, issuer, client_id, client_secret, algorithms, claim."""
    reference_checks: Literal["off", "types", "exist"] = "off"
    """References of records over FHIR: unchecked; of a type that the element allows; besides, to what is there."""
    server_drain: timedelta = timedelta(seconds=5)
    """How long a stopping server finishes requests."""

    worker_host: str = "127.0.0.1"
    """The address where `phis worker` answers /livez, /readyz and /metrics."""
    worker_port: Port = 8001
    """The port where `phis worker` answers /livez, /readyz and /metrics."""
    worker_drain: timedelta = timedelta(seconds=10)
    """How long a stopping worker lets activities finish."""

    log_format: Literal["auto", "console", "json"] = "auto"
    """console: a readable line; json: an object a line; auto: console on a terminal, json elsewhere."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe level that is logged."""
    metrics: bool = True
    """Serve /metrics for Prometheus."""
    otel_endpoint: str | None = None
    """OTLP collector that traces are sent to; needs the exporter package of OpenTelemetry installed."""

    secrets_dir: Path | None = None
    """Folder of files named like settings (`phis_keys`), each holding one value; /run/secrets if that exists."""

    @property
    def origin(self) -> str:
        """`public_url`, or where we listen."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def temporal_tls_config(self) -> TLSConfig | bool:
        """What the Temporal client is given. Raises Misconfigured for a file that cannot be read."""
        if not self.temporal_tls:
            return False
        from temporalio.service import TLSConfig  # noqa: PLC0415  (half a second that most commands need not wait)

        return TLSConfig(
            server_root_ca_cert=_bytes_of(self.temporal_tls_ca, "temporal_tls_ca"),
            client_cert=_bytes_of(self.temporal_tls_certificate, "temporal_tls_certificate"),
            client_private_key=_bytes_of(self.temporal_tls_key, "temporal_tls_key"),
            domain=self.temporal_tls_name,
        )

    def require(self, *names: str) -> Self:
        """These settings, or Misconfigured naming the first that is missing."""
        for name in names:
            needed(getattr(self, name), name)
        return self


def load_settings(dotenv: Path = DOTENV) -> Settings:
    """Read the settings of this process. Raises Misconfigured with one sentence that names what is wrong."""
    in_file = _read_dotenv(dotenv)
    _refuse_unknown((name for name in os.environ if name.upper().startswith(PREFIX)), "the environment")
    _refuse_unknown((name for name in in_file if not name.startswith("COMPOSE_")), str(dotenv))
    folder = _secrets_folder(in_file)
    if folder:
        names = (file.name for file in folder.iterdir() if file.name.upper().startswith(PREFIX))
        _refuse_unknown(names, str(folder))
    try:
        return Settings(_env_file=dotenv if in_file else None, _secrets_dir=folder)
    except ValidationError as wrong:
        raise Misconfigured(_sentence(wrong)) from None


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Settings that another process of ours has written down with `environment_of`."""
    values = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items()}
    return Settings.model_validate(values)


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings that differ from their defaults, as the environment of a child process."""
    environment = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if value is None:
            continue
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, timedelta):
            value = f"PT{value.total_seconds()}S"
        elif isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, ByteSize):
            value = int(value)
        environment[PREFIX + name.upper()] = str(value)
    return environment


def _bytes_of(path: Path | None, name: str) -> bytes | None:
    try:
        return path.read_bytes() if path else None
    except OSError as refused:
        raise Misconfigured(f"{PREFIX}{name.upper()}: {path} cannot be read ({refused.strerror}).") from None


def needed(value: SecretStr | str, name: str) -> str:
    """The value of a setting that a command cannot do without. Raises Misconfigured naming it."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not text:
        message = f"{PREFIX}{name.upper()} is not set. Set it, or use phis up, which brings what is missing."
        raise Misconfigured(message)
    return text


def _read_dotenv(dotenv: Path) -> dict[str, str | None]:
    try:
        return dict(dotenv_values(dotenv)) if dotenv.is_file() else {}
    except (OSError, UnicodeDecodeError) as broken:
        raise Misconfigured(f"{dotenv} cannot be read: {broken}.") from None


def _secrets_folder(in_file: dict[str, str | None]) -> Path | None:
    given = os.environ.get(f"{PREFIX}SECRETS_DIR") or in_file.get(f"{PREFIX}SECRETS_DIR")
    folder = Path(given) if given else DOCKER_SECRETS
    if folder.is_dir():
        return folder
    if given:
        raise Misconfigured(f"{PREFIX}SECRETS_DIR names {folder}, which is not a folder.")
    return None


def _refuse_unknown(names: Iterable[str], where: str) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in names:
        if name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.75)
            hint = f"did you mean {near[0]}?" if near else "see .env.example for every name."
            raise Misconfigured(f"{name} in {where} is not a setting: {hint}")


def _sentence(wrong: ValidationError) -> str:
    parts = []
    for error in wrong.errors(include_url=False, include_context=False, include_input=False):
        name = PREFIX + str(error["loc"][0]).removeprefix(PREFIX.lower()).upper()
        said = error["msg"].removeprefix("Value error, ")
        parts.append(f"{name}: {said[0].lower()}{said[1:]}")
    return "; ".join(parts) + "."
