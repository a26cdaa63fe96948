/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space writes for the cookies once a second, beside their keys. */
#include "fixture.h"

#include "cookies.h"

static struct cookies *open_cookies(enum nol_method method)
{
	const struct cookies_options options = {.ifname = "lo", .method = method, .max_flows = 100};
	struct cookies *cookies = NULL;

	assert_int_equal(cookies_new(&cookies, kern, &options), 0);
	return cookies;
}

static void accepts_the_codes_of_what_is_advertised(void **state)
{
	const struct cookies_advertised advertised = {.v4.path_mss = 1460, .v6.path_mss = 1440};
	struct cookies *cookies = open_cookies(NOL_METHOD_NONE);
	const struct nol_cookie *cookie = kern_cookie(kern);

	(void)state;
	assert_int_equal(cookie->codes_v4[cookie->slot % NOL_COOKIE_SLOTS], 0);
	cookies_advertise(cookies, &advertised);
	assert_int_equal(cookie->codes_v4[cookie->slot % NOL_COOKIE_SLOTS], 26 * 32);
	assert_int_equal(cookie->codes_v6[cookie->slot % NOL_COOKIE_SLOTS], 8 * 32);
	cookies_free(cookies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(accepts_the_codes_of_what_is_advertised),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("cookies", tests, NULL, NULL);
}
