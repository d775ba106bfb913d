# Sourced by the tools beside it: words for a person, and how many compilers this machine can take.

say() { printf '%s\n' "$*" >&2; }

# die CODE TEXT [HINT]: exit codes are those of trainshed (1 failed, 2 usage, 3 the environment).
die() {
    say "error: $2"
    [ $# -lt 3 ] || say "hint: $3"
    exit "$1"
}

# A heading per step; bold only where someone can see it.
heading() {
    if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
        printf '\n\033[1m==> %s\033[0m\n' "$*" >&2
    else
        printf '\n==> %s\n' "$*" >&2
    fi
}

# One compiler per core, but the heaviest file takes about 1 GiB.
build_jobs() {
    local cores kib by_memory
    cores=$(nproc)
    kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
    by_memory=$((kib / 1048576))
    [ "$by_memory" -ge 1 ] || by_memory=1
    echo $((cores < by_memory ? cores : by_memory))
}

# make_venv DIRECTORY REQUIREMENT...: a virtual environment with them; kept when it has just these.
make_venv() {
    local venv=$1 wanted
    shift
    wanted="$(/usr/bin/python3 --version) $*"
    [ "$(cat "$venv/.wanted" 2>/dev/null)" != "$wanted" ] || return 0
    rm -rf "$venv"
    /usr/bin/python3 -m venv "$venv" || return 1
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" || return 1
    printf '%s' "$wanted" >"$venv/.wanted"
}

# The API server is on the loopback: no proxy stands between.
without_proxy_for_loopback() {
    export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
    export no_proxy=$NO_PROXY
}
