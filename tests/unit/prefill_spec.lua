local op = require("luamig.op")
local prefill = require("luamig.prefill")
local record = require("support.record")

local function upgrade(message)
  local body = prefill.of(message)
  return body and table.concat(body.upgrade, "\n")
end

local function downgrade(message)
  return table.concat(prefill.of(message).downgrade, "\n")
end

local table_text = [[
op.create_table("%s", {
  op.column("id", "bigint", { primary_key = true, identity = "always" }),
  -- and so on: luamig help op.create_table, op.column
})]]

describe("a message", function()
  it("that creates a table writes it, with the way back", function()
    local forms = {
      "create_users", "create users", "Create table users", "create users table",
      "add table users", "create_table_users", "create_users_table",
    }
    for _, message in ipairs(forms) do
      assert.equal(table_text:format("users"), upgrade(message), message)
      assert.equal('op.drop_table("users")', downgrade(message))
    end
    assert.equal(table_text:format("order_items"), upgrade("create_order_items"))
    assert.equal(table_text:format("app.users"), upgrade("create app.users"))
  end)

  it("that adds a column writes it, with the way back", function()
    local forms = {
      "add_email_to_users", "add email to users", "Add column email to users",
      "add email column to users", "add email to users table", "add_email_to_users_table",
    }
    for _, message in ipairs(forms) do
      assert.equal('op.add_column("users", op.column("email", "text"))', upgrade(message), message)
      assert.equal('op.drop_column("users", "email")', downgrade(message))
    end
    assert.equal('op.add_column("users", op.column("path_to_file", "text"))',
      upgrade("add_path_to_file_to_users"))
  end)

  it("that drops a column declares what is lost", function()
    for _, message in ipairs({ "drop_email_from_users", "remove email from users",
      "remove column email from users" }) do
      local body = prefill.of(message)
      assert.same({ 'op.drop_column("users", "email")' }, body.upgrade)
      assert.equal('op.add_column("users", op.column("email", "text"))', body.downgrade[2])
      assert.same({ 'data_loss = "the values of users.email"' }, body.header)
    end
  end)

  it("that drops a table declares what is lost", function()
    local body = prefill.of("drop table users")
    assert.same({ 'op.drop_table("users")' }, body.upgrade)
    assert.matches("^%-%- the table as it was", body.downgrade[1])
    assert.same({ 'data_loss = "the rows of users"' }, body.header)
  end)

  it("that renames writes both directions", function()
    assert.equal('op.rename_column("users", "mail", "email")',
      upgrade("rename mail to email in users"))
    assert.equal('op.rename_column("users", "email", "mail")',
      downgrade("rename_mail_to_email_in_users"))
    for _, message in ipairs({ "rename users to people", "rename_users_to_people",
      "rename table users to people" }) do
      assert.equal('op.rename_table("users", "people")', upgrade(message), message)
    end
    assert.is_nil(prefill.of("rename users.mail to email")) -- a table of a schema, or a column?
    assert.is_nil(prefill.of("rename column mail to email"))
    assert.equal('op.rename_table("app.users", "people")',
      upgrade("rename table app.users to people"))
    assert.equal('op.rename_table("app.people", "users")',
      downgrade("rename table app.users to people"))
  end)

  it("that adds an index names it as PostgreSQL would", function()
    assert.equal('op.create_index("users_email_idx", "users", { "email" })',
      upgrade("add index on users(email)"))
    assert.equal('op.drop_index("users_email_idx")', downgrade("add_index_to_users_on_email"))
    assert.equal('op.create_index("users_a_b_idx", "app.users", { "a", "b" }, { unique = true })',
      upgrade("add unique index on app.users (a, b)"))
    assert.equal('op.drop_index("app.users_a_b_idx")',
      downgrade("add unique index on app.users (a, b)"))
  end)

  it("that creates a schema or an extension writes it", function()
    assert.equal('op.create_schema("audit")', upgrade("create schema audit"))
    assert.equal('op.drop_extension("pgcrypto")', downgrade("create extension pgcrypto"))
  end)

  it("that leaves a doubt writes nothing", function()
    local messages = {
      "initial", "create initial schema", "create_users_and_posts", "create order items",
      "add_index_to_users_email", "add index to users", "drop users", "create view active_users",
      "add support for foo to the big table", "add foreign key to users", "create_all_tables",
      "add_check_constraint_to_users", "add to users", "create", "",
      "add email to", 'add e"mail to users', "create " .. ("a"):rep(64),
      "rename table a to s.b",
    }
    for _, message in ipairs(messages) do
      assert.is_nil(upgrade(message), message)
    end
  end)

  -- What a call of the prefilled text sends to the server.
  local function sql(lines)
    local chunk = assert(load(table.concat(lines, "\n"), "body", "t", { op = op }))
    return record.sql(chunk)
  end

  it("gives calls that the operations take", function()
    local function both(message)
      local body = prefill.of(message)
      return { sql(body.upgrade), sql(body.downgrade) }
    end
    local created = "CREATE TABLE app.users (\n"
      .. "  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY\n)"
    assert.same({ created, "DROP TABLE app.users" }, both("create app.users"))
    assert.same({ "DROP TABLE app.users", created }, both("drop table app.users"))
    assert.same({ "ALTER TABLE users ADD COLUMN email text",
      "ALTER TABLE users DROP COLUMN email" }, both("add email to users"))
    assert.same({ "ALTER TABLE users DROP COLUMN email",
      "ALTER TABLE users ADD COLUMN email text" }, both("drop email from users"))
    assert.same({ "ALTER TABLE u RENAME COLUMN a TO b", "ALTER TABLE u RENAME COLUMN b TO a" },
      both("rename a to b in u"))
    assert.same({ "ALTER TABLE s.a RENAME TO b", "ALTER TABLE s.b RENAME TO a" },
      both("rename table s.a to b"))
    assert.same({ "CREATE UNIQUE INDEX users_a_b_idx ON app.users (a, b)",
      "DROP INDEX app.users_a_b_idx" }, both("add unique index on app.users (a, b)"))
    assert.same({ "CREATE SCHEMA audit", "DROP SCHEMA audit" }, both("create schema audit"))
    assert.same({ "CREATE EXTENSION pgcrypto", "DROP EXTENSION pgcrypto" },
      both("create extension pgcrypto"))
  end)
end)
