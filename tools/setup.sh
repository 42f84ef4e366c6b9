#!/bin/sh
# Makes the environment $VENV and checks the system libraries Qt needs. Run by `make`; safe to run again.
set -eu
VENV=${VENV:-.venv}

say() { printf '%s\n' "$*" >&2; }

# Installs Debian packages when root, else prints the exact line to type.
apt_install() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing with apt: $*"
        export DEBIAN_FRONTEND=noninteractive
        apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 ||
            { apt-get update >/dev/null 2>&1 && apt-get install -y --no-install-recommends "$@" >/dev/null; }
    elif command -v apt-get >/dev/null; then
        say "Please type:  sudo apt-get install --no-install-recommends $*"
        return 1
    fi
}

find_python() {
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    say "Python 3.11, 3.12 or 3.13 is needed and none was found. Set PYTHON=/path/to/python3."
    exit 1
}

make_venv() {
    python=$(find_python)
    if ! "$python" -m venv "$VENV" >/dev/null 2>&1; then
        rm -rf "$VENV"
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        apt_install "python$version-venv" || exit 1
        "$python" -m venv "$VENV"
    fi
}

install_packages() {
    pip="$VENV/bin/python -m pip --disable-pip-version-check"
    say "Installing the packages of requirements.lock into $VENV (some minutes the first time)"
    $pip install --quiet --constraint requirements.lock --editable '.[test,lint]'
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
        $pip install --quiet --constraint requirements.lock --editable '.[tensorrt-rtx]' ||
            say "TensorRT for RTX could not be installed; the program works without it."
    fi
}

# Fonts and libraries of the offscreen platform first, then those of an X11 window.
APT_PACKAGES="libgl1 libegl1 libdbus-1-3 libfontconfig1 libxkbcommon0 libglib2.0-0 libbrotli1
libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-util1
libxcb-xkb1 libxkbcommon-x11-0"
DNF_PACKAGES="mesa-libGL mesa-libEGL dbus-libs fontconfig libxkbcommon libxkbcommon-x11 xcb-util-cursor
xcb-util-image xcb-util-keysyms xcb-util-renderutil xcb-util-wm brotli"

missing_libraries() {
    folder=$("$VENV/bin/python" -c 'import importlib.util as u; print(u.find_spec("PySide6").submodule_search_locations[0])')
    for library in "$folder"/Qt/lib/libQt6Widgets.so.6 "$folder"/Qt/lib/libQt6OpenGL.so.6 \
        "$folder"/Qt/plugins/platforms/libqxcb.so "$folder"/Qt/plugins/platforms/libqoffscreen.so; do
        ldd "$library" 2>/dev/null | awk '/not found/ {print $1}'
    done | sort -u | grep -v '^libQt6' || true
}

check_libraries() {
    [ "$(uname -s)" = Linux ] || return 0
    missing=$(missing_libraries)
    [ -n "$missing" ] || return 0
    say "Qt needs system libraries that are not here:" $missing
    if command -v apt-get >/dev/null; then
        # Debian 13 and Ubuntu 24.04 renamed this one.
        apt-cache show libglib2.0-0t64 >/dev/null 2>&1 && APT_PACKAGES=$(echo "$APT_PACKAGES" | sed 's/libglib2.0-0/libglib2.0-0t64/')
        # shellcheck disable=SC2086
        apt_install $APT_PACKAGES || exit 1
    elif command -v dnf >/dev/null; then
        say "Please type:  sudo dnf install" $DNF_PACKAGES
        exit 1
    else
        say "Please install them with your system's package manager."
        exit 1
    fi
}

[ -x "$VENV/bin/python" ] || make_venv
install_packages
check_libraries
