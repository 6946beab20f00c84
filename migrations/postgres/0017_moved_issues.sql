-- Why: the copy of an issue that was moved to another project leads to the copy there, once there is one.

-- An issue that was moved away, whose new place has no mirror yet that its copy could lead to.
CREATE TABLE awaited_moves (
    mirror_id   bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    source_iid  bigint NOT NULL,
    -- The id of the issue that it became, on the same instance.
    moved_to_id bigint NOT NULL,
    PRIMARY KEY (mirror_id, source_iid)
);
CREATE INDEX awaited_moves_by_issue ON awaited_moves (moved_to_id);
-- By its id an issue is found in whatever mirror it is now.
CREATE INDEX issue_mappings_by_source_issue ON issue_mappings (source_issue_id);
