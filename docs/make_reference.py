"""Makes docs/reference/language.md from the models, so that the reference cannot drift from the language.

Run `python docs/make_reference.py`; a test fails where the file differs from what this makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from odibi_magics.config import models
from odibi_magics.config.kinds import kind

TARGET = Path(__file__).parent / "reference" / "language.md"

HEAD = """# The language

Every key of a project, with its type, its default and what it means. This page is made from the models that check your
text. A cell or file holds a whole project, only `pipelines:`, one pipeline's `nodes:`, or a bare list of nodes.

Keys that are not listed are errors. Scalars follow YAML 1.2's core schema, made stricter: `no`, `on`, `1:30`, dates and
integers with leading zeros are text. `{{ name }}` is a variable anywhere, and `${NAME}` an environment value anywhere
but in SQL, where `vars:` gives it a name; both work unquoted. Lists of columns name each one once, in any case.
"""

PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("Project", models.ProjectConfig),
    ("`story:`", models.Story),
    ("`secrets:`", models.Secrets),
    ("`retry:`", models.Retry),
    ("`connections:` of `type: local`", models.LocalConnection),
    ("`connections:` of `type: azure_adls`", models.AdlsConnection),
    ("`connections:` of `type: unity_catalog`", models.UnityConnection),
    ("`pipelines:`", models.Pipeline),
    ("`nodes:`", models.Node),
    ("`read:`", models.Read),
    ("`transform:`", models.Transform),
    ("A `sql:` step", models.SqlStep),
    ("A `function:` step", models.FunctionStep),
    ("`validation:`", models.Validation),
    ("`not_empty:`", models.NotEmpty),
    ("`no_nulls:`", models.NoNulls),
    ("`unique:`", models.Unique),
    ("`accepted_values:`", models.AcceptedValues),
    ("`range:`", models.Range),
    ("`row_count:`", models.RowCount),
    ("`schema:`, as a check", models.SchemaCheck),
    ("`expression:`", models.Expression),
    ("`write:`", models.Write),
)


def reference() -> str:
    """The page's text."""
    return "\n".join([HEAD, *(line for title, model in PARTS for line in part(title, model))]) + "\n"


def part(title: str, model: type[BaseModel]) -> Iterator[str]:
    """A model's heading, its words and its table of keys."""
    yield f"## {title}\n"
    yield f"{(model.__doc__ or '').strip()}\n"
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        yield f"| `{field.alias or name}` | {kind(field.annotation)} | {default(field)} | {field.description} |"
    yield ""


def default(field: FieldInfo) -> str:
    """What holds where the key is left out."""
    if field.is_required():
        return "**required**"
    if field.default_factory is not None or field.default is None or isinstance(field.default, BaseModel):
        return ""
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
