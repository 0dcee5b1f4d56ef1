"""The language as models: every key, its type, its default and what it means.

The reference in docs and the JSON schema are made from these; a key without a description fails a test.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from odibi_magics.config.model import (
    ColumnType,
    Duration,
    Model,
    Names,
    Scalar,
    SecretText,
    Variable,
    listed,
)

Format = Literal["delta", "csv", "parquet", "json"]
WriteMode = Literal[
    "overwrite", "overwrite_partitions", "append", "append_once", "merge", "upsert", "error", "ignore"
]
OnFail = Literal["error", "warn"]
AuthMode = Literal[
    "key_vault", "direct_key", "sas_token", "connection_string", "service_principal",
    "managed_identity", "identity", "databricks_secret", "session",
]  # fmt: skip


class LocalConnection(Model):
    """A folder of this machine, or one mounted into it (`/Volumes/...`, `/dbfs/...`)."""

    type: Literal["local"] = Field("local", description="The kind of place.")
    base_path: str = Field(
        ".",
        description="The folder; relative to the file, in a cell to the kernel's folder. Paths cannot leave it.",
    )


class AdlsConnection(Model):
    """A storage account of Azure Data Lake Storage or Blob Storage."""

    type: Literal["azure_adls"] = Field(description="The kind of place.")
    account: str = Field(min_length=1, description="The storage account's name, without its host.")
    container: str | None = Field(
        None, description="The container; without it, each path's first segment names its container."
    )
    path_prefix: str | None = Field(
        None, description="Goes before every path; only together with `container`."
    )
    auth_mode: AuthMode = Field("key_vault", description="How the account is opened.")
    key_vault_name: str | None = Field(
        None, description="The vault; without it the project's, else the one vault other connections name."
    )
    secret_name: str | None = Field(None, description="The vault secret that holds the account key.")
    account_key: SecretText | None = Field(
        None, description="For `direct_key`: write `${NAME}`, not the key."
    )
    sas_token: SecretText | None = Field(None, description="For `sas_token`: write `${NAME}`, not the token.")
    connection_string: SecretText | None = Field(
        None, description="For `connection_string`: write `${NAME}`."
    )
    tenant_id: str | None = Field(
        None, description="The directory: of a `service_principal`, or of who signs in by `identity`."
    )
    client_id: str | None = Field(
        None, description="The application: of a `service_principal`, or a user-assigned managed identity."
    )
    client_secret: SecretText | None = Field(None, description="For `service_principal`: write `${NAME}`.")
    secret_scope: str | None = Field(None, description="For `databricks_secret`: the scope.")
    secret_key: str | None = Field(None, description="For `databricks_secret`: the key in the scope.")
    hierarchical_namespace: bool | None = Field(
        None,
        description="Whether the account has one; false for flat Blob Storage. Not said, Spark asks the account.",
    )
    storage_options: dict[str, Scalar] = Field(
        default_factory=dict[str, Scalar],
        description="Passed to the storage library as they are; they win over ours.",
    )


class UnityConnection(Model):
    """A schema of Unity Catalog; Spark only."""

    type: Literal["unity_catalog"] = Field(description="The kind of place.")
    catalog: str = Field(min_length=1, description="The catalog.")
    schema_: str = Field(alias="schema", min_length=1, description="The schema in the catalog.")


ConnectionConfig = Annotated[LocalConnection | AdlsConnection | UnityConnection, Field(discriminator="type")]


class Read(Model):
    """What a node reads."""

    connection: str = Field(description="The connection's name.")
    path: str | None = Field(None, description="File, folder, table or glob, relative to the connection.")
    table: str | None = Field(None, description="Instead of `path`, on a `unity_catalog` connection.")
    format: Format | None = Field(
        None, description="Inferred from the path's ending where that is plain, else delta."
    )
    options: dict[str, Scalar] = Field(
        default_factory=dict[str, Scalar],
        description="Of csv: header, delimiter, quote, escape, null_value, encoding, date_format, timestamp_format.",
    )
    columns: Names | None = Field(None, description="Only these columns, in this order.")
    filter: str | None = Field(None, description="Only rows for which this condition holds, in Spark SQL.")
    version: int | None = Field(None, ge=0, description="The Delta table's version to read.")
    timestamp: str | None = Field(
        None,
        description="The Delta table as of this time: ISO 8601, a date with a time and a zone (`2026-11-20T18:00Z`, "
        "`2026-11-20T18:00:30+01:00`). In whole seconds it is the end of that second, with a fraction exact.",
    )
    newer_than: str | None = Field(
        None,
        description="Only rows whose value in this column is above its maximum in the table this chain writes.",
    )
    lag: Duration | None = Field(
        None, description="With `newer_than`: how far below that maximum to start (2h)."
    )
    schema_: dict[str, ColumnType] | None = Field(
        None, alias="schema", description="The columns with their types, instead of inferring them."
    )
    infer: bool = Field(True, description="false: csv columns without a `schema` are text.")


class SqlStep(Model):
    """A query over the node's inputs, in Spark SQL."""

    sql: str = Field(
        min_length=1, description="One query; each input is a table under its name, `df` the step before."
    )


