#!/bin/sh
# Another Docker engine on this machine, as if it ran on another: in a network namespace of its own, with its own
# storage. For trying out clusters that are spread over engines. Needs root, dockerd and ip.
#
#   second-engine.sh up [NUMBER [OPTION...]]   starts engine NUMBER (2 to 60, default 2) with these options of dockerd;
#                                              prints its address for --docker-host, and its socket
#   second-engine.sh down [NUMBER]             ends it and removes everything of it
#
# STORAGE_MB bounds what it can store.
set -eu
action=${1:-}
number=${2:-2}
name=splitbrain-engine$number
here=198.19.255.$((number * 4 + 1))
there=198.19.255.$((number * 4 + 2))
state=/run/$name
storage=/var/lib/$name

case "$action" in
up)
  shift $(($# > 2 ? 2 : $#))
  mkdir -p "$state" "$storage"
  [ -z "${STORAGE_MB:-}" ] || mount -t tmpfs -o "size=${STORAGE_MB}m" none "$storage"
  ip netns add "$name"
  ip link add "sb-engine$number" type veth peer name eth0 netns "$name"
  ip addr add "$here/30" dev "sb-engine$number"
  ip link set "sb-engine$number" up
  ip -n "$name" addr add "$there/30" dev eth0
  ip -n "$name" link set eth0 up
  ip -n "$name" link set lo up
  ip -n "$name" route add default via "$here"
  # Mounts of its own: /sys must show the new network namespace, with the machine's control groups put back into it.
  # They are private, so that removing the folders of this engine can never reach the machine's own.
  engine="mount --rbind /sys/fs/cgroup /mnt && mount -t sysfs sysfs /sys && mount --rbind /mnt /sys/fs/cgroup && exec dockerd \
    --data-root $storage --exec-root $state/exec --pidfile $state/pid --bip 198.19.$((number + 190)).1/24 \
    --host tcp://$there:2375 --host unix://$state/docker.sock --tls=false $*"
  setsid unshare --mount --propagation private nsenter --net="/run/netns/$name" sh -c "$engine" >"$state/log" 2>&1 &
  tries=0
  until DOCKER_HOST="unix://$state/docker.sock" docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { tail -5 "$state/log" >&2; exit 1; }
    sleep 0.2
  done
  echo "tcp://$there:2375"
  echo "unix://$state/docker.sock"
  ;;
down)
  pid=$(cat "$state/pid" 2>/dev/null || echo)
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    while [ -d "/proc/$pid" ]; do sleep 0.1; done
  fi
  ip link del "sb-engine$number" 2>/dev/null || true
  ip netns del "$name" 2>/dev/null || true
  umount "$storage" 2>/dev/null || true
  rm -rf "$storage" "$state"
  ;;
*)
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 254
  ;;
esac
