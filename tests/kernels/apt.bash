# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Debian packages without installing them: an apt of its own in $KERNELS_DIR/apt, which knows the mirrors of the
# machine and nothing else of it. What it brings is unpacked in the build folder.
#
# Two lists of packages: "host", Debian's release that this machine has, and "newest", whose kernels are the
# newest that Debian has packaged.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# mirrors: "URI SUITE" of what this machine's apt reads main from.
mirrors()
{
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' | sort -u
}

sources_of_host()
{
	local uri suite
	while read -r uri suite; do
		echo "deb [arch=$1 signed-by=$KEYRING] $uri $suite main"
	done < <(mirrors)
}

# Of Debian's current release and its backports, from where this machine has its own release.
sources_of_newest()
{
	local uri codename
	uri=$(mirrors | awk '$2 !~ /-/ { print $1; exit }')
	[ -n "$uri" ] || return 0
	# Backports have no alias that is kept up: the release says its name itself.
	codename=$(codename_of_stable "$1" "$uri") || return
	printf "deb [arch=$1 signed-by=$KEYRING] $uri %s main\n" "$codename" "$codename-backports"
}

codename_of_stable()
{
	local dir=$KERNELS_DIR/apt/newest-$1
	echo "deb [arch=$1 signed-by=$KEYRING] $2 stable main" >"$dir/etc/sources.list"
	update "$dir" && APT_CONFIG=$dir/apt.conf apt-get indextargets --format '$(CODENAME)' | head -n 1
}

update()
{
	APT_CONFIG=$1/apt.conf apt-get update -qq --error-on=any >&2
}

# configure LIST ARCH: an apt that knows these packages, all for one architecture.
configure()
{
	local dir=$KERNELS_DIR/apt/$1-$2
	mkdir -p "$dir"/{etc/apt.conf.d,etc/preferences.d,lists/partial,cache/archives/partial} || return
	: >"$dir/status"
	cat >"$dir/apt.conf" <<-CONF
		Dir::Etc "$dir/etc";
		Dir::Etc::sourceparts "/dev/null";
		Dir::State "$dir";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		APT::Architecture "$2";
		APT::Architectures { "$2"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "2";
		Acquire::http::Timeout "30";
	CONF
	"sources_of_$1" "$2" >"$dir/sources" && mv "$dir/sources" "$dir/etc/sources.list"
}

# packages LIST ARCH COMMAND...: an apt command there; the lists are fetched once a day.
packages()
{
	local dir=$KERNELS_DIR/apt/$1-$2
	if [ -z "$(find "$dir/fetched" -mmin -1440 2>/dev/null)" ]; then
		configure "$1" "$2" || return
		[ -s "$dir/etc/sources.list" ] || { echo "apt has no source with Debian's main" >&2; return 1; }
		update "$dir" || return
		touch "$dir/fetched"
	fi
	shift 2
	APT_CONFIG=$dir/apt.conf "$@"
}

# fetch LIST ARCH [-o OPTION] PACKAGE...: these packages and all that they depend on; prints their files.
fetch()
{
	local list=$1 arch=$2 archives=$KERNELS_DIR/apt/$1-$2/cache/archives
	shift 2
	packages "$list" "$arch" apt-get install -y -qq --download-only "$@" >&2 || return
	# "Inst NAME (VERSION RELEASE [ARCH])"
	packages "$list" "$arch" apt-get install -s -qq "$@" |
		sed -n "s,^Inst \([^ ]*\) (\([^ ]*\) .*\[\(.*\)\]).*,$archives/\1_\2_\3.deb,p" | sed 's/:/%3a/'
}

# fetch_missing PACKAGE...: the same, without what this machine has installed.
fetch_missing()
{
	fetch host "$NATIVE" -o Dir::State::status=/var/lib/dpkg/status "$@"
}

# download LIST ARCH PACKAGE...: these packages alone; prints their files.
download()
{
	local list=$1 arch=$2 archives=$KERNELS_DIR/apt/$1-$2/cache/archives
	shift 2
	(cd "$archives" && packages "$list" "$arch" apt-get download -qq "$@" >&2) || return
	packages "$list" "$arch" apt-get download -qq --print-uris "$@" | awk -v dir="$archives" '{ print dir "/" $2 }'
}

# unpack DIR FILE...: those packages, and nothing else, without what only people read; quick if they are there already.
unpack()
{
	local dir=$1 file
	shift
	[ "$(cat "$dir/.packages" 2>/dev/null)" != "$*" ] || return 0
	rm -rf "$dir"
	# As Debian has it: everything is in /usr.
	mkdir -p "$dir"/usr/{bin,sbin,lib} || return
	ln -s usr/bin usr/sbin usr/lib "$dir"
	for file in "$@"; do
		dpkg-deb --fsys-tarfile "$file" | tar -x --keep-directory-symlink -C "$dir" \
			--exclude=./usr/share/{doc,man,info,locale,lintian,i18n} || return
	done
	echo "$*" >"$dir/.packages"
}
