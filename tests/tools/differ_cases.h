/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What differ sends, and where nolisten is meant to answer differently. The notation is script.h's; a step that begins
 * with '~' compares the sum of what came back instead of each segment, for what a socket and a service answer.
 */
#ifndef NOLISTEN_TESTS_DIFFER_CASES_H
#define NOLISTEN_TESTS_DIFFER_CASES_H

#include <stddef.h>

struct differ_case {
	const char *name;
	const char *script;
	char family; /* '4' or '6': only there */
	const char *
		needs; /* a counter of /proc/net/netstat, as a sign that the kernel knows the rule */
	const char
		*differs; /* flags of nolisten's answers where they are meant to differ, and why */
	const char *reason;
};

#define ECHO_5 "~P. +1 ^1 len=5"
#define ECHO_1400 "~P. +1 ^1 len=1400"
#define FAR "+200000000"

static const struct differ_case segment_cases[] = {
	{"SYN without options", "S; " ECHO_1400},
	{"usual SYN", "S mss=1460 sack ts ws=7; ~P. +1 ^1 ts len=1400"},
	{"duplicate SYN", "S mss=1460; S mss=1460; S mss=1460; " ECHO_5},
	{"new SYN inside the window", "S mss=1460; S +1000 mss=1460; . +1 ^1"},
	{"new SYN outside the window", "S mss=1460; S " FAR " mss=1460; " ECHO_5},
	{"SYN with data", "S mss=1460 len=100; ~P. +1 ^1 len=100"},
	{"SYN with a TFO cookie request", "S mss=1460 opt=22020101; " ECHO_5},
	{"SYN with a TFO cookie and data",
	 "S mss=1460 opt=220a00112233445566770101 len=9; " ECHO_5},
	{"SYN with a window of 0", "S mss=1460 win=0; ~. +1 ^1"},
	{"SYN with urgent data", "SU mss=1460 urg=9"},
	{"SYN with reserved bits", "S mss=1460 reserved=14"},
	{"ACK below the window of acknowledgements", "S mss=1460; . +1 ^0; " ECHO_5},
	{"ACK above what was sent", "S mss=1460; . +1 ^2; " ECHO_5},
	{"ACK of something else", "S mss=1460; . +1 ^123456; " ECHO_5},
	{"data with a wrong ACK", "S mss=1460; P. +1 ^9 len=10; " ECHO_5},
	{"final ACK alone", "S mss=1460; ~. +1 ^1; " ECHO_5},
	{"final ACK with data", "S mss=1460; ~P. +1 ^1 len=100"},
	{"final ACK and data at once", "S mss=1460; ~. +1 ^1 & P. +1 ^1 len=100"},
	{"final ACK with data, twice", "S mss=1460; ~P. +1 ^1 len=100 & P. +1 ^1 len=100"},
	{"data in three segments", "S mss=1460; ~. +1 ^1 len=9 & . +10 ^1 len=9 & P. +19 ^1 len=9"},
	{"data in disorder", "S mss=1460; ~P. +10 ^1 len=9 & . +1 ^1 len=9"},
	{"final ACK with a gap", "S mss=1460; ~P. +101 ^1 len=100; ~P. +1 ^1 len=100"},
	{"ACK outside the window", "S mss=1460; . " FAR " ^1; " ECHO_5},
	{"ACK before the window", "S mss=1460; . +0 ^1; " ECHO_5},
	{"data outside the window", "S mss=1460; P. " FAR " ^1 len=10; " ECHO_5},
	{"RST with the expected sequence", "S mss=1460; R +1; . +1 ^1"},
	{"RST+ACK with a wrong acknowledgement", "S mss=1460; R. +1 ^999; . +1 ^1"},
	{"RST inside the window", "S mss=1460; R +100; " ECHO_5},
	{"RST outside the window", "S mss=1460; R " FAR "; " ECHO_5},
	{"RST before the window", "S mss=1460; R +0; " ECHO_5},
	{"FIN as the third packet", "S mss=1460; ~F. +1 ^1"},
	{"FIN with data as the third packet", "S mss=1460; ~FP. +1 ^1 len=10"},
	{"FIN with a wrong ACK", "S mss=1460; F. +1 ^7; " ECHO_5},
	{"FIN without ACK", "S mss=1460; F +1; " ECHO_5},
	{"segment without flags", "S mss=1460; - +1; " ECHO_5},
	{"data without ACK", "S mss=1460; P +1 len=10; " ECHO_5},
	{"SYN+ACK to a half-open flow", "S mss=1460; S. ^1 mss=1460; " ECHO_5},
	{"SYN+FIN to a half-open flow", "S mss=1460; SF mss=1460; " ECHO_5},
	{"SYN+RST to a half-open flow", "S mss=1460; SR mss=1460"},
	{"RST of an established flow", "S mss=1460; ~. +1 ^1; ~R +1; . +1 ^1"},
	{"late data", "S mss=1460; ~F. +1 ^1; . +2 ^2; P. +2 ^2 len=5"},
	{"late FIN", "S mss=1460; ~F. +1 ^1; . +2 ^2; F. +2 ^2"},
	{"lone ACK", ". ^77"},
	{"lone data", "P. ^77 len=10"},
	{"lone data without ACK", "P ^77 len=10"},
	{"lone SYN+ACK", "S. ^77 mss=1460"},
	{"lone FIN+ACK", "F. ^77"},
	{"lone RST", "R ^77"},
	{"lone RST+ACK", "R. ^77"},
	{"ECN is not agreed to", "SEW mss=1460", .differs = "S.",
	 .reason = "ECN cannot survive the hand-off"},
	{"bad checksum", "S mss=1460 badsum"},
	{"bad checksum of the final ACK", "S mss=1460; P. +1 ^1 len=5 badsum; " ECHO_5},
	{"bad checksum of a RST", "S mss=1460; R +1 badsum; " ECHO_5},
	{"data offset 4", "S mss=1460 doff=4"},
	{"data offset 0", "S mss=1460 doff=0"},
	{"data offset beyond the packet", "S mss=1460 doff=15"},
	{"source port 0", "S mss=1460 port0", .differs = "silent",
	 .reason = "no program can have that port"},
	{"SYN to a closed port", "S mss=1460 closed"},
	{"ACK to a closed port", ". ^77 closed"},
};

