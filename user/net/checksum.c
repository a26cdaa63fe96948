/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Internet checksum, four bytes at a time: 2^16 and 2^32 are both 1 modulo 65535. */
#include "checksum.h"

#include <netinet/in.h>

#include "bytes.h"

uint64_t checksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (; len >= 4; bytes += 4, len -= 4)
		sum += bytes_get32(bytes);
	if (len >= 2) {
		sum += bytes_get16(bytes);
		bytes += 2;
	}
	if (len & 1)
		sum += (uint64_t)*bytes << 8;
	return sum;
}

uint16_t checksum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t checksum_pseudo(const struct addr *source, const struct addr *destination,
			 uint32_t tcp_len)
{
	size_t offset = addr_is_v4(source) ? 12 : 0;
	uint64_t sum = (uint64_t)tcp_len + IPPROTO_TCP;

	sum = checksum_add(sum, source->bytes + offset, 16 - offset);
	return checksum_add(sum, destination->bytes + offset, 16 - offset);
}
