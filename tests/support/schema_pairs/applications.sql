--- application
-- before
-- after
CREATE TYPE role AS ENUM ('admin', 'member');
CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text NOT NULL UNIQUE,
  role role NOT NULL DEFAULT 'member', created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE projects (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner uuid NOT NULL
  REFERENCES users ON DELETE CASCADE, name varchar(100) NOT NULL CHECK (name <> ''), tags text[]
  NOT NULL DEFAULT '{}');
CREATE INDEX ON projects (owner);
CREATE VIEW v AS SELECT u.email, p.name FROM users u JOIN projects p ON p.owner = u.id;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN NEW.created_at := now(); RETURN NEW; END $$;
CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON projects USING (owner::text = current_user);
GRANT SELECT ON v TO luamig_spec_bob;
