# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The programs and the BPF tests for another architecture: Debian's cross compiler and that architecture's libraries,
# unpacked in the build folder.

LIBRARIES="libc6-dev libbpf-dev libelf-dev zlib1g-dev libjansson-dev libcap-ng-dev libseccomp-dev libnftables-dev
	libnetfilter-queue-dev libmnl-dev libmicrohttpd-dev libpcap-dev libncurses-dev nettle-dev libcmocka-dev"

# The name by which compilers know it.
triplet()
{
	case $1 in
	arm64) echo aarch64-linux-gnu ;;
	amd64) echo x86_64-linux-gnu ;;
	*) echo "no cross compiler for $1" >&2; return 1 ;;
	esac
}

# make_compiler ARCH: a folder with the compiler's command in it.
make_compiler()
{
	local target root=$KERNELS_DIR/cross-$1 files
	target=$(triplet "$1") || return
	files=$(fetch_missing "gcc-${target//_/-}") || return
	# shellcheck disable=SC2086
	unpack "$root" $files || return
	echo "$root"
}

# make_sysroot ARCH: the libraries and headers of that architecture.
make_sysroot()
{
	local root=$KERNELS_DIR/sysroot-$1 files
	# shellcheck disable=SC2086
	files=$(fetch host "$1" $LIBRARIES) || return
	# shellcheck disable=SC2086
	unpack "$root" $files || return
	echo "$root"
}

# cross_build ARCH: builds, and prints "OBJ BIN".
cross_build()
{
	local out=$KERNELS_DIR/build-$1 compiler sysroot target
	target=$(triplet "$1") && compiler=$(make_compiler "$1") && sysroot=$(make_sysroot "$1") || return
	PATH=$compiler/usr/bin:$PATH LD_LIBRARY_PATH=$compiler/usr/lib/$(triplet "$NATIVE") \
		make -j"$(nproc)" O="$out" CC="$target-gcc --sysroot=$sysroot" tests >&2 || return
	echo "$out/obj $out"
}
