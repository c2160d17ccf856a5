-- What every script finds. Run as superuser on a fresh database, before either way.
GRANT ALL ON SCHEMA public TO corpus_owner;
SET ROLE corpus_owner;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE point3 AS (x integer, y integer, label text);
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL, mood mood, born date, salary numeric(10, 2), tags text[], notes jsonb);
INSERT INTO people VALUES
  (1, 'Ada', 'happy', '1815-12-10', 1000.50, '{math,poetry}', '{"a": 1}'),
  (2, 'Bram', 'ok', '1847-11-08', NULL, '{}', '{"b": [1, 2, null]}'),
  (3, 'Chidi', NULL, NULL, 33.00, NULL, NULL),
  (4, 'Dóra ☂', 'sad', '2000-02-29', 0, '{"with \"quotes\"",NULL}', '"text"');
CREATE TABLE counted (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer NOT NULL CHECK (n >= 0), unique_n integer UNIQUE, person integer REFERENCES people);
CREATE TABLE numbers (n integer PRIMARY KEY, square bigint);
INSERT INTO numbers SELECT i, i::bigint * i FROM generate_series(1, 1000) AS i;
CREATE VIEW happy_people AS SELECT id, name FROM people WHERE mood = 'happy';
CREATE FUNCTION fails(code text, message text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = 'the detail', HINT = 'the hint';
END $$;
CREATE FUNCTION notices(count integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..count LOOP
    RAISE NOTICE 'notice %', i;
  END LOOP;
END $$;
CREATE PROCEDURE adds(INOUT n integer) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; END $$;
