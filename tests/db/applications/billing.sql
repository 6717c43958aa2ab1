-- Invoices, subscriptions and payments: domains, cases of a kind, one default a customer.
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE SCHEMA billing;
CREATE TYPE billing.currency AS ENUM ('USD','EUR','JPY');
CREATE TYPE billing.status AS ENUM ('draft','open','paid','void','uncollectible');
CREATE DOMAIN billing.cents AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN billing.country AS char(2) CHECK (VALUE ~ '^[A-Z]{2}$');
CREATE DOMAIN billing.email AS citext CHECK (VALUE ~ '^[a-zA-Z0-9.!#$%&''*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$');
CREATE DOMAIN billing.url AS text CHECK (VALUE ~ '^https?://[^\s/$.?#].[^\s]*$');
CREATE DOMAIN billing.percent AS numeric(5,4) CHECK (VALUE > 0 AND VALUE <= 1);
CREATE TABLE billing.organization (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9-]{2,38}[a-z0-9]$'),
  name text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 100),
  email billing.email NOT NULL,
  country billing.country NOT NULL,
  website billing.url,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CHECK (deleted_at IS NULL OR deleted_at >= created_at),
  settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
  vat text CHECK (vat IS NULL OR vat SIMILAR TO '[A-Z]{2}[0-9]{8,12}'));
CREATE UNIQUE INDEX ON billing.organization (lower(name)) WHERE deleted_at IS NULL;
CREATE TABLE billing.plan (
  id serial PRIMARY KEY,
  code varchar(32) NOT NULL UNIQUE CHECK (code = upper(code) AND code <> ''),
  price billing.cents NOT NULL,
  currency billing.currency NOT NULL,
  billing_interval text NOT NULL CHECK (billing_interval IN ('month','year')),
  trial_days smallint NOT NULL DEFAULT 0 CHECK (trial_days BETWEEN 0 AND 90),
  tiers jsonb,
  UNIQUE (code, currency),
  CHECK (tiers IS NULL OR jsonb_typeof(tiers) = 'array' AND jsonb_array_length(tiers) > 0));
CREATE TABLE billing.subscription (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES billing.organization ON DELETE CASCADE,
  plan_id int NOT NULL REFERENCES billing.plan,
  period tstzrange NOT NULL CHECK (NOT isempty(period)),
  quantity int NOT NULL DEFAULT 1 CHECK (quantity > 0),
  discount billing.percent,
  canceled_at timestamptz,
  cancel_reason text,
  CHECK ((canceled_at IS NULL) = (cancel_reason IS NULL)),
  EXCLUDE USING gist (org_id WITH =, period WITH &&));
CREATE TABLE billing.invoice (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number text NOT NULL UNIQUE CHECK (number ~ '^INV-\d{4}-\d{6}$'),
  org_id uuid NOT NULL REFERENCES billing.organization,
  subscription_id uuid REFERENCES billing.subscription,
  status billing.status NOT NULL DEFAULT 'draft',
  currency billing.currency NOT NULL,
  subtotal billing.cents NOT NULL,
  tax billing.cents NOT NULL DEFAULT 0,
  total bigint GENERATED ALWAYS AS (subtotal + tax) STORED CHECK (total < 100000000),
  issued_on date,
  due_on date,
  paid_at timestamptz,
  CHECK (status <> 'draft' OR (issued_on IS NULL AND due_on IS NULL)),
  CHECK (status = 'draft' OR issued_on IS NOT NULL),
  CHECK (due_on >= issued_on),
  CHECK ((status = 'paid') = (paid_at IS NOT NULL)),
  UNIQUE (id, currency));
CREATE TABLE billing.invoice_line (
  invoice_id bigint NOT NULL,
  currency billing.currency NOT NULL,
  line_no smallint NOT NULL CHECK (line_no > 0),
  description text NOT NULL,
  qty numeric(12,4) NOT NULL CHECK (qty <> 0),
  unit billing.cents NOT NULL,
  amount numeric GENERATED ALWAYS AS (round(qty * unit, 2)) STORED,
  PRIMARY KEY (invoice_id, line_no),
  FOREIGN KEY (invoice_id, currency) REFERENCES billing.invoice (id, currency) ON DELETE CASCADE);
CREATE TABLE billing.payment_method (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES billing.organization,
  kind text NOT NULL CHECK (kind IN ('card','sepa','wire')),
  card_last4 char(4),
  card_exp_month smallint,
  card_exp_year smallint,
  iban text,
  is_default boolean NOT NULL DEFAULT false,
  CHECK (CASE kind WHEN 'card' THEN card_last4 ~ '^\d{4}$' AND card_exp_month BETWEEN 1 AND 12 AND card_exp_year >= 2020 AND iban IS NULL AND card_last4 IS NOT NULL AND card_exp_month IS NOT NULL AND card_exp_year IS NOT NULL WHEN 'sepa' THEN iban IS NOT NULL AND iban ~ '^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$' AND num_nonnulls(card_last4, card_exp_month, card_exp_year) = 0 ELSE num_nulls(card_last4, card_exp_month, card_exp_year, iban) = 4 END));
CREATE UNIQUE INDEX one_default ON billing.payment_method (org_id) WHERE is_default;
CREATE TABLE billing.payment (
  id uuid PRIMARY KEY,
  invoice_id bigint NOT NULL REFERENCES billing.invoice,
  method_id uuid NOT NULL REFERENCES billing.payment_method,
  amount billing.cents NOT NULL CHECK (amount > 0),
  at timestamptz NOT NULL,
  idempotency_key bytea NOT NULL UNIQUE CHECK (length(idempotency_key) = 16),
  refunded billing.cents NOT NULL DEFAULT 0,
  CHECK (refunded <= amount));
CREATE TABLE billing.exchange_rate (
  base billing.currency NOT NULL,
  quote billing.currency NOT NULL,
  day date NOT NULL,
  rate numeric(18,8) NOT NULL CHECK (rate > 0),
  PRIMARY KEY (base, quote, day),
  CHECK (base <> quote));
CREATE TABLE billing.credit (
  org_id uuid PRIMARY KEY REFERENCES billing.organization,
  balance bigint NOT NULL DEFAULT 0,
  version int NOT NULL DEFAULT 1 CHECK (version >= 1));
CREATE TABLE billing.webhook (
  id serial PRIMARY KEY,
  org_id uuid REFERENCES billing.organization,
  url billing.url NOT NULL,
  secret text NOT NULL CHECK (char_length(secret) >= 32),
  events text[] NOT NULL CHECK (cardinality(events) > 0 AND events <@ ARRAY['invoice.paid','invoice.created','customer.deleted']),
  headers jsonb);
