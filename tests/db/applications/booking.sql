-- Hotels: ranges that do not overlap, prices in partitions by day and by hash.
CREATE EXTENSION btree_gist;
CREATE TABLE hotel (
  id serial PRIMARY KEY,
  name text NOT NULL,
  stars smallint CHECK (stars BETWEEN 1 AND 5),
  location point NOT NULL,
  tz text NOT NULL CHECK (now() AT TIME ZONE tz IS NOT NULL),
  phone text CHECK (phone ~ '^\+?[0-9 ()-]{7,20}$'),
  opened date CHECK (opened > '1800-01-01'),
  rating numeric(2,1) CHECK (rating >= 0 AND rating <= 5.0));
CREATE TABLE room_type (
  hotel_id int REFERENCES hotel,
  code char(3) CHECK (code ~ '[A-Z]{3}'),
  capacity int NOT NULL CHECK (capacity IN (1,2,3,4)),
  beds int NOT NULL,
  CHECK (beds <= capacity AND beds >= 1),
  price money NOT NULL CHECK (price > 0::money),
  PRIMARY KEY (hotel_id, code));
CREATE TABLE room (
  hotel_id int,
  number varchar(6),
  type_code char(3) NOT NULL,
  floor smallint NOT NULL CHECK (floor >= -2 AND floor < 200),
  PRIMARY KEY (hotel_id, number),
  FOREIGN KEY (hotel_id, type_code) REFERENCES room_type ON UPDATE CASCADE);
CREATE TABLE guest (
  id bigserial PRIMARY KEY,
  email text NOT NULL,
  born date CHECK (born BETWEEN '1900-01-01' AND CURRENT_DATE),
  passport text UNIQUE,
  CONSTRAINT adult CHECK (age(born) >= '18 years'::interval));
CREATE UNIQUE INDEX ON guest (lower(email));
CREATE INDEX ON guest USING gin (to_tsvector('english', email));
CREATE TABLE booking (
  id uuid PRIMARY KEY,
  hotel_id int NOT NULL,
  room varchar(6) NOT NULL,
  guest_id bigint NOT NULL REFERENCES guest,
  check_in date NOT NULL,
  check_out date NOT NULL,
  state text NOT NULL DEFAULT 'held' CHECK (state IN ('held','confirmed','cancelled')),
  hold_until timestamptz,
  CHECK (check_out > check_in),
  CHECK (check_out - check_in <= 30),
  CHECK (state <> 'held' OR hold_until IS NOT NULL),
  FOREIGN KEY (hotel_id, room) REFERENCES room,
  EXCLUDE USING gist (hotel_id WITH =, room WITH =, daterange(check_in, check_out) WITH &&) WHERE (state <> 'cancelled'));
CREATE TABLE review (
  booking_id uuid PRIMARY KEY REFERENCES booking,
  score int NOT NULL CHECK (score > 0 AND score <= 10),
  title varchar(80) NOT NULL CHECK (title <> '' AND title = btrim(title)),
  body text,
  helpful int NOT NULL DEFAULT 0 CHECK (helpful >= 0),
  photos text[] DEFAULT '{}' CHECK (array_length(photos, 1) <= 10),
  CHECK (body IS NOT NULL OR score > 3));
CREATE TABLE shift (
  employee int NOT NULL,
  during tsrange NOT NULL,
  CHECK (upper(during) - lower(during) <= interval '12 hours'),
  EXCLUDE USING gist (employee WITH =, during WITH &&));
CREATE TABLE opening (
  hotel_id int REFERENCES hotel,
  weekday int CHECK (weekday >= 0 AND weekday <= 6),
  opens time NOT NULL,
  closes time NOT NULL,
  CHECK (opens < closes),
  PRIMARY KEY (hotel_id, weekday));
CREATE TABLE season (
  id int PRIMARY KEY,
  label text,
  months int4range NOT NULL CHECK (lower(months) >= 1 AND upper(months) <= 13),
  factor double precision NOT NULL CHECK (factor > 0.5 AND factor < 2));
CREATE TABLE price_calendar (
  hotel_id int,
  code char(3),
  day date,
  price numeric(8,2) NOT NULL CHECK (price BETWEEN 0.01 AND 99999.99),
  PRIMARY KEY (hotel_id, code, day),
  FOREIGN KEY (hotel_id, code) REFERENCES room_type (hotel_id, code)) PARTITION BY RANGE (day);
CREATE TABLE price_calendar_2024 PARTITION OF price_calendar FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE price_calendar_2025 PARTITION OF price_calendar FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (hotel_id);
CREATE TABLE pc25a PARTITION OF price_calendar_2025 FOR VALUES WITH (MODULUS 2,
  REMAINDER 0);
CREATE TABLE pc25b PARTITION OF price_calendar_2025 FOR VALUES WITH (MODULUS 2,
  REMAINDER 1);
