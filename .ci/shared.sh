# What the scripts beside this one share; they stand in the checkout's top folder when they read it.
export PIP_CACHE_DIR="$PWD/.cache/pip" PIP_DISABLE_PIP_VERSION_CHECK=1
export UV_CACHE_DIR="$PWD/.cache/uv" UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

# Installs one of Debian's packages where that needs no password, else fails.
from_debian() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    say "installing $1"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$1"; } >/dev/null
}

# Into .venv/, or the one that `into` names. uv takes a fifth of pip's time, but knows nothing of a mirror set for pip: then
# pip does it.
into=.venv
install() { .venv/bin/uv pip install --quiet --python "$into/bin/python" "$@" || "$into/bin/python" -m pip install --quiet "$@"; }
