/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A request: nothing in it is believed before it is looked at. */
#include "app_protocol.h"

#include <string.h>

/* Of len bytes, which have to be one text and its 0. */
static bool is_text(const char *text, uint32_t len)
{
	return len && len <= APP_TEXT_SIZE && memchr(text, '\0', len) == text + len - 1;
}

bool app_request_parse(const void *message, size_t len, enum app_kind *kind, const char **ports,
		       const char **addresses)
{
	const char *text = (const char *)message + sizeof(struct app_request);
	struct app_request head;

	*ports = *addresses = NULL;
	if (len < sizeof(head))
		return false;
	memcpy(&head, message, sizeof(head));
	if (head.magic != APP_MAGIC ||
	    len != sizeof(head) + (uint64_t)head.ports_len + head.addresses_len)
		return false;
	*kind = (enum app_kind)head.kind;
	if (head.kind == APP_CLOSE)
		return len == sizeof(head);
	if (head.kind != APP_OPEN || !is_text(text, head.ports_len) ||
	    !is_text(text + head.ports_len, head.addresses_len))
		return false;
	*ports = *text ? text : NULL;
	text += head.ports_len;
	*addresses = *text ? text : NULL;
	return true;
}

bool app_endpoint_parse(const void *message, size_t len, struct app_endpoint *out)
{
	static const uint8_t none[sizeof(out->padding)];

	if (len != sizeof(*out))
		return false;
	memcpy(out, message, sizeof(*out));
	return out->magic == APP_MAGIC && (out->kind == APP_OFFER || out->kind == APP_WITHDRAW) &&
	       out->port && out->is_v6only <= 1 && out->is_waiting <= 1 &&
	       !memcmp(out->padding, none, sizeof(none));
}

size_t app_request_build(void *out, size_t size, const char *ports, const char *addresses)
{
	const size_t ports_len = strlen(ports ? ports : "") + 1;
	const size_t addresses_len = strlen(addresses ? addresses : "") + 1;
	const struct app_request head = {APP_MAGIC, APP_OPEN, (uint32_t)ports_len,
					 (uint32_t)addresses_len};
	char *at = out;

	if (ports_len > APP_TEXT_SIZE || addresses_len > APP_TEXT_SIZE ||
	    size < sizeof(head) + ports_len + addresses_len)
		return 0;
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), ports ? ports : "", ports_len);
	memcpy(at + sizeof(head) + ports_len, addresses ? addresses : "", addresses_len);
	return sizeof(head) + ports_len + addresses_len;
}
