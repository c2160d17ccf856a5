#!/bin/sh
# Gets the clients of test:clients that are not there: Python drivers in a venv and the JDBC driver, into .cache/ of the checkout.
# The rest comes from the system: psql, python3, java and mvn; gcc and libpq-dev for the C program.
set -eu
cd "$(dirname "$0")/../.."
cache=.cache/conformance
mkdir -p "$cache"
[ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
"$cache/venv/bin/pip" install -q --disable-pip-version-check 'psycopg[binary]==3.3.*' 'asyncpg==0.32.*' 'SQLAlchemy==2.1.*'
mvn -q -B dependency:copy -Dartifact=org.postgresql:postgresql:42.7.8 "-DoutputDirectory=$PWD/$cache" -Dmdep.stripVersion=true
ls "$cache/postgresql.jar" "$cache/venv/bin/python"
