"""The reference says what the models check, no less and no more."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from odibi_magics.config import models
from odibi_magics.config.model import Model
from tests.docs.makers import DOCS, maker


def all_models() -> list[type[BaseModel]]:
    found = [value for value in vars(models).values() if isinstance(value, type) and issubclass(value, Model)]
    return [model for model in found if model not in (Model, models.Described, models.Check)]


def test_the_page_is_what_the_models_make() -> None:
    assert (DOCS / "reference" / "language.md").read_text(encoding="utf-8") == maker(
        "make_reference"
    ).reference(), "run: python docs/make_reference.py"


def test_every_model_of_the_language_has_its_part() -> None:
    assert {model for _, model in maker("make_reference").PARTS} == set(all_models())


@pytest.mark.parametrize("model", all_models(), ids=lambda model: model.__name__)
def test_every_key_says_what_it_means(model: type[BaseModel]) -> None:
    silent = [name for name, field in model.model_fields.items() if not field.description]
    assert not silent
    assert model.__doc__
