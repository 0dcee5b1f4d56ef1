"""The practice `az`: as much of the Azure CLI as azure-identity and the storage libraries call.

Run as a script of its own, with the standard library only, so that it answers in tens of milliseconds.
https://learn.microsoft.com/cli/azure/account#az-account-get-access-token
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from datetime import datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_KNOWN = (["account", "get-access-token"], ["account", "show"])
_OTHER = """\
ERROR: This is the practice cloud's az, which only tells who is signed in (account show, account get-access-token).
In Azure this command would be carried out; here the cloud is changed, and looked at, from Python:
  from odibi_magics.sandbox import Cloud
  cloud = Cloud.attach()
  cloud.storage("account2").allow("managed", "write")  # a storage role
  cloud.vault("company-kv").set("name", "value")  # a secret
All there is: docs/practice_cloud.md"""


def main() -> int:
    """The exit code."""
    if sys.argv[1:3] not in _KNOWN and sys.argv[1:] not in (["--help"], ["-h"]):
        print(_OTHER, file=sys.stderr)
        return 1
    asked = _parser().parse_args()
    try:
        answer = _ask(asked)
    except HTTPError as error:
        print(f"ERROR: {json.load(error)['error']}", file=sys.stderr)
        return 1
    print(json.dumps(_token(answer) if asked.verb == "get-access-token" else _account(answer), indent=2))
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        "az", description="The practice cloud's az: it knows two commands of the real one."
    )
    account = (
        parser.add_subparsers(required=True).add_parser("account").add_subparsers(dest="verb", required=True)
    )
    for verb in ("get-access-token", "show"):
        command = account.add_parser(verb)
        command.add_argument("--output", "-o", default="json", choices=["json"])
        command.add_argument("--tenant")
        command.add_argument("--subscription", "-s")
    token = account.choices["get-access-token"]
    token.add_argument("--resource", default="https://management.core.windows.net/")
    token.add_argument("--scope", nargs="*")
    return parser


def _ask(asked: Namespace) -> dict[str, Any]:
    """What the practice cloud says. Raises HTTPError."""
    wanted = {"tenant": asked.tenant}
    if asked.verb == "get-access-token":
        wanted["resource"] = asked.scope[0].removesuffix("/.default") if asked.scope else asked.resource
    body = json.dumps(wanted).encode()
    request = Request(os.environ["ODIBI_SANDBOX"] + "/az-token", body, {"Content-Type": "application/json"})
    with build_opener(ProxyHandler({})).open(request) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _token(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "accessToken": answer["token"],
        "expiresOn": str(datetime.fromtimestamp(answer["expires"])) + ".000000",
        "expires_on": answer["expires"],
        "subscription": answer["subscription"],
        "tenant": answer["tenant"],
        "tokenType": "Bearer",
    }


def _account(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "environmentName": "AzureCloud",
        "homeTenantId": answer["tenant"],
        "id": answer["subscription"],
        "isDefault": True,
        "name": "Practice",
        "state": "Enabled",
        "tenantId": answer["tenant"],
        "user": {"name": answer["user"], "type": "user"},
    }


if __name__ == "__main__":
    sys.exit(main())
