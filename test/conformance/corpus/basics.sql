SELECT 1

SELECT 1 AS one, 'two' AS two, NULL AS three, 4.50 AS four, true AS five

SELECT

SELECT FROM people

SELECT * FROM people ORDER BY id

SELECT 1; SELECT 2; SELECT 3;

SELECT 1; SELECT 1/0; SELECT 3;

SELEC 1

SELECT 1 FRM x

SELECT * FROM nowhere

;

;;;

-- a comment and nothing else

/* a comment /* in a */ comment */

SELECT 1 -- behind
