"""The repository keeps its own rules."""

from __future__ import annotations

import re
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from build import ProjectBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import odibi_magics
from odibi_magics.engines.spark import jars as jars_of_ours

ROOT = Path(__file__).parent.parent
MADE = re.compile(
    r"(^|/)(\.(?!ci/)|__pycache__/)|^(build|dist|notebooks/data|examples/[^/]+/data)/|\.egg-info/"
)
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def written() -> list[Path]:
    """The files that people wrote, by their place and not by git: a checkout may be an unpacked archive."""
    return [
        file for file in ROOT.rglob("*") if file.is_file() and not MADE.search(str(file.relative_to(ROOT)))
    ]


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def offenders(pattern: str) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{file.relative_to(ROOT)}:{number}"
        for file in written()
        for number, line in enumerate(text_of(file).splitlines(), 1)
        if found.search(line)
    ]


def pins(lock: Path) -> dict[str, list[str]]:
    """Each pinned requirement with the hashes that follow it."""
    found: dict[str, list[str]] = {}
    for line in lock.read_text().splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            found[line.rstrip(" \\")] = hashes = []
        elif "--hash=" in line:
            hashes.append(line.strip(" \\"))
    return found


def requirements() -> list[tuple[str, str]]:
    """Every requirement of pyproject.toml, with the comment beside it."""
    pattern = re.compile(r'^\s+"(?P<requirement>[A-Za-z][\w.-]*[<>=!][^"]*)",(?P<rest>.*)$', re.MULTILINE)
    return [(m["requirement"], m["rest"].strip()) for m in pattern.finditer(text_of(ROOT / "pyproject.toml"))]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_locks_pin_by_hash_and_name_no_address(lock: Path) -> None:
    assert "//" not in lock.read_text()
    for requirement, hashes in pins(lock).items():
        assert "==" in requirement
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", found) for found in hashes)
        assert hashes, requirement


def test_the_lock_holds_what_the_project_asks_for() -> None:
    locked: dict[str, set[str]] = {}
    for pin in pins(ROOT / "requirements" / "dev.txt"):
        requirement = Requirement(pin)
        locked.setdefault(canonicalize_name(requirement.name), set()).update(
            s.version for s in requirement.specifier
        )
    asked = project()["project"]
    extras = asked["optional-dependencies"]
    for text in asked["dependencies"] + extras["dev"] + extras["azure"] + extras["sandbox"]:
        requirement = Requirement(text)
        versions = locked[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(found) for found in versions), text


def test_binder_installs_what_the_tests_run_with() -> None:
    ours, theirs = (set(pins(ROOT / "requirements" / f"{name}.txt")) for name in ("binder", "dev"))
    assert {text.split(" ; ")[0] for text in ours} <= {text.split(" ; ")[0] for text in theirs}


def test_every_requirement_says_why_and_from_when() -> None:
    asked = project()
    groups = asked["dependency-groups"]
    listed = [*asked["project"]["dependencies"], *groups["tools"], *groups["binder"], *groups["docs"]]
    listed += [text for extra in asked["project"]["optional-dependencies"].values() for text in extra]
    pinned = groups["spark-tests"] + groups["databricks"]
    said = requirements()
    assert sorted(text for text, _ in said) == sorted(listed + pinned)
    assert [text for text, comment in said if not re.match(r"# \S.{10,}", comment)] == []
    assert [text for text in listed if ">=" not in text] == []
    assert [text for text in pinned if "==" not in text] == []


def test_the_extras_are_those_promised() -> None:
    assert set(project()["project"]["optional-dependencies"]) == {
        "azure",
        "spark",
        "widgets",
        "sandbox",
        "dev",
    }


def test_the_release_of_delta_spark_whose_jar_is_nowhere_is_excluded() -> None:
    spark = [Requirement(text) for text in project()["project"]["optional-dependencies"]["spark"]]
    delta = next(requirement for requirement in spark if requirement.name == "delta-spark")
    assert not delta.specifier.contains("4.4.1")
    assert delta.specifier.contains("4.4.0")


def test_the_jars_are_those_of_the_locked_spark() -> None:
    locked = {
        requirement.name: str(requirement.specifier)
        for requirement in map(Requirement, pins(ROOT / "requirements" / "spark.txt"))
    }
    jars = {
        jar.get("name", ""): jar.attrib for jar in ElementTree.parse(jars_of_ours.NAMED).iter("dependency")
    }
    delta = next(name for name in jars if name.startswith("delta-spark_"))
    spark = re.fullmatch(r"delta-spark_(\d+\.\d+)_2\.13", delta)
    assert spark and locked["pyspark"].startswith(f"=={spark[1]}.")
    assert f"=={jars[delta]['rev']}" == locked["delta-spark"]
    assert {jar["transitive"] for jar in jars.values()} == {"false"}
    sums = jars_of_ours.SUMS.read_text().splitlines()
    assert [line.split()[1] for line in sums] == sorted(
        f"{name}-{jar['rev']}.jar" for name, jar in jars.items()
    )
    assert all(re.fullmatch(r"[0-9a-f]{64}", line.split()[0]) for line in sums)


def test_the_version_stands_in_one_place() -> None:
    number = project()["project"]["version"]
    assert odibi_magics.__version__ == version("odibi-magics") == number
    code = [place for place in offenders(rf"""["']{re.escape(number)}["']""") if ".py:" in place]
    assert code == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    # Put together here, so that this file does not name them itself.
    folders = "|".join(["work", "root", "Users", "tmp/w"])
    assert offenders(rf"(?<![\w.:/}}-])/(?:{folders})/\w") == []
    hosts = [r"pypi\.or", r"pythonhosted\.or", r"registry\.npmjs\.or", r"repo\d?\.maven\.apache\.or"]
    assert offenders("|".join(f"{host}g" for host in hosts)) == []


def test_the_licence_is_apache_and_says_so_in_the_package() -> None:
    licence = text_of(ROOT / "LICENSE")
    assert "Apache License\n" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    assert project()["project"]["license"] == "Apache-2.0"


def test_the_changelog_has_a_place_for_what_comes() -> None:
    assert re.search(r"^## \[Unreleased\]$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    """Data files too, and nothing beside the package."""
    wheel = ProjectBuilder(copy_of_sources(tmp_path / "sources")).build("wheel", str(tmp_path))
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = ROOT / "odibi_magics"
    assert inside == {str(file.relative_to(ROOT)) for file in written() if package in file.parents}


def copy_of_sources(target: Path) -> Path:
    """Building leaves files beside the sources, so it is done on a copy."""
    tops = {"pyproject.toml", "README.md", "LICENSE", "odibi_magics"}
    for file in written():
        place = file.relative_to(ROOT)
        if place.parts[0] in tops:
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            (target / place).write_bytes(file.read_bytes())
    return target
