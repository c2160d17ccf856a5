"""What asyncpg gets (its own protocol code, all binary), as JSON lines. Usage: scenario.py DSN"""
import asyncio, io, json, sys
import asyncpg


def say(what, value):
    print(json.dumps([what, value], default=repr, ensure_ascii=False), flush=True)


def error_of(error):
    names = ("severity", "sqlstate", "message", "detail", "hint", "position", "context", "schema_name", "table_name", "column_name",
             "data_type_name", "constraint_name", "server_source_filename", "server_source_line", "server_source_function")
    return {"type": type(error).__name__, "text": str(error), **{n: getattr(error, n, None) for n in names}}


async def attempt(what, work):
    try:
        value = await work
        say(what, [dict(r) for r in value] if isinstance(value, list) else value)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncio.TimeoutError, ConnectionError) as error:
        say(what, error_of(error))


async def main():
    conn = await asyncpg.connect(sys.argv[1])
    conn.add_log_listener(lambda _, message: say("log", error_of(message)))
    await attempt("one", conn.fetch("SELECT 1 AS a, $1::text AS b", "x"))
    await attempt("people", conn.fetch("SELECT id, name, mood, born, salary, tags, notes FROM people ORDER BY id"))
    await attempt("types", conn.fetch("SELECT ARRAY[1,2], int4range(1, 5), now() IS NULL, '1 day'::interval, 'NaN'::numeric, '::1'::inet, (1, 2, 'x')::point3"))
    for query in ("SELECT nowhere", "SELEC", "SELECT 1/0", "INSERT INTO people VALUES (1, 'again')", "SELECT fails('22012', 'as if')"):
        await attempt(query, conn.fetch(query))
    await attempt("bad parameter", conn.fetch("SELECT $1::int", "x"))
    await attempt("script", conn.execute("SELECT 1; SELECT 2; SELECT 1/0"))
    await attempt("notices", conn.execute("SELECT notices(2)"))
    statement = await conn.prepare("SELECT n FROM numbers WHERE n < $1 ORDER BY n")
    say("attributes", [[a.name, a.type.name] for a in statement.get_attributes()])
    await attempt("prepared", statement.fetch(4))
    await attempt("executemany", conn.executemany("INSERT INTO counted (n, unique_n) VALUES ($1, $2)", [(1, i) for i in range(100)]))
    await attempt("executemany fails", conn.executemany("INSERT INTO counted (n, unique_n) VALUES ($1, $2)", [(1, i) for i in range(95, 200)]))
    await attempt("count", conn.fetchval("SELECT count(*) FROM counted"))
    await attempt("fetchmany", conn.execute("DELETE FROM counted"))
    tr = conn.transaction()
    await tr.start()
    async for record in conn.cursor("SELECT n FROM numbers ORDER BY n LIMIT 120", prefetch=50):
        last = record["n"]
    say("cursor", last)
    try:
        async with conn.transaction():
            await conn.execute("INSERT INTO counted (n) VALUES (-1)")
    except asyncpg.PostgresError as error:
        say("savepoint", error_of(error))
    await attempt("after", conn.fetchval("SELECT 1"))
    await tr.rollback()
    await conn.execute("CREATE TEMP TABLE c (id int, v text)")
    await attempt("copy records", conn.copy_records_to_table("c", records=[(i, "v") for i in range(500)]))
    await attempt("copy in", conn.copy_to_table("c", source=io.BytesIO(b"1\tx\n2\ty\n")))
    await attempt("copy in fails", conn.copy_to_table("c", source=io.BytesIO(b"bad\n")))
    out = io.BytesIO()
    await attempt("copy out", conn.copy_from_query("SELECT * FROM c ORDER BY id, v LIMIT 5", output=out))
    say("copied", out.getvalue().decode())
    heard = asyncio.Event()
    await conn.add_listener("news", lambda c, pid, channel, payload: (say("heard", [channel, payload, pid == c.get_server_pid()]), heard.set()))
    await conn.execute("NOTIFY news, 'hello'")
    await asyncio.wait_for(heard.wait(), 5)
    await attempt("timeout", conn.fetch("SELECT pg_sleep(20)", timeout=0.5))
    await attempt("after the timeout", conn.fetchval("SELECT 1"))
    await conn.reset()
    settings = conn.get_settings()
    say("settings", [settings.server_encoding, settings.client_encoding, settings.TimeZone, settings.is_superuser, list(conn.get_server_version())[:2]])
    await attempt("codec", conn.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"))
    await attempt("json", conn.fetchval("SELECT '{\"a\": [1]}'::json"))
    await attempt("pid", conn.fetchval("SELECT pg_backend_pid() = $1", conn.get_server_pid()))
    await attempt("terminated", conn.execute("SELECT pg_terminate_backend(pg_backend_pid())"))
    say("closed", conn.is_closed())

    pool = await asyncpg.create_pool(sys.argv[1], min_size=2, max_size=4)
    values = await asyncio.gather(*(pool.fetchval("SELECT $1::int", i) for i in range(40)))
    say("pool", values)
    await pool.close()


asyncio.run(main())
