#!/usr/bin/env bash
# Puts the real parts of the test suites on a bare Debian machine, as root: Chromium, Keycloak, Redis.
# Safe to run twice; what is there stays. Usage: scripts/install-real-parts.sh [chromium|keycloak|redis ...], default all.
set -euo pipefail
cd "$(dirname "$0")/.."

keycloak_version=${KEYCLOAK_VERSION:-26.7.0}

say() { echo "# $*"; }

apt_updated=
apt_install() {
  if [ -z "$apt_updated" ]; then
    apt-get update -qq
    apt_updated=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_chromium() {
  if ! command -v chromium >/dev/null; then
    say "installing chromium"
    apt_install chromium
  fi
  say "chromium: $(chromium --version --no-sandbox 2>/dev/null | head -n 1)"
}

# Keycloak runs on a Java of its own age: 17 is what Debian 12 has, and the oldest that 26 accepts.
install_java() {
  local found
  found=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' || true)
  if [ "${found:-0}" -lt 17 ]; then
    say "installing openjdk-17-jre-headless"
    # A slim image has no manual pages, and the package's setup wants their folder.
    mkdir -p /usr/share/man/man1
    apt_install openjdk-17-jre-headless
  fi
}

# From Maven Central by its coordinates; the archive is unpacked beside its place and moved there whole.
install_keycloak() {
  local home=.cache/keycloak/$keycloak_version
  local unpacked=.cache/keycloak/unpacked-$keycloak_version
  install_java
  if [ ! -x "$home/bin/kc.sh" ]; then
    if ! command -v mvn >/dev/null; then
      say "installing maven"
      apt_install maven
    fi
    say "fetching keycloak $keycloak_version"
    rm -rf "$unpacked" "$home"
    mkdir -p "$unpacked"
    mvn -q -B -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack \
      "-Dartifact=org.keycloak:keycloak-quarkus-dist:$keycloak_version:zip" "-DoutputDirectory=$PWD/$unpacked"
    mv "$unpacked/keycloak-$keycloak_version" "$home"
    rm -rf "$unpacked"
  fi
  say "keycloak: $(head -n 1 "$home/version.txt"), $(java -version 2>&1 | head -n 1)"
}

# Tests start servers of their own; the service of the package is not used.
install_redis() {
  if ! command -v redis-server >/dev/null; then
    say "installing redis-server"
    apt_install redis-server
  fi
  say "redis: $(redis-server --version)"
}

if [ $# -eq 0 ]; then set -- chromium keycloak redis; fi
for part in "$@"; do
  case $part in
    chromium | keycloak | redis) "install_$part" ;;
    *)
      echo "unknown part: $part; there are chromium, keycloak, redis" >&2
      exit 2
      ;;
  esac
done
