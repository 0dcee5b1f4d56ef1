"""The jars that a session of ours takes beside pyspark's own: Delta's, and Hadoop's driver for Azure storage.

One set for all, since a JVM takes no jars once it runs. They are fetched once by Ivy, which pyspark brings and which
needs Java alone; unlike Spark's own download it takes no more than the jars that are named, 18 MB in place of 87.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from odibi_magics.caches import cache_folder
from odibi_magics.errors import EngineError, MissingExtra
from odibi_magics.secret import redact

NAMED: Final = Path(__file__).with_name("jars.xml")
SUMS: Final = Path(__file__).with_name("jars.sha256")
SETTINGS: Final = "IVY_SETTINGS"
"""The environment variable that names a settings file of Ivy, for a mirror of Maven Central."""

_OLDEST_JAVA: Final = 17


def fetched() -> list[Path]:
    """The jars of our set, from the cache or fetched into it; says on stderr that it fetches.

    Raises EngineError where they cannot be had, and MissingExtra.
    """
    try:
        place = cache_folder() / f"jars-{sha256(SUMS.read_bytes()).hexdigest()[:12]}"
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "platformdirs", "spark", "a local Spark session") from None
    if not place.is_dir():
        said = f"spark engine: fetching Delta's jars and those for Azure storage once, into {place.parent}"
        print(redact(said), file=sys.stderr, flush=True)
        _fetch_into(place)
    return sorted(place.glob("*.jar"))


def _fetch_into(place: Path) -> None:
    """Makes the folder beside its place and renames it, so that whoever finds it finds all of it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="fetching-") as folder:
        made = Path(folder) / "made"
        fetch(made, place.parent / "ivy")
        wrong = sorted(set(sums(made)) ^ set(SUMS.read_text().splitlines()))
        if wrong:
            raise EngineError(
                f"the jars that were fetched are not those of {SUMS.name}: {', '.join(wrong)}. Whatever answers for "
                f"Maven Central has other ones: name another mirror in {SETTINGS}"
            )
        try:
            made.rename(place)
        except OSError:  # another process was first
            if not place.is_dir():
                raise


def fetch(folder: Path, cache: Path) -> None:
    """Brings the jars that NAMED names into a folder. cache: of Ivy. Raises EngineError."""
    ivy = next(iter(_sparks("ivy-*.jar")), None)
    if ivy is None:
        raise EngineError("this pyspark brings no Ivy to fetch jars with: install it again")
    settings = os.environ.get(SETTINGS)
    words = [
        java(), "-jar", str(ivy), *(["-settings", settings] if settings else []), "-warn", "-cache", str(cache),
        "-ivy", str(NAMED), "-types", "jar", "bundle",
        "-retrieve", f"{folder}/[artifact]-[revision].jar",
    ]  # fmt: skip
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EngineError(
            f"Delta's jars cannot be fetched from Maven Central: {_why(done.stdout)}. It takes a network once; with a "
            f"mirror, name a settings file of Ivy in {SETTINGS}; without either, a folder of the jars in "
            "ODIBI_SPARK_JARS"
        )


def _why(log: str) -> str:
    """What Ivy said first of what went wrong; it tries each jar and tells of all."""
    said = re.search(
        r"^\s*(?:ERROR:?|Server access error:?|.*UNRESOLVED DEPENDENCY:)(?: at url)?\s*(.+)$",
        log,
        re.M | re.I,
    )
    last = log.strip().splitlines()[-1:] or ["no reason was given"]
    return redact((said[1] if said else last[0]).strip(" :"))


def sums(folder: Path) -> list[str]:
    """A line for each jar: its sha256 and its name, as sha256sum has it."""
    return [f"{sha256(jar.read_bytes()).hexdigest()}  {jar.name}" for jar in sorted(folder.glob("*.jar"))]


def fits() -> bool:
    """Whether the set is for the Spark that is installed: its version and its Hadoop's."""
    named = {jar.get("name", ""): jar.get("rev", "") for jar in ElementTree.parse(NAMED).iter("dependency")}
    delta = next(name for name in named if name.startswith("delta-spark_"))
    spark = _version("spark-sql-api_2.13-*.jar")
    return spark.startswith(f"{delta.split('_')[1]}.") and hadoop() == named["hadoop-azure"]


def hadoop() -> str:
    """The version of the Hadoop that Spark brings; "" where it cannot be told."""
    return _version("hadoop-client-api-*.jar")


def _version(pattern: str) -> str:
    """The version in the name of a jar of Spark's."""
    name = next((jar.stem for jar in _sparks(pattern)), "")
    return name.removeprefix(pattern.removesuffix("*.jar"))


def _sparks(pattern: str) -> Iterable[Path]:
    """Jars of the Spark that pyspark starts: that of SPARK_HOME, else its own."""
    found = find_spec("pyspark")
    home = os.environ.get("SPARK_HOME") or ((found and found.submodule_search_locations) or ["."])[0]
    return sorted((Path(home) / "jars").glob(pattern))


def java() -> str:
    """The Java to start. Raises EngineError where there is none that is new enough for Spark 4."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    said = (
        subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
        if found
        else ""
    )
    major = re.search(r' version "(\d+)', said)
    if found is None or major is None or int(major[1]) < _OLDEST_JAVA:
        there = f"Java {major[1]}" if major else "none"
        raise EngineError(
            f"no Spark session is active, and a local one takes Java {_OLDEST_JAVA} or newer; there is {there}. On "
            "Debian and Ubuntu: apt-get install default-jre-headless; elsewhere a JDK, with JAVA_HOME set to it"
        )
    return found
