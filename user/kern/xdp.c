/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ingress: a BPF link, native or generic, that dies with the process. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>

#include "kern_private.h"
#include "log.h"
#include "plan.h"
#include "xdp_features.h"

/* Native XDP on veth halves everybody's bulk TCP, and generic XDP costs nothing measurable there. */
static bool is_veth(const struct kern *kern)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (void *)&info};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return false;
	memcpy(request.ifr_name, kern->ifname, sizeof(kern->ifname));
	err = ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	return !err && !strcmp(info.driver, "veth");
}

static int link_program(struct kern *kern, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int fd = bpf_link_create(bpf_program__fd(kern->skel->progs.nol_xdp_ingress),
				 kern->options.ifindex, BPF_XDP, &options);

	if (fd < 0)
		return fd;
	kern->xdp_link_fd = fd;
	kern->is_xdp_generic = flags == XDP_FLAGS_SKB_MODE;
	kern->skel->bss->nol_is_generic = kern->is_xdp_generic;
	return 0;
}

static bool is_taken(int err)
{
	return err == -EBUSY || err == -EEXIST;
}

static void log_other_program(const struct kern *kern)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	char name[BPF_OBJ_NAME_LEN];
	uint32_t id = 0;

	if (!bpf_xdp_query(kern->options.ifindex, 0, &query)) {
		id = query.prog_id ? query.prog_id : query.drv_prog_id;
		id = id ? id : query.skb_prog_id;
	}
	if (!id) {
		log_error(
			"%s: a device on top of it, such as a VLAN's, has an XDP program, and the "
			"kernel wants that to come second: detach it first",
			kern->ifname);
		return;
	}
	program_name(id, name);
	log_error("%s: another XDP program is attached, %s (id %u): detach it first, perhaps by "
		  "\"ip link set dev %s xdp off\"",
		  kern->ifname, name[0] ? name : "without a name", id, kern->ifname);
}

/* Where TC can do without, it is for floods: it copies each packet. */
static int link_generic(struct kern *kern)
{
	if (!kern->options.accepts)
		return link_program(kern, XDP_FLAGS_SKB_MODE);
	kern->is_xdp_standby = true;
	/* TC is to know before the first packet has passed. */
	kern->skel->bss->nol_is_generic = true;
	return 0;
}

static int link_native_or_generic(struct kern *kern)
{
	int err;

	/* A device without link headers has no native mode worth the name: what says so runs it generically. */
	if (kern->options.is_loopback || !kern->options.has_link_header || is_veth(kern))
		return link_generic(kern);
	err = link_program(kern, XDP_FLAGS_DRV_MODE);
	if (!err || is_taken(err))
		return err;
	log_debug("%s: no native XDP (%s), trying generic", kern->ifname, strerror(-err));
	return link_generic(kern);
}

static bool suits(const struct kern *kern, bool is_generic)
{
	switch (kern->options.xdp_mode) {
	case KERN_XDP_NATIVE:
		return !is_generic;
	case KERN_XDP_GENERIC:
		return is_generic;
	case KERN_XDP_NONE:
		return false;
	default:
		return !(is_generic && kern->options.accepts);
	}
}

/* -ENOENT: there is none of the last loader, or it is of another mode. */
static int take_over(struct kern *kern)
{
	const bool is_generic = keep_is_generic(kern);
	int fd = -ENOENT;

	if (suits(kern, is_generic)) {
		kern->skel->bss->nol_is_generic = is_generic;
		fd = keep_adopt(kern, KEPT_XDP, kern->skel->progs.nol_xdp_ingress);
	}
	if (fd < 0) {
		keep_drop(kern, KEPT_XDP);
		return fd;
	}
	kern->xdp_link_fd = fd;
	kern->is_xdp_generic = is_generic;
	return 0;
}

static int link_as_asked(struct kern *kern)
{
	if (!take_over(kern))
		return 0;
	switch (kern->options.xdp_mode) {
	case KERN_XDP_NATIVE:
		return link_program(kern, XDP_FLAGS_DRV_MODE);
	case KERN_XDP_GENERIC:
		return link_program(kern, XDP_FLAGS_SKB_MODE);
	default:
		return link_native_or_generic(kern);
	}
}

/* Would what is there, on it or on top of it, keep ours away? */
static bool has_other(const struct kern *kern)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (kern->kept && kern->kept->links[KEPT_XDP] >= 0)
		return false; /* the last loader's, which makes way */
	return (!bpf_xdp_query(kern->options.ifindex, 0, &query) &&
		(query.prog_id || query.drv_prog_id || query.skb_prog_id)) ||
	       plan_has_xdp_on_top(kern->options.ifindex);
}

