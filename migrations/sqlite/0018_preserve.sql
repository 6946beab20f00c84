-- Why: an Owner's copies can keep the number and the times of their originals; whether they do is the
-- mirror's own affair, whoever runs it.

ALTER TABLE mirror_issue_configs ADD COLUMN preserve TEXT NOT NULL DEFAULT 'auto'
    CHECK (preserve IN ('auto', 'never', 'require'));
