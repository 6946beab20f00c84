-- Why: issues are looked for by their titles.

-- The source's, as last read; of an issue that is confidential, gone or taken out of the mirror there is
-- none. What was read before this step has one once it is read again.
ALTER TABLE issue_mappings ADD COLUMN title TEXT;
