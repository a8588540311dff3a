#!/usr/bin/env bash
# Makes stand-ins for public images on a Debian machine that reaches package registries and no image registry:
#   doorward-local/node:24          from Debian, the `node` package of node_modules, and npm
#   doorward-local/keycloak:26.7.0  from Debian's Java and .cache/keycloak (scripts/install-real-parts.sh keycloak)
#   doorward-local/redis:7          from Debian
#   doorward-local/nginx:1          from Debian
# Root, debootstrap and a Docker daemon. What is there stays. Usage: test/container/local-images.sh [NAME ...]
set -euo pipefail
cd "$(dirname "$0")/../.."

docker=${DOCKER:-/usr/bin/docker}
export DOCKER_BUILDKIT=1
keycloak_version=${DOORWARD_KEYCLOAK:-26.7.0}
debian=doorward-local/debian:bookworm

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

say() { echo "# $*"; }
have() { "$docker" image inspect "$1" >/dev/null 2>&1; }
# By the network of the host: an engine without a bridge, or without NAT, builds as well.
build() { timeout 900 "$docker" build --network host -q -t "$@" >/dev/null; }

# A network that signs TLS itself is believed inside these images too, and nowhere else.
add_own_ca() {
  local root=$1
  if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then cp "$NODE_EXTRA_CA_CERTS" "$root/etc/ssl/certs/ca-certificates.crt"; fi
}

make_debian() {
  have $debian && return
  say "$debian: a minute or two"
  timeout 900 debootstrap --variant=minbase --include=ca-certificates,libatomic1 bookworm "$scratch/debian" >"$scratch/log" 2>&1 ||
    { tail -n 5 "$scratch/log" >&2; exit 1; }
  rm -rf "$scratch/debian/var/cache/apt/archives"/*.deb "$scratch/debian/var/lib/apt/lists"/*
  add_own_ca "$scratch/debian"
  tar -C "$scratch/debian" -c . | "$docker" import -c 'CMD ["bash"]' - $debian >/dev/null
  rm -rf "$scratch/debian"
}

make_node() {
  have doorward-local/node:24 && return
  make_debian
  say doorward-local/node:24
  [ -x node_modules/node/bin/node ] || node scripts/install.cjs
  mkdir -p "$scratch/node/lib"
  cp node_modules/node/bin/node "$scratch/node/node"
  (cd "$scratch/node" && npm pack --silent npm@11 >/dev/null && tar -xzf npm-11.*.tgz && mv package lib/npm)
  build doorward-local/node:24 -f - "$scratch/node" <<DOCKERFILE
FROM $debian
COPY node /usr/local/bin/node
COPY lib /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && chmod +x /usr/local/lib/node_modules/npm/bin/*.js \\
 && useradd --uid 1000 --create-home node
${NODE_EXTRA_CA_CERTS:+ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt}
CMD ["node"]
DOCKERFILE
}

# As the public one: the same entry point, folders and user, and a database in a file.
make_keycloak() {
  local image=doorward-local/keycloak:$keycloak_version
  have "$image" && return
  make_debian
  say "$image"
  build "$image" -f - ".cache/keycloak/$keycloak_version" <<DOCKERFILE
FROM $debian
RUN mkdir -p /usr/share/man/man1 && apt-get update -qq \\
 && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless >/dev/null && rm -rf /var/lib/apt/lists/*
COPY --chown=1000:0 . /opt/keycloak
RUN rm -rf /opt/keycloak/data && mkdir -p /opt/keycloak/data && chown 1000:0 /opt/keycloak /opt/keycloak/data
ENV KC_RUN_IN_CONTAINER=true
USER 1000
ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]
DOCKERFILE
}

# Usage: make_server IMAGE PACKAGE COMMAND...
make_server() {
  local image=$1 package=$2
  shift 2
  have "$image" && return
  make_debian
  say "$image"
  build "$image" - <<DOCKERFILE
FROM $debian
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends $package >/dev/null && rm -rf /var/lib/apt/lists/*
CMD [$(printf '"%s",' "$@" | sed 's/,$//')]
DOCKERFILE
}

if [ $# -eq 0 ]; then set -- node keycloak redis nginx; fi
for name in "$@"; do
  case $name in
    node) make_node ;;
    keycloak) make_keycloak ;;
    redis) make_server doorward-local/redis:7 redis-server redis-server ;;
    nginx) make_server doorward-local/nginx:1 nginx nginx -g 'daemon off;' ;;
    *)
      echo "unknown image: $name; there are node keycloak redis nginx" >&2
      exit 2
      ;;
  esac
done
