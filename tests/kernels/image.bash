# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What a virtual machine boots: an initramfs that holds everything. No disk and no shared folder: Debian's cloud kernels
# have drivers for few of them. It is a chain of archives: Debian's userland, the tests, the modules of the kernel.

# Commands of the tests and libraries of the programs; Debian's packages, in the machine's own architecture.
USERLAND="bash coreutils sed grep mawk findutils diffutils procps util-linux mount kmod jq bats
	iproute2 nftables iptables ethtool netcat-openbsd bpftool python3-minimal
	libbpf1 libelf1 zlib1g libjansson4 libcap-ng0 libseccomp2 libnftables1 libnetfilter-queue1 libmnl0 libmicrohttpd12 libpcap0.8 libncursesw6 libtinfo6 libnettle8 libcmocka0"
MODULES="net/8021q net/802 net/bridge net/core net/ipv4 net/ipv6 net/llc net/netfilter net/packet net/sched net/xdp
	lib crypto arch/*/crypto drivers/net drivers/virtio"
# What comes with them and nobody runs. What is not archived need not be unpacked at each boot.
UNUSED="usr/bin/perl* usr/share/perl* usr/lib/*/perl* usr/lib/*/libperl* usr/lib/*/gconv usr/include usr/games"

# archive DIR: as the kernel reads it, on standard output.
archive()
{
	(cd "$1" && find . -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc -R 0:0 --quiet)
}

# save FILE COMMAND...: what it prints, if it succeeds.
save()
{
	local file=$1
	shift
	"$@" >"$file.new" && mv "$file.new" "$file"
}

# link_commands ROOT: the names that the installation of the packages would give.
link_commands()
{
	local name
	ln -sf bash "$1/usr/bin/sh" && ln -sf mawk "$1/usr/bin/awk" && ln -sf nc.openbsd "$1/usr/bin/nc"
	for name in {iptables,ip6tables}{,-save,-restore}; do
		ln -sf xtables-nft-multi "$1/usr/sbin/$name"
	done
}

# archive_userland ARCH: the path of the archive.
archive_userland()
{
	local root=$KERNELS_DIR/userland-$1 files
	# shellcheck disable=SC2086
	files=$(fetch host "$1" $USERLAND) || return
	# shellcheck disable=SC2086
	unpack "$root" $files && link_commands "$root" && (cd "$root" && rm -rf $UNUSED) || return
	[ "$root.cpio" -nt "$root/.packages" ] || save "$root.cpio" archive "$root" || return
	echo "$root.cpio"
}

# archive_tests OBJ BIN: what tests/run needs of this tree, on standard output.
archive_tests()
{
	local dir
	dir=$(mktemp -d "$KERNELS_DIR/tests.XXXXXX") || return
	# It becomes the root, for everybody to see.
	chmod 755 "$dir" && mkdir -p "$dir/nolisten/obj"
	cp -r tests doc "$2/nolisten" "$2/nolisten-loader" "$dir/nolisten/" &&
		(cd "$1" && find tests/bpf tests/tools tests/unit/repair_test -type f ! -name '*.d' -print0 | tar -c --null -T -) |
		tar -x -C "$dir/nolisten/obj" &&
		ln -s nolisten/tests/kernels/guest "$dir/init" &&
		archive "$dir"
	rm -rf "$dir"
}

# archive_modules ROOT RELEASE: what the tests may need of an unpacked kernel, on standard output.
archive_modules()
{
	local dir part from=$1/usr/lib/modules/$2
	dir=$(mktemp -d "$KERNELS_DIR/modules.XXXXXX") || return
	chmod 755 "$dir" && mkdir -p "$dir/usr/lib/modules/$2/kernel"
	# What this kernel has of them.
	for part in $MODULES; do
		(cd "$from/kernel" && ls -d $part 2>/dev/null)
	done | tar -c -C "$from/kernel" --exclude=drivers/net/ethernet -T - | tar -x -C "$dir/usr/lib/modules/$2/kernel" || return
	for part in "$from"/modules.*; do
		[ ! -f "$part" ] || cp "$part" "$dir/usr/lib/modules/$2/"
	done
	depmod -b "$dir/usr" "$2" && archive "$dir"
	rm -rf "$dir"
}
