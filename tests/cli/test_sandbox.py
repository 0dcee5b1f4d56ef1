"""`odibi-magics sandbox -- COMMAND ...`"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from odibi_magics.errors import MissingExtra, UsageError
from odibi_magics.sandbox import Cloud, launch


def sandbox(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "odibi_magics.cli", "sandbox", *words],
        input="from stdin", capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_has_our_streams_and_we_its_exit_code() -> None:
    done = sandbox("--", "sh", "-c", "cat; echo; az account show --help | head -1; echo oops >&2; exit 7")
    assert done.returncode == 7
    assert done.stdout.splitlines()[0] == "from stdin"
    assert "az account show" in done.stdout
    first, *rest = done.stderr.splitlines()
    assert first.startswith("practice cloud: account1, account2 and company-kv are up for: sh -c")
    assert first.endswith("; nothing leaves the machine, --outside lets pip through")
    assert rest == ["oops"]


def test_who_lets_others_through_is_not_told_how() -> None:
    first = sandbox("--outside", "--", "true").stderr.splitlines()[0]
    assert first.endswith("are up for: true")


def test_a_child_finds_the_cloud() -> None:
    code = "from odibi_magics.sandbox import Cloud; print(Cloud.attach().storage('account1').key)"
    done = sandbox("--", sys.executable, "-c", code)
    assert (done.returncode, len(done.stdout.strip())) == (0, 88)


def test_options_after_the_dashes_are_the_commands() -> None:
    done = sandbox("--", "echo", "--help", "--json")
    assert (done.returncode, done.stdout) == (0, "--help --json\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "which command? As in: odibi-magics sandbox -- jupyter lab"),
        (("jupyter", "lab"), "`--` stands before the command: odibi-magics sandbox -- jupyter lab"),
        (("--",), "which command?"),
        (("--outsid", "--", "true"), "did you mean '--outside'?"),
        (("--", "no-such-command"), "cannot run 'no-such-command': No such file"),
    ],
)
def test_wrong_calls(words: tuple[str, ...], told: str) -> None:
    done = sandbox(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""


def test_without_the_extra_it_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_NEEDED", ("a_library_that_is_not_there",))
    with pytest.raises(MissingExtra, match=r"pip install 'odibi-magics\[sandbox\]'"):
        Cloud.start()


def test_outside_of_a_cloud_there_is_none_to_attach_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ODIBI_SANDBOX", raising=False)
    with pytest.raises(UsageError, match="odibi-magics sandbox -- COMMAND"):
        Cloud.attach()


def test_what_was_set_before_stays(cloud: Cloud) -> None:
    before = {"JAVA_TOOL_OPTIONS": "-Dmine=1", "NO_PROXY": "intranet.example"}
    done = subprocess.run(
        [sys.executable, "-m", "odibi_magics.cli", "sandbox", "--", "sh", "-c", "echo $JAVA_TOOL_OPTIONS; echo $NO_PROXY"],
        env={**os.environ, **before}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    java, direct = done.stdout.splitlines()
    assert java.startswith("-Dmine=1 -Dhttps.proxyHost=127.0.0.1")
    assert set(direct.split(",")) >= {"localhost", "127.0.0.1", "::1", "intranet.example"}
