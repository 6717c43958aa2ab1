--- add azure oid to sample users
-- Revision ID: 001
-- Revises:
-- Create Date: 2025-01-10 09:00:00+00:00
--
-- The people of the application and what they work in. Users sign in through Azure, so each carries
-- the object id that Azure knows them by. The users from before that day have none, hence the
-- column is nullable, and unique over those that are set.

revision = "001"
down_revision = nil
branch_labels = nil
depends_on = nil

function upgrade()
  op.create_enum("project_role", { "owner", "editor", "viewer" })

  op.create_table("users", {
    op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
    op.column("azure_oid", "varchar(36)", { comment = "Object id of the user in Azure" }),
    op.column("email", "varchar(255)", { nullable = false }),
    op.column("display_name", "varchar(255)"),
    op.column("is_active", "boolean", { nullable = false, default = true }),
    op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.column("last_login_at", "timestamptz"),
    op.unique({ "azure_oid" }, { name = "uq_users_azure_oid" }),
    comment = "People who sign in",
  })
  -- Two spellings of one address are one person: an index over an expression says so.
  op.create_index("uq_users_email", "users", { op.sql("lower(email)") }, { unique = true })

  op.create_table("projects", {
    op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
    op.column("name", "varchar(255)", { nullable = false }),
    op.column("description", "text"),
    op.column("created_by", "uuid"),
    op.column("is_archived", "boolean", { nullable = false, default = false }),
    op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.column("updated_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.foreign_key({ "created_by" }, "users", { "id" }, { on_delete = "set null" }),
    comment = "What analyses and driver trees belong to",
  })
  op.create_index("idx_projects_created_by", "projects", { "created_by" })

  op.create_table("project_members", {
    op.column("project_id", "uuid", { nullable = false }),
    op.column("user_id", "uuid", { nullable = false }),
    op.column("role", "project_role", { nullable = false, default = "viewer" }),
    op.column("joined_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.primary_key({ "project_id", "user_id" }),
    op.foreign_key({ "project_id" }, "projects", { "id" }, { on_delete = "cascade" }),
    op.foreign_key({ "user_id" }, "users", { "id" }, { on_delete = "cascade" }),
    comment = "Who may do what in a project",
  })
  -- The primary key serves "who is in this project"; this one serves "which projects am I in".
  op.create_index("idx_project_members_user", "project_members", { "user_id" })
end

function downgrade()
  -- The reverse order: what refers goes before what is referred to. Indexes go with their table.
  op.drop_table("project_members")
  op.drop_table("projects")
  op.drop_table("users")
  op.drop_type("project_role")
end
