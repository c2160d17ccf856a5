COPY people TO STDOUT

COPY people (id, name) TO STDOUT WITH (FORMAT csv, HEADER, QUOTE '"', FORCE_QUOTE *)

COPY (SELECT id, name, salary FROM people ORDER BY id) TO STDOUT (DELIMITER '|', NULL 'none')

COPY (SELECT 1::int, 'x'::text, NULL::int) TO STDOUT (FORMAT binary)

COPY (SELECT n FROM numbers ORDER BY n) TO STDOUT

COPY (SELECT 1 WHERE false) TO STDOUT

COPY happy_people TO STDOUT

COPY (DELETE FROM counted RETURNING *) TO STDOUT

CREATE TEMP TABLE c (id int, v text, n numeric)

--> copy: ["1\tone\t1.5\n", "2\ttwo\t\\N\n"]
COPY c FROM STDIN

--> copy: ["3\tth", "ree\t", "3\n4\tfour\t4\n\\.\n"]
COPY c FROM STDIN

--> copy: []
COPY c FROM STDIN

--> copy: ["id,v,n\n5,\"a \"\"quoted\"\" value\nover lines\",5\n6,,6\n"]
COPY c FROM STDIN (FORMAT csv, HEADER)

--> copy: ["7|seven\n"]
COPY c (id, v) FROM STDIN (DELIMITER '|')

--> copy: ["8\teight ☂ é\t8\n"]
COPY c FROM STDIN

TABLE c

--> copy: ["x\tbad\t1\n"]
COPY c FROM STDIN

--> copy: ["1\tshort\n"]
COPY c FROM STDIN

--> copy: ["1\ttoo\t1\tlong\n"]
COPY c FROM STDIN

--> copy: ["9\tok\t9\n", "bad row\n"]
COPY c FROM STDIN

--> copy: ["1,\"unterminated\n"]
COPY c FROM STDIN (FORMAT csv)

--> copy: ["not binary"]
COPY c FROM STDIN (FORMAT binary)

--> copy: {"fail": "the client gave up ☂"}
COPY c FROM STDIN

--> copy: ["1\tclash\n"]
COPY people (id, name) FROM STDIN

--> copy: ["-1\n"]
COPY counted (n) FROM STDIN

--> copy: ["10\tfiltered\t1\n11\tkept\t2\n"]
COPY c FROM STDIN WHERE id > 10

SELECT count(*), max(id) FROM c

BEGIN

--> copy: ["bad\n"]
COPY c FROM STDIN

SELECT 1

ROLLBACK

--> copy: ["12\tmulti\t1\n"]
COPY c FROM STDIN; SELECT count(*) FROM c

--> copy: ["13\tx\t1\n"]
SELECT 1; COPY c FROM STDIN; COPY c TO STDOUT; SELECT 2

--> copy: ["bad\n"]
SELECT 1; COPY c FROM STDIN; SELECT 2

COPY c TO STDOUT; SELECT 1; COPY c TO STDOUT (FORMAT csv)

--> copy: ["14\ta\t1\n"]
BEGIN; COPY c FROM STDIN; ROLLBACK; SELECT max(id) FROM c

COPY (SELECT 1 / (n - 3) FROM numbers ORDER BY n) TO STDOUT

DROP TABLE c
