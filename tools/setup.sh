#!/bin/sh
# Makes the environment $VENV, after a look for the system libraries Qt needs. Run by `make`; safe to run again.
set -eu
VENV=${VENV:-.venv}

# What Qt loads, for the offscreen platform first, then for an X11 window; beside it Debian's package.
LIBRARIES="libGL.so.1 libgl1
libEGL.so.1 libegl1
libdbus-1.so.3 libdbus-1-3
libfontconfig.so.1 libfontconfig1
libfreetype.so.6 libfreetype6
libbrotlidec.so.1 libbrotli1
libglib-2.0.so.0 libglib2.0-0
libgthread-2.0.so.0 libglib2.0-0
libxkbcommon.so.0 libxkbcommon0
libX11.so.6 libx11-6
libX11-xcb.so.1 libx11-xcb1
libxcb-cursor.so.0 libxcb-cursor0
libxcb-glx.so.0 libxcb-glx0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-image.so.0 libxcb-image0
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-randr.so.0 libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-sync.so.1 libxcb-sync1
libxcb-util.so.1 libxcb-util1
libxcb-xfixes.so.0 libxcb-xfixes0
libxcb-xkb.so.1 libxcb-xkb1
libxkbcommon-x11.so.0 libxkbcommon-x11-0"

say() { printf '%s\n' "$*" >&2; }

has() { command -v "$1" >/dev/null 2>&1; }

find_python() {
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if has "$name" && "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    say "Python 3.11, 3.12 or 3.13 is needed; looked for: ${PYTHON:-python3 python3.13 python3.12 python3.11}."
    say "Install one (Ubuntu 22.04: sudo apt-get install python3.11 python3.11-venv) or set PYTHON=/path/to/python3."
    return 1
}

# Lines "library package" of what the loader does not find.
missing_libraries() {
    [ "$(uname -s)" = Linux ] || return 0
    printf '%s\n' "$LIBRARIES" | "$1" -c '
import ctypes, sys
for line in sys.stdin:
    try:
        ctypes.CDLL(line.split()[0])
    except OSError:
        print(line.strip())
'
}

# The package with `python -m venv`, where Debian keeps it apart.
missing_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null || "$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

# Installs packages as root, else prints the exact line to type and ends.
install_with() {
    if [ "$(id -u)" = 0 ]; then
        say "Installing: $*"
        DEBIAN_FRONTEND=noninteractive "$@" -y >/dev/null && return
        say "That did not work. Please type it yourself and see what it says:"
    else
        say "System packages are missing. Please type this line, then make again:"
    fi
    say ""
    say "    $([ "$(id -u)" = 0 ] || echo sudo) $(quoted "$@")"
    say ""
    exit 1
}

quoted() {
    for word in "$@"; do
        case $word in
        *"("*) printf "'%s' " "$word" ;;
        *) printf '%s ' "$word" ;;
        esac
    done
}

check_system() {
    libraries=$(missing_libraries "$1")
    venv=$(missing_venv "$1")
    [ -n "$libraries$venv" ] || return 0
    if has apt-get; then
        packages=$(printf '%s\n' "$libraries" | awk 'NF {print $2}' | sort -u)
        [ "$(id -u)" != 0 ] || apt-get update >/dev/null || true
        # shellcheck disable=SC2086  # words
        install_with apt-get install --no-install-recommends $venv $packages
    elif has dnf; then
        # shellcheck disable=SC2046  # words: dnf finds packages by the library they provide
        install_with dnf install $(printf '%s\n' "$libraries" | awk 'NF {print $1 "()(64bit)"}')
    else
        say "Please install with your system's package manager:" "$venv $(printf '%s\n' "$libraries" | awk '{printf "%s ", $1}')"
        exit 1
    fi
}

pip() { "$VENV/bin/python" -m pip --disable-pip-version-check "$@"; }

install_packages() {
    say "Installing the packages of requirements.lock into $VENV (some minutes the first time)"
    pip install --quiet --constraint requirements.lock --editable '.[test,lint]'
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
        pip install --quiet --constraint requirements.lock --editable '.[tensorrt-rtx]' ||
            say "TensorRT for RTX could not be installed; the program works without it."
    fi
}

python=$(find_python)
check_system "$python"
pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$VENV"
install_packages
