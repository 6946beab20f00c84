-- Why: a text may refer to an issue that has no mirror yet. When that mirror appears, the text is due
-- again, so that it leads there.

CREATE TABLE awaited_mirrors (
    mirror_id   bigint NOT NULL REFERENCES mirrors (id) ON DELETE CASCADE,
    -- The source issue that has no mirror.
    awaited_iid bigint NOT NULL,
    -- The source issue whose text refers to it.
    source_iid  bigint NOT NULL,
    PRIMARY KEY (mirror_id, awaited_iid, source_iid)
);
CREATE INDEX awaited_mirrors_by_text ON awaited_mirrors (mirror_id, source_iid);
