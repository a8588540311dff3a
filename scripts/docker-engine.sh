#!/usr/bin/env bash
# A Docker engine for the test suites, on a machine that has the programs and runs no engine: started, tried, stopped.
#
#   scripts/docker-engine.sh start    uses the engine that answers; else starts one, and says what it can do
#   scripts/docker-engine.sh stop     ends the one that `start` started, and removes what the tests left in it
#
# Exit code 69: this machine (its kernel, or the sandbox around it) cannot run an engine; the words before it say why.
# Root. Its log and process id are in .cache/docker; images stay where Docker keeps them, for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."

docker=${DOCKER:-/usr/bin/docker}
home=$PWD/.cache/docker
log=$home/dockerd.log
pid_file=$home/dockerd.pid
tried=doorward-local/engine-probe
# Of BSD's sysexits: EX_UNAVAILABLE.
refused_by_machine=69

say() { echo "# $*"; }
answers() { timeout 20 "$docker" info >/dev/null 2>&1; }
own_pid() {
  local pid
  pid=$(cat "$pid_file" 2>/dev/null) || return 1
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] && echo "$pid"
}

# From the strongest to what is left: without iptables ports are still published, by a process; without a bridge there
# is the host's network alone; `vfs` copies what overlay would only lay over. 1400 fits into most tunnels.
ways=(
  "--mtu 1400"
  "--mtu 1400 --storage-driver vfs"
  "--mtu 1400 --iptables=false"
  "--mtu 1400 --iptables=false --storage-driver vfs"
  "--iptables=false --bridge=none"
  "--iptables=false --bridge=none --storage-driver vfs"
)

start() {
  local way
  mkdir -p "$home"
  : >"$log"
  if answers; then
    say "docker: an engine answers, $("$docker" version --format '{{.Server.Version}}')"
    run_a_container "$(network_of_engine)" || give_up "The engine that answers here runs no container."
    describe
    return
  fi
  for way in "${ways[@]}"; do
    if start_engine "$way" && run_a_container "$(network_of "$way")"; then
      describe "$way"
      return
    fi
    end_engine
  done
  give_up "No Docker engine runs here; tried: $(printf '"%s" ' "${ways[@]}")"
}

# One in a session of its own, so that a Ctrl-C for the tests leaves it to `stop`.
start_engine() {
  echo "=== dockerd $1" >>"$log"
  # shellcheck disable=SC2086
  setsid dockerd $1 --pidfile "$pid_file" >>"$log" 2>&1 </dev/null &
  local dockerd=$!
  for _ in $(seq 60); do
    if answers; then return; fi
    kill -0 $dockerd 2>/dev/null || return 1
    sleep 0.5
  done
  return 1
}

network_of() { case $1 in *--bridge=none*) echo host ;; *) echo bridge ;; esac }
network_of_engine() {
  if "$docker" network inspect bridge >/dev/null 2>&1; then echo bridge; else echo host; fi
}

# An image of one program that every Debian with Docker has, started with what the tests start theirs with.
run_a_container() {
  local publish=()
  if [ "$1" = bridge ]; then publish=(--publish 127.0.0.1:0:4180); fi
  {
    tar -C /usr/bin -c tini-static | timeout 60 "$docker" import -c 'ENTRYPOINT ["/tini-static"]' - $tried &&
      timeout 60 "$docker" run --rm --network "$1" "${publish[@]}" --read-only --tmpfs /tmp --cap-drop ALL \
        --security-opt no-new-privileges --memory 64m $tried --version &&
      "$docker" rmi $tried
  } >>"$log" 2>&1
}

describe() {
  say "docker: runs containers, $(timeout 20 "$docker" info --format \
    'engine {{.ServerVersion}}, storage {{.Driver}}, cgroup v{{.CgroupVersion}}')${1:+, started with $1}"
}

end_engine() {
  local pid
  pid=$(own_pid) || return 0
  kill "$pid"
  for _ in $(seq 60); do
    if ! own_pid >/dev/null; then return; fi
    sleep 0.5
  done
  say "the Docker engine, process $pid, does not end: killed"
  kill -9 "$pid"
}

stop() {
  own_pid >/dev/null || return 0
  remove_leftovers || true
  end_engine
  say "docker: the engine is stopped"
}

# Tests remove what they made; one that was killed could not, and its containers would start with the next engine.
# Everything of theirs is called doorward-test, whatever it is.
remove_leftovers() {
  local kind left
  left=$("$docker" ps --all --quiet --filter name=doorward-test)
  [ -z "$left" ] || "$docker" rm --force --volumes $left >/dev/null
  for kind in network volume; do
    left=$("$docker" $kind ls --quiet --filter name=doorward-test)
    [ -z "$left" ] || "$docker" $kind rm $left >/dev/null
  done
  left=$("$docker" images --quiet doorward-test)
  [ -z "$left" ] || "$docker" rmi --force $left >/dev/null
}

give_up() {
  cat >&2 <<WORDS
#
# $1
# The tests of the image and of compose.yaml cannot run on this machine: an engine needs a kernel and a sandbox that let
# root mount, make namespaces and cgroups, and best have overlay and iptables too. What the engine said last
# (all of it is in $log):
WORDS
  { grep -v 'level=info' "$log" || true; } | tail -n 8 | cut -c 1-400 | sed 's/^/#   /' >&2
  exit $refused_by_machine
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  *)
    echo "usage: scripts/docker-engine.sh start|stop" >&2
    exit 2
    ;;
esac