class FunctionStep(Model):
    """A Python function registered with @transform."""

    function: str = Field(min_length=1, description="The function's name.")
    params: dict[str, Any] = Field(
        default_factory=dict[str, Any],
        description="Its parameters, checked against the signature before the run.",
    )
    returns: dict[str, ColumnType] | None = Field(
        None, description="The columns that come out, so that plans and checks can look past the function."
    )


def _step_kind(value: object) -> str:
    keys = value if isinstance(value, dict) else ()
    return "function_step" if "function" in keys and "sql" not in keys else "sql_step"


Step = Annotated[
    Annotated[SqlStep, Tag("sql_step")] | Annotated[FunctionStep, Tag("function_step")],
    Discriminator(_step_kind),
]


class Transform(Model):
    """Steps, each working on the result of the one before."""

    steps: list[Step] = Field(min_length=1, description="`sql:` or `function:` steps, in order.")


class Check(Model):
    """A check of a node's rows."""

    on_fail: OnFail = Field("error", description="error: nothing is committed. warn: counted and reported.")


class NotEmpty(Check):
    """At least one row comes out."""


class NoNulls(Check):
    """No NULL in these columns."""

    columns: Names | None = Field(None, description="The columns; all without it.")


class Unique(Check):
    """No two rows have the same values in these columns."""

    columns: Names | None = Field(None, description="The columns; all without it.")


class AcceptedValues(Check):
    """Values of a column come from a list; NULL passes."""

    column: str = Field(description="The column.")
    values: list[Scalar] = Field(
        min_length=1, description="The values allowed, of the column's type; dates and times as text."
    )


_BOUND = "a number; or text for text, dates (`2026-01-31`) and times (`'2026-01-31 18:00:00'`, UTC)"


class Range(Check):
    """Values of a column lie between two bounds, both included; NULL passes."""

    column: str = Field(description="The column.")
    min: int | float | str | None = Field(None, description=f"The lowest value allowed: {_BOUND}.")
    max: int | float | str | None = Field(None, description=f"The highest value allowed: {_BOUND}.")


class RowCount(Check):
    """The number of rows lies between two bounds, both included."""

    min: int | None = Field(None, ge=0, description="The fewest rows allowed.")
    max: int | None = Field(None, ge=0, description="The most rows allowed.")


class SchemaCheck(Check):
    """The columns have these types."""

    columns: dict[str, ColumnType] = Field(min_length=1, description="Column names with their types.")
    exact: bool = Field(False, description="true: no other columns may come out.")


class Expression(Check):
    """A condition over each row, in Spark SQL; NULL passes."""

    sql: str = Field(min_length=1, description="The condition.")


class Validation(Model):
    """Checks of a node's rows; nothing is committed past a failed one unless it says `on_fail: warn`."""

    not_empty: Annotated[list[NotEmpty], BeforeValidator(listed)] = Field(
        default_factory=list[NotEmpty], description="At least one row comes out."
    )
    no_nulls: Annotated[list[NoNulls], BeforeValidator(listed)] = Field(
        default_factory=list[NoNulls], description="No NULL in `columns`."
    )
    unique: Annotated[list[Unique], BeforeValidator(listed)] = Field(
        default_factory=list[Unique], description="No two rows alike in `columns`; NULLs are alike."
    )
    accepted_values: Annotated[list[AcceptedValues], BeforeValidator(listed)] = Field(
        default_factory=list[AcceptedValues], description="Values of `column` come from `values`."
    )
    range: Annotated[list[Range], BeforeValidator(listed)] = Field(
        default_factory=list[Range], description="Values of `column` lie between `min` and `max`."
    )
    row_count: Annotated[list[RowCount], BeforeValidator(listed)] = Field(
        default_factory=list[RowCount], description="Between `min` and `max` rows come out."
    )
    schema_: Annotated[list[SchemaCheck], BeforeValidator(listed)] = Field(
        default_factory=list[SchemaCheck], alias="schema", description="The columns have these types."
    )
    expression: Annotated[list[Expression], BeforeValidator(listed)] = Field(
        default_factory=list[Expression], description="A SQL condition that holds for every row."
    )


