--- add analysis template tables
-- Revision ID: 856dac83d2e3
-- Revises: 004
-- Create Date: 2025-01-14 10:00:00+00:00
--
-- Analyses that can be started from a template. The id of this revision is a hash where the others
-- count: ids are only names, and the order is what `down_revision` says.

revision = "856dac83d2e3"
down_revision = "004"
branch_labels = nil
depends_on = nil

function upgrade()
  op.create_enum("template_visibility", { "private", "project", "public" })

  op.create_table("analysis_templates", {
    op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
    op.column("project_id", "uuid", { comment = "None: offered in every project" }),
    op.column("name", "varchar(255)", { nullable = false }),
    op.column("description", "text"),
    op.column("visibility", "template_visibility", { nullable = false, default = "project" }),
    op.column("tags", "text[]", { nullable = false, default = op.sql("'{}'") }),
    op.column("created_by", "uuid"),
    op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
    op.foreign_key({ "project_id" }, "projects", { "id" }, { on_delete = "cascade" }),
    op.foreign_key({ "created_by" }, "users", { "id" }, { on_delete = "set null" }),
    comment = "Analyses to start from",
  })
  op.create_index("idx_analysis_templates_project", "analysis_templates", { "project_id" })
  op.create_index("idx_analysis_templates_tags", "analysis_templates", { "tags" },
    { using = "gin" })

  op.create_table("analysis_template_steps", {
    op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
    op.column("template_id", "uuid", { nullable = false }),
    op.column("step_order", "integer", { nullable = false }),
    op.column("name", "varchar(255)", { nullable = false }),
    op.column("step_type", "analysis_step_type", { nullable = false }),
    op.column("config", "jsonb", { nullable = false, default = op.sql("'{}'::jsonb") }),
    op.foreign_key({ "template_id" }, "analysis_templates", { "id" }, { on_delete = "cascade" }),
    op.unique({ "template_id", "step_order" }),
    op.check("step_order >= 0", { name = "ck_analysis_template_steps_order" }),
    comment = "The steps a new analysis begins with",
  })

  -- An existing table gets a column that nobody has to fill: no rewrite, no default, no lock that
  -- is held for longer than the blink of the catalogue change. Rows are read for the foreign key
  -- and for the index while others write.
  op.add_column("analysis_sessions", op.column("template_id", "uuid",
    { comment = "The template it was started from" }))
  op.create_foreign_key("fk_analysis_sessions_template",
    "analysis_sessions", { "template_id" }, "analysis_templates", { "id" },
    { on_delete = "set null", not_valid = true })
  op.create_index("idx_analysis_sessions_template", "analysis_sessions", { "template_id" },
    { concurrently = true })
  op.validate_constraint("fk_analysis_sessions_template", "analysis_sessions")
end

function downgrade()
  op.drop_index("idx_analysis_sessions_template", { concurrently = true })
  op.drop_constraint("fk_analysis_sessions_template", "analysis_sessions")
  op.drop_column("analysis_sessions", "template_id")
  op.drop_table("analysis_template_steps")
  op.drop_table("analysis_templates")
  op.drop_type("template_visibility")
end
