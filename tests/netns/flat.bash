# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# Connections one after the other, and a loader that stays as it is, for faults.bats and tests/soak/long; needs crowds.

flat_resident_kb()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$LOADER_PID/status"
}

flat_descriptors()
{
	ls "/proc/$LOADER_PID/fd" | wc -l
}

flat_established()
{
	in_server "$NOLISTEN" status -j eth0 | jq .engine.established
}

has_established()
{
	[ "$(flat_established)" -ge "$1" ]
}

flat_report()
{
	echo "$1: $(flat_established) established, resident $(flat_resident_kb) KiB, $(flat_descriptors) descriptors"
}

has_flat_descriptors()
{
	[ "$(flat_descriptors)" = "$1" ]
}

# has_given_back DESCRIPTORS: no flow is left, and no descriptor more than these; else what there is is shown.
has_given_back()
{
	wait_for 30 has_no_flows && wait_for 10 has_flat_descriptors "$1" && return
	flows
	in_server "$NOLISTEN" status eth0
	in_server ss -tan | awk '{ print $1 }' | sort | uniq -c
	return 1
}

# stays_flat COUNT SECONDS WARM-UP GROWTH: after so many thousands the rest grows by less than GROWTH KiB, which is room for a table
# that is full of flows in their grace, as it gets when there are more connections a second.
stays_flat()
{
	local fds memory grown warm
	echo_back 10.0.0.2 34567 warm >/dev/null && wait_for 15 has_no_flows || return
	fds=$(flat_descriptors)
	start_churn 16 "$1" "$2"
	warm=$(($(flat_established) + $3 * 1000))
	wait_for 60 has_established "$warm" || return
	flat_report 'warmed up'
	memory=$(flat_resident_kb)
	while not is_gone "$CHURN"; do
		read -r -t 1 -u "$NOTHING" || :
		[ $((SECONDS % 60)) != 0 ] || flat_report "after $SECONDS s"
	done
	churn_summary
	flat_report 'in the end'
	# Before anybody asks for the flows: the answer takes memory of its own.
	grown=$(($(flat_resident_kb) - memory))
	churn_has_had 0 refused && churn_has_had 0 reset && churn_has_had 0 silent && churn_has_had 0 cut &&
		has_given_back "$fds" || return
	[ "$grown" -lt "$4" ] && is_equal "$(counter lost_ring_full)" 0
}
