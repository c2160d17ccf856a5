import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** What the JDBC driver gets, as lines. Usage: java -cp postgresql.jar Scenario.java URL USER PASSWORD */
public class Scenario {
  interface Work { Object run() throws Exception; }

  static void say(String what, Object value) { System.out.println(what + "\t" + String.valueOf(value).replace("\n", "\\n")); }

  static void attempt(String what, Work work) {
    try {
      say(what, work.run());
    } catch (BatchUpdateException e) {
      say(what, "batch " + Arrays.toString(e.getUpdateCounts()) + " " + e.getSQLState() + " " + e.getMessage());
    } catch (PSQLException e) {
      ServerErrorMessage m = e.getServerErrorMessage();
      say(what, e.getSQLState() + " | " + e.getMessage() + (m == null ? "" : " | " + m.getDetail() + " | " + m.getHint() + " | " + m.getPosition() + " | " + m.getConstraint() + " | " + m.getFile() + ":" + m.getLine()));
    } catch (Exception e) {
      say(what, e.getClass().getName() + " " + e.getMessage());
    }
  }

  static String rows(ResultSet rs) throws SQLException {
    ResultSetMetaData meta = rs.getMetaData();
    StringBuilder out = new StringBuilder();
    for (int i = 1; i <= meta.getColumnCount(); i++) out.append(meta.getColumnName(i)).append(':').append(meta.getColumnTypeName(i)).append(':').append(meta.getTableName(i)).append(' ');
    int count = 0;
    while (rs.next()) {
      if (count++ < 20) { out.append("| "); for (int i = 1; i <= meta.getColumnCount(); i++) out.append(rs.getObject(i) instanceof byte[] b ? HexFormat.of().formatHex(b) : rs.getObject(i)).append(' '); }
    }
    return out.append("= ").append(count).toString();
  }

