#!/usr/bin/env bash
# A real WordPress on loopback, in a folder of its own, with the embeds of a
# small non-profit on its pages. Nothing outside the folder is changed.
#
#   wordpress.sh setup DIR        build it (a minute); does nothing where it exists
#   wordpress.sh start DIR [PORT] run MariaDB and PHP; prints the address
#   wordpress.sh stop DIR         stop both
#
# Needs Debian's packages wordpress, wordpress-theme-twentytwentyone,
# mariadb-server, php-cli and php-mysql; as root, setup installs what is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=(wordpress wordpress-theme-twentytwentyone mariadb-server php-cli php-mysql php-gd php-xml php-mbstring)

die() { echo "wordpress.sh: $*" >&2; exit 1; }

usage() { sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

[ $# -ge 2 ] || usage
command=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
port=${3:-8090}
socket=$dir/mariadb/socket

install_packages() {
  local missing=() p
  for p in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || die "install these packages first: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$dir/apt.log" 2>&1 ||
    die "apt-get failed; see $dir/apt.log"
}

# MariaDB refuses to run as root unless told to.
as_root() { [ "$(id -u)" = 0 ] && echo --user=root || true; }

start_mariadb() {
  mariadb --socket="$socket" -uroot -e 'select 1' >/dev/null 2>&1 && return
  mariadbd --no-defaults $(as_root) --datadir="$dir/mariadb/data" --socket="$socket" \
    --pid-file="$dir/mariadb/pid" --skip-networking --innodb-flush-log-at-trx-commit=0 \
    >"$dir/mariadb/log" 2>&1 </dev/null &
  wait_for "MariaDB (see $dir/mariadb/log)" mariadb --socket="$socket" -uroot -e 'select 1'
}

start_php() {
  # The site answers under whatever host it is asked for, so that the same
  # pages work directly and behind the gateway.
  PHP_CLI_SERVER_WORKERS=6 php -d opcache.enable_cli=1 -d session.save_path="$dir" \
    -S "127.0.0.1:$port" -t "$dir/site" "$here/router.php" >"$dir/php.log" 2>&1 </dev/null &
  echo $! >"$dir/php.pid"
  wait_for "PHP (see $dir/php.log)" php -r "exit(@fsockopen('127.0.0.1', $port) ? 0 : 1);"
}

wait_for() {
  local what=$1 i
  shift
  for i in $(seq 150); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  die "$what did not start within 30 seconds"
}

setup() {
  [ -e "$dir/ready" ] && return
  install_packages
  rm -rf "$dir/site" "$dir/mariadb"
  mkdir -p "$dir/mariadb"
  cp -rL /usr/share/wordpress "$dir/site"
  cp -rL /var/lib/wordpress/wp-content/. "$dir/site/wp-content/"
  cp "$here/wp-config.php" "$dir/site/wp-config.php"
  mkdir -p "$dir/site/wp-content/mu-plugins"
  cp "$here"/mu-plugins/*.php "$dir/site/wp-content/mu-plugins/"
  mariadb-install-db --no-defaults $(as_root) --datadir="$dir/mariadb/data" --auth-root-authentication-method=normal \
    >"$dir/mariadb/install.log" 2>&1 || die "see $dir/mariadb/install.log"
  start_mariadb
  mariadb --socket="$socket" -uroot -e 'create database if not exists wordpress character set utf8mb4'
  WORDPRESS_SOCKET=$socket php -d memory_limit=512M "$here/seed.php" "$dir/site" || die "seeding failed"
  touch "$dir/ready"
}

stop() {
  local f
  if [ -s "$dir/php.pid" ]; then pkill -P "$(cat "$dir/php.pid")" 2>/dev/null || true; fi
  for f in "$dir/php.pid" "$dir/mariadb/pid"; do
    if [ -s "$f" ]; then kill "$(cat "$f")" 2>/dev/null || true; fi
  done
  rm -f "$dir/php.pid"
}

case $command in
  setup) setup ;;
  start)
    setup
    start_mariadb
    export WORDPRESS_SOCKET=$socket
    start_php
    echo "http://127.0.0.1:$port"
    ;;
  stop) stop ;;
  *) usage ;;
esac
