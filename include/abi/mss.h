/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The classes of MSS that a cookie can tell apart. One list for all families and interfaces, in ascending order, of which
 * each uses a part: what is above the MSS of the interface itself, its own segments' limit, is not told apart. So the number
 * of a class never changes its meaning, whatever the MTU was when the cookie was made.
 *
 * What is common is there exactly: the defaults of RFC 9293 (3.7.1), the usual link sizes less tunnels, Ethernet, jumbo
 * frames, loopback. Rounded down to a class, no other MSS loses more than a twentieth. No two are in the same eight, see
 * nol_mss_class(). Machines that share a key need the same list.
 */
#ifndef NOLISTEN_MSS_H
#define NOLISTEN_MSS_H

/* clang-format off */
#define NOL_MSS_CLASSES(X) \
	X(536) X(565) X(595) X(626) X(659) X(694) X(730) X(769) X(809) X(852) X(897) \
	X(944) X(994) X(1046) X(1101) X(1159) X(1220) X(1265) X(1312) X(1360) X(1380) \
	X(1400) X(1420) X(1440) X(1452) X(1460) X(1536) X(1615) X(1698) X(1786) X(1878) \
	X(1975) X(2077) X(2184) X(2297) X(2416) X(2540) X(2672) X(2809) X(2954) X(3107) \
	X(3267) X(3436) X(3613) X(3800) X(3996) X(4202) X(4419) X(4647) X(4887) X(5139) \
	X(5405) X(5684) X(5977) X(6286) X(6610) X(6951) X(7310) X(7687) X(8084) X(8502) \
	X(8940) X(8960) X(9429) X(9923) X(10442) X(10988) X(11563) X(12168) X(12804) \
	X(13474) X(14179) X(14921) X(15702) X(16523) X(17388) X(18298) X(19255) X(20262) \
	X(21322) X(22438) X(23612) X(24847) X(26147) X(27515) X(28955) X(30470) X(32064) \
	X(33741) X(35507) X(37365) X(39319) X(41377) X(43541) X(45820) X(48217) X(50739) \
	X(53394) X(56188) X(59128) X(62221) X(65475) X(65495)
/* clang-format on */

#define NOL_MSS_MIN_V4 536
#define NOL_MSS_MIN_V6 1220

#define NOL_MSS_CLASS(mss) NOL_MSS_CLASS_##mss,
enum {
	NOL_MSS_CLASSES(NOL_MSS_CLASS) NOL_MSS_CLASS_COUNT
};

#define NOL_MSS_CLASS_BITS 7
_Static_assert(NOL_MSS_CLASS_COUNT <= 1 << NOL_MSS_CLASS_BITS, "a class needs another bit");

/* By class; behind the last one there are zeros, so that any index of NOL_MSS_CLASS_BITS is inside. */
#define NOL_MSS_VALUE(mss) mss,
static const __u16 nol_mss_values[1 << NOL_MSS_CLASS_BITS] = {NOL_MSS_CLASSES(NOL_MSS_VALUE)};

/* By the MSS in eights: the class of the largest one in that eight. */
#define NOL_MSS_PLACE_BITS 3
#define NOL_MSS_PLACES (65536 >> NOL_MSS_PLACE_BITS)
/* Each class reaches to the end, and the next one begins in it. */
#define NOL_MSS_PLACE(mss) \
	.at[mss >> NOL_MSS_PLACE_BITS... NOL_MSS_PLACES - 1] = NOL_MSS_CLASS_##mss,
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct {
	__u8 at[NOL_MSS_PLACES];
} nol_mss_places = {NOL_MSS_CLASSES(NOL_MSS_PLACE)};
#pragma GCC diagnostic pop

/* The MSS of a class, 0: there is no such class. */
static inline __u16 nol_mss_of(__u32 mss_class)
{
	return nol_mss_values[mss_class & ((1 << NOL_MSS_CLASS_BITS) - 1)];
}

/* The largest class that is not above this MSS, which has to be NOL_MSS_MIN_V4 at least. */
static inline __u32 nol_mss_class(__u16 mss)
{
	const __u32 mss_class = nol_mss_places.at[mss >> NOL_MSS_PLACE_BITS];

	return mss_class - (nol_mss_of(mss_class) > mss);
}

#endif
