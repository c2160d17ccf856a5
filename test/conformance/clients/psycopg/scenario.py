"""What psycopg 3 gets (libpq with pipelines, server-side cursors, COPY, binary), as JSON lines. Usage: scenario.py DSN"""
import datetime, decimal, json, logging, sys, threading
import psycopg
from psycopg import sql
from psycopg.rows import dict_row


def say(what, value):
    print(json.dumps([what, value], default=repr, ensure_ascii=False), flush=True)


def error_of(error):
    diag = getattr(error, "diag", None)
    names = ("severity", "sqlstate", "message_primary", "message_detail", "message_hint", "statement_position", "context", "schema_name",
             "table_name", "column_name", "datatype_name", "constraint_name", "source_file", "source_line", "source_function")
    return {"type": type(error).__name__, **({name: getattr(diag, name) for name in names} if diag else {})}


def attempt(what, work):
    try:
        say(what, work())
    except psycopg.Error as error:
        say(what, error_of(error))


# When a pipeline that failed is left, it warns or not by how the answers were cut into packets.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)
dsn = sys.argv[1]
conn = psycopg.connect(dsn, autocommit=True)
conn.add_notice_handler(lambda diag: say("notice", [diag.severity, diag.sqlstate, diag.message_primary, diag.message_detail, diag.message_hint]))


def rows(query, params=None, **kw):
    def work():
        cur = conn.execute(query, params, **kw)
        return {"status": cur.statusmessage, "columns": [(c.name, c.type_code if c.type_code < 16384 else "own", c.internal_size) for c in cur.description or []],
                "rows": cur.fetchall() if cur.description else None}
    attempt(query, work)


rows("SELECT 1, 'two', NULL, 4.5::numeric, true")
rows("SELECT * FROM people ORDER BY id")
rows("SELECT %s::int + 1, %s::text, %s::jsonb", (41, "☂", "{}"))
rows("SELECT %s::int", ("x",))
rows("SELECT nowhere")
rows("SELEC")
rows("SELECT 1; SELECT 2")
rows("SELECT %s, %s", (datetime.date(2024, 2, 29), decimal.Decimal("1.50")), binary=True)
rows("SELECT ARRAY[1,2,NULL], int4range(1,5), '{\"a\":1}'::jsonb, now() IS NOT NULL", binary=True)
for _ in range(8):
    rows("SELECT n FROM numbers WHERE n < %s ORDER BY n", (3,))
rows("SELECT n FROM numbers WHERE n = %s", (5,), prepare=True)
rows("INSERT INTO people VALUES (1, 'again')")
rows("SELECT notices(2)")
rows("SELECT fails('22012', 'as if')")


def transaction():
    with conn.transaction():
        conn.execute("INSERT INTO counted (n, unique_n) VALUES (1, 1)")
        try:
            with conn.transaction():
                conn.execute("INSERT INTO counted (n, unique_n) VALUES (1, 1)")
        except psycopg.errors.UniqueViolation as error:
            say("inner", error_of(error))
        say("outer", conn.execute("SELECT n, unique_n FROM counted").fetchall())
        raise psycopg.Rollback()


attempt("transaction", transaction)


def pipeline():
    with conn.pipeline() as p:
        cursors = [conn.execute("SELECT %s::int", (i,)) for i in range(20)]
        p.sync()
        return [c.fetchone() for c in cursors]


def failing_pipeline():
    # Where in the block the error is raised depends on how the answers were cut into packets; which one it is does not.
    with conn.pipeline():
        for query in ("SELECT 1", "SELECT 1/0", "SELECT 3"):
            conn.execute(query)


def many():
    with conn.cursor() as cur:
        cur.executemany("INSERT INTO counted (n, unique_n) VALUES (%s, %s) RETURNING unique_n", [(1, i) for i in range(100)], returning=True)
        out = []
        while True:
            out.append(cur.fetchone())
            if not cur.nextset():
                return out


attempt("pipeline", pipeline)
attempt("failing pipeline", failing_pipeline)
attempt("executemany", many)
attempt("executemany fails", many)
rows("DELETE FROM counted")


def named_cursor():
    with conn.transaction():
        with conn.cursor("named", scrollable=True, row_factory=dict_row) as cur:
            cur.execute("SELECT n, square FROM numbers ORDER BY n")
            first = cur.fetchmany(3)
            cur.scroll(10)
            return [first, cur.fetchone(), cur.rownumber]


attempt("server-side cursor", named_cursor)


def copying():
    conn.execute("CREATE TEMP TABLE c (id int, v text)")
    with conn.cursor() as cur:
        with cur.copy("COPY c FROM STDIN") as copy:
            for i in range(1000):
                copy.write_row((i, "v☂" * (i % 5)))
        with cur.copy("COPY c (id, v) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            copy.write_row((5000, "binary"))
        with cur.copy("COPY (SELECT * FROM c ORDER BY id DESC LIMIT 5) TO STDOUT") as copy:
            return list(copy.rows())


def copy_error():
    with conn.cursor() as cur:
        with cur.copy("COPY c FROM STDIN") as copy:
            copy.write("bad\tx\n")


def copy_given_up():
    with conn.cursor() as cur:
        with cur.copy("COPY c FROM STDIN") as copy:
            copy.write_row((1, "x"))
            raise ValueError("given up")


attempt("copy", copying)
attempt("copy error", copy_error)
try:
    copy_given_up()
except ValueError:
    rows("SELECT count(*) FROM c")


def stream():
    with conn.cursor() as cur:
        return sum(row[0] for row in cur.stream("SELECT i FROM generate_series(1, 20000) i"))


attempt("stream", stream)


def cancelled():
    timer = threading.Timer(0.5, conn.cancel_safe)
    timer.start()
    try:
        conn.execute("SELECT pg_sleep(20)")
    finally:
        timer.join()


attempt("cancel", cancelled)


def notifications():
    conn.execute("LISTEN news")
    conn.execute("NOTIFY news, 'hello'")
    return [(n.channel, n.payload, n.pid == conn.info.backend_pid) for n in conn.notifies(timeout=5, stop_after=1)]


attempt("notify", notifications)
say("info", [conn.info.server_version, conn.info.encoding, conn.info.parameter_status("server_encoding"), conn.info.transaction_status.name,
             conn.execute("SELECT pg_backend_pid()").fetchone()[0] == conn.info.backend_pid])
rows(sql.SQL("SELECT {} FROM {}").format(sql.Identifier("name"), sql.Identifier("people")).as_string(conn) + " ORDER BY 1")
attempt("terminated", lambda: conn.execute("SELECT pg_terminate_backend(pg_backend_pid())").fetchall())
say("closed", conn.closed)
attempt("bad database", lambda: psycopg.connect(dsn, options="-c nowhere=1").close())

two = psycopg.connect(dsn)
two.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
xid = two.xid(1, "gtrid", "bqual")
two.rollback()
attempt("two-phase", lambda: (two.tpc_begin(xid), two.execute("SELECT 1"), two.tpc_prepare()))
two.close()
