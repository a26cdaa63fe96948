# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
#   make            build ./nolisten-loader and ./nolisten
#   make demo       install what is missing, build, show it working        (root)
#   make test       install what is missing, build, run every test         (root)
#   make test-kernels [KERNELS="6.1 6.12/arm64 newest"]   the tests on other kernels, in virtual machines (root)
#   make soak SOAK="kill 7"   a long test: kill, many, long, floods, leases, guard, restart, nginx, fleet, pin, fuzz, with its arguments; see tests/soak (root)
#   make bench      the benchmark, quick; results and plots in build/bench (root)
#   make speed      the long one, twelve minutes: new plots in doc/img, and the README's tables of it (root)
#   make deps       install the Debian packages that building and testing need
#   make install    to $(DESTDIR)$(PREFIX); LIBDIR, UNITDIR, ZSHDIR
#   make dist       the source as an archive, the same wherever it is made, in build
#   make deb        Debian packages, in build/deb; needs build-essential and debhelper
#   make test-deb   builds, checks, installs, runs, upgrades and purges them in a Debian of its own (root)
#
# O=DIR out-of-tree, V=1 commands, SAN=1 ASan and UBSan, WERROR=1 warnings are errors,
# CLANG=clang-19 another BPF compiler, VMLINUX_H=full.h the running kernel's types instead of the trimmed ones.

O ?= build
V ?= 0
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
CC ?= gcc
CLANG ?= clang
OBJCOPY ?= $(shell $(CC) -print-prog-name=objcopy)
BPFTOOL ?= $(firstword $(shell command -v bpftool) /usr/sbin/bpftool)
VMLINUX_H ?= vmlinux.h
BIN := $(if $(filter command,$(origin O)),$(O),.)
# Two builds may share a tree but not an object: each variant has its own folder.
OBJ := $(O)/$(if $(filter 1,$(SAN)),san,obj)

.DELETE_ON_ERROR:
.SUFFIXES:

# The architecture: who may include whom. A folder's headers are reachable only through its name here, so
# that a forbidden include does not compile. abi: include/abi.
SEES_base    :=
SEES_net     := base
SEES_netlink := base
SEES_engine  := base net abi
SEES_ipc     := base
SEES_confine := base
SEES_kern    := base net netlink abi
SEES_io      := base net netlink kern abi
SEES_service := base net ipc
SEES_apart   := base net ipc confine service
SEES_report  := base net confine service engine abi
SEES_session := base net engine kern io service report abi
SEES_survey  := base net netlink kern io abi
SEES_core    := base net engine ipc confine kern io service apart report session survey abi
SEES_lab     := base net netlink
SEES_explain := base net netlink kern lab abi
SEES_guard   := base net netlink kern io abi
SEES_peer    := base net netlink engine kern io session abi
SEES_top     := base net ipc
SEES_run     := base net netlink ipc kern io survey lab lib abi
SEES_bench   := base net ipc kern session engine io lab lib abi
SEES_lib     := ipc abi
SEES_cmd     := base net engine ipc confine kern io service report core survey lab explain peer guard top run bench abi
LAYERS := base net netlink engine ipc confine kern io service apart report session survey core lab explain peer guard top lib run bench cmd

include_flags = -iquote user/$(1) $(foreach s,$(SEES_$(1)),$(if $(filter abi,$(s)),-Iinclude,-iquote user/$(s)))

ifeq ($(V),0)
Q := @
say = @printf '  %-7s %s\n' $(1) $(2)
else
Q :=
say = @:
endif

