-- Why: files of confidential issues and internal comments go where everybody who has their address can
-- open them only if somebody says so.

ALTER TABLE mirror_issue_configs ADD COLUMN exposes_files boolean NOT NULL DEFAULT false;
