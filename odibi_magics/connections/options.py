"""What each storage library is told of an account, with time-outs and retries that end within seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from odibi_magics.connections.credentials import SparkSession
from odibi_magics.secret import Secret, names_secret

if TYPE_CHECKING:
    from odibi_magics.connections.adls import AdlsConnection

# obstore and deltalake stand on one library. A request that fails for what may pass is repeated for 10 s at most,
# which its own default does for 180; a host that takes no connection has 5 s a try. A read that stands still ends
# after 15 s, however large the file; deltalake knows a limit for whole requests only, and 25 s is what 64 MB take
# on a line of 20 Mbit/s.
_RETRIES: Final = 4
_RETRY_SECONDS: Final = 10
_BACKOFF: Final = {"init": 0.1, "max": 2.0}
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 15
_REQUEST_SECONDS: Final = 25
_LONG_REQUEST_SECONDS: Final = 250

_DELTALAKE: Final[Mapping[str, str]] = {
    "connect_timeout": f"{_CONNECT_SECONDS}s",
    "timeout": f"{_REQUEST_SECONDS}s",
    "max_retries": str(_RETRIES),
    "retry_timeout": f"{_RETRY_SECONDS}s",
    "backoff_config.init_backoff": f"{_BACKOFF['init'] * 1000:.0f}ms",
    "backoff_config.max_backoff": f"{_BACKOFF['max']:.0f}s",
    "backoff_config.base": "2",
}
_FSSPEC: Final[Mapping[str, Any]] = {
    "connection_timeout": _CONNECT_SECONDS,
    "read_timeout": _READ_SECONDS,
    "retry_total": _RETRIES,  # its default waits 87 s for an account that is not there
    "retry_connect": 1,
    "retry_backoff_factor": 0.2,
}
# Of Hadoop's driver for one account; each is followed by the account's host. The JVM's own client for HTTP, in place of
# Apache's, and its TLS, in place of OpenSSL's, go by the proxy and truststore that it was started with. A hung server
# is given up after three times 10 s, where the driver's defaults wait 31 times 30 s. Tokens have been fetched once by
# us before, so that one retry does.
_SPARK: Final[Mapping[str, str]] = {
    "fs.azure.networking.library": "JDK_HTTP_URL_CONNECTION",
    "fs.azure.ssl.channel.mode": "Default_JSSE",
    "fs.azure.http.connection.timeout": f"{_CONNECT_SECONDS * 1000}",
    "fs.azure.http.read.timeout": "10000",
    "fs.azure.io.retry.max.retries": "2",
    "fs.azure.io.retry.min.backoff.interval": "500",
    "fs.azure.io.retry.backoff.interval": "500",
    "fs.azure.io.retry.max.backoff.interval": "3000",
    "fs.azure.oauth.token.fetch.retry.max.retries": "1",
}


def _obstore(connection: AdlsConnection) -> dict[str, Any]:
    """The credential as an AzureStore's config has it, which does not renew tokens; `store()` does."""
    return place(connection.account) | connection.credential().deltalake()


def _deltalake(connection: AdlsConnection) -> dict[str, Any]:
    return {
        **place(connection.account, "azure_storage_"),
        **connection.credential().deltalake(),
        **_DELTALAKE,
    }


def place(account: str, prefix: str = "") -> dict[str, str]:
    """Where an account is. Its URL says so too, but what no option says is taken from AZURE_STORAGE_* variables."""
    return {
        f"{prefix}account_name": account,
        f"{prefix}endpoint": f"https://{account}.blob.core.windows.net",
        f"{prefix}use_emulator": "false",
    }


def _fsspec(connection: AdlsConnection) -> dict[str, Any]:
    return {"account_name": connection.account, **connection.credential().fsspec(), **_FSSPEC}


def _spark(connection: AdlsConnection) -> dict[str, Any]:
    """Per account, so that several work in one session; of a workspace's own session nothing is set."""
    if isinstance(connection.source, SparkSession):
        return {}
    bounds = {f"{key}.{connection.host}": value for key, value in _SPARK.items()}
    return {**connection.credential().spark(connection.host), **_namespace(connection), **bounds}


def _namespace(connection: AdlsConnection) -> dict[str, str]:
    """Flat accounts have no `dfs` API that the driver could use. Where the account does not say which it is, the driver
    finds out by itself, in a request for each file system."""
    hierarchical = connection.is_hierarchical()
    if hierarchical is None:
        return {}
    told = {f"fs.azure.account.hns.enabled.{connection.host}": str(hierarchical).lower()}
    return told if hierarchical else {**told, f"fs.azure.fns.account.service.type.{connection.host}": "BLOB"}


FOR: Final[Mapping[str, Callable[[AdlsConnection], dict[str, Any]]]] = {
    "obstore": _obstore,
    "deltalake": _deltalake,
    "fsspec": _fsspec,
    "spark": _spark,
}


def kept(key: str, value: Any) -> Any:
    """An option of the user's own as a connection keeps it."""
    return Secret(value) if isinstance(value, str) and names_secret(key) else value


def given(library: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What of a connection's own options is for a library: Hadoop's keys for Spark, all others for the rest."""
    plain = {key: value.reveal() if isinstance(value, Secret) else value for key, value in options.items()}
    own = {key: value for key, value in plain.items() if key.startswith("fs.") == (library == "spark")}
    return own if library == "fsspec" else {key: _text(value) for key, value in own.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# obstore takes in three parts what deltalake takes in one.
_CLIENT: Final = frozenset(
    {
        "allow_http", "allow_invalid_certificates", "connect_timeout", "http1_only", "http2_only",
        "pool_idle_timeout", "pool_max_idle_per_host", "proxy_url", "proxy_excludes", "read_timeout", "timeout",
        "user_agent",
    }
)  # fmt: skip


def obstore_parts(options: Mapping[str, Any]) -> dict[str, Any]:
    """An AzureStore's `config`, `client_options` and `retry_config`, the connection's own options over ours."""
    own = given("obstore", options)
    client = {
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "read_timeout": f"{_READ_SECONDS}s",
        "timeout": f"{_LONG_REQUEST_SECONDS}s",
    }
    client |= {key: value for key, value in own.items() if key in _CLIENT}
    config = {key: value for key, value in own.items() if key not in _CLIENT and key not in _DELTALAKE}
    retry = {
        "max_retries": int(own.get("max_retries", _RETRIES)),
        "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
        "backoff": {
            "init_backoff": timedelta(seconds=_BACKOFF["init"]),
            "max_backoff": timedelta(seconds=_BACKOFF["max"]),
            "base": 2,
        },
    }
    return {"config": config, "client_options": client, "retry_config": retry}


def has_credential(config: Mapping[str, Any]) -> bool:
    """Whether options of the user's own say how to open the account."""
    return any(names_secret(key) or "use_" in key or "skip_signature" in key for key in config)
