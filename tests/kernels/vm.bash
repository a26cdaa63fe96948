# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# One virtual machine: two processors, two network cards joined back to back, a console that is a file. By KVM where
# the machine has it, else emulated.

# The cards' other ends are taps in a namespace of our own. Two queues for packets, two for what XDP sends.
VM_QUEUES=4

# wire_cards NAMESPACE
wire_cards()
{
	local card
	ip netns add "$1" && ip -n "$1" link add bridge0 type bridge && ip -n "$1" link set bridge0 up || return
	for card in 0 1; do
		ip -n "$1" tuntap add dev "tap$card" mode tap multi_queue &&
			ip -n "$1" link set "tap$card" master bridge0 up || return
	done
}

# has_kvm ARCH: a device is not enough: without the processor's help KVM emulates a kernel as well, and worse.
has_kvm()
{
	[ -w /dev/kvm ] && [ "$1" = "$NATIVE" ] || return
	[ "$1" != amd64 ] || grep -qwE 'vmx|svm' /proc/cpuinfo
}

# emulated_cpu ARCH: what is cheap to emulate. "rep stosb" goes byte by byte there, and clears and copies every page
# where a processor says that it is fast; a fifth level of page tables is one more to walk at each miss.
emulated_cpu()
{
	case $1 in
	amd64) echo max,erms=off,fsrm=off,la57=off ;;
	arm64) echo cortex-a72 ;;
	esac
}

# find_machine ARCH: sets qemu, machine, console, words (for the kernel) and patience, the last for how much slower it is.
find_machine()
{
	case $1 in
	amd64) machine=(-M pc) qemu=qemu-system-x86_64 console=ttyS0 ;;
	arm64) machine=(-M virt) qemu=qemu-system-aarch64 console=ttyAMA0 ;;
	*) echo "no virtual machine for $1" >&2; return 1 ;;
	esac
	if has_kvm "$1"; then
		machine+=(-cpu host -accel kvm)
		patience=1 words=
	else
		# A thread for each processor goes on with old instructions while another patches them: "Oops: int3".
		machine+=(-cpu "$(emulated_cpu "$1")" -accel "tcg,thread=single")
		# What is translated is found again at its address only, which a new process shares with the one before.
		patience=5 words=norandmaps
	fi
}

qemu_package()
{
	case $1 in
	amd64) echo qemu-system-x86 ;;
	*) echo qemu-system-arm ;;
	esac
}

qemu_root()
{
	echo "$KERNELS_DIR/qemu-$1"
}

# run_qemu ROOT COMMAND ARGUMENT...: out of the folder where it was unpacked, with the libraries that came with it.
run_qemu()
{
	local root=$1 command=$2 lib
	shift 2
	lib=$(echo "$root"/usr/lib/*-linux-gnu)
	QEMU_MODULE_DIR=$lib/qemu exec "$root"/lib*/ld-linux-*.so.* --library-path "$lib:$lib/pulseaudio" \
		"$root/usr/bin/$command" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
}

# cards NAMESPACE: QEMU's options for the cards.
cards()
{
	local card
	for card in 0 1; do
		echo "-netdev tap,id=net$card,ifname=tap$card,script=no,downscript=no,queues=$VM_QUEUES"
		echo "-device virtio-net-pci,netdev=net$card,mq=on,vectors=$((2 * VM_QUEUES + 2)),romfile="
	done
}

# boot ARCH KERNEL INITRD LOG SECONDS RUN: until it ends by itself; 124 if it had to be ended. LOG gets the console.
boot()
{
	local arch=$1 kernel=$2 initrd=$3 log=$4 seconds=$5 machine qemu console words patience namespace status
	namespace=nol-$NOL_RUN-vm$BASHPID
	find_machine "$arch" || return
	wire_cards "$namespace" || { ip netns del "$namespace"; return 1; }
	: >"$log"
	# shellcheck disable=SC2046
	ip netns exec "$namespace" timeout --kill-after=5 "$seconds" bash -c '
		. "$1" && shift && run_qemu "$@"' vm "${BASH_SOURCE[0]}" "$(qemu_root "$arch")" "$qemu" \
		"${machine[@]}" -smp 2 -m 2G -nodefaults -display none -no-reboot \
		-kernel "$kernel" -initrd "$initrd" -serial "file:$log" $(cards) \
		-append "console=$console tsc=unstable panic=-1 quiet $words nol.patience=$patience nol.run=$6" \
		>"$log.qemu" 2>&1 </dev/null &
	await $!
	status=$?
	ip netns del "$namespace"
	return $status
}
