/* What libpq gets in pipeline mode, single-row mode and with cancel requests. Usage: scenario "DSN" */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(const char *what, PGresult *res) {
  if (!res) { printf("%s: null\n", what); return; }
  ExecStatusType status = PQresultStatus(res);
  printf("%s: %s tag=%s rows=%d columns=%d", what, PQresStatus(status), PQcmdStatus(res), PQntuples(res), PQnfields(res));
  for (int i = 0; i < PQntuples(res) && i < 5; i++)
    for (int j = 0; j < PQnfields(res); j++) printf(" [%s]", PQgetisnull(res, i, j) ? "null" : PQgetvalue(res, i, j));
  if (status == PGRES_FATAL_ERROR)
    printf(" %s %s detail=%s position=%s %s", PQresultErrorField(res, PG_DIAG_SQLSTATE), PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY),
           PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL) ? PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL) : "-",
           PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION) ? PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION) : "-",
           PQresultErrorField(res, PG_DIAG_SOURCE_FUNCTION) ? PQresultErrorField(res, PG_DIAG_SOURCE_FUNCTION) : "-");
  printf("\n");
  PQclear(res);
}

/* Results up to so many syncs. */
static void drain(PGconn *conn, const char *what, int syncs) {
  while (syncs > 0) {
    PGresult *res = PQgetResult(conn);
    if (!res) { printf("%s: end of one\n", what); continue; }
    ExecStatusType status = PQresultStatus(res);
    say(what, res);
    if (status == PGRES_PIPELINE_SYNC) syncs--;
    if (PQstatus(conn) == CONNECTION_BAD) { printf("%s: connection gone\n", what); return; }
  }
}

static void notice(void *arg, const PGresult *res) {
  (void)arg;
  printf("notice: %s %s\n", PQresultErrorField(res, PG_DIAG_SQLSTATE), PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  PGconn *conn = PQconnectdb(argv[1]);
  if (PQstatus(conn) != CONNECTION_OK) { printf("connect: %s", PQerrorMessage(conn)); return 1; }
  PQsetNoticeReceiver(conn, notice, NULL);
  printf("server %d protocol %d encoding %s\n", PQserverVersion(conn), PQprotocolVersion(conn), PQparameterStatus(conn, "client_encoding"));
  say("exec", PQexec(conn, "SELECT 1, 'x', NULL"));
  say("several", PQexec(conn, "SELECT 1; SELECT 2; SELECT 1/0; SELECT 3"));
  const char *values[2] = {"41", "x"};
  say("params", PQexecParams(conn, "SELECT $1::int + 1, $2", 2, NULL, values, NULL, NULL, 0));
  say("prepare", PQprepare(conn, "p", "SELECT n FROM numbers WHERE n < $1 ORDER BY n", 0, NULL));
  PGresult *described = PQdescribePrepared(conn, "p");
  printf("describe: %d parameters, type %u, %d columns\n", PQnparams(described), PQparamtype(described, 0), PQnfields(described));
  PQclear(described);
  const char *four[1] = {"4"};
  say("prepared", PQexecPrepared(conn, "p", 1, four, NULL, NULL, 0));
  say("binary", PQexecParams(conn, "SELECT 'text'::text", 0, NULL, NULL, NULL, NULL, 1));

  PQenterPipelineMode(conn);
  for (int i = 0; i < 200; i++) {
    char text[32];
    snprintf(text, sizeof text, "%d", i);
    const char *one[1] = {text};
    PQsendQueryParams(conn, i % 50 == 20 ? "SELECT 1/$1::int * 0 / 0" : "SELECT $1::int", 1, NULL, one, NULL, NULL, 0);
    if (i % 10 == 9) PQpipelineSync(conn);
  }
  drain(conn, "pipeline", 20);
  PQsendPrepare(conn, "q", "SELECT nowhere", 0, NULL);
  PQsendQueryPrepared(conn, "q", 0, NULL, NULL, NULL, 0);
  PQpipelineSync(conn);
  PQsendPrepare(conn, "q", "SELECT 5", 0, NULL);
  PQsendQueryPrepared(conn, "q", 0, NULL, NULL, NULL, 0);
  PQsendDescribePrepared(conn, "q");
  PQpipelineSync(conn);
  drain(conn, "prepare in a pipeline", 2);
  PQsendQueryParams(conn, "SELECT 7", 0, NULL, NULL, NULL, NULL, 0);
  PQsendFlushRequest(conn);
  PQflush(conn);
  say("flushed", PQgetResult(conn));
  PQgetResult(conn);
  PQpipelineSync(conn);
  drain(conn, "the rest", 1);
  PQexitPipelineMode(conn);

  PQsendQuery(conn, "SELECT n FROM numbers ORDER BY n LIMIT 100");
  PQsetSingleRowMode(conn);
  int rows = 0;
  for (PGresult *res; (res = PQgetResult(conn));) { if (PQresultStatus(res) == PGRES_SINGLE_TUPLE) rows++; else printf("single rows: %s\n", PQresStatus(PQresultStatus(res))); PQclear(res); }
  printf("single rows: %d\n", rows);

  PQsendQuery(conn, "SELECT pg_sleep(20)");
  char error[256];
  PGcancel *cancel = PQgetCancel(conn);
  printf("cancel: %d\n", PQcancel(cancel, error, sizeof error));
  PQfreeCancel(cancel);
  for (PGresult *res; (res = PQgetResult(conn));) say("cancelled", res);
  say("notices", PQexec(conn, "SELECT notices(2)"));
  say("listen", PQexec(conn, "LISTEN news"));
  say("notify", PQexec(conn, "NOTIFY news, 'hello'"));
  PGnotify *heard = PQnotifies(conn);
  printf("heard: %s %s %s\n", heard ? heard->relname : "-", heard ? heard->extra : "-", heard && heard->be_pid == PQbackendPID(conn) ? "self" : "other");
  if (heard) PQfreemem(heard);
  say("terminated", PQexec(conn, "SELECT pg_terminate_backend(pg_backend_pid())"));
  printf("status: %s\n", PQstatus(conn) == CONNECTION_BAD ? "gone" : "there");
  PQfinish(conn);
  return 0;
}
