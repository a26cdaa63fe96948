/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libnolisten: TCP connections to ports on which nobody listens. A loader (nolisten-loader --service=socket:PATH) answers the
 * handshakes; this library asks it for ports and gives what comes of them: ordinary connected sockets. See nolisten(3).
 *
 *	struct nolisten_options options = {.path = "/run/nolisten.sock", .ports = "80,8000-8999"};
 *	struct nolisten *nolisten;
 *
 *	if (nolisten_open(&nolisten, &options) < 0)
 *		errx(1, "%s", nolisten_why());
 *	poll() nolisten_fd(nolisten) for POLLIN, then fd = nolisten_accept(nolisten, NULL)
 *
 * Threads: nolisten_accept() may be called by any number of threads at once with the same struct nolisten, the others by one
 * at a time, and nolisten_close() when no other call is running. Different ones have nothing to do with each other. What
 * was opened before fork(2) is the parent's alone: the child closes nolisten_fd() and leaves it at that, or opens its own.
 *
 * Errors are negative errno values; nothing is said on standard error, no signal is sent.
 */
#ifndef NOLISTEN_H
#define NOLISTEN_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is asked of a loader. Zero what is not set: an empty struct asks for all that the loader lets. */
struct nolisten_options {
	/* Where the loader listens for applications ("@name": in the abstract namespace); NULL: the environment's NOLISTEN_SOCKET, or else /run/nolisten.sock. */
	const char *path;
	/* TCP ports, "80,443,8000-8999", "all" or "none"; NULL: all that the loader lets. */
	const char *ports;
	/* Local addresses and prefixes, "10.0.0.2,fd00::/64"; NULL: any that the loader answers. Each port on each address. */
	const char *addresses;
	/* NOLISTEN_NONBLOCK, or 0. */
	unsigned int flags;
	unsigned int reserved[7]; /* 0 */
};

/* Sockets are in non-blocking mode (O_NONBLOCK), as with accept4(2)'s SOCK_NONBLOCK. They are close-on-exec in any case. */
#define NOLISTEN_NONBLOCK 1u

/* Who answered the SYN. */
enum nolisten_method {
	NOLISTEN_METHOD_UNKNOWN = 0,
	NOLISTEN_METHOD_XDP = 1,
	NOLISTEN_METHOD_ENGINE = 2,
	NOLISTEN_METHOD_CONNECT = 3,
	NOLISTEN_METHOD_ACCEPT = 4,
	NOLISTEN_METHOD_NFQUEUE = 5,
	NOLISTEN_METHOD_FILTER = 6,
	NOLISTEN_METHOD_RAW = 7
};

#define NOLISTEN_SYN_OPTIONS 24

/* The remote's SYN. */
struct nolisten_syn {
	uint16_t window; /* as on the wire, not scaled */
	uint16_t mss; /* bytes; 0: no such option */
	uint8_t ttl; /* IPv4 TTL or IPv6 hop limit, as it arrived */
	uint8_t wscale; /* shift count, at most 14; 255: no such option */
	uint8_t option_count; /* all of them; of more than NOLISTEN_SYN_OPTIONS the first are here */
	uint8_t options
		[NOLISTEN_SYN_OPTIONS]; /* their kinds, in order, NOP (1) and end of list (0) too */
};

union nolisten_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* What is known of a connection. IPv4 is AF_INET, also where the socket itself is one of IPv6. */
struct nolisten_connection {
	union nolisten_address local, remote;
	enum nolisten_method method;
	/*
	 * Not 0: syn is known. It is where user space answered the SYN (methods engine, connect, nfqueue, filter, raw). XDP keeps nothing of
	 * a SYN that it answers (methods xdp and accept, and auto for plain SYNs): then syn is all 0.
	 */
	int has_syn;
	struct nolisten_syn syn;
	unsigned int reserved[8]; /* 0 */
};

struct nolisten;

/*
 * Ask for connections; waits for the loader's answer, 5 s at most. options: NULL: all that the loader lets. From then on the ports
 * are answered. 0, or:
 *	-ENOENT, -ECONNREFUSED	no loader is there
 *	-EACCES			this user may not, or not these ports or addresses
 *	-EADDRINUSE		another application has one of the ports, or a kernel socket listens there
 *	-EINVAL			ports or addresses are malformed, or something reserved is set
 *	-ETIMEDOUT		the loader does not answer
 *	-EPROTO			what answered is no loader, or one of another version
 *	others			as of socket(2), connect(2), malloc(3)
 * *out is left alone then, and nolisten_why() says more.
 */
int nolisten_open(struct nolisten **out, const struct nolisten_options *options);

/* Why this thread's last call failed, in words: "port 80: another application has it, pid 12". Not nolisten_accept()'s. Never NULL. */
const char *nolisten_why(void);

/*
 * To be polled: readable (POLLIN, EPOLLIN) as long as nolisten_accept() has something to give, the loader's end included. Level-triggered
 * use needs one nolisten_accept() each time, edge-triggered use those until -EAGAIN. Nothing else is to be done with it.
 */
