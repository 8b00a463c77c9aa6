# SPDX-License-Identifier: MIT
# cdp: clustering by Consensus-Driven Propagation. `make help` lists the targets.

VERSION = 0.1.0
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
CFLAGS ?= -O3 -g
# All that is built is below this folder, which may be anywhere: the source can be read-only.
BUILD ?= build
PKG_CONFIG ?= pkg-config
OBJCOPY ?= objcopy
# Debian: libigraph-dev. Empty: cdp-baseline is built without its method leiden.
IGRAPH ?= igraph

packages = libzstd liblzma liblz4 zlib libarchive libxxhash
warnings = -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wwrite-strings
# No contraction of a x b + c: results are the same bytes from every compiler. The library's objects serve tools and libcdp:
# code for any address, all but the public functions hidden, unused sections left out.
required = -std=gnu11 -D_GNU_SOURCE -DCDP_VERSION='"$(VERSION)"' -Ilib -Icmd -fopenmp \
	-ffp-contract=off -fno-math-errno -fno-trapping-math -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections $(warnings) $(CPPFLAGS) $(EXTRA_CFLAGS)
# What is built is the same bytes in every folder: it names its sources from the source's root, and itself from `build`.
required += -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(BUILD)=build
# Asked once, when the first file is compiled: before `make deps` pkg-config may be missing.
once = $(eval $1 := $2)$($1)
package_cflags = $(call once,package_cflags,$(shell $(PKG_CONFIG) --cflags $(packages)))
# bzip2 has no file for pkg-config everywhere.
package_libs = $(call once,package_libs,$(shell $(PKG_CONFIG) --libs $(packages)) -lbz2 -lm)

