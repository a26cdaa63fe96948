/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside applications: who is there, and what they have offered. */
#ifndef NOLISTEN_APPLICATIONS_PRIVATE_H
#define NOLISTEN_APPLICATIONS_PRIVATE_H

#include "app_server.h"
#include "application_connects.h"
#include "applications.h"
#include "awaiting.h"
#include "claim.h"
#include "endpoints.h"

struct socket_spec;

struct application {
	struct application *next;
	uint32_t number, client;
	pid_t pid;
	bool is_away;
	uint64_t gone_ns; /* since when it is away */
	struct claim claim;
	bool is_narrow; /* its claim is among the endpoints */
};

struct applications {
	struct core *core;
	const struct config *config;
	struct workers *workers;
	struct app_server *server;
	struct endpoints *endpoints;
	struct application_connects *connects; /* NULL: nobody may */
	struct awaiting *awaiting; /* NULL: not method accept */
	struct application *first;
	uint32_t numbers; /* given so far */
	bool has_left;
	const struct application *lent_to; /* it has the parents of method accept; or NULL */
	bool is_transient; /* it is over with the last client */
	uint64_t started_ns;
};

/* The socket at the service's path. -errno, logged. */
int applications_listen(struct applications *applications, const struct socket_spec *spec,
			const struct app_server_ops *ops);
/* err, and what the client is told: "port 80: another application has it". */
int application_refuse(struct app_reply *reply, int err, const char *what, const char *why);
/* One that is here; NULL. */
struct application *application_of_client(const struct applications *applications, uint32_t client);
/* Ingress is told what is answered now. -errno, logged. */
int applications_answer(struct applications *applications);

/* Method accept: opens applications->awaiting. */
int application_offers_open(struct applications *applications, struct kern *kern);
/* Somebody has come, or gone: who waited for that goes on. */
void application_offers_settle(struct applications *applications);

/* Of struct app_server_ops. */
int application_connect(void *context, uint32_t client, uid_t user,
			const struct app_connect *request, struct app_connected *answer);
void application_cancel(void *context, uint32_t client);
int application_offer(void *context, uint32_t client, const struct app_endpoint *endpoint,
		      int parent, struct app_reply *reply);
void application_withdraw(void *context, uint32_t client, const struct app_endpoint *endpoint);

#endif
