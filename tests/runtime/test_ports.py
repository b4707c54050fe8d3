"""A taken port is named with the program that has it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from domain.errors import Misconfigured
from runtime import ports
from runtime.settings import Settings
from runtime.supervisor.plan import Wish, choose_ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.sockets
def test_the_holder_of_a_port_is_named_with_its_pid(taken: int) -> None:
    assert not ports.is_free(taken)
    assert f"(pid {os.getpid()})" in ports.holder(taken)


@pytest.mark.sockets
@pytest.mark.parametrize("option", ["port", "temporal_port"])
def test_a_start_on_a_taken_port_says_by_whom_and_what_to_do(taken: int, option: str) -> None:
    wish = Wish(**{"port": ports.free_port(), "temporal_port": ports.free_port(), option: taken})
    with pytest.raises(
        Misconfigured, match=rf"Port {taken} is taken by .*pid {os.getpid()}.*--{option.replace('_', '-')}"
    ):
        choose_ports(wish, Settings())


@pytest.mark.sockets
@pytest.mark.parametrize("above", [0, 1000])
def test_the_screens_and_temporal_do_not_share_a_port(above: int) -> None:
    temporal = ports.free_port()
    with pytest.raises(Misconfigured, match=f"Port {temporal + above} is meant for the screens and for Temporal"):
        choose_ports(Wish(port=temporal + above, temporal_port=temporal), Settings())


@pytest.mark.sockets
def test_a_worker_port_that_nobody_asked_for_moves_out_of_the_way(taken: int) -> None:
    settings = Settings.model_construct(**(Settings().model_dump() | {"worker_port": taken}), _fields_set=set())
    chosen = choose_ports(Wish(ephemeral=True), settings)
    assert taken not in {chosen.worker, chosen.server, chosen.temporal, chosen.temporal_screens}


@pytest.mark.sockets
def test_free_ports_stay_below_those_the_kernel_gives_to_clients() -> None:
    lowest_of_the_kernel = 32_768
    assert all(1024 < ports.free_port() < lowest_of_the_kernel for _ in range(50))
