-- Why: where the rules say who people are on the target they are assigned there. Of those who are
-- assigned only the ones are ours that were not before we assigned them: nobody else is taken off.

-- JSON: the target's numbers of users.
ALTER TABLE issue_mappings ADD COLUMN owned_assignees TEXT NOT NULL DEFAULT '[]';