#define NOPS_8 "0101010101010101"
#define MD5 "1312" NOPS_8 NOPS_8

static const struct differ_case option_cases[] = {
	{"MSS 0", "S mss=0; " ECHO_1400},
	{"MSS 1", "S mss=1; ~P. +1 ^1 len=384"},
	{"MSS 47", "S mss=47; ~P. +1 ^1 len=384"},
	{"MSS 88", "S mss=88; ~P. +1 ^1 len=704"},
	{"MSS 100", "S mss=100; ~P. +1 ^1 len=800"},
	{"MSS 100 with timestamps", "S mss=100 ts; ~P. +1 ^1 ts len=800"},
	{"MSS 536", "S mss=536; " ECHO_1400},
	{"MSS 65535", "S mss=65535; " ECHO_1400},
	{"MSS of length 3", "S opt=02030500; " ECHO_1400},
	{"MSS of length 5", "S opt=0205ffff00010101; " ECHO_1400},
	{"MSS twice", "S mss=1000 mss=700; " ECHO_1400},
	{"MSS after the end of the list", "S opt=00 mss=1400; " ECHO_1400},
	{"MSS after an unknown option", "S opt=fd06aabbccdd mss=1200; " ECHO_1400},
	{"option of length 0", "S opt=0500 mss=1200; " ECHO_1400},
	{"option of length 1", "S opt=0501 mss=1200; " ECHO_1400},
	{"option past the end", "S mss=1200 opt=0528; " ECHO_1400},
	{"MSS past the end", "S opt=01010204; " ECHO_1400},
	{"kind without a length", "S mss=1200 opt=01010102; " ECHO_1400},
	{"window scale 0", "S mss=1460 ws=0; " ECHO_5},
	{"window scale 14", "S mss=1460 ws=14; " ECHO_5},
	{"window scale 15", "S mss=1460 ws=15; " ECHO_5},
	{"window scale 255", "S mss=1460 ws=255; " ECHO_5},
	{"window scale of length 4", "S mss=1460 opt=03040700; " ECHO_5},
	{"window scale twice", "S mss=1460 ws=3 ws=7; " ECHO_5},
	{"window of a socket without scaling", "S mss=1460; " ECHO_5 "; . +6 ^6 & . +5 ^6"},
	{"window of a socket with scaling", "S mss=1460 ws=7; " ECHO_5 "; . +6 ^6 & . +5 ^6"},
	{"SACK permitted", "S mss=1460 sack; " ECHO_5},
	{"SACK permitted of length 3", "S mss=1460 opt=04030001; " ECHO_5},
	{"SACK blocks on a SYN", "S mss=1460 opt=0101050a0000000100000002; " ECHO_5},
	{"timestamps", "S mss=1460 ts; ~P. +1 ^1 ts len=5"},
	{"timestamps of length 9", "S mss=1460 opt=080900000001000000; " ECHO_5},
	{"timestamps of length 11", "S mss=1460 opt=080b00000001000000000001; " ECHO_5},
	{"timestamps missing in the final ACK", "S mss=1460 ts; " ECHO_5},
	{"timestamps not agreed, but in the final ACK", "S mss=1460; ~P. +1 ^1 ts len=5"},
	{"older TSval in the final ACK", "S mss=1460 ts; . +1 ^1 ts=old; ~P. +1 ^1 ts len=5"},
	{"older TSval with data", "S mss=1460 ts; P. +1 ^1 ts=old len=9; ~P. +1 ^1 ts len=5"},
	{"older TSval in a RST", "S mss=1460 ts; R +1 ts=old; . +1 ^1"},
	{"TSecr never sent", "S mss=1460 ts; . +1 ^1 ts=bad; ~P. +1 ^1 ts len=5", 0,
	 "TSEcrRejected"},
	{"older TSval in a duplicate SYN", "S mss=1460 ts; S mss=1460 ts=old; ~P. +1 ^1 ts len=5"},
	{"duplicate SYN with newer timestamps", "S mss=1460 ts; S mss=1460 ts; ~P. +1 ^1 ts len=5"},
	{"MD5 signature", "S mss=1460 opt=" MD5 "; " ECHO_5},
	{"MD5 signature in the final ACK", "S mss=1460; . +1 ^1 opt=" MD5 "; " ECHO_5},
	{"MD5 signature with data", "S mss=1460; P. +1 ^1 len=5 opt=" MD5 "; " ECHO_5},
	{"MD5 signature in a RST", "S mss=1460; R +1 opt=" MD5 "; " ECHO_5},
	{"MD5 signature without a flow", ". ^77 opt=" MD5},
	{"MD5 signature and TCP-AO", "S mss=1460 opt=" MD5 "1d0c01010101010101010101"},
	{"MD5 signature behind the end of the list", "S mss=1460 opt=00000000" MD5 "; " ECHO_5},
	{"short MD5 signature", "S mss=1460 opt=130a" NOPS_8 NOPS_8 "; " ECHO_5},
	{"short MD5 signature at the end", "S mss=1460 opt=130a" NOPS_8 "; " ECHO_5},
	{"TCP-AO", "S mss=1460 opt=1d10" NOPS_8 "010101010101; " ECHO_5},
	{"TCP-AO of length 2", "S mss=1460 opt=1d02" NOPS_8 NOPS_8},
	{"option of length 0 before many", "S mss=1460 opt=0500" NOPS_8 NOPS_8 "; " ECHO_5},
	{"option past the end before many", "S mss=1460 opt=0528" NOPS_8 NOPS_8 "; " ECHO_5},
	{"forty NOPs", "S opt=01010101010101010101010101010101010101010101010101010101010101010101"
		       "010101010101; " ECHO_1400},
	{"Windows's layout", "S mss=1460 opt=01 ws=8 opt=0101 sack; " ECHO_5},
	{"macOS's layout", "S mss=1460 opt=01 ws=6 ts sack opt=0000; ~P. +1 ^1 ts len=5"},
};

