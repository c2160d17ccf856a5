#!/usr/bin/env bash
# Fetches the broker's jars with mvn into deploy/kafka/libs, or $SALLYPORT_KAFKA_LIBS. Does nothing when they are there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
libs=${SALLYPORT_KAFKA_LIBS:-$here/libs}
version=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$here/pom.xml")
for program in java mvn; do
  command -v "$program" >/dev/null || { echo "install.sh needs $program" >&2; exit 1; }
done
if [ -f "$libs/kafka_2.13-$version.jar" ]; then
  echo "Apache Kafka $version is in $libs"
  exit 0
fi
mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs"
[ -f "$libs/kafka_2.13-$version.jar" ] || { echo "mvn fetched no kafka_2.13-$version.jar" >&2; exit 1; }
echo "Apache Kafka $version is in $libs"
