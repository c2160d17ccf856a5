-- The sample shop. Runs again without harm.
CREATE TABLE IF NOT EXISTS customers (
  id integer PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL,
  card text NOT NULL,
  city text NOT NULL
);
CREATE TABLE IF NOT EXISTS products (
  id integer PRIMARY KEY,
  title text NOT NULL,
  price numeric(8, 2) NOT NULL
);
CREATE TABLE IF NOT EXISTS stock (
  product_id integer PRIMARY KEY REFERENCES products,
  quantity integer NOT NULL CHECK (quantity >= 0)
);
CREATE TABLE IF NOT EXISTS orders (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES customers,
  product_id integer NOT NULL REFERENCES products,
  quantity integer NOT NULL,
  placed timestamptz NOT NULL DEFAULT now()
);

INSERT INTO customers VALUES
  (1, 'Ada Quill', 'ada.quill@example.com', '4111 1111 1111 1111', 'Leeds'),
  (2, 'Bram Osei', 'bram@example.org', '5500 0000 0000 0004', 'Ghent'),
  (3, 'Chidi Vance', 'chidi.vance@example.net', '3400 000000 00009', 'Lagos'),
  (4, 'Dora Lindqvist', 'dora.l@example.com', '6011 0000 0000 0004', 'Malmö')
ON CONFLICT DO NOTHING;
INSERT INTO products VALUES (1, 'Lantern', 24.90), (2, 'Rope, 20 m', 18.00), (3, 'Compass', 42.50)
ON CONFLICT DO NOTHING;
INSERT INTO stock VALUES (1, 14), (2, 3), (3, 7)
ON CONFLICT DO NOTHING;
INSERT INTO orders (customer_id, product_id, quantity)
SELECT c, p, 1 FROM (VALUES (1, 1), (2, 3), (3, 1), (4, 2)) AS v (c, p)
WHERE NOT EXISTS (SELECT FROM orders);