#define FRAGMENT_REASON "a reassembled SYN is never seen at ingress; the guard keeps its RST in"

static const struct differ_case packet_cases[] = {
	{"VLAN tag 0", "S mss=1460 vlan=0; ~P. +1 ^1 vlan=0 len=5"},
	{"VLAN tag 0 with priority", "S mss=1460 vlan=24576; ~P. +1 ^1 vlan=24576 len=5"},
	{"another VLAN tag", "S mss=1460 vlan=5"},
	{"padding behind the packet", "S mss=1460 pad=20; ~P. +1 ^1 len=5 pad=20"},
	{"IP length beyond the frame", "S mss=1460 iplen=4"},
	{"frame cut short", "S mss=1460 cut=2"},
	{"IP length inside the TCP header", "S mss=1460 iplen=-6"},
	{"IP length inside the TCP options", "S mss=1460 iplen=-2"},
	{"IP length shorter than the payload", "S mss=1460; P. +1 ^1 len=9 iplen=-4; " ECHO_5},
	{"hardware broadcast", "S mss=1460 to=hw-broadcast"},
	{"to a multicast group", "S mss=1460 to=multicast"},
	{"to the subnet's broadcast", "S mss=1460 to=broadcast", '4'},
	{"from multicast", "S mss=1460 from=multicast"},
	{"from zero", "S mss=1460 from=zero"},
	{"from loopback", "S mss=1460 from=loopback"},
	{"from the server's own address", "S mss=1460 from=own"},
	{"IPv4 option NOP", "S mss=1460 ipopt=01010101; ~P. +1 ^1 len=5 ipopt=01010101", '4'},
	{"IPv4 record route", "S mss=1460 ipopt=0707040000000000", '4'},
	{"IPv4 loose source route", "S mss=1460 ipopt=8307040a00000101", '4'},
	{"IPv4 strict source route", "S mss=1460 ipopt=8907040a00000101", '4'},
	{"IPv4 fragments", "S mss=1460 len=64 frag=40", '4', NULL, "silent", FRAGMENT_REASON},
	{"IPv4 tiny fragments", "S mss=1460 len=64 frag=8", '4', NULL, "silent", FRAGMENT_REASON},
	{"IPv6 fragments", "S mss=1460 len=64 frag=40", '6', NULL, "silent", FRAGMENT_REASON},
	{"IPv6 tiny fragments", "S mss=1460 len=64 frag=8", '6'},
	{"IPv6 atomic fragment", "S mss=1460 ext=atomic; ~P. +1 ^1 len=5", '6'},
	{"IPv6 hop-by-hop options", "S mss=1460 ext=hop; ~P. +1 ^1 len=5 ext=hop", '6'},
	{"IPv6 destination options", "S mss=1460 ext=dst; ~P. +1 ^1 len=5 ext=dst", '6'},
};

