# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the tests of method accept share.

# can_accept: has this kernel what the method needs?
can_accept()
{
	grep -q -m 1 ' bpf_sk_assign_tcp_reqsk$' /proc/kallsyms
}

needs_accept()
{
	can_accept || skip "no bpf_sk_assign_tcp_reqsk() here (Linux 6.9)"
}

accept_up()
{
	needs_accept
	LOADER_PID=
	lab_up
}

accept_down()
{
	stop_leftover_loader
	lab_down
}

accept()
{
	start_loader -m accept "$@"
}

# parent: its address and port, as ss and the start line have them.
parent()
{
	in_server ss -Hltn | awk '{ print $4 }'
}
