#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What packages are made of: the archive, and that what says the same in two places does. The packages themselves are built
# and tried by make test-deb.
load helpers

setup()
{
	cd "$REPO" || return
	VERSION=$(sed -n 's/.*NOLISTEN_VERSION "\(.*\)"/\1/p' user/cmd/version.h)
	DEBIAN=packaging/debian
}

# build_depends: the packages, a line each.
build_depends()
{
	sed -n '/^Build-Depends:/,/^[^ B]/p' "$DEBIAN/control" | sed 's/^Build-Depends://; /^[^ ]/d; s/([^)]*)//g' | tr ',' '\n' | xargs -n 1
}

@test "the archive is the same from a clone and from itself, whatever lies there" {
	local one=$BATS_TEST_TMPDIR/one.tar.gz other=$BATS_TEST_TMPDIR/other.tar.gz
	packaging/dist "nolisten-$VERSION" >"$one"
	tar -xzf "$one" -C "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR/nolisten-$VERSION"
	mkdir build elsewhere
	touch build/x elsewhere/x nolisten full.h bpf/x.skel.h
	O=elsewhere packaging/dist "nolisten-$VERSION" >"$other" || return
	# Of two build folders one is left out; the other one would be there.
	rm -r elsewhere
	O=build packaging/dist "nolisten-$VERSION" | cmp - "$one"
	! cmp -s "$one" "$other"
}

@test "the archive is nobody's, holds the sources and nothing that is made" {
	local list=$BATS_TEST_TMPDIR/list
	packaging/dist "nolisten-$VERSION" | tar -tvzf - >"$list"
	is_equal "$(awk '{ print $2 }' "$list" | sort -u)" 0/0
	is_equal "$(awk '{ print $6 }' "$list" | cut -d/ -f1 | sort -u)" "nolisten-$VERSION"
	grep -q "nolisten-$VERSION/Makefile$" "$list"
	grep -q "nolisten-$VERSION/tests/netns/packaging.bats$" "$list"
	! grep -E '/build/|\.git/|skel\.h|\.o$' "$list"
}

@test "the changelog has the version of the source" {
	is_equal "$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' "$DEBIAN/changelog")" "$VERSION"
	has_text doc/examples/kubernetes/daemonset.yaml "image: nolisten:$VERSION"
}

@test "what building needs is the same for make deps, the packages and the image" {
	local package depends image libraries
	depends=$(build_depends)
	image=$(sed -n '/^FROM.*AS build/,/^COPY/p' packaging/Dockerfile)
	# Tests have libraries of their own.
	libraries=$(sed -n '/^packages="/,/^"/p' tests/deps | tr -s '" \t' '\n' | grep -E '^(lib.*-dev|zlib1g-dev|scdoc|bpftool)$' |
		grep -vE '^(libcmocka|libc6|libclang-rt)')
	[[ $libraries == *libbpf-dev* && $depends == *libbpf-dev* ]]
	for package in $libraries; do
		grep -qx "$package" <<<"$depends" || { echo "$package: add it to Build-Depends of $DEBIAN/control"; return 1; }
	done
	for package in $(grep -v debhelper-compat <<<"$depends"); do
		[[ " ${image//[$'\n\t\\']/ } " == *" $package "* ]] || { echo "$package: add it to packaging/Dockerfile"; return 1; }
	done
}

@test "the library's symbols file has what its version map exports" {
	diff <(sed -n 's/^\t\(nolisten_[a-z_]*\);/\1/p' user/lib/libnolisten.map | sort) \
		<(sed -n 's/^ \(nolisten_[a-z_]*\)@.*/\1/p' "$DEBIAN/libnolisten0.symbols" | sort)
}

@test "the DaemonSet is what Kubernetes and the loader take, with the unit's capabilities" {
	python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"
	tests/tools/kubernetes_check.py "$LOADER" doc/examples/kubernetes/daemonset.yaml packaging/nolisten@.service.in
	# One that is wrong is noticed.
	sed 's/hostNetwork: true/hostNetwork: "true"/; s/, "NET_RAW"//; s/max-per-source/max-per-sauce/' \
		doc/examples/kubernetes/daemonset.yaml >"$BATS_TEST_TMPDIR/wrong.yaml"
	run tests/tools/kubernetes_check.py "$LOADER" "$BATS_TEST_TMPDIR/wrong.yaml" packaging/nolisten@.service.in
	is_equal "$status ${#lines[@]}" "1 3"
}