class Write(Model):
    """Where a node's rows go."""

    connection: str = Field(description="The connection's name.")
    path: str | None = Field(None, description="The table, file or folder, relative to the connection.")
    table: str | None = Field(None, description="Instead of `path`, on a `unity_catalog` connection.")
    format: Format | None = Field(
        None, description="Inferred from the path's ending where that is plain, else delta."
    )
    mode: WriteMode = Field("overwrite", description="What happens to rows already there.")
    keys: Names | None = Field(
        None, description="For `merge` and `append_once`: the columns that identify a row."
    )
    partition_by: Names | None = Field(None, description="One folder for each value of these columns.")
    replace_where: str | None = Field(
        None,
        description="With `overwrite`: only rows for which this condition holds are replaced. In Spark SQL.",
    )
    merge_schema: bool = Field(False, description="New columns are added to the table.")
    overwrite_schema: bool = Field(
        False, description="With `overwrite`: the table takes the new columns and types."
    )
    options: dict[str, Scalar] = Field(
        default_factory=dict[str, Scalar], description="Of csv: header, delimiter, quote, escape, null_value."
    )


class Described(Model):
    """What people want to know of a pipeline or node; kept and shown."""

    description: str | None = Field(None, description="Free text, shown in plans and reports.")
    tags: list[str] = Field(default_factory=list[str], description="Words to find it by.")
    layer: str | None = Field(None, description="Its place in the house: bronze, silver, gold …")
    owner: str | None = Field(None, description="Who answers for it.")


class Node(Described):
    """One step of a pipeline: read, transform, validate, write; each part is optional."""

    name: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Its name, unique in the project; a table name in SQL.",
    )
    depends_on: list[str] = Field(
        default_factory=list[str], description="Nodes it takes as inputs, beside those its SQL names."
    )
    read: Read | None = Field(None, description="What it reads.")
    transform: Transform | None = Field(None, description="What it makes of it.")
    validation: Validation | None = Field(None, description="What must hold before anything is committed.")
    write: Write | None = Field(None, description="Where the rows go.")


class Pipeline(Described):
    """Nodes that belong together. Pipelines run in the order of the text."""

    pipeline: str = Field(min_length=1, description="The pipeline's name.")
    nodes: list[Node] = Field(min_length=1, description="Its nodes.")


class Story(Model):
    """Where each run's report is kept."""

    connection: str = Field(description="The connection's name.")
    path: str = Field("stories", description="The folder, relative to the connection.")


class Secrets(Model):
    """How secrets are fetched."""

    timeout: float = Field(
        30.0, gt=0, le=600, strict=False, description="Seconds for all secrets of a run together."
    )


class Retry(Model):
    """How transient errors are repeated; permanent ones never are."""

    max_attempts: int = Field(3, ge=1, le=10, description="How often in all.")
    backoff: Literal["exponential", "constant"] = Field("exponential", description="How the pauses grow.")


class ProjectConfig(Model):
    """A whole project."""

    project: str | None = Field(None, description="The project's name.")
    engine: Literal["auto", "pandas", "spark"] = Field(
        "auto", description="auto: spark where a Spark session is already active, else pandas."
    )
    sql_dialect: Literal["spark", "duckdb"] = Field(
        "spark",
        description="The SQL that `sql:` steps are written in. Conditions (`filter`, `replace_where`, `expression`) "
        "are Spark SQL always.",
    )
    key_vault_name: str | None = Field(None, description="The vault of every connection that names none.")
    vars: dict[str, Variable] = Field(
        default_factory=dict[str, Variable],
        description="Variables, used as `{{ name }}`; `${NAME}` may stand in them.",
    )
    functions: list[str] = Field(
        default_factory=list[str], description="Files or modules whose @transform functions are registered."
    )
    story: Story | None = Field(None, description="Where each run's report is kept.")
    secrets: Secrets = Field(Secrets(), description="How secrets are fetched.")
    retry: Retry = Field(Retry(), description="How transient errors are repeated.")
    connections: dict[str, ConnectionConfig] = Field(
        default_factory=dict[str, ConnectionConfig], description="Places, by name."
    )
    pipelines: list[Pipeline] = Field(
        default_factory=list[Pipeline], min_length=1, description="What runs, in order."
    )
    environments: dict[str, dict[str, Any]] = Field(
        default_factory=dict[str, dict[str, Any]],
        description="Overlays by name, laid over the project with --env: mappings merge by key, lists are replaced. "
        "Their `vars` may set names that some `vars` has or the text uses; another name is an error.",
    )