tools = $(patsubst cmd/%.c,%,$(sort $(wildcard cmd/cdp-*.c)))
library = $(BUILD)/libcdp.a
shared = libcdp.so.0
public_header = lib/api/cdp.h
library_sources = $(sort $(wildcard lib/*/*.c lib/*/*/*.c))
library_objects = $(library_sources:%.c=$(BUILD)/%.o)
binaries = $(addprefix $(BUILD)/bin/,$(tools))
unit_tests = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*.c))
bench_tools = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
# tap.sh is sourced by the others; bare.sh needs root, a network and an hour.
test_scripts = $(filter-out tests/tap.sh tests/bare.sh,$(wildcard tests/*.sh))
pages = $(wildcard man/*.[1-9])
sources = $(wildcard cmd/*.[ch] cmd/*/*.[ch] lib/*/*.[ch] lib/*/*/*.[ch] tests/*.c tests/*/*.[ch] pipelines/*/*.cc)
scripts = $(wildcard tests/*.sh tests/cross/sysroot tests/bench/*.sh .ci/run .ci/deps .ci/deb cmd/*.bash data/make) $(shell grep -rlE '^#!.*sh$$' pipelines)

all: $(binaries) $(BUILD)/bin/cdp-run

help:
	@echo 'make demo       set up, build, cluster a labelled five-model data set, show a table'
	@echo 'make data       make small data sets in data/ (see data/README.md)'
	@echo 'make check      set up, build, run the tests (4 minutes); make test-long: with large inputs too'
	@echo 'make            build the tools in $(BUILD)/bin'
	@echo 'make install    install them under PREFIX ($(PREFIX)), below DESTDIR; make uninstall'
	@echo 'make install-python wheel   the Python package cdp (PYTHON, PYTHONDIR)'
	@echo 'make deps       install what is missing (Debian), or name it; deps-lint for make lint'
	@echo 'make bench bench-knn   measure speed and memory (see tests/bench/NOTES.md)'
	@echo 'make asan ubsan tsan   the tests under a sanitizer; make fuzz: hostile streams'
	@echo 'make dist deb   the tarball of the last commit; Debian packages of it, in $(BUILD)/deb'
	@echo 'make lint format man clean'
	@echo 'Variables: CC CFLAGS LDFLAGS PREFIX LIBDIR DESTDIR BUILD; V=1 shows the commands'

# ---- building

# A line a file; V=1 shows the commands.
quiet = $(if $(V),,@echo $@; )

# Without pkg-config and the libraries nothing compiles: say it once, and how to get them.
$(BUILD)/found:
	@$(PKG_CONFIG) --exists $(packages) yaml-0.1 2>/dev/null || \
		{ echo "$(packages) yaml-0.1 and pkg-config are needed: run 'make deps'" >&2; exit 1; }
	@mkdir -p $(BUILD) && touch $@

# What is built depends on the flags that it was made with.
flags = $(CC) $(CFLAGS) $(required) $(LDFLAGS)
$(BUILD)/flags: force
	@mkdir -p $(BUILD)
	@echo '$(subst ','\'',$(flags))' | cmp -s - $@ || echo '$(subst ','\'',$(flags))' >$@

$(BUILD)/%.o: %.c $(BUILD)/found $(BUILD)/flags
	@mkdir -p $(@D)
	$(quiet)$(CC) $(CFLAGS) $(required) $(package_cflags) -MMD -MP -c -o $@ $<

# Vectors are passed to inlined functions only.
$(addprefix $(BUILD)/lib/,knn/data/quantize.o knn/kernel/generic.o knn/kernel/avx2.o \
	knn/kernel/avx512.o knn/kernel/amx.o knn/kernel/neon.o base/sums.o \
	$(addprefix baseline/,nearest.o rows.o ward.o components.o dense.o laplacian.o) mediate/network.o score/cohort.o): private required += -Wno-psabi

# Of the folders too, so that the object of a source that was removed goes.
$(library): $(library_objects) $(wildcard lib/* lib/*/*/)
	@rm -f $@
	$(quiet)$(AR) rcsD $@ $(filter %.o,$^)

# The installed library, of the same objects. Of the static one they are made one, so that what is hidden is hidden there
# too.
installed = $(BUILD)/installed/libcdp.a $(BUILD)/installed/$(shared)

$(BUILD)/installed/$(shared): $(library_objects)
	@mkdir -p $(@D)
	$(quiet)$(CC) $(CFLAGS) $(required) $(LDFLAGS) -shared -Wl,-soname,$(shared) -Wl,--gc-sections \
		-Wl,--as-needed -Wl,-z,defs -o $@ $^ $(package_libs)

$(BUILD)/installed/libcdp.a: $(library_objects)
	@mkdir -p $(@D)
	$(quiet)$(LD) -r -o $(@D)/cdp.o $^
	@$(OBJCOPY) --localize-hidden $(@D)/cdp.o
	@rm -f $@
	@$(AR) rcsD $@ $(@D)/cdp.o

link = $(CC) $(CFLAGS) $(required) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(package_libs)

# A tool NAME is cmd/cdp-NAME.c, its own parts in cmd/NAME/, and what it needs of the shared ones: cmd/*.c.
shared_parts = $(BUILD)/cmd.a
parts = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard cmd/$1/*.c)))

.SECONDEXPANSION:
$(binaries): $(BUILD)/bin/cdp-%: $(BUILD)/cmd/cdp-%.o $$(call parts,$$*) $(shared_parts) $(library)
	@mkdir -p $(@D)
	$(quiet)$(link)

# A script, which finds its folder by the link.
$(BUILD)/bin/cdp-run: pipelines/cdp-run
	@mkdir -p $(@D)
	@ln -sf $(CURDIR)/$< $@

$(shared_parts): $(patsubst %.c,$(BUILD)/%.o,$(filter-out cmd/cdp-%,$(sort $(wildcard cmd/*.c)))) cmd
	@rm -f $@
	$(quiet)$(AR) rcsD $@ $(filter %.o,$^)

# One tool writes a page, whose style and script are files: report_css and report_js, as strings.
$(BUILD)/cmd/report/assets.c: cmd/report/page.css cmd/report/page.js
	@mkdir -p $(@D)
	@for file in $^; do \
		echo "extern const char report_$${file##*.}[];"; echo "const char report_$${file##*.}[] ="; \
		sed 's/[\\"]/\\&/g; s/^/    "/; s/$$/\\n"/' $$file; echo '    ;'; done >$@
$(BUILD)/cmd/report/assets.o: $(BUILD)/cmd/report/assets.c $(BUILD)/flags
	$(quiet)$(CC) $(CFLAGS) $(required) -c -o $@ $<
$(BUILD)/bin/cdp-report: $(BUILD)/cmd/report/assets.o

# One tool reads YAML.
$(BUILD)/bin/cdp-config: private link += $(shell $(PKG_CONFIG) --libs yaml-0.1)
$(BUILD)/cmd/config/yaml.o: private required += $(shell $(PKG_CONFIG) --cflags yaml-0.1)

# One method is igraph's, where that is installed when it is built.
$(BUILD)/bin/cdp-baseline: private link += $(shell $(PKG_CONFIG) --libs $(IGRAPH) 2>/dev/null)
$(BUILD)/cmd/baseline/leiden.o: private required += $(shell $(PKG_CONFIG) --exists $(IGRAPH) 2>/dev/null && \
	echo -DCDP_IGRAPH $$($(PKG_CONFIG) --cflags $(IGRAPH)))

$(unit_tests): $(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(library)
	$(quiet)$(link)

# On its own, without the sanitizers: it shares nothing with the library and frees nothing.
$(BUILD)/tests/reference: tests/reference.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(quiet)$(CC) -std=gnu11 -O2 -ffp-contract=off $(warnings) -o $@ $< -lm

$(bench_tools): $(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(library)
	@mkdir -p $(@D)
	$(quiet)$(link)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- set-up

deps:
	@.ci/deps build

deps-lint:
	@.ci/deps lint

# ---- running

# $(call build,TARGETS): builds them with all processors. A make of its own, since what deps installs changes what
# pkg-config says; V=1 shows what it runs.
define build
	@echo '$@: building what has changed, with $(jobs) jobs (from nothing 1 to 3 minutes)'
	@$(MAKE) --no-print-directory -j$(jobs) $1 $(if $(V),,>/dev/null)
endef
jobs = $(call once,jobs,$(shell nproc))

demo: deps
	$(call build,all)
	@CDP_BIN=$(abspath $(BUILD)/bin) pipelines/demo

# Small data sets in data/.
data: deps
	$(call build,all)
	@CDP_BIN=$(abspath $(BUILD)/bin) data/make

# All tests, in three sizes (size of tests/tap.sh): quick by check, long by test-long, small under the sanitizers.
SIZE = quick
test-long: SIZE = long
test-long: check

check: deps
	$(call build,everything)
	@echo '$@: running $(words $(tests)) test programs, two at once'
	@$(run_tests)

# The tools and all that the tests and the benchmark add. The sanitizers do not go into a shared library.
everything: all $(unit_tests) $(BUILD)/tests/reference $(bench_tools) $(if $(findstring fsanitize,$(EXTRA_CFLAGS)),,$(installed))

# The longest first, so that the last ones are short.
long_tests = $(addprefix tests/,$(addsuffix .sh,exact pipelines knn tables baseline consensus mediate library import propagate))
tests = $(long_tests) $(filter-out $(long_tests),$(test_scripts)) $(unit_tests)
run_tests = CDP_BIN=$(abspath $(BUILD)/bin) CDP_BUILD=$(abspath $(BUILD)) CDP_SOURCE=$(CURDIR) \
	CDP_SHARED=$(wildcard $(abspath ..)/shared) CDP_TEST_SIZE=$(SIZE) OMP_WAIT_POLICY=passive \
	prove -j2 --timer --exec '' $(tests)

check-built: everything
	@$(run_tests)

# A peer of the neighbour search (Debian: libhnswlib-dev), for this processor alone.
$(BUILD)/bench/hnsw: pipelines/outside/hnsw.cc
	@mkdir -p $(@D)
	$(quiet)$(CXX) -O3 -march=native -std=c++17 -fopenmp -o $@ $<

# Another (Debian: libfaiss-dev, libopenblas-dev), with its own threads and OpenBLAS's.
$(BUILD)/bench/faiss: tests/bench/faiss.cc
	@mkdir -p $(@D)
	$(quiet)$(CXX) -O3 -std=c++17 -fopenmp -o $@ $< -lfaiss -lopenblas -llapack

# The peer of propagation (Debian: libboost-dev).
$(BUILD)/bench/peer-boost: tests/bench/peer-boost.cc
	@mkdir -p $(@D)
	$(quiet)$(CXX) -O3 -std=c++17 -o $@ $<

bench: everything
	-$(MAKE) $(BUILD)/bench/peer-boost
	CDP_BIN=$(abspath $(BUILD)/bin) CDP_BENCH=$(abspath $(BUILD)/bench) tests/bench/run.sh

# PARTS: as tests/bench/knn.sh says.
bench-knn: everything
	-$(MAKE) $(BUILD)/bench/hnsw
	-$(MAKE) $(BUILD)/bench/faiss
	CDP_BIN=$(abspath $(BUILD)/bin) CDP_BENCH=$(abspath $(BUILD)/bench) tests/bench/knn.sh $(PARTS)

# Not the tests of makefiles, pages and scripts: the code that these run is run by the others.
scripted = $(addprefix tests/,$(addsuffix .sh,baselines build completion data layers library man outside pipelines setup spec tables \
	thresholds))
asan ubsan:
	$(MAKE) -j$(jobs) BUILD=$(BUILD)-sanitize CFLAGS='-O1 -g -fno-omit-frame-pointer' SIZE=small \
		EXTRA_CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=all' \
		tests='$$(filter-out $(scripted),$(test_scripts)) $$(unit_tests)' check-built

# The tests that run more than one thread: tests/threads.sh is of all tools, the unit tests are of what it does not
# reach. clang's OpenMP tells the thread sanitizer of its locks through the tool archer, which comes with it.
threaded = tests/threads.sh $(foreach name,$(threaded_units),$(BUILD)/tests/$(name))
threaded_units = $(shell grep -lE 'omp|threads' tests/unit/*.c | sed 's|.*/||; s|\.c$$||')
tsan:
	OMP_TOOL_LIBRARIES="$$(ls /usr/lib/llvm-*/lib/libarcher.so | tail -n 1)" \
	TSAN_OPTIONS=ignore_noninstrumented_modules=1 \
	$(MAKE) -j$(jobs) BUILD=$(BUILD)-tsan CC=clang CFLAGS='-O1 -g' SIZE=small \
		EXTRA_CFLAGS='-fsanitize=thread $(EXTRA_CFLAGS)' tests='$$(threaded)' check-built

# Hostile blocks behind good checksums; FUZZ_SECONDS of them.
FUZZ_SECONDS ?= 60
fuzz:
	$(MAKE) BUILD=$(BUILD)-fuzz CC=clang CFLAGS='-O1 -g' \
		EXTRA_CFLAGS='-fsanitize=address,undefined,fuzzer-no-link' $(BUILD)-fuzz/fuzz-block
	mkdir -p $(BUILD)-fuzz/corpus
	$(BUILD)-fuzz/fuzz-block -max_total_time=$(FUZZ_SECONDS) -max_len=65536 $(BUILD)-fuzz/corpus

$(BUILD)/fuzz-block: $(BUILD)/tests/fuzz/block.o $(library)
	$(quiet)$(link) -fsanitize=fuzzer

# ---- care

lint: man
	clang-format --dry-run -Werror $(sources)
	shellcheck -x $(scripts)
	cppcheck --quiet --enable=warning,performance --error-exitcode=1 --inline-suppr \
		--suppress=missingIncludeSystem --std=c11 -D_GNU_SOURCE -DCDP_VERSION='""' -D__x86_64__ \
		-Ilib -Icmd -j2 cmd lib tests

man:
	$(if $(pages),mandoc -T lint -W warning $(pages))

format:
	clang-format -i $(sources)

define pkg_config_file
prefix=$(PREFIX)
libdir=$(LIBDIR:$(PREFIX)/%=$${prefix}/%)
includedir=$${prefix}/include

Name: cdp
Description: clustering by Consensus-Driven Propagation
Version: $(VERSION)
Libs: -L$${libdir} -lcdp
Libs.private: $(package_libs) -fopenmp
Cflags: -I$${includedir}
endef

libdir = $(DESTDIR)$(LIBDIR)
# What is installed names the folder that it is installed in.
name_prefix = sed -i 's|/usr/local/|$(PREFIX)/|g'

# Exported for this recipe alone: other recipes would expand it too.
install-library: export pkg_config = $(pkg_config_file)
install-library: $(installed)
	install -d $(libdir)/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 644 $(BUILD)/installed/libcdp.a $(libdir)
	install $(BUILD)/installed/$(shared) $(libdir)/$(shared).$(VERSION)
	ln -sf $(shared).$(VERSION) $(libdir)/$(shared)
	ln -sf $(shared) $(libdir)/libcdp.so
	install -m 644 $(public_header) $(DESTDIR)$(PREFIX)/include
	echo "$$pkg_config" >$(libdir)/pkgconfig/cdp.pc

# The Python package over the installed library. PYTHONDIR: where the interpreter looks below PREFIX.
PYTHON ?= python3
PYTHONDIR ?= $(call once,PYTHONDIR,$(shell $(PYTHON) -c 'import site, sys; \
	print(next((d for d in site.getsitepackages() if d.startswith("$(PREFIX)/lib")), \
	    "$(PREFIX)/lib/python%d.%d/site-packages" % sys.version_info[:2]))'))

install-python:
	install -d $(DESTDIR)$(PYTHONDIR)/cdp
	install -m 644 $(wildcard lib/python/cdp/*.py) lib/python/cdp/py.typed $(DESTDIR)$(PYTHONDIR)/cdp

# $(BUILD)/wheel/dist/cdp-VERSION-py3-none-PLATFORM.whl, with the library in it, whose own libraries are the system's
# (Debian: python3-setuptools, python3-wheel).
wheel: $(BUILD)/installed/$(shared)
	rm -rf $(BUILD)/wheel
	mkdir -p $(BUILD)/wheel/cdp
	cp lib/python/pyproject.toml $(BUILD)/wheel
	cp $(wildcard lib/python/cdp/*.py) lib/python/cdp/py.typed $(BUILD)/installed/$(shared) $(BUILD)/wheel/cdp
	cd $(BUILD)/wheel && $(PYTHON) -c 'import setuptools; setuptools.setup()' --quiet bdist_wheel \
		--python-tag py3 --plat-name linux_$(call once,machine,$(shell uname -m))
	@ls $(BUILD)/wheel/dist/*

install-pipelines:
	rm -rf $(DESTDIR)$(PREFIX)/share/cdp/pipelines
	install -d $(DESTDIR)$(PREFIX)/share/cdp
	cp -R pipelines $(DESTDIR)$(PREFIX)/share/cdp
	$(name_prefix) $(DESTDIR)$(PREFIX)/share/cdp/pipelines/*.mk
	install -d $(DESTDIR)$(PREFIX)/bin
	ln -sf ../share/cdp/pipelines/cdp-run $(DESTDIR)$(PREFIX)/bin/cdp-run

# Bash and fish look for a file by the name of the tool, zsh for names in the first line of a file.
bash_completion = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zsh_completion = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
fish_completion = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
commands = $(tools) cdp-run
completion = $(addprefix $(bash_completion)/,$(commands)) $(zsh_completion)/_cdp \
	$(commands:%=$(fish_completion)/%.fish)

install-completion:
	install -d $(bash_completion) $(zsh_completion) $(fish_completion)
	for tool in $(commands); do \
		install -m 644 cmd/completion.bash $(bash_completion)/$$tool && \
		install -m 644 cmd/completion.fish $(fish_completion)/$$tool.fish || exit; done
	sed '1s/$$/ $(commands)/' cmd/completion.zsh >$(zsh_completion)/_cdp

install: all install-library install-pipelines install-completion
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man3 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7
	install $(binaries) $(DESTDIR)$(PREFIX)/bin
	for page in $(pages); do \
		folder=$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; \
		install -m 644 $$page $$folder && $(name_prefix) $$folder/$${page##*/} || exit; done

uninstall:
	rm -f $(libdir)/libcdp.a $(libdir)/libcdp.so $(libdir)/$(shared) $(libdir)/$(shared).$(VERSION) \
		$(libdir)/pkgconfig/cdp.pc $(DESTDIR)$(PREFIX)/include/cdp.h
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(commands)) $(completion)
	rm -rf $(DESTDIR)$(PREFIX)/share/cdp $(PYTHONDIR:%=$(DESTDIR)%/cdp)
	for page in $(notdir $(pages)); do \
		rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page; done

# Of the last commit; the same bytes each time.
tarball = $(BUILD)/cdp-$(VERSION).tar.gz
dist:
	@mkdir -p $(BUILD)
	git archive --prefix=cdp-$(VERSION)/ -o $(tarball:.gz=) HEAD
	gzip -9nf $(tarball:.gz=)

# Debian's packages of the last commit, and what lintian says of them.
deb: deps dist
	@.ci/deps deb
	@.ci/deb $(tarball) $(BUILD)/deb

clean:
	rm -rf $(BUILD) $(BUILD)-* data/demo

.PHONY: all help deps deps-lint demo data check test-long check-built everything bench bench-knn asan ubsan tsan fuzz lint man format install install-library install-python wheel install-completion install-pipelines \
	uninstall dist deb clean force
.DELETE_ON_ERROR:
.SECONDARY:
