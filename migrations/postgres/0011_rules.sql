-- Why: which labels and issues a mirror takes is the mirror's own affair, whoever runs it. Once that
-- changes everything is to be looked at again, also after a crash in between.

-- JSON; empty for none.
ALTER TABLE mirror_issue_configs ADD COLUMN rules text NOT NULL DEFAULT '';
-- Digest of the rules under which everything was walked last; null when they have changed since.
ALTER TABLE mirror_issue_configs ADD COLUMN rules_walked text DEFAULT '';
-- From when on every process has them.
ALTER TABLE mirror_issue_configs ADD COLUMN rules_known_at timestamptz;