int nolisten_fd(const struct nolisten *nolisten);

/*
 * The next connection, without waiting: a connected socket, the caller's to close. out: what is known of it; NULL: nobody asks,
 * which may save a system call. Or:
 *	-EAGAIN			there is none now
 *	-EMFILE, -ENFILE	no descriptor is free; the connection waits
 *	-ESHUTDOWN		the loader has gone: no more will come. Sockets that were taken are good
 */
int nolisten_accept(struct nolisten *nolisten, struct nolisten_connection *out);

/*
 * Connections to this local address and port are queued at parent from now on: a TCP socket that listens, in this network namespace,
 * at another address, one that no remote can reach; an IPv4 one gets IPv4 alone. flags: NOLISTEN_V6ONLY or 0. accept4(2) takes them there: this library has no
 * part in it. 0.0.0.0: every IPv4 address; ::: every address, with NOLISTEN_V6ONLY every IPv6 one. The loader does not keep it: once it is closed nobody listens, and
 * connections are refused, within a second. Said again with another parent (those of a family at one hidden address), connections are
 * shared out. With method accept alone. Ask for the ports "none" if nothing else is wanted. 0, or:
 *	-EADDRINUSE		another application has it, or a kernel socket listens there
 *	-EINVAL			the listener is none, or not of the right kind
 *	-EACCES			the loader does not answer that
 *	-EOPNOTSUPP		the loader's method is another one
 *	-ENOSPC			too many: 64 for one address and port, 16,384 of these
 *	-ESHUTDOWN		the loader has gone
 * and nolisten_why() says more.
 */
int nolisten_offer(struct nolisten *nolisten, const struct sockaddr *local, socklen_t len,
		   int parent, unsigned int flags);
#define NOLISTEN_V6ONLY 1u
/* No longer at this parent; -1: at none. What is queued there stays. 0, also if nothing was offered. */
int nolisten_withdraw(struct nolisten *nolisten, const struct sockaddr *local, socklen_t len,
		      int parent);

/* The ports are no longer answered, what was not taken is reset. Sockets that were taken are good. NULL is legal. */
void nolisten_close(struct nolisten *nolisten);

/* Which of a struct nolisten_syn count. */
#define NOLISTEN_SYN_WINDOW 1u
#define NOLISTEN_SYN_MSS 2u
#define NOLISTEN_SYN_WSCALE 4u
#define NOLISTEN_SYN_TTL 8u
#define NOLISTEN_SYN_LAYOUT 16u /* options and option_count */

/* An active open by a loader (--service=socket:PATH,connect=yes). Zero what is not set. */
struct nolisten_connect_options {
	/* As in struct nolisten_options. */
	const char *path;
	/* Whom to connect to, and from where: family AF_UNSPEC (0): any address; port 0: any that is free. */
	union nolisten_address remote, local;
	/* NOLISTEN_NONBLOCK, or 0. */
	unsigned int flags;
	/* Give up after so many milliseconds; 0: when the last SYN has waited, after about two minutes. */
	unsigned int timeout_ms;
	/*
	 * What the SYN says in place of what the host would: NOLISTEN_SYN_WINDOW and so on, and those members of syn. Of options there may be MSS (2),
	 * window scale (3), SACK permitted (4), timestamps (8), each once, and NOP (1) and end of list (0); what is not there is not offered.
	 */
	unsigned int syn_given;
	struct nolisten_syn syn;
	unsigned int reserved[8]; /* 0 */
};

/*
 * Connects, and waits for it: a connected socket, the caller's to close. out: what is known of it, syn is the remote's
 * SYN-ACK; NULL: nobody asks. Any number of threads may call it at once. Or what connect(2) would say, and:
 *	-ECONNREFUSED, -ETIMEDOUT, -ECONNRESET, -EHOSTUNREACH, -ENETUNREACH	the remote, or the way there
 *	-EADDRINUSE		the local port is another socket's, or these two ends are connected
 *	-EADDRNOTAVAIL		the local address is none of this host's
 *	-ENOENT			no loader is there
 *	-EACCES			this user may not, or nobody (connect=yes), or not from a port below 1024
 *	-EAGAIN			the loader opens 32 connections at the moment
 *	-EMFILE, -ENFILE	no descriptor is free, here or there
 *	-ESHUTDOWN		the loader has gone
 *	-EINVAL			a family, a flag or an option that is not known
 *	-EPROTO			what answered is no loader, or one of another version
 * and nolisten_why() says more.
 */
int nolisten_connect(const struct nolisten_connect_options *options,
		     struct nolisten_connection *out);

/*
 * The same without waiting for the remote: a descriptor, to be polled for POLLIN and then given to nolisten_connect_finish(), and the
 * caller's to close(2) afterwards; before, that gives up the connection.
 */
int nolisten_connect_start(const struct nolisten_connect_options *options);
/* As nolisten_connect(), once; -EINPROGRESS: it is not over yet. */
int nolisten_connect_finish(int pending, struct nolisten_connection *out);

#ifdef __cplusplus
}
#endif

#endif
