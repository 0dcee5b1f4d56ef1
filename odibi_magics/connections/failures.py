"""What errors of storage libraries mean, in words for people, each with what mends it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from odibi_magics.connections.network import fault, words_of
from odibi_magics.connections.sas import Signed
from odibi_magics.errors import nearest


@dataclass(frozen=True)
class Failure:
    """What was tried. container: "" for the account itself. key: the path in the container. doing: "reading",
    "writing", "listing".

    opened: with a "key", a "sas", a "token", or what Spark's "session" has. who: gives the object id of who is signed
    in. signed: what the SAS says. containers: asks for the names of those that the account has.
    """

    account: str
    container: str
    key: str
    doing: str
    opened: str
    who: Callable[[], str]
    signed: Signed | None
    containers: Callable[[], Sequence[str]]

    @property
    def place(self) -> str:
        """account1/raw/sales.csv"""
        return "/".join(part for part in (self.account, self.container, self.key) if part)


@dataclass(frozen=True)
class Explained:
    """An error in our words: what was tried and how it went, and what to do.

    credential_refused: the account knows who we are not. everywhere: any other path of the account fails alike.
    """

    said: str
    remedy: str
    transient: bool = False
    credential_refused: bool = False
    everywhere: bool = False


def failure(error: BaseException, tried: Failure) -> Explained | None:
    """An error of obstore, deltalake, adlfs or azure-core; None where it is not about access to the account."""
    text, code = words_of(error), code_of(error)
    if not _of_storage(error, text):
        return None
    refused = _REFUSED.search(text)
    if refused:
        said, _, remedy = refused[1].partition(". ")
        return Explained(said, remedy)
    made = _CODES.get(code) if code else None
    if made is not None:
        return made(tried, text)
    if isinstance(error, FileNotFoundError):
        return None
    if _THROTTLED.search(text):
        return _throttled(tried, text)
    return _network(tried, text) or _without_reason(tried, text)


def missing(error: BaseException) -> Literal["account", "container", "path"] | None:
    """What is not there, told from an error; None for other errors."""
    text = words_of(error)
    if not _of_storage(error, text):
        return "path" if isinstance(error, FileNotFoundError) else None
    code = _code(text)
    if code in ("ContainerNotFound", "FilesystemNotFound"):
        return "container"
    if code in ("BlobNotFound", "PathNotFound") or isinstance(error, FileNotFoundError):
        return "path"
    found = fault(text)
    return "account" if found and found.no_host else None


def _of_storage(error: BaseException, text: str) -> bool:
    """Whether an error comes from the wire. Words as "timeout" may be a column's name in others."""
    library = type(error).__module__.partition(".")[0]
    return library in ("azure", "aiohttp") or isinstance(error, ConnectionError) or bool(_WIRE.search(text))


_WIRE: Final = re.compile(
    r"Error performing (?:GET|PUT|POST|HEAD|DELETE|list)|MicrosoftAzure|core\.windows\.net|Azure credential provider"
)
# What a store's own call for a token was told.
_REFUSED: Final = re.compile(r"Azure credential provider: Refused: (.+)")


def code_of(error: BaseException) -> str:
    """The service's own word for what is wrong; "" where an error has none."""
    text = words_of(error)
    told = next((code for words, code in _WORDS.items() if words in text), None)
    return told or _code(text) or ""


def _code(text: str) -> str | None:
    """The service's own word for what is wrong, from its XML, JSON or the SDK's message."""
    match = re.search(
        r"<Code>(\w+)</Code>|ErrorCode:\s*(\w+)|\"code\":\s*\"(\w+)\"|x-ms-error-code[^\w]+(\w+)", text
    )
    if match:
        return next(group for group in match.groups() if group)
    return next((code for code in _CODES if code in text), None)


# Of a wrong signature the service gives now one code, now another; of a deletion the library passes on none.
_WORDS: Final = {
    "Server failed to authenticate the request": "AuthenticationFailed",
    "not authorized to perform this operation using this permission": "AuthorizationPermissionMismatch",
}
_THROTTLED: Final = re.compile(
    r"\b(?:429|500|502|503) (?:Too Many|Internal|Bad Gateway|Service)|ServerBusy|Operation timed out|server is busy"
)


# What the service answers ---------------------------------------------------------------------------------------------


def _explained(tried: Failure, said: str, remedy: str, **about: bool) -> Explained:
    return Explained(f"{tried.doing} {tried.place}: {said}", remedy, **about)


def _not_authenticated(tried: Failure, text: str) -> Explained:
    told = {"sas": _sas_not_valid, "token": _token_refused, "session": _session_refused}
    return told.get(tried.opened, _wrong_key)(tried, text)


def _session_refused(tried: Failure, text: str) -> Explained:
    said = f"account '{tried.account}' does not take what Spark's session opens it with"
    remedy = "Mend what the session was set up with (its settings fs.azure.*), or name another auth_mode"
    return _explained(tried, said, remedy, credential_refused=True, everywhere=True)


def _wrong_key(tried: Failure, text: str) -> Explained:
    said = f"account '{tried.account}' does not take the key"
    remedy = (
        f"Its keys: az storage account keys list --account-name {tried.account}. "
        "Once it is mended, run again: the secret is fetched anew"
    )
    return _explained(tried, said, remedy, credential_refused=True, everywhere=True)


