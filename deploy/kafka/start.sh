#!/usr/bin/env bash
# Starts one KRaft broker on loopback, waits until it serves, prints its process id and leaves it in $DATA/broker.pid.
#   PORT   clients (19092)          CPORT  controller (PORT + 1)        DATA  its directory (deploy/kafka/data)
#   HEAP   of the JVM (256m)        EXTRA  lines of server.properties that win over the template, "\n" between them
# Stop it with: kill "$(cat DATA/broker.pid)"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
libs=${SALLYPORT_KAFKA_LIBS:-$here/libs}
port=${PORT:-19092} cport=${CPORT:-$((${PORT:-19092} + 1))} data=${DATA:-$here/data} heap=${HEAP:-256m}
[ -d "$libs" ] || { echo "there are no jars in $libs: run deploy/kafka/install.sh" >&2; exit 1; }
mkdir -p "$data"

# A process id that another process got later is not ours.
ours() { [ -n "${1:-}" ] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q "kafka.Kafka $data/server.properties"; }
if ours "$(cat "$data/broker.pid" 2>/dev/null || true)"; then
  echo "already up: $(cat "$data/broker.pid")"
  exit 0
fi

sed "s#@PORT@#$port#g; s#@CPORT@#$cport#g; s#@DATA@#$data/log#g" "$here/server.properties.in" >"$data/server.properties"
printf '%b\n' "${EXTRA:-}" >>"$data/server.properties"
jvm=(java -XX:+UseSerialGC "-Xms$heap" "-Xmx$heap" "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$libs/*")
if [ ! -f "$data/log/meta.properties" ]; then
  id=$("${jvm[@]}" kafka.tools.StorageTool random-uuid)
  "${jvm[@]}" kafka.tools.StorageTool format -t "$id" -c "$data/server.properties" >"$data/format.log" 2>&1 || { cat "$data/format.log" >&2; exit 1; }
fi
setsid "${jvm[@]}" kafka.Kafka "$data/server.properties" >"$data/broker.log" 2>&1 </dev/null &
pid=$!
echo "$pid" >"$data/broker.pid"
for _ in $(seq 600); do
  if grep -q 'Kafka Server started' "$data/broker.log"; then
    echo "$pid"
    exit 0
  fi
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
tail -40 "$data/broker.log" >&2
kill "$pid" 2>/dev/null || true
echo "the broker did not start; $data/broker.log says more" >&2
exit 1
