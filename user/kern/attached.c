/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* XDP by rtnetlink, as libbpf asks it; TCX by bpf(); filters by rtnetlink; links by looking through all of them. */
#include "attached.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>

#include "kern_private.h"
#include "netlink.h"

/* Which this libbpf has no name for. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define PROGRAMS_MAX 64 /* of a TCX hook, as the kernel has it */

struct list {
	struct attached *all;
	int count;
	int err;
};

const char *attached_where_text(enum attached_where where)
{
	static const char *const texts[] = {
		[ATTACHED_XDP_NATIVE] = "xdp native",	    [ATTACHED_XDP_GENERIC] = "xdp generic",
		[ATTACHED_XDP_OFFLOADED] = "xdp offloaded", [ATTACHED_TCX_INGRESS] = "tcx ingress",
		[ATTACHED_TCX_EGRESS] = "tcx egress",	    [ATTACHED_TC_INGRESS] = "tc ingress",
		[ATTACHED_TC_EGRESS] = "tc egress",
	};

	return texts[where];
}

static struct attached *add(struct list *list, enum attached_where where, uint32_t id)
{
	struct attached *grown =
		reallocarray(list->all, (size_t)list->count + 1, sizeof(*list->all));
	char name[BPF_OBJ_NAME_LEN] = "";

	if (!grown) {
		list->err = -ENOMEM;
		return NULL;
	}
	list->all = grown;
	grown += list->count++;
	*grown = (struct attached){.where = where, .id = id};
	if (id)
		program_name(id, name);
	snprintf(grown->name, sizeof(grown->name), "%s", *name ? name : "without a name");
	return grown;
}

static void list_xdp(struct list *list, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)ifindex, 0, &query))
		return;
	if (query.drv_prog_id)
		add(list, ATTACHED_XDP_NATIVE, query.drv_prog_id);
	if (query.skb_prog_id)
		add(list, ATTACHED_XDP_GENERIC, query.skb_prog_id);
	if (query.hw_prog_id)
		add(list, ATTACHED_XDP_OFFLOADED, query.hw_prog_id);
}

static void list_tcx(struct list *list, uint32_t ifindex, enum attached_where where, int type)
{
	uint32_t ids[PROGRAMS_MAX] = {0};
	LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = ids, .prog_cnt = PROGRAMS_MAX);

	/* target_fd is the same field as target_ifindex. */
	if (bpf_prog_query_opts((int)ifindex, (enum bpf_attach_type)type, &query))
		return;
	for (uint32_t i = 0; i < query.prog_cnt; i++)
		add(list, where, ids[i]);
}

struct filters {
	struct list *list;
	enum attached_where where;
};

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) if (mnl_attr_get_type(attr) == type) return attr;
	return NULL;
}

/* A filter's head comes without options, and each of its rules with them. */
static void take_filter(void *context, const struct nlmsghdr *message)
{
	struct filters *filters = context;
	const struct tcmsg *body = mnl_nlmsg_get_payload(message);
	const char *kind = netlink_find(message, sizeof(*body), TCA_KIND, 2);
	const struct nlattr *attr, *options = NULL, *id = NULL;
	struct attached *added;

	mnl_attr_for_each(attr, message, sizeof(*body)) if (mnl_attr_get_type(attr) == TCA_OPTIONS)
		options = attr;
	if (message->nlmsg_type != RTM_NEWTFILTER || !kind || !body->tcm_handle)
		return;
	if (options && !strcmp(kind, "bpf"))
		id = find(options, TCA_BPF_ID);
	added = add(filters->list, filters->where, id ? mnl_attr_get_u32(id) : 0);
	if (!added)
		return;
	added->priority = body->tcm_info >> 16;
	if (!id)
		snprintf(added->name, sizeof(added->name), "%s", kind);
}

static void list_filters(struct list *list, uint32_t ifindex, enum attached_where where,
			 uint32_t parent)
{
	struct filters filters = {list, where};
	union netlink_request request;
	struct tcmsg *body =
		netlink_request_init(&request, RTM_GETTFILTER, NLM_F_DUMP, sizeof(*body));

	body->tcm_family = AF_UNSPEC;
	body->tcm_ifindex = (int)ifindex;
	body->tcm_parent = TC_H_MAKE(TC_H_CLSACT, parent);
	netlink_ask_once(NETLINK_ROUTE, &request, take_filter, &filters);
}

/* The same program may be linked elsewhere too: the interface tells. */
static void note_link(struct list *list, uint32_t ifindex, uint32_t link_id)
{
	struct bpf_link_info info = {0};
	uint32_t len = sizeof(info);
	int fd = bpf_link_get_fd_by_id(link_id);

	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.xdp.ifindex == ifindex)
		for (int i = 0; i < list->count; i++)
			if (list->all[i].id == info.prog_id)
				list->all[i].link_id = link_id;
	close(fd);
}

int attached_list(uint32_t ifindex, struct attached **out)
{
	struct list list = {0};
	uint32_t id = 0;

	list_xdp(&list, ifindex);
	list_tcx(&list, ifindex, ATTACHED_TCX_INGRESS, TCX_INGRESS);
	list_filters(&list, ifindex, ATTACHED_TC_INGRESS, TC_H_MIN_INGRESS);
	list_tcx(&list, ifindex, ATTACHED_TCX_EGRESS, TCX_EGRESS);
	list_filters(&list, ifindex, ATTACHED_TC_EGRESS, TC_H_MIN_EGRESS);
	while (list.count && !bpf_link_get_next_id(id, &id))
		note_link(&list, ifindex, id);
	if (list.err) {
		free(list.all);
		return list.err;
	}
	*out = list.all;
	return list.count;
}
