#!/bin/sh
# Installs the command from a tarball made by scripts/release.
#
# Usage: install.sh TARBALL [--to DIR]
#
# Puts `zwasm` into DIR, ~/.local/bin unless given, and its manual and completions
# below DIR/../share. Checks the tarball against TARBALL.sha256 if that is beside it.
set -eu

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

tarball=
to=${HOME:-}/.local/bin
while [ $# -gt 0 ]; do
    case $1 in
    --to)
        [ $# -ge 2 ] || fail "'--to' needs a directory"
        to=$2
        shift
        ;;
    --help | -h)
        sed -n '2,7s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    -*) fail "unknown option '$1' (there is '--to DIR')" ;;
    *)
        [ -z "$tarball" ] || fail "one tarball, not '$1' as well"
        tarball=$1
        ;;
    esac
    shift
done
[ -n "$tarball" ] || fail "no tarball given (scripts/release makes one)"
[ -f "$tarball" ] || fail "there is no file '$tarball'"

if [ -f "$tarball.sha256" ]; then
    wanted=$(cut -d ' ' -f 1 "$tarball.sha256")
    found=$(sha256sum "$tarball" | cut -d ' ' -f 1)
    [ "$wanted" = "$found" ] || fail "'$tarball' is damaged: its checksum differs"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tar -xzf "$tarball" -C "$scratch" || fail "cannot unpack '$tarball'"
unpacked=$(echo "$scratch"/zwasm-*)
[ -x "$unpacked/bin/zwasm" ] || fail "'$tarball' has no zwasm in it"
# A binary for another system would not start.
"$unpacked/bin/zwasm" version > /dev/null || fail "the zwasm in '$tarball' does not run here"

mkdir -p "$to" || fail "cannot make '$to'"
share=$(cd "$to/.." && pwd)/share
install -m 755 "$unpacked/bin/zwasm" "$to/zwasm" || fail "cannot write to '$to'"
(cd "$unpacked/share" && find . -type f) | while read -r file; do
    mkdir -p "$share/$(dirname "$file")"
    install -m 644 "$unpacked/share/$file" "$share/$file"
done
echo "installed $("$to/zwasm" version) in $to"
case ":$PATH:" in
*":$to:"*) ;;
*) echo "note: $to is not in your PATH" ;;
esac
