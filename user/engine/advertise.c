/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Window and shift count as Linux's tcp_openreq_init_rwin() and tcp_select_initial_window() choose them, the MSS as
 * dst_metric_advmss(). The numbers are the kernel's own, unsigned and of 32 bits, also where they wrap.
 */
#include "advertise.h"

#define HEADERS_V4 40
#define HEADERS_V6 60
#define MAX_MTU_V4 65535u
#define MAX_PAYLOAD_V6 65535u /* as an MSS: any (RFC 2675, 5) */
#define MIN_MSS 48
#define MAX_WSCALE 14
#define MAX_SIGNED_WINDOW 32767u
#define TIMESTAMPS_LEN 12 /* bytes of every segment, with their two NOPs */

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t find_mtu(const struct advertise_host *host, const struct route_metrics *metrics,
			 bool is_v4)
{
	if (metrics->mtu)
		return metrics->mtu;
	return !is_v4 && host->sysctls.mtu_v6 ? host->sysctls.mtu_v6 : host->mtu;
}

/* Of an MTU that has no room for the headers nothing is left. */
static uint32_t payload_of(uint32_t mtu, uint32_t headers_len)
{
	return mtu > headers_len ? mtu - headers_len : 0;
}

static uint32_t default_mss(const struct tcp_sysctls *sysctls, uint32_t mtu, bool is_v4)
{
	uint32_t mss;

	if (is_v4)
		return max(payload_of(min(mtu, MAX_MTU_V4), HEADERS_V4), sysctls->min_adv_mss_v4);
	mss = max(payload_of(mtu, HEADERS_V6), sysctls->min_adv_mss_v6);
	return mss > MAX_PAYLOAD_V6 - 20 ? MAX_PAYLOAD_V6 : mss;
}

/* Of what is left of a buffer for data; the rest is the kernel's own overhead. */
static uint32_t space_of(const struct tcp_sysctls *sysctls, uint32_t size)
{
	const int32_t scale = sysctls->adv_win_scale;

	if (sysctls->scaling_ratio)
		return (uint32_t)((uint64_t)size * sysctls->scaling_ratio >> 8);
	return scale <= 0 ? size >> (-scale & 31) : size - (size >> (scale & 31));
}

/* Before it is cut to the 16 bits that it has: whole segments, since the remote would wait for the last part of one. */
static uint32_t round_space(uint32_t space, uint32_t mss)
{
	return mss && space > mss ? space - space % mss : space;
}

static uint16_t choose_window(const struct tcp_sysctls *sysctls, uint32_t space, uint32_t mss,
			      uint32_t initrwnd)
{
	uint32_t window = round_space(space, mss);

	if (sysctls->signed_windows)
		window = min(window, MAX_SIGNED_WINDOW);
	if (initrwnd)
		window = min(window, initrwnd * mss);
	return min(window, UINT16_MAX);
}

static uint8_t choose_wscale(const struct tcp_sysctls *sysctls, uint32_t space, uint32_t clamp)
{
	uint8_t wscale = 0;

	space = min(max(max(space, sysctls->rmem_max), sysctls->core_rmem_max), clamp);
	while (space >> 16 && wscale < MAX_WSCALE) {
		space >>= 1;
		wscale++;
	}
	return wscale;
}

/* Of the largest window that there will ever be. A buffer that was set is an end, too. */
static uint32_t find_clamp(const struct advertise_host *host, const struct route_metrics *metrics)
{
	const struct advertise_limits *limits = &host->limits;
	uint32_t clamp = limits->window_clamp ?: metrics->window;

	clamp = clamp ?: (uint32_t)UINT16_MAX << MAX_WSCALE;
	return limits->rcvbuf ? min(clamp, space_of(&host->sysctls, limits->rcvbuf)) : clamp;
}

static uint32_t find_mss(const struct advertise_host *host, const struct route_metrics *metrics,
			 bool is_v4)
{
	const uint32_t mss =
		metrics->advmss
			?: default_mss(&host->sysctls, find_mtu(host, metrics, is_v4), is_v4);

	return host->limits.mss ? min(mss, host->limits.mss) : mss;
}

struct nol_advertised advertise(const struct advertise_host *host,
				const struct route_metrics *metrics, bool is_v4)
{
	const struct tcp_sysctls *sysctls = &host->sysctls;
	const uint32_t mtu = find_mtu(host, metrics, is_v4);
	const uint32_t mss = find_mss(host, metrics, is_v4);
	const uint32_t clamp = find_clamp(host, metrics);
	const uint32_t size = host->limits.rcvbuf ?: sysctls->rmem_default;
	const uint32_t space = host->limits.is_shut ? 0 : min(space_of(sysctls, size), clamp);

	return (struct nol_advertised){
		.mss = min(mss, UINT16_MAX),
		.path_mss = max(payload_of(min(mtu, MAX_MTU_V4), is_v4 ? HEADERS_V4 : HEADERS_V6),
				MIN_MSS),
		.window = {choose_window(sysctls, space, mss, metrics->initrwnd),
			   choose_window(sysctls, space, mss - TIMESTAMPS_LEN, metrics->initrwnd)},
		.has_ecn = metrics->has_ecn,
		.wscale = choose_wscale(sysctls, round_space(space, mss - TIMESTAMPS_LEN), clamp),
	};
}

uint8_t advertise_offers(const struct tcp_sysctls *sysctls)
{
	return (sysctls->window_scaling ? NOL_OFFER_WSCALE : 0) |
	       (sysctls->sack ? NOL_OFFER_SACK : 0) |
	       (sysctls->timestamps ? NOL_OFFER_TIMESTAMPS : 0) |
	       (sysctls->ecn ? NOL_OFFER_ECN : 0);
}
