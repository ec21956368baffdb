#!/bin/sh
# Builds the extension module _forest, which predicts with XGBoost's trees.
# Usage: build.sh PYTHON FOLDER [FLAG...], with flags for the compiler, such as -fsanitize=address.
set -eu
python=$1 folder=$2
shift 2
source=$(dirname "$0")
include=$("$python" -c "import sysconfig; print(sysconfig.get_path('include'))")
if ! command -v "${CC:=cc}" >/dev/null; then
    missing="a C compiler"
elif [ ! -e "$include/Python.h" ]; then
    missing=$include/Python.h
fi
if [ -n "${missing:-}" ]; then
    echo "The kernel was not built, for lack of $missing; XGBoost predicts instead" >&2
    exit 3
fi

trap '[ $? = 0 ] || echo "The kernel was not built, because $CC failed; XGBoost predicts instead" >&2' EXIT

# No -ffast-math, and no contraction of a * b + c: each operation rounds as XGBoost's own does.
compile() {
    "$CC" -std=gnu11 -O3 -fPIC -ffp-contract=off -Wall -Wextra "$@"
}
mkdir -p "$folder"
rm -f "$folder/_forest.abi3.so" # or tests would pass with the old one if the new one does not compile
objects=$folder/base.o
compile "$@" -DPREDICT=predict_base -DWIDTH=16 -c "$source/forest.c" -o "$folder/base.o"
if [ "$(uname -m)" = x86_64 ]; then
    compile "$@" -DPREDICT=predict_avx2 -DWIDTH=32 -march=x86-64-v3 \
        -c "$source/forest.c" -o "$folder/avx2.o"
    compile "$@" -DPREDICT=predict_avx512 -DWIDTH=64 -march=x86-64-v4 -mprefer-vector-width=512 \
        -c "$source/forest.c" -o "$folder/avx512.o"
    objects="$objects $folder/avx2.o $folder/avx512.o"
fi
link=-shared
[ "$(uname)" != Darwin ] || link="-bundle -undefined dynamic_lookup"
# shellcheck disable=SC2086 # lists
compile "$@" -I"$include" $link "$source/module.c" $objects -o "$folder/_forest.abi3.so.new" -lm
mv "$folder/_forest.abi3.so.new" "$folder/_forest.abi3.so"
rm $objects