CFLAGS ?= -O2 -g
comma := ,
CFLAGS_ALL := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes \
	-Wshadow -Wvla -Wno-missing-field-initializers $(if $(filter 1,$(WERROR)),-Werror) $(CFLAGS) \
	$(if $(filter 1,$(SAN)),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
LIBS := -lbpf -lpcap -lelf -lz -ljansson -lcap-ng -lseccomp -lnftables -lnetfilter_queue -lmnl -lmicrohttpd -lncursesw -ltinfo -lnettle -lm
LIBS_DIRECT := $(LIBS)

SOURCES := $(foreach l,$(LAYERS),$(wildcard user/$(l)/*.c))
MAINS := $(wildcard user/cmd/*_main.c)
OBJECTS := $(patsubst %.c,$(OBJ)/%.o,$(filter-out $(MAINS),$(SOURCES)))
MAIN_OBJECTS := $(patsubst %.c,$(OBJ)/%.o,$(MAINS))
BPF_SOURCES := $(wildcard bpf/*.bpf.c)
BPF_OBJECTS := $(patsubst %.c,$(OBJ)/%.o,$(BPF_SOURCES))
SKELETONS := $(patsubst bpf/%.bpf.c,$(OBJ)/skel/%.skel.h,$(BPF_SOURCES))
ARCHIVE := $(OBJ)/nolisten.a

.PHONY: all
all: $(BIN)/nolisten-loader $(BIN)/nolisten library

$(BIN)/nolisten-loader: $(OBJ)/user/cmd/loader_main.o $(ARCHIVE)
$(BIN)/nolisten: $(OBJ)/user/cmd/nolisten_main.o $(ARCHIVE)
$(BIN)/nolisten-loader $(BIN)/nolisten:
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)

$(ARCHIVE): $(OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

# BPF: object, then skeleton. Only kern sees the skeletons.
BPF_CFLAGS := -g -O2 -mcpu=v3 -target bpf -Wall -Wextra -Wno-unused-parameter -Wno-missing-declarations
# Whichever it is, it is included by one name; copied only when it differs, or everything would be new with every make.
$(OBJ)/vmlinux/vmlinux.h: $(VMLINUX_H) FORCE
	$(Q)mkdir -p $(@D)
	$(Q)cmp -s $< $@ || cp $< $@
.PHONY: FORCE
FORCE:
$(BPF_OBJECTS): $(OBJ)/bpf/%.bpf.o: bpf/%.bpf.c $(OBJ)/vmlinux/vmlinux.h
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(if $(filter 1,$(WERROR)),-Werror) -I$(OBJ)/vmlinux -Ibpf -Iinclude -MMD -MP -c $< -o $@
$(SKELETONS): $(OBJ)/skel/%.skel.h: $(OBJ)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

full.h:
	$(call say,BTF,$@)
	$(Q)$(BPFTOOL) btf dump file /sys/kernel/btf/vmlinux format c > $@

# A script that a program prints, as a string of C.
TEXTS := $(OBJ)/text/completion.bash.h $(OBJ)/text/completion.zsh.h
$(TEXTS): $(OBJ)/text/%.h: user/cmd/%
	$(call say,TEXT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< > $@

# What has to be made before a folder's sources compile.
MADE_kern := $(SKELETONS)
MADE_cmd := $(TEXTS)

define layer_rule
$(OBJ)/user/$(1)/%.o: user/$(1)/%.c | $(MADE_$(1))
	$$(call say,CC,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS_ALL) $(call include_flags,$(1)) $(addprefix -I,$(sort $(dir $(MADE_$(1))))) -MMD -MP -c $$< -o $$@
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$(l))))

# libnolisten: user/lib, and what it shares with the loader's side. Only what the version map names can be seen, in the static
# one too: its object has been linked once, and its other names made local.
VERSION := $(shell sed -n 's/.*NOLISTEN_VERSION "\(.*\)"/\1/p' user/cmd/version.h)
LIB := $(OBJ)/lib
LIB_SONAME := libnolisten.so.0
LIB_SOURCES := $(wildcard user/lib/*.c) user/ipc/app_protocol.c user/ipc/fd_message.c
LIB_OBJECTS := $(patsubst user/%.c,$(LIB)/%.o,$(LIB_SOURCES))
.PHONY: library
library: $(LIB)/$(LIB_SONAME) $(LIB)/libnolisten.a $(LIB)/nolisten.pc
$(LIB_OBJECTS): $(LIB)/%.o: user/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -fPIC -fvisibility=hidden $(call include_flags,lib) -MMD -MP -c $< -o $@
$(LIB)/$(LIB_SONAME): $(LIB_OBJECTS) user/lib/libnolisten.map
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -shared -Wl,-soname,$(LIB_SONAME) -Wl,--version-script=user/lib/libnolisten.map \
		-Wl,-z,defs -o $@ $(LIB_OBJECTS) -lpthread
$(LIB)/libnolisten.a: $(LIB_OBJECTS)
	$(call say,AR,$@)
	$(Q)$(CC) -r -nostdlib -o $(LIB)/nolisten.o $^
	$(Q)$(OBJCOPY) --localize-hidden $(LIB)/nolisten.o
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(LIB)/nolisten.o
$(LIB)/nolisten.pc: user/lib/nolisten.pc.in user/cmd/version.h
	$(Q)mkdir -p $(@D)
	$(Q)sed 's,@VERSION@,$(VERSION),' $< > $@

# Tests. Unit tests see the pure layers and the services; BPF tests see the kernel side.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(OBJ)/tests/unit/%,$(wildcard tests/unit/*_test.c))
BPF_TESTS := $(patsubst tests/bpf/%.c,$(OBJ)/tests/bpf/%,$(wildcard tests/bpf/*_test.c))
PRELOADS := $(OBJ)/tests/tools/shifted_clock.so
TOOLS := $(patsubst tests/tools/%.c,$(OBJ)/tests/tools/%,$(filter-out %.bpf.c $(PRELOADS:$(OBJ)/%.so=%.c),$(wildcard tests/tools/*.c))) $(PRELOADS)
TEST_INCLUDES := -iquote tests $(foreach l,$(LAYERS),-iquote user/$(l)) -Iinclude -I$(OBJ)/skel

$(OBJ)/tests/%: tests/%.c $(ARCHIVE)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(TEST_INCLUDES) -Wl,--as-needed -MMD -MP -o $@ $< $(ARCHIVE) $(LIBS) -lcmocka -lpthread

$(PRELOADS): $(OBJ)/%.so: %.c
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -fsanitize=%,$(CFLAGS_ALL)) -fPIC -shared -o $@ $<

# A tool's own programs.
TOOL_BPF := $(OBJ)/tests/tools/flood.bpf.o
$(TOOL_BPF): $(OBJ)/tests/tools/%.bpf.o: tests/tools/%.bpf.c $(OBJ)/vmlinux/vmlinux.h
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(if $(filter 1,$(WERROR)),-Werror) -I$(OBJ)/vmlinux -Ibpf -iquote tests -MMD -MP -c $< -o $@
$(OBJ)/skel/flood.skel.h: $(TOOL_BPF)
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name flood_bpf > $@
$(OBJ)/tests/tools/stray_flood: $(OBJ)/skel/flood.skel.h

# The loader of another version, for those who take over from each other.
OTHER := $(OBJ)/tests/tools/other_loader
OTHER_OBJECTS := $(OBJ)/tests/other/keep.o $(OBJ)/tests/other/kept.o
$(OTHER_OBJECTS): $(OBJ)/tests/other/%.o: user/kern/%.c | $(SKELETONS)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -DNOL_ABI=0xfffe $(call include_flags,kern) -I$(OBJ)/skel -MMD -MP -c $< -o $@
$(OTHER): $(OBJ)/user/cmd/loader_main.o $(OTHER_OBJECTS) $(ARCHIVE)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)

# Fuzz targets, with clang's libFuzzer: what they aim at is built with its coverage and the sanitizers, an object each for
# all targets; what else they need, libbpf among it, comes from the archive. Comparisons are traced only where an EtherType has to
# be guessed: those that UBSan adds would be traced as well, and take half of the time. What a target is not about has no coverage.
FUZZ_SOURCES := $(wildcard user/base/*.c user/net/*.c user/engine/*.c user/ipc/*.c user/cmd/option*.c) \
	user/io/cookie_file.c user/core/claim.c user/cmd/loader_options.c
FUZZ_OBJECTS := $(patsubst %.c,$(OBJ)/fuzz/%.o,$(FUZZ_SOURCES))
# FUZZ_SANITIZERS= (with an O= of its own) makes three inputs for one; what the corpus has grown by is tried with the sanitizers then:
# build/fuzz/engine_fuzz -runs=0 FOLDER.
FUZZ_SANITIZERS := address,undefined
FUZZ_CFLAGS := -std=gnu11 -D_GNU_SOURCE -g \
	$(if $(FUZZ_SANITIZERS),-O1 -fsanitize=$(FUZZ_SANITIZERS) -fno-sanitize-recover=undefined,-O2)
FUZZERS := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_TRACED := $(patsubst %,$(OBJ)/fuzz/tests/fuzz/%_fuzz.o,program guard)
FUZZ_SOCKETS := $(patsubst %.c,$(OBJ)/fuzz/%.o,tests/fuzz/sockets.c tests/fuzz/sockets_poll.c)
FUZZ_COVERAGE = -fsanitize=fuzzer-no-link $(if $(filter $@,$(FUZZ_TRACED)),,-fno-sanitize-coverage=trace-cmp)
$(FUZZ_SOCKETS): FUZZ_COVERAGE :=
$(patsubst %,$(OBJ)/fuzz/user/%.o,base/siphash net/checksum): FUZZ_CFLAGS += -O2
$(OBJ)/fuzz/%.o: %.c | $(ARCHIVE)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) $(FUZZ_COVERAGE) $(TEST_INCLUDES) -MMD -MP -c $< -o $@
$(OBJ)/fuzz/fuzz.a: $(FUZZ_OBJECTS)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^
# Their sockets may be in memory.
SOCKET_FUZZERS := $(patsubst %,$(O)/fuzz/%_fuzz,control app_server sockets)
$(SOCKET_FUZZERS): FUZZ_LDFLAGS := $(patsubst %,-Wl$(comma)--wrap=%,socket socketpair bind listen connect \
	accept4 getsockopt send sendmsg recv recvmsg close epoll_create1 epoll_ctl epoll_wait fopen)
$(SOCKET_FUZZERS): $(FUZZ_SOCKETS)
$(FUZZERS): $(O)/fuzz/%: $(OBJ)/fuzz/tests/fuzz/%.o $(OBJ)/fuzz/fuzz.a $(ARCHIVE)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer $(FUZZ_LDFLAGS) -Wl,--as-needed -o $@ $^ $(LIBS) -lcmocka -lpthread
.PRECIOUS: $(OBJ)/fuzz/tests/fuzz/%.o

.PHONY: tests fuzzers
tests: all $(UNIT_TESTS) $(BPF_TESTS) $(TOOLS) $(OTHER)
fuzzers: $(FUZZERS)

.PHONY: deps test test-kernels soak demo bench
deps:
	$(Q)tests/deps

# deps may install the compiler itself, so the build is a make of its own. exec: make passes a SIGTERM on to its child,
# which is to be the script that cleans up, and not a shell around it.
test: deps
	$(Q)$(MAKE) --no-print-directory tests fuzzers
	$(Q)exec env O=$(O) OBJ=$(OBJ) BIN=$(abspath $(BIN)) tests/run

test-kernels: KERNELS ?= 6.1 6.12 newest 6.1/arm64 6.12/arm64 newest/arm64
test-kernels: deps
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)exec env O=$(O) OBJ=$(OBJ) BIN=$(abspath $(BIN)) tests/kernels/run $(KERNELS)

SOAK ?= kill
soak: deps
	$(Q)$(MAKE) --no-print-directory $(if $(filter fuzz,$(firstword $(SOAK))),fuzzers,tests)
	$(Q)exec env O=$(O) OBJ=$(OBJ) BIN=$(abspath $(BIN)) tests/soak/$(SOAK)

demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)exec env BIN=$(abspath $(BIN)) tests/demo

# Manual pages.
MANPAGES := $(patsubst doc/%.scd,$(O)/man/%,$(wildcard doc/*.scd))
$(O)/man/%: doc/%.scd
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)scdoc < $< > $@

# Completion for bash and zsh, as the programs print it.
PROGRAMS := nolisten nolisten-loader
COMPLETIONS := $(PROGRAMS:%=$(O)/completion/%)
ZSH_COMPLETIONS := $(PROGRAMS:%=$(O)/completion/_%)
$(COMPLETIONS): $(O)/completion/%: $(BIN)/%
	$(call say,PRINT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(abspath $<) --completion=bash > $@
$(ZSH_COMPLETIONS): $(O)/completion/_%: $(BIN)/%
	$(call say,PRINT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(abspath $<) --completion=zsh > $@

.PHONY: man install install-library
man: $(MANPAGES)
install-library: library
	install -d "$(DESTDIR)$(PREFIX)/include" "$(DESTDIR)$(LIBDIR)/pkgconfig"
	install -m 644 include/nolisten.h "$(DESTDIR)$(PREFIX)/include/"
	install -m 644 $(LIB)/libnolisten.a "$(DESTDIR)$(LIBDIR)/"
	install -m 755 $(LIB)/$(LIB_SONAME) "$(DESTDIR)$(LIBDIR)/$(LIB_SONAME).$(VERSION)"
	ln -sf $(LIB_SONAME).$(VERSION) "$(DESTDIR)$(LIBDIR)/$(LIB_SONAME)"
	ln -sf $(LIB_SONAME) "$(DESTDIR)$(LIBDIR)/libnolisten.so"
	sed 's,@PREFIX@,$(PREFIX),; s,@LIBDIR@,$(LIBDIR:$(PREFIX)/%=$${prefix}/%),' $(LIB)/nolisten.pc > "$(DESTDIR)$(LIBDIR)/pkgconfig/nolisten.pc"
install: all man $(COMPLETIONS) $(ZSH_COMPLETIONS) install-library
	install -d "$(DESTDIR)$(PREFIX)/sbin" "$(DESTDIR)$(PREFIX)/bin"
	install $(BIN)/nolisten-loader "$(DESTDIR)$(PREFIX)/sbin/"
	install $(BIN)/nolisten "$(DESTDIR)$(PREFIX)/bin/"
	install -d "$(DESTDIR)$(PREFIX)/share/bash-completion/completions"
	install -m 644 $(COMPLETIONS) "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/"
	install -D -m 644 doc/events.schema.json "$(DESTDIR)$(PREFIX)/share/nolisten/events.schema.json"
	install -d "$(DESTDIR)$(ZSHDIR)" "$(DESTDIR)$(UNITDIR)"
	install -m 644 $(ZSH_COMPLETIONS) "$(DESTDIR)$(ZSHDIR)/"
	sed 's,@SBINDIR@,$(PREFIX)/sbin,' packaging/nolisten@.service.in > "$(DESTDIR)$(UNITDIR)/nolisten@.service"
	for page in $(MANPAGES); do \
		install -D -m 644 $$page "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}"; \
	done

# BENCH="" for the long run, or any other options of nolisten bench.
BENCH ?= --quick
bench: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(BIN)/nolisten bench $(BENCH) --out=$(O)/bench

# The long run (SPEED_S seconds) that doc/img and the tables of the README's Speed are made of: plots there, tables onto standard output.
SPEED_S ?= 720
SPEED_METHODS ?= listen-0,listen,synproxy,echo,auto,xdp,xdp-native,engine,connect,accept,nfqueue,filter
.PHONY: speed
speed: all
	$(Q)$(BIN)/nolisten bench --time=$(SPEED_S) --methods=$(SPEED_METHODS) --out=$(O)/speed
	$(Q)cp $(O)/speed/*.svg doc/img/
	$(Q)doc/speed $(O)/speed/results.json

# The source as it is here, of git's files or, in an archive that was unpacked, of all: sorted, nobody's, and as old as the commit or
# the newest file, so that whoever makes it has the same bytes.
DIST := $(O)/nolisten-$(VERSION).tar.gz
.PHONY: dist deb test-deb
dist:
	$(call say,DIST,$(DIST))
	$(Q)mkdir -p $(O)
	$(Q)packaging/dist nolisten-$(VERSION) > $(DIST).new
	$(Q)mv $(DIST).new $(DIST)
deb: dist
	$(Q)packaging/deb $(DIST) $(O)/deb
test-deb:
	$(Q)exec env O=$(O) packaging/test-deb

.PHONY: format clean
format:
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h' ':!vmlinux.h')
clean:
	$(Q)rm -rf $(O) ./nolisten ./nolisten-loader full.h

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
