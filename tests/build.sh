#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What packages rely on: the same bytes in every folder, builds outside the source, installation, the tarball.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
unset MAKEFLAGS MAKELEVEL BUILD CPPFLAGS IGRAPH # of the make that runs the tests
here=$PWD

# part FOLDER: copies the source, without most tools and layers of lib, so that it is built in seconds.
part() {
    mkdir -p "$1"
    cp -R "$CDP_SOURCE"/{Makefile,cmd,lib,man,pipelines} "$1"
    rm "$1"/cmd/cdp-[!c]*.c "$1"/cmd/cdp-cluster.c
    find "$1"/lib -name '*.c' ! -path "$1/lib/base/*" ! -path "$1/lib/io/*" \
        ! -path "$1/lib/stream/*" -delete
}
# run FOLDER [ARGUMENT]...: make there
run() {
    make -C "$1" --no-print-directory CFLAGS='-O0 -g' LDFLAGS= EXTRA_CFLAGS= "${@:2}" >>log 2>&1
}
built="bin/cdp-config cmd/report/assets.o libcdp.a installed/libcdp.a installed/libcdp.so.0"

part one
part other/two
# content FOLDER: its files, with their checksums
content() {
    (cd "$1" && find . -type f -exec cksum {} + | sort)
}
content other/two >before
# shellcheck disable=SC2046,SC2086 # words
run one $(printf 'build/%s ' $built)
ok $? "a build in the source"
# shellcheck disable=SC2046,SC2086
run other/two BUILD="$here/elsewhere" $(printf "$here/elsewhere/%s " $built)
ok $? "a build elsewhere"
content other/two >after
same after before "which writes nothing in the source"
for name in $built; do
    same "one/build/$name" "elsewhere/$name" "$name: the same bytes from two folders"
    ! grep -q "$here" "one/build/$name"
    ok $? "and neither is named in them"
done

# ---- installation

run one DESTDIR="$here/root" PREFIX=/opt/cdp LIBDIR=/opt/cdp/lib/here install
ok $? "make install"
is "$(cd root && find . -type f ! -path './opt/cdp/*')" "" "all is below PREFIX"
grep -rl /usr/local one/man one/pipelines >named
[ -s named ] && ! grep -r /usr/local root
ok $? "pages and makefiles name PREFIX"
grep -q "include /opt/cdp/share/cdp/pipelines/cdp.mk$" root/opt/cdp/share/cdp/pipelines/cdp.mk
ok $? "as the folder of the pipelines"
export PKG_CONFIG_PATH=$here/root/opt/cdp/lib/here/pkgconfig
is "$(pkg-config --variable=libdir cdp):$(pkg-config --define-variable=prefix=/p --variable=libdir cdp)" \
    "/opt/cdp/lib/here:/p/lib/here" "the library is in LIBDIR, and can be moved with PREFIX"
is "$(readlink -e root/opt/cdp/lib/here/libcdp.so)" "$(echo "$here"/root/opt/cdp/lib/here/libcdp.so.0.*)" "links are whole"
is "$(root/opt/cdp/bin/cdp-run --folder)" "$here/root/opt/cdp/share/cdp/pipelines" "cdp-run finds the installed pipelines"
! command -v python3 >err || run one DESTDIR="$here/root" PREFIX=/opt/cdp install-python
run one DESTDIR="$here/root" PREFIX=/opt/cdp LIBDIR=/opt/cdp/lib/here uninstall
is "$?:$(find root ! -type d)" 0: "make uninstall removes all that was installed"
is "$(ldd -u "$CDP_BUILD/installed/libcdp.so.0")" "" "the library asks for no library that it does not use"

# ---- the tarball

if git -C "$CDP_SOURCE" rev-parse --git-dir >err 2>&1; then
    for name in first second; do
        make -C "$CDP_SOURCE" --no-print-directory BUILD="$here/$name" dist >out 2>&1
        ok $? "make dist: the $name time"
        sleep 1 # gzip and tar know seconds
    done
    same first/cdp-*.tar.gz second/cdp-*.tar.gz "the same bytes"
    tar -tf first/cdp-*.tar.gz | sed 's|^[^/]*/||; /\/$/d; /^$/d' | sort >got
    git -C "$CDP_SOURCE" ls-tree -r --name-only HEAD | sort >wanted
    same got wanted "with the files of the last commit"
else
    skip "make dist" "no repository"
fi
done_testing
