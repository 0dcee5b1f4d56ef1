"""What holds for every display: text stays text, secrets stay inside, nothing grows without end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from odibi_magics.config.types import Column
from odibi_magics.config.variables import UsedVariable
from odibi_magics.delta.schema import SchemaChange
from odibi_magics.display.graph import graph_svg, graph_text
from odibi_magics.display.html import LIMIT
from odibi_magics.display.plan import plan_html, plan_sql_html, plan_sql_text, plan_text
from odibi_magics.display.report import report_html, report_page, report_text
from odibi_magics.engines.base import (
    CheckResult,
    Place,
    Preview,
    Query,
    RowCheck,
    Sink,
    Source,
    TargetState,
    Warned,
)
from odibi_magics.pipeline.plan import Edge, Plan
from odibi_magics.pipeline.report import to_json
from odibi_magics.pipeline.result import NodeResult, RunResult
from odibi_magics.secret import Secret
from tests.display.samples import DONE, Folder, node, read


def run(text: str, nodes: int = 2) -> RunResult:
    """A run in which every text is `text`."""
    place = Place(Folder(text, text), text, "delta")  # type: ignore[arg-type]
    name = [f"{text}{i}" for i in range(nodes)]
    warned = (Warned(text, text, text),)
    planned = tuple(
        node(
            name[i],
            pipeline=text,
            defined=text,
            edges=(Edge(name[i - 1], text), Edge(name[i // 2], text, False)) if i else (),
            source=Source(place, columns=(text,), filter=text, newer_than=text, watermark=place),
            steps=(Query(None),),
            checks=(RowCheck(text, text),),
            sink=Sink(place, text, (text,), (text,), text),
            target=TargetState(True, 3),
            columns=(Column(text, text),),
            changes=(SchemaChange(text, text, text),),
            warnings=warned,
            sql=(text,),
            runs=i != 1,
        )
        for i in range(nodes)
    )
    results = tuple(
        NodeResult(
            each.name, text, "failed", 1, 1.0, error=text, reason=text, warnings=warned,
            checks=(CheckResult(text, "warn", 1, text, examples=({text: text},)),),
        )
        for each in planned
    )  # fmt: skip
    plan = Plan(planned, text, text, text, text, (UsedVariable(text, text, text),), warned)
    shown = Preview((Column(text, text),), ((text,),), None, text)
    return replace(DONE, run_id=text, plan=plan, engine=text, nodes=results, preview=shown, warnings=warned)


DISPLAYS: dict[str, Callable[[RunResult], str]] = {
    "report": report_html,
    "page": report_page,
    "plan": lambda result: plan_html(result.plan),
    "sql": lambda result: plan_sql_html(result.plan),
    "graph": lambda result: graph_svg(result.plan, {each.name: "done" for each in result.nodes}),
}
TEXTS: dict[str, Callable[[RunResult], str]] = {
    "report": report_text,
    "plan": lambda result: plan_text(result.plan),
    "sql": lambda result: plan_sql_text(result.plan),
    "graph": lambda result: graph_text(result.plan),
    "json": to_json,
}


@pytest.mark.parametrize("show", DISPLAYS.values(), ids=DISPLAYS)
def test_hostile_text_stays_text(show: Callable[[RunResult], str]) -> None:
    harmless, hostile = show(run("x")), show(run("</td></pre></style><script>'\"&\x1b[31m\u202e\n"))
    assert [element.name for element in read(hostile)] == [element.name for element in read(harmless)]
    assert not {"\x1b", "\u202e"} & set(hostile)
    attributes = {name for element in read(hostile) for name in element.attributes}
    assert not {name for name in attributes if name.startswith("on") or name in ("href", "src", "id")}


@pytest.mark.parametrize(
    "show", [*DISPLAYS.values(), *TEXTS.values()], ids=[*DISPLAYS, *(f"{t} text" for t in TEXTS)]
)
def test_no_secret_shows(show: Callable[[RunResult], str]) -> None:
    Secret("s3cr<&>t\n'words'")
    made = show(run("s3cr<&>t\n'words'"))
    assert "s3cr" not in made and "words" not in made and "[hidden]" in made


@pytest.mark.parametrize(
    "show", [*DISPLAYS.values(), *TEXTS.values()], ids=[*DISPLAYS, *(f"{t} text" for t in TEXTS)]
)
def test_the_same_gives_the_same(show: Callable[[RunResult], str]) -> None:
    assert show(run("x")) == show(run("x"))


@pytest.mark.parametrize("text", ["node_of_a_usual_name", "<&é>" * 50], ids=["usual", "long"])
@pytest.mark.parametrize("show", [DISPLAYS[name] for name in DISPLAYS if name != "page"])
def test_a_thousand_nodes_fit(show: Callable[[RunResult], str], text: str) -> None:
    html = show(run(text, 1000))
    assert 20_000 < len(html.encode()) < LIMIT and (" more " in html or "999" in html)
    read(html)


def test_the_page_and_the_texts_are_whole() -> None:
    large = run("x", 300)
    for show in (report_page, *TEXTS.values()):
        made = show(large)
        assert "x299" in made and " more " not in made
