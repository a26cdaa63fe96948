# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What the soaks share: the lab and the helpers of the namespace tests, outside of Bats. A soak needs root and what
# `make tests` has built, prints what it measures, and ends with "passed" or with what failed and status 1.
set -u
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
BATS_TEST_DIRNAME=$(dirname "$0")/../netns
BATS_FILE_TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/nolisten-soak.XXXXXX")
BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
# shellcheck source=tests/netns/helpers.bash
. "$BATS_TEST_DIRNAME/helpers.bash"
# shellcheck source=tests/netns/accept.bash
. "$BATS_TEST_DIRNAME/accept.bash"
# shellcheck source=tests/netns/crowds.bash
. "$BATS_TEST_DIRNAME/crowds.bash"

# As Bats has it.
run()
{
	status=0
	output=$("$@" 2>&1) || status=$?
}

end()
{
	local kept=$?
	"${SOAK_DOWN:-lab_down}"
	rm -rf "$BATS_FILE_TMPDIR"
	exit "$kept"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# fail TEXT: and what the loader has said last.
fail()
{
	echo "failed: $*" >&2
	[ ! -e "${LOADER_LOG:-}" ] || tail -n 20 "$LOADER_LOG" >&2
	exit 1
}

# must COMMAND...
must()
{
	"$@" || fail "$*"
}

resident_kb()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$LOADER_PID/status"
}

descriptors()
{
	ls "/proc/$LOADER_PID/fd" | wc -l
}