  public static void main(String[] args) throws Exception {
    try (Connection c = DriverManager.getConnection(args[0], args[1], args[2])) {
      attempt("simple", () -> rows(c.createStatement().executeQuery("SELECT 1 AS one, 'two' AS two")));
      attempt("people", () -> rows(c.createStatement().executeQuery("SELECT * FROM people ORDER BY id")));
      for (String bad : new String[] {"SELECT nowhere", "SELEC", "SELECT 1/0", "INSERT INTO people VALUES (1, 'again')", "SELECT fails('22012', 'as if')", "SELECT 'x'::int"})
        attempt(bad, () -> rows(c.createStatement().executeQuery(bad)));
      attempt("several", () -> { Statement s = c.createStatement(); StringBuilder b = new StringBuilder(); boolean more = s.execute("SELECT 1; DELETE FROM counted; SELECT 2"); while (true) { if (more) b.append(rows(s.getResultSet())); else if (s.getUpdateCount() >= 0) b.append(" updated ").append(s.getUpdateCount()); else break; more = s.getMoreResults(); } return b; });
      // From the fifth execution on the driver names the statement at the server, and asks for binary results.
      PreparedStatement p = c.prepareStatement("SELECT n, square FROM numbers WHERE n < ? ORDER BY n");
      for (int i = 0; i < 9; i++) { p.setInt(1, 3 + i % 2); attempt("prepared " + i, () -> rows(p.executeQuery())); }
      attempt("types", () -> rows(c.createStatement().executeQuery("SELECT 1::smallint, 2::bigint, 1.5::real, 2.5::numeric, true, 'x'::bytea, '2024-02-29'::date, ARRAY[1,2], '{\"a\":1}'::jsonb, '6f8c1e9a-2b1d-4c59-9c2e-0a8f6f2b7d11'::uuid")));
      attempt("parameters", () -> { PreparedStatement s = c.prepareStatement("SELECT ?::text, ?::int, ?::date, ?::bytea, ?"); s.setString(1, "☂"); s.setNull(2, Types.INTEGER); s.setDate(3, java.sql.Date.valueOf("2024-02-29")); s.setBytes(4, new byte[] {0, 1, -1}); s.setArray(5, c.createArrayOf("int4", new Integer[] {1, 2})); return rows(s.executeQuery()); });
      c.setAutoCommit(false);
      attempt("fetch size", () -> { Statement s = c.createStatement(); s.setFetchSize(50); return rows(s.executeQuery("SELECT n FROM numbers ORDER BY n")); });
      attempt("insert", () -> c.createStatement().executeUpdate("INSERT INTO counted (n, unique_n) VALUES (1, 1)"));
      Savepoint savepoint = c.setSavepoint("sp");
      attempt("duplicate", () -> c.createStatement().executeUpdate("INSERT INTO counted (n, unique_n) VALUES (1, 1)"));
      attempt("in the failed transaction", () -> rows(c.createStatement().executeQuery("SELECT 1")));
      c.rollback(savepoint);
      attempt("after the savepoint", () -> rows(c.createStatement().executeQuery("SELECT n, unique_n FROM counted")));
      c.rollback();
      c.setAutoCommit(true);
      attempt("batch", () -> { PreparedStatement s = c.prepareStatement("INSERT INTO counted (n, unique_n) VALUES (?, ?)"); for (int i = 0; i < 200; i++) { s.setInt(1, 1); s.setInt(2, i); s.addBatch(); } return s.executeBatch().length; });
      attempt("batch fails", () -> { PreparedStatement s = c.prepareStatement("INSERT INTO counted (n, unique_n) VALUES (?, ?)"); for (int i = 198; i < 203; i++) { s.setInt(1, 1); s.setInt(2, i); s.addBatch(); } return s.executeBatch().length; });
      attempt("keys", () -> { PreparedStatement s = c.prepareStatement("INSERT INTO counted (n) VALUES (5)", Statement.RETURN_GENERATED_KEYS); s.executeUpdate(); ResultSet k = s.getGeneratedKeys(); k.next(); return k.getInt("n"); });
      attempt("clean", () -> c.createStatement().executeUpdate("DELETE FROM counted") > 0);
      attempt("procedure", () -> { CallableStatement s = c.prepareCall("{ ? = call fails('P0001', 'raised') }"); s.registerOutParameter(1, Types.INTEGER); s.execute(); return s.getInt(1); });
      attempt("notices", () -> { Statement s = c.createStatement(); s.execute("SELECT notices(3)"); StringBuilder b = new StringBuilder(); for (SQLWarning w = s.getWarnings(); w != null; w = w.getNextWarning()) b.append(w.getSQLState()).append(' ').append(w.getMessage()).append("; "); return b; });
      attempt("copy in", () -> { c.createStatement().execute("CREATE TEMP TABLE c (id int, v text)"); return new CopyManager(c.unwrap(org.postgresql.core.BaseConnection.class)).copyIn("COPY c FROM STDIN", new java.io.StringReader("1\tone\n2\ttwo\n")); });
      attempt("copy in fails", () -> new CopyManager(c.unwrap(org.postgresql.core.BaseConnection.class)).copyIn("COPY c FROM STDIN", new java.io.StringReader("bad\n")));
      attempt("copy out", () -> { java.io.StringWriter w = new java.io.StringWriter(); new CopyManager(c.unwrap(org.postgresql.core.BaseConnection.class)).copyOut("COPY c TO STDOUT (FORMAT csv)", w); return w; });
      attempt("timeout", () -> { Statement s = c.createStatement(); s.setQueryTimeout(1); return rows(s.executeQuery("SELECT pg_sleep(20)")); });
      attempt("notifications", () -> { c.createStatement().execute("LISTEN news"); c.createStatement().execute("NOTIFY news, 'hello'"); StringBuilder b = new StringBuilder(); PGConnection g = c.unwrap(PGConnection.class); for (var n : g.getNotifications(2000)) b.append(n.getName()).append(' ').append(n.getParameter()).append(' ').append(n.getPID() == g.getBackendPID()); return b; });
      DatabaseMetaData meta = c.getMetaData();
      attempt("metadata", () -> meta.getDatabaseProductVersion() + " " + rows(meta.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"})) + rows(meta.getColumns(null, "public", "people", "%")) + rows(meta.getPrimaryKeys(null, "public", "counted")) + rows(meta.getImportedKeys(null, "public", "counted")));
      attempt("valid", () -> c.isValid(2) + " " + c.getTransactionIsolation() + " " + c.isReadOnly());
      c.setReadOnly(true);
      attempt("read only", () -> c.createStatement().executeUpdate("DELETE FROM numbers WHERE n < 0"));
      c.setReadOnly(false);
      attempt("terminated", () -> rows(c.createStatement().executeQuery("SELECT pg_terminate_backend(pg_backend_pid())")));
      attempt("gone", () -> rows(c.createStatement().executeQuery("SELECT 1")));
    }
  }
}
