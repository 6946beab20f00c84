-- Why: a mirror that rests because a token or a project is at fault can be looked at by itself, and go
-- on when that is mended; one that a person let rest cannot.

ALTER TABLE mirrors ADD COLUMN at_fault boolean NOT NULL DEFAULT false;

-- The looks that are due are handed out although their mirrors rest. There are few.
CREATE INDEX work_checks ON work (run_at) WHERE state = 'pending' AND kind = 'check_instance';