/* For a service that sends "hi\n" and closes: the connection goes to TIME-WAIT at the server. */
#define TO_TIME_WAIT "~. +1 ^1; ~F. +1 ^5; "
#define TO_TIME_WAIT_TS "~. +1 ^1 ts; ~F. +1 ^5 ts; "

static const struct differ_case time_wait_cases[] = {
	{"SYN with a newer sequence", "S mss=1460; " TO_TIME_WAIT "S +5000 mss=1460; ~. +5001 ^1"},
	{"SYN with a newer timestamp",
	 "S mss=1460 ts; " TO_TIME_WAIT_TS "S +5000 mss=1460 ts; ~. +5001 ^1 ts"},
	{"SYN with an older sequence", "S mss=1460; " TO_TIME_WAIT "S +-5000 mss=1460"},
	{"SYN with an older timestamp",
	 "S mss=1460 ts; " TO_TIME_WAIT_TS "S +-5000 mss=1460 ts=old"},
	{"late data meets TIME-WAIT", "S mss=1460; " TO_TIME_WAIT "P. +2 ^5 len=9"},
	{"late ACK meets TIME-WAIT", "S mss=1460; " TO_TIME_WAIT ". +2 ^5"},
	{"repeated FIN meets TIME-WAIT", "S mss=1460; " TO_TIME_WAIT "F. +1 ^5"},
	{"RST ends TIME-WAIT", "S mss=1460; " TO_TIME_WAIT "R +2; . +2 ^5"},
};

#endif
