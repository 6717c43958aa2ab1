--- add analysis tables
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-01-11 10:00:00+00:00
--
-- An analysis is a session in a project. What the user sees at one moment is a snapshot: an ordered
-- list of steps over the files read into the session. Going back to an older snapshot and working
-- on from there makes a new one with that as its parent, so nothing done is ever lost.

revision = "002"
down_revision = "001"
branch_labels = nil
depends_on = nil

function upgrade()
  op.create_enum("analysis_step_type", { "filter", "aggregate", "transform", "summary" })

  op.create_table("analysis_sessions", {
    op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
    op.column("project_id", "uuid", { nullable = false }),
    op.column("creator_id", "uuid"),
    op.column("session_name", "varchar(255)"),
    op.column("current_snapshot_id", "uuid", { comment = "What is open; none before the first" }),
    op.column("is_active", "boolean", { nullable = false, default = true }),
    op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.column("updated_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.foreign_key({ "project_id" }, "projects", { "id" }, { on_delete = "cascade" }),
    op.foreign_key({ "creator_id" }, "users", { "id" }, { on_delete = "set null" }),
    comment = "One analysis of one project",
  })
  op.create_index("idx_analysis_sessions_project", "analysis_sessions", { "project_id" })
  op.create_index("idx_analysis_sessions_creator", "analysis_sessions", { "creator_id" })

  op.create_table("analysis_snapshots", {
    op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
    op.column("session_id", "uuid", { nullable = false }),
    op.column("parent_snapshot_id", "uuid", { comment = "The snapshot this one was made from" }),
    op.column("snapshot_order", "integer", { nullable = false }),
    op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.foreign_key({ "session_id" }, "analysis_sessions", { "id" }, { on_delete = "cascade" }),
    op.foreign_key({ "parent_snapshot_id" }, "analysis_snapshots", { "id" },
      { on_delete = "set null" }),
    op.unique({ "session_id", "snapshot_order" }),
    op.check("snapshot_order >= 0", { name = "ck_analysis_snapshots_order" }),
    comment = "The state of a session at one moment",
  })
  op.create_index("idx_analysis_snapshots_parent", "analysis_snapshots", { "parent_snapshot_id" })

  -- A session points at its current snapshot and a snapshot at its session: one of the two keys can
  -- only be made when both tables exist. Deferred, so that both rows may come in one transaction.
  op.create_foreign_key("fk_analysis_sessions_current_snapshot",
    "analysis_sessions", { "current_snapshot_id" }, "analysis_snapshots", { "id" },
    { on_delete = "set null", deferrable = true, initially = "deferred" })

  op.create_table("analysis_files", {
    op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
    op.column("session_id", "uuid", { nullable = false }),
    op.column("file_name", "varchar(255)", { nullable = false }),
    op.column("sheet_name", "varchar(255)"),
    op.column("axis_config", "jsonb", { nullable = false, default = op.sql("'{}'::jsonb"),
      comment = "Which columns are axes and which are values" }),
    op.column("size_bytes", "bigint", { nullable = false }),
    op.column("uploaded_by", "uuid"),
    op.column("uploaded_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.foreign_key({ "session_id" }, "analysis_sessions", { "id" }, { on_delete = "cascade" }),
    op.foreign_key({ "uploaded_by" }, "users", { "id" }, { on_delete = "set null" }),
    op.check("size_bytes >= 0", { name = "ck_analysis_files_size" }),
    comment = "Files read into a session",
  })
  op.create_index("idx_analysis_files_session", "analysis_files", { "session_id" })

  op.create_table("analysis_steps", {
    op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
    op.column("snapshot_id", "uuid", { nullable = false }),
    op.column("step_order", "integer", { nullable = false }),
    op.column("name", "varchar(255)", { nullable = false }),
    op.column("step_type", "analysis_step_type", { nullable = false }),
    op.column("file_id", "uuid", { comment = "Input; none means the result of the step before" }),
    op.column("config", "jsonb", { nullable = false, default = op.sql("'{}'::jsonb") }),
    op.column("is_enabled", "boolean", { nullable = false, default = true }),
    op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.foreign_key({ "snapshot_id" }, "analysis_snapshots", { "id" }, { on_delete = "cascade" }),
    op.foreign_key({ "file_id" }, "analysis_files", { "id" }, { on_delete = "set null" }),
    op.unique({ "snapshot_id", "step_order" }),
    op.check("step_order >= 0", { name = "ck_analysis_steps_order" }),
    comment = "What is computed in a snapshot, in order",
  })
  op.create_index("idx_analysis_steps_file", "analysis_steps", { "file_id" },
    { where = "file_id IS NOT NULL" })
end

function downgrade()
  op.drop_table("analysis_steps")
  op.drop_table("analysis_files")
  -- The two tables refer to each other: the key that was made last goes first.
  op.drop_constraint("fk_analysis_sessions_current_snapshot", "analysis_sessions")
  op.drop_table("analysis_snapshots")
  op.drop_table("analysis_sessions")
  op.drop_type("analysis_step_type")
end