/* As take_over(). */
static bool plans_to_take_over(const struct kern *kern, struct kern_plan *out)
{
	const bool is_generic = keep_is_generic(kern);

	if (!kern->kept || kern->kept->links[KEPT_XDP] < 0 || !suits(kern, is_generic))
		return false;
	out->xdp = is_generic ? "generic" : "native";
	out->why = "the last loader's, taken over";
	return true;
}

/* As link_as_asked(). */
static void choose(const struct kern *kern, struct kern_plan *out)
{
	const struct kern_options *options = &kern->options;
	bool is_native = false;
	const bool is_known = !xdp_features_native(options->ifindex, &is_native);

	out->xdp = options->accepts ? "standby" : "generic";
	if (options->xdp_mode == KERN_XDP_NATIVE || options->xdp_mode == KERN_XDP_GENERIC) {
		out->xdp = options->xdp_mode == KERN_XDP_NATIVE ? "native" : "generic";
		out->why = "as asked";
		out->lacks_native = options->xdp_mode == KERN_XDP_NATIVE && is_known && !is_native;
	} else if (options->is_loopback) {
		out->why = "auto: a loopback";
	} else if (!options->has_link_header) {
		out->why = "auto: a device without link headers";
	} else if (is_veth(kern)) {
		out->why = "auto: a veth";
	} else if (!is_known) {
		out->xdp = "native";
		out->why = "auto: if the driver has it, else generic: this kernel does not tell";
	} else if (is_native) {
		out->xdp = "native";
		out->why = "auto: the driver has it";
	} else {
		out->why = "auto: the driver has no native XDP";
	}
}

int xdp_plan(const struct kern *kern, struct kern_plan *out)
{
	if (kern->options.xdp_mode == KERN_XDP_NONE) {
		out->xdp = "none";
		out->why = "as asked";
		return 0;
	}
	if (plans_to_take_over(kern, out))
		return 0;
	choose(kern, out);
	if (!strcmp(out->xdp, "standby"))
		return 0;
	if (has_other(kern) && kern->options.accepts && kern->options.xdp_mode == KERN_XDP_AUTO) {
		out->xdp = "none";
		out->why = "auto: another program has its place: TC answers the SYNs";
		return 0;
	}
	if (has_other(kern)) {
		log_other_program(kern);
		return -EBUSY;
	}
	if (!out->lacks_native)
		return 0;
	log_error("%s: cannot attach to XDP: %s", kern->ifname, strerror(EOPNOTSUPP));
	return -EOPNOTSUPP;
}

int xdp_attach(struct kern *kern)
{
	int err = 0;

	kern->is_xdp_absent = kern->options.xdp_mode == KERN_XDP_NONE;
	if (kern->is_xdp_absent)
		keep_drop(kern, KEPT_XDP);
	else
		err = link_as_asked(kern);
	if (err && kern->options.accepts && kern->options.xdp_mode == KERN_XDP_AUTO) {
		log_info("%s: no place in XDP (%s): TC answers the SYNs", kern->ifname,
			 strerror(-err));
		kern->is_xdp_absent = true;
		return 0;
	}
	if (is_taken(err)) {
		log_other_program(kern);
		return -EBUSY;
	}
	if (err)
		log_error("%s: cannot attach to XDP: %s", kern->ifname, strerror(-err));
	return err;
}

void xdp_detach(struct kern *kern)
{
	if (kern->xdp_link_fd < 0)
		return;
	bpf_link_detach(kern->xdp_link_fd);
	close(kern->xdp_link_fd);
	kern->xdp_link_fd = -1;
}

void kern_set_standby(struct kern *kern, bool is_on)
{
	int err;

	if (!kern->is_xdp_standby)
		return;
	if (!is_on) {
		kern->is_xdp_refused = false;
		xdp_detach(kern);
		return;
	}
	if (kern->xdp_link_fd >= 0)
		return;
	err = link_program(kern, XDP_FLAGS_SKB_MODE);
	if (err && !kern->is_xdp_refused)
		log_warning(
			"%s: no place in XDP during this flood (%s): TC answers it until there is",
			kern->ifname, strerror(-err));
	kern->is_xdp_refused = err;
}

const char *kern_xdp_mode_text(const struct kern *kern)
{
	if (kern->is_xdp_absent || kern->is_xdp_refused)
		return "none";
	if (kern->is_xdp_standby && kern->xdp_link_fd < 0)
		return "standby";
	return kern->is_xdp_generic ? "generic" : "native";
}

bool kern_is_xdp_native(const struct kern *kern)
{
	return !kern->is_xdp_generic && !kern->is_xdp_absent && !kern->is_xdp_standby;
}

int kern_transmit(struct kern *kern, const void *frame, size_t len)
{
	struct xdp_md context = {
		.data_end = (__u32)len,
		.ingress_ifindex = kern->options.ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (__u32)len,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(bpf_program__fd(kern->skel->progs.nol_xdp_send), &run);
}