def _sas_not_valid(tried: Failure, text: str) -> Explained:
    until = re.search(r"Expiry \[(.*?)\]", text)
    ends = tried.signed.ends if tried.signed else None
    if until or "not valid in the specified time frame" in text:
        said = f"the SAS token has expired{f' on {until[1]}' if until else ''}, or is not valid yet"
    elif ends and ends > datetime.now(UTC):
        said = "the SAS token is not valid: it was signed with another key, or made for another container"
    else:
        said = "the SAS token is not valid: it has expired, or was signed with a key that was changed since"
    return _explained(tried, said, f"A new one: {_make_sas(tried)}", credential_refused=True, everywhere=True)


def _token_refused(tried: Failure, text: str) -> Explained:
    said = "the account does not take the token"
    remedy = (
        "It may belong to another tenant than the one signed in to: az account show, az login --tenant TENANT"
    )
    return _explained(tried, said, remedy, credential_refused=True, everywhere=True)


def _not_permitted(tried: Failure, text: str) -> Explained:
    return (_sas_too_little if tried.opened == "sas" else _no_role)(tried, text)


def _sas_too_little(tried: Failure, text: str) -> Explained:
    said = f"the SAS token does not allow {tried.doing}"
    return _explained(tried, said, f"A new one: {_make_sas(tried)}")


def _make_sas(tried: Failure) -> str:
    return (
        f"az storage container generate-sas --account-name {tried.account} --name {tried.container or 'CONTAINER'} "
        "--permissions rcwdl --expiry DATE"
    )


def _no_role(tried: Failure, text: str) -> Explained:
    role = "Storage Blob Data Contributor" if tried.doing == "writing" else "Storage Blob Data Reader"
    said = "the identity that is signed in has no role for its data; Owner and Contributor give none"
    remedy = (
        f'Grant it: az role assignment create --role "{role}" --assignee {tried.who()} '
        f"--scope $(az storage account show --name {tried.account} --query id -o tsv). "
        "A role just granted takes some minutes"
    )
    return _explained(tried, said, remedy)


def _no_keys(tried: Failure, text: str) -> Explained:
    said = "the account allows no account keys (a policy switched them off)"
    return _explained(tried, said, "Use auth_mode: identity, or service_principal", everywhere=True)


def _firewall(tried: Failure, text: str) -> Explained:
    said = "the account's firewall refuses this machine"
    remedy = (
        f"Let it in: az storage account network-rule add --account-name {tried.account} "
        "--ip-address $(curl -s https://api.ipify.org); or work from inside its network"
    )
    return _explained(tried, said, remedy, everywhere=True)


def _no_public_access(tried: Failure, text: str) -> Explained:
    said = "the account was asked without a credential, which it does not allow"
    return _explained(tried, said, "Give the connection an auth_mode", everywhere=True)


def _no_container(tried: Failure, text: str) -> Explained:
    said = (
        f"there is no container '{tried.container}' in account '{tried.account}', and none is made silently"
    )
    remedy = (
        f"{_others(tried)}Make it: az storage container create --account-name {tried.account} "
        f"--name {tried.container} --auth-mode login"
    )
    return _explained(tried, said, remedy)


def _others(tried: Failure) -> str:
    """The containers that are there, the nearest name first; "" where they cannot be had."""
    names = tried.containers()
    close = nearest(tried.container, names)
    meant = f"Did you mean '{close}'? " if close else ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{meant}There are: {', '.join(names[:_SHOWN])}{more}. " if names else ""


_SHOWN: Final = 10


def _disabled(tried: Failure, text: str) -> Explained:
    remedy = "See its subscription: az account list"
    return _explained(tried, "the account is disabled", remedy, everywhere=True)


def _throttled(tried: Failure, text: str) -> Explained:
    said = "the service is throttled or briefly unavailable, also after retries"
    return _explained(tried, said, "Try again in a moment", transient=True, everywhere=True)


_CODES: Final[Mapping[str, Callable[[Failure, str], Explained]]] = {
    "AuthenticationFailed": _not_authenticated,
    "InvalidAuthenticationInfo": _not_authenticated,
    "AuthorizationPermissionMismatch": _not_permitted,
    "AuthorizationServiceMismatch": _sas_too_little,
    "AuthorizationResourceTypeMismatch": _sas_too_little,
    "AuthorizationProtocolMismatch": _sas_too_little,
    "AuthorizationSourceIPMismatch": _firewall,
    "KeyBasedAuthenticationNotPermitted": _no_keys,
    "AuthorizationFailure": _firewall,
    "PublicAccessNotPermitted": _no_public_access,
    "NoAuthenticationInformation": _no_public_access,
    "ContainerNotFound": _no_container,
    "FilesystemNotFound": _no_container,
    "ContainerBeingDeleted": _throttled,
    "AccountIsDisabled": _disabled,
    "ServerBusy": _throttled,
    "InternalError": _throttled,
    "OperationTimedOut": _throttled,
}


def _without_reason(tried: Failure, text: str) -> Explained | None:
    """A status alone: an answer to HEAD has no body that could say more."""
    status = re.search(r"status code\s*\W*\s*(4\d\d \w+(?: \w+)?)", text)
    if status is None:
        return None
    said = f"account '{tried.account}' answers {status[1]} and gives no reason"
    return _explained(tried, said, "See what it says to a listing: %odibi_connections")


def _network(tried: Failure, text: str) -> Explained | None:
    found = fault(text)
    if found is None:
        return None
    asked = re.search(rf"\b{tried.account}\.(?:blob|dfs)\.core\.windows\.net", text)
    host = asked[0] if asked else f"{tried.account}.blob.core.windows.net"
    what = "not found" if found.no_host else "cannot be reached"
    said = f"account '{tried.account}' {what} at {host}: {found.said}"
    remedy = found.remedy
    if found.no_host:
        remedy += ". Your accounts: az storage account list --query [].name"
    return _explained(tried, said, remedy, transient=found.transient, everywhere=True)
