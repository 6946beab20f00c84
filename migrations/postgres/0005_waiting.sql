-- Why: a job that waits for a set time said until when and not what for, so that whoever asked why it
-- does not run was given guesses.

-- For people; set with the time that a try ended with, and taken away by the next start.
ALTER TABLE work ADD COLUMN waiting_for text;
