"""The practice cloud: storage accounts, a vault and a token endpoint on loopback, under their real host names."""

from odibi_magics.sandbox.cloud import Cloud

__all__ = ["Cloud"]
