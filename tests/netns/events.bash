# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the loader's events tell. Part of helpers.bash: their names are here, and not in each test.

# What each event tells, for jq: our own members, with local and remote as ADDRESS:PORT, and the whole line as .eve. IPv6 is
# written out there; here it is short again.
EVENTS_TOLD='
	def short: [splits(":") | sub("^0{1,3}"; "")] | join(":") | sub("(^|:)0(:0)+(:|$)"; "::");
	def endpoint($ip; $port): if $ip == null then null elif $ip | contains(":") then "[\($ip | short)]:\($port)"
		else "\($ip):\($port)" end;
	.nolisten + {local: endpoint(.dest_ip; .dest_port), remote: endpoint(.src_ip; .src_port), eve: .} |'

# events [FILTER [JQ-OPTION...]]: of the events file, each as above.
events()
{
	jq "${@:2}" "$EVENTS_TOLD ${1:-.}" "$EVENTS"
}

# has_event FILTER: a line of the events file for which the jq expression is true.
has_event()
{
	[ -n "$(events "select($1)" -c)" ]
}

# has_one_id_a_flow: what has one flow_id is of one 4-tuple, and from the first event to the last one of one flow. (The end of an old one
# may be told behind the beginning of the next.)
has_one_id_a_flow()
{
	is_equal "$(events 'select(.remote) | "\(.eve.flow_id) \(.remote) \(.local) \(.event)"' -r | awk '
		$1 in of && of[$1] != $2 " " $3 { print "of two: " $0 }
		{ of[$1] = $2 " " $3; told[$1] = told[$1] $4 " " }
		END {
			for (id in told)
				if (id == "null" || told[id] !~ /^(syn )?(established )?(handed_off )?((closed|reset|expired|refused) )?$/)
					print "odd: " id, of[id], told[id]
		}')" ""
}

# count_events KIND
count_events()
{
	events 'select(.event == "'"$1"'") | 1' -c | wc -l
}

# expect_event FILTER: within a few seconds.
expect_event()
{
	wait_for 5 has_event "$1" && return
	tail -n 20 "$EVENTS" >&2
	return 1
}
