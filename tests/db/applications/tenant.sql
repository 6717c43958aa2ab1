-- Tenants: composite keys that share a column, a knot of accounts and members.
CREATE TABLE tenant (
  id uuid PRIMARY KEY,
  name text NOT NULL);
CREATE TABLE account (
  tenant_id uuid NOT NULL REFERENCES tenant,
  id uuid NOT NULL,
  owner_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, id));
CREATE TABLE member (
  tenant_id uuid NOT NULL REFERENCES tenant,
  id uuid NOT NULL,
  account_id uuid NOT NULL,
  manager_id uuid,
  email text NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, email),
  FOREIGN KEY (tenant_id, account_id) REFERENCES account,
  FOREIGN KEY (tenant_id, manager_id) REFERENCES member,
  CHECK (manager_id <> id));
ALTER TABLE account ADD FOREIGN KEY (tenant_id, owner_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE project (
  tenant_id uuid,
  id int,
  lead_id uuid,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id) REFERENCES tenant,
  FOREIGN KEY (tenant_id, lead_id) REFERENCES member ON DELETE SET NULL (lead_id));
CREATE TABLE task (
  tenant_id uuid,
  project_id int,
  id int,
  assignee uuid,
  reviewer uuid,
  parent_project int,
  parent_id int,
  weight real CHECK (weight > 0),
  PRIMARY KEY (tenant_id, project_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES project,
  FOREIGN KEY (tenant_id, assignee) REFERENCES member,
  FOREIGN KEY (tenant_id, reviewer) REFERENCES member,
  FOREIGN KEY (tenant_id, parent_project, parent_id) REFERENCES task,
  CHECK (assignee IS DISTINCT FROM reviewer OR assignee IS NULL),
  CHECK ((parent_project IS NULL) = (parent_id IS NULL)));
CREATE TABLE label (
  tenant_id uuid REFERENCES tenant,
  name text,
  color int NOT NULL CHECK (color BETWEEN 0 AND 16777215),
  PRIMARY KEY (tenant_id, name));
CREATE TABLE task_label (
  tenant_id uuid,
  project_id int,
  task_id int,
  label text,
  PRIMARY KEY (tenant_id, project_id, task_id, label),
  FOREIGN KEY (tenant_id, project_id, task_id) REFERENCES task,
  FOREIGN KEY (tenant_id, label) REFERENCES label);
CREATE TABLE time_entry (
  tenant_id uuid NOT NULL,
  id bigserial,
  project_id int NOT NULL,
  task_id int,
  member_id uuid NOT NULL,
  started timestamptz NOT NULL,
  stopped timestamptz,
  seconds int GENERATED ALWAYS AS (extract(epoch FROM stopped - started)::int) STORED CHECK (seconds >= 0),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES project,
  FOREIGN KEY (tenant_id, project_id, task_id) REFERENCES task,
  FOREIGN KEY (tenant_id, member_id) REFERENCES member) PARTITION BY HASH (tenant_id);
CREATE TABLE time_entry_0 PARTITION OF time_entry FOR VALUES WITH (MODULUS 2,
  REMAINDER 0);
CREATE TABLE time_entry_1 PARTITION OF time_entry FOR VALUES WITH (MODULUS 2,
  REMAINDER 1);
CREATE TABLE invite (
  tenant_id uuid NOT NULL REFERENCES tenant,
  code text NOT NULL CHECK (code ~ '^[A-Z0-9]{4}-[A-Z0-9]{4}$'),
  used_by uuid,
  used_at timestamptz,
  expires timestamptz NOT NULL DEFAULT now() + interval '7 days',
  PRIMARY KEY (code),
  FOREIGN KEY (tenant_id, used_by) REFERENCES member MATCH SIMPLE,
  CHECK ((used_by IS NULL) = (used_at IS NULL)),
  CHECK (used_at <= expires));
CREATE TABLE setting (
  tenant_id uuid NOT NULL REFERENCES tenant,
  key text NOT NULL CHECK (key IN ('theme','limit','beta')),
  value jsonb NOT NULL,
  PRIMARY KEY (tenant_id, key),
  CHECK (CASE key WHEN 'theme' THEN jsonb_typeof(value) = 'string' WHEN 'limit' THEN jsonb_typeof(value) = 'number' ELSE jsonb_typeof(value) = 'boolean' END));
CREATE TABLE sequence_counter (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  value bigint NOT NULL DEFAULT 0);
CREATE TABLE geo (
  id serial PRIMARY KEY,
  lat numeric(9,6) NOT NULL CHECK (lat BETWEEN -90 AND 90),
  lon numeric(9,6) NOT NULL CHECK (lon >= -180 AND lon <= 180),
  bbox box,
  area polygon CHECK (npoints(area) >= 3),
  mac macaddr UNIQUE,
  net cidr CHECK (masklen(net) >= 8));
CREATE TABLE semver (
  major int NOT NULL CHECK (major >= 0),
  minor int NOT NULL CHECK (minor >= 0),
  patch int NOT NULL CHECK (patch >= 0),
  pre text,
  text text GENERATED ALWAYS AS (major::text || '.' || minor::text || '.' || patch::text) STORED UNIQUE,
  PRIMARY KEY (major, minor, patch));
CREATE TABLE quarter (
  year int NOT NULL CHECK (year >= 2000 AND year < 2100),
  q int NOT NULL CHECK (q = ANY (ARRAY[1,2,3,4])),
  starts date NOT NULL,
  CHECK (date_trunc('quarter', starts) = starts),
  CHECK (extract(year FROM starts) = year),
  CHECK (extract(quarter FROM starts) = q),
  PRIMARY KEY (year, q));
CREATE TABLE weights (
  id int PRIMARY KEY,
  a numeric NOT NULL,
  b numeric NOT NULL,
  c numeric NOT NULL,
  CHECK (a + b + c = 100),
  CHECK (a >= 0 AND b >= 0 AND c >= 0));
CREATE TABLE checksum (
  id bigint PRIMARY KEY,
  isbn text NOT NULL CHECK (length(isbn) = 10 AND isbn ~ '^[0-9]{9}[0-9X]$'),
  hash text NOT NULL CHECK (hash = md5(isbn)));
