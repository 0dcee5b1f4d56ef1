"""Connections as they are shown: how they answer, and where they break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from odibi_magics.connections.info import ConnectionInfo
from odibi_magics.connections.status import ConnectionStatus
from odibi_magics.display.connections import diagnoses_shown, failed_words, milliseconds, statuses_shown
from odibi_magics.display.document import Table
from odibi_magics.display.html import LIMIT, Displayed, blocks_html, style
from odibi_magics.doctor.diagnosis import Diagnosis, Layer
from odibi_magics.secret import Secret
from tests.display.samples import read, texts

COMMAND = 'az role assignment create --role "X" --scope $(az storage account show --name a)'
BROKEN = Diagnosis(
    "bronze",
    "storage account account1",
    (
        Layer("sign-in", "ok", "me", 0.0123),
        Layer("secret", "failed", "no role", 1.5, f"Grant it: {COMMAND}. It takes some minutes", COMMAND),
        Layer("access", "skipped", "after secret"),
        Layer("list", "skipped", "after secret"),
    ),
    1.6,
)


def test_a_failure_and_what_mends_it() -> None:
    text = diagnoses_shown([BROKEN]).text
    assert text.startswith("✗ bronze · storage account account1 · failed at secret · 1.6 s")
    assert "sign-in       ✓ ok       12 ms  me" in text
    assert "access, list  – skipped" in text and "after secret" in text
    assert f"What mends secret\n  Grant it:\n  {COMMAND}\n  It takes some minutes" in text


def test_a_command_stands_alone() -> None:
    """Words before it end in a colon, and nothing but it is copied with its box."""
    layer = replace(BROKEN.layers[1], remedy="Make a new one", command="az make")
    html = diagnoses_shown([BROKEN, Diagnosis("lake", "", (layer,))]).html
    assert texts(html, "pre") == [COMMAND, "az make"]
    assert {"Grant it:", "It takes some minutes", "Make a new one:"} <= set(texts(html, "p"))


def test_warnings_look_like_no_failure_and_one_remedy_stands_once() -> None:
    blob, dfs = (Layer(name, "warning", name, 0.1, "Check the proxy") for name in ("blob TLS", "dfs TLS"))
    write = Layer("write", "warning", "no role", 0.1, f"Grant it: {COMMAND}", COMMAND)
    html = diagnoses_shown([replace(BROKEN, layers=(blob, *BROKEN.layers, dfs, write))]).html
    assert texts(html, "b")[1:] == [
        "What mends secret", "Only if blob TLS, dfs TLS are needed:", "Only if it is to write:"
    ]  # fmt: skip
    assert texts(html, "p").count("Check the proxy") == 1
    kinds = [each.attributes.get("class") for each in read(html) if each.name == "b"]
    assert kinds == ["failed", "failed", "warned", "warned"]


def test_the_failure_in_a_few_words() -> None:
    well = Diagnosis("lake", "", (Layer("folder", "ok", "there"),))
    assert failed_words([well]) == ""
    assert failed_words([well, BROKEN]) == (
        f"1 connection of 2 does not work\n  bronze: secret: no role\n    → {COMMAND}"
    )


def test_what_goes_on_and_what_was_stopped() -> None:
    begun = Diagnosis("bronze", "", (Layer("a", "ok", "x", 0.1), Layer("b", "running"), Layer("c", "queued")))
    assert "… looking" in diagnoses_shown([begun]).text and "· queued" in diagnoses_shown([begun]).text
    stopped = diagnoses_shown([begun], "stopped").text
    assert stopped.count("■ stopped") == 2 and "looking" not in stopped
    info = ConnectionInfo("lake", "local", ".", "none", "", "cell [1]")
    assert "■ stopped" in statuses_shown([ConnectionStatus(info, "checking")], "stopped").text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, ""), (0.0001, "1 ms"), (0.0123, "12 ms"), (0.9996, "1.0 s"), (12.3, "12 s")]
)
def test_times(seconds: float, text: str) -> None:
    assert milliseconds(seconds) == text


def diagnoses(text: str, count: int = 2) -> Displayed:
    layers = tuple(Layer(f"{text}{n}", "failed" if n else "ok", text, 1, text, text) for n in range(9))
    return diagnoses_shown([Diagnosis(text, text, layers, 1.0)] * count)


def statuses(text: str, count: int = 2) -> Displayed:
    info = ConnectionInfo(text, text, text, text, text, text)
    return statuses_shown([ConnectionStatus(info, "failed", 1.0, text)] * count)


SHOWN: tuple[Callable[..., Displayed], ...] = (diagnoses, statuses)


@pytest.mark.parametrize("show", SHOWN)
def test_text_stays_text_and_secrets_stay_inside(show: Callable[..., Displayed]) -> None:
    Secret("s3cr<&>t\n'words'")
    hostile = show("</td></pre></style><script>'\"&\x1b[31m\u202e").html
    assert [each.name for each in read(hostile)] == [each.name for each in read(show("x").html)]
    assert not {"\x1b", "\u202e"} & set(hostile)
    for made in (show("s3cr<&>t\n'words'").html, show("s3cr<&>t\n'words'").text):
        assert "s3cr" not in made and "words" not in made and "[hidden]" in made


@pytest.mark.parametrize("show", SHOWN)
def test_a_thousand_connections_fit(show: Callable[..., Displayed]) -> None:
    html = show("a connection of a usual length", 1000).html
    assert len(html.encode()) < LIMIT
    read(html)
    assert show("x").html == show("x").html


def test_of_many_connections_those_that_break_are_shown_whole() -> None:
    well = [Diagnosis(f"lake{n}", "", (Layer("folder", "ok", "there"),)) for n in range(50)]
    text = diagnoses_shown([*well, BROKEN]).text
    assert "lake49" in text and text.count("folder") == 0
    assert "✗ bronze · storage account account1 · failed at secret" in text and COMMAND in text


def test_names_break_at_no_hyphen() -> None:
    info = ConnectionInfo("bronze-eu", "azure_adls", "account1/raw-data", "", "company-kv/key", "cell [1]")
    cells = [each for each in read(statuses_shown([ConnectionStatus(info, "ok")]).html) if each.name == "td"]
    whole = [each.text for each in cells if each.attributes.get("class") == "name"]
    assert whole == ["bronze-eu", "account1/raw-data", "company-kv/key"]


def test_only_data_scrolls_in_a_window_of_its_own() -> None:
    """The doctor's list shows all of its layers."""
    frames = [each.attributes["class"] for each in read(diagnoses_shown([BROKEN]).html) if each.name == "div"]
    assert frames == ["odibi", "scroll"] and ".scroll.data{max-height" in style()
    assert ".scroll{overflow:auto;max-width:100%}" in style()
    data = blocks_html([Table(("a",), ((1,),), types=("int",))])
    assert "scroll data" in [each.attributes.get("class") for each in read(data)]
