--> params: ["1"]
SELECT $1::int

--> params: ["1", "2"]
SELECT $1::int + $2::int AS sum

--> params: [null]
SELECT $1::text IS NULL, $1

--> params: ["☂ é"]
SELECT $1::text, length($1)

--> params: ["not a number"]
SELECT $1::int

--> params: ["99999999999"]
SELECT $1::int

--> params: []
SELECT $1::int

--> params: ["1", "2"]
SELECT $1::int

--> params: ["1"]
SELECT $1

--> params: ["1"]
SELECT $2::int

--> params: ["{1,2,3}"]
SELECT * FROM people WHERE id = ANY($1::int[]) ORDER BY id

--> params: ["Ada", "0"]
SELECT id FROM people WHERE name = $1 AND salary > $2

--> params: ["happy"]
SELECT id FROM people WHERE mood = $1

--> params: ["furious"]
SELECT id FROM people WHERE mood = $1

--> params: ["0"]
SELECT 1 / $1::int

--> params: ["7", "7"]
INSERT INTO counted (n, unique_n) VALUES ($1, $2) RETURNING n, unique_n

--> params: ["-1", "8"]
INSERT INTO counted (n, unique_n) VALUES ($1, $2)

--> params: ["7"]
DELETE FROM counted WHERE unique_n = $1 RETURNING n

--> params: ["{\"x\": 1}"]
SELECT $1::jsonb -> 'x'

--> params: ["2024-02-30"]
SELECT $1::date

--> params: ["(1,2,x)"]
SELECT ($1::point3).x

--> params: ["2"]
SELECT n FROM numbers ORDER BY n LIMIT $1

--> params: ["-2"]
SELECT n FROM numbers ORDER BY n LIMIT $1

--> params: ["5"]
CREATE TABLE never (x int DEFAULT $1)

--> params: ["5"]
SET work_mem = $1
