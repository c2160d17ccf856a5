-- The secrets are made of xqzkw, qvjz and their like, which occur nowhere else.
CREATE TABLE customers (
  id int PRIMARY KEY,
  email text UNIQUE,
  card varchar(40),
  name text,
  points int NOT NULL DEFAULT 0 CHECK (points >= 0),
  profile json,
  email_domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED
);
INSERT INTO customers (id, email, card, name, points, profile) VALUES
  (1, 'xqzkw1@qvjz.example', 'xqzkwcard0000001', 'Ada', 10, '{"contact":"xqzkw1@qvjz.example"}'),
  (2, 'xqzkw2@qvjz.example', 'xqzkwcard0000002', 'Bob', 20, NULL),
  (3, NULL, NULL, 'Cyd', 30, NULL);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers (id), total numeric, note text);
INSERT INTO orders VALUES (1, 1, 10, 'first'), (2, 2, 20, 'second');
CREATE TABLE people (id int, email text, country text) PARTITION BY LIST (country);
CREATE TABLE people_de PARTITION OF people FOR VALUES IN ('de');
INSERT INTO people VALUES (1, 'xqzkw3@qvjz.example', 'de');
CREATE TABLE base (id int, email text);
CREATE TABLE heir (extra int) INHERITS (base);
INSERT INTO heir VALUES (1, 'xqzkw4@qvjz.example', 7);
CREATE VIEW customer_mails AS SELECT id, email AS mail FROM customers;
CREATE VIEW customer_shouts AS SELECT id, upper(email) AS mail FROM customers;
CREATE VIEW customer_hidden AS SELECT id, name FROM customers WHERE email LIKE 'xqzkw1%';
CREATE VIEW customer_names AS SELECT id, name FROM customers;
CREATE VIEW mails_of_mails AS SELECT mail AS m FROM customer_mails;
CREATE MATERIALIZED VIEW customer_copies AS SELECT id, email FROM customers;
CREATE FUNCTION leak_sql() RETURNS SETOF text LANGUAGE sql AS 'SELECT email FROM customers';
CREATE FUNCTION leak_atomic() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT email FROM customers; END;
CREATE FUNCTION leak_plpgsql() RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN (SELECT email FROM customers WHERE id = 1); END$$;
CREATE FUNCTION leak_notice() RETURNS int LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE '%', (SELECT email FROM customers WHERE id = 1); RETURN 1; END$$;
CREATE FUNCTION leak_operator(int, int) RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN (SELECT email FROM customers WHERE id = $1); END$$;
CREATE OPERATOR ##? (LEFTARG = int, RIGHTARG = int, FUNCTION = leak_operator);
CREATE VIEW leak_view AS SELECT leak_plpgsql() AS harmless;
CREATE FUNCTION whole(customers) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1.email';
CREATE AGGREGATE gather (text) (SFUNC = array_append, STYPE = text[], INITCOND = '{}');
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'seen %', OLD.email; RETURN NEW; END$$;
CREATE TRIGGER tell BEFORE UPDATE OF name ON customers FOR EACH ROW EXECUTE FUNCTION tell();
CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no %', (SELECT email FROM customers WHERE id = 1)
  USING HINT = (SELECT email FROM customers WHERE id = 1), COLUMN = (SELECT email FROM customers WHERE id = 1); END$$;
CREATE TRIGGER complain BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION complain();
CREATE TABLE ruled (id int);
CREATE RULE ruled AS ON INSERT TO ruled DO ALSO SELECT email FROM customers;
CREATE TABLE ruled_by_function (id int);
CREATE RULE ruled AS ON INSERT TO ruled_by_function DO ALSO SELECT leak_plpgsql();
CREATE SCHEMA other;
CREATE TABLE other.customers (id int, email text);
INSERT INTO other.customers VALUES (1, 'open@example.com');
ANALYZE;
