//! Jobs: identities only. What a job is about is read afresh when it runs.

use crate::ids::{ErrandId, Iid, MirrorId, TicketNumber, TransferId, WorkId};
use serde::{Deserialize, Serialize};

/// What may be owed. The wire and database names are these, pinned by a golden test.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Job {
    /// Find what changed on either side of a mirror.
    ScanMirror {
        /// The mirror.
        mirror: MirrorId,
    },
    /// Bring one mirrored issue in line with its source.
    SyncIssue {
        /// The mirror.
        mirror: MirrorId,
        /// The source issue.
        iid: Iid,
    },
    /// Carry one large file from the source to the target.
    TransferUpload {
        /// The mirror.
        mirror: MirrorId,
        /// Which file, as the record numbers it.
        transfer: TransferId,
    },
    /// Look whether what was at fault with a mirror's projects or tokens is mended.
    CheckInstance {
        /// The mirror.
        mirror: MirrorId,
    },
    /// Do what a person wants of a GitLab.
    Errand {
        /// Which errand, as the record numbers it.
        errand: ErrandId,
    },
}

impl Job {
    /// The mirror it belongs to, and rests with; an errand belongs to none.
    pub fn mirror(&self) -> Option<MirrorId> {
        match self {
            Self::ScanMirror { mirror }
            | Self::SyncIssue { mirror, .. }
            | Self::TransferUpload { mirror, .. }
            | Self::CheckInstance { mirror } => Some(*mirror),
            Self::Errand { .. } => None,
        }
    }

    /// `scan_mirror`, `sync_issue`, `transfer_upload`, `check_instance`, `errand`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ScanMirror { .. } => "scan_mirror",
            Self::SyncIssue { .. } => "sync_issue",
            Self::TransferUpload { .. } => "transfer_upload",
            Self::CheckInstance { .. } => "check_instance",
            Self::Errand { .. } => "errand",
        }
    }

    /// The key of its one row of work: `scan_mirror/7`, `sync_issue/7/123`, `transfer_upload/7/5`,
    /// `check_instance/7`, `errand/3`.
    pub fn key(&self) -> String {
        match self {
            Self::ScanMirror { mirror } => format!("scan_mirror/{mirror}"),
            Self::SyncIssue { mirror, iid } => format!("sync_issue/{mirror}/{iid}"),
            Self::TransferUpload { mirror, transfer } => {
                format!("transfer_upload/{mirror}/{transfer}")
            }
            Self::CheckInstance { mirror } => format!("check_instance/{mirror}"),
            Self::Errand { errand } => format!("errand/{errand}"),
        }
    }

    /// Reads a key back; `None` for a kind that a newer version wrote.
    pub fn from_key(key: &str) -> Option<Self> {
        let mut parts = key.split('/');
        let kind = parts.next()?;
        let first = parts.next()?.parse().ok()?;
        let mirror = MirrorId(first);
        let job = match kind {
            "errand" => Self::Errand {
                errand: ErrandId(first),
            },
            "scan_mirror" => Self::ScanMirror { mirror },
            "check_instance" => Self::CheckInstance { mirror },
            "transfer_upload" => Self::TransferUpload {
                mirror,
                transfer: TransferId(parts.next()?.parse().ok()?),
            },
            "sync_issue" => Self::SyncIssue {
                mirror,
                iid: Iid(parts.next()?.parse().ok()?),
            },
            _ => return None,
        };
        parts.next().is_none().then_some(job)
    }
}

/// How urgent work is. Higher goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Priority {
    /// First imports and full sweeps.
    Backfill = 0,
    /// Changes found by polling.
    Incremental = 1,
    /// A person or a webhook asked.
    ByHand = 2,
}

/// What travels through the queue: which row of work, and at which dispatch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Ticket {
    /// The row.
    pub work: WorkId,
    /// The fencing token of this dispatch.
    pub ticket: TicketNumber,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_names_are_pinned() {
        let scan = Job::ScanMirror {
            mirror: MirrorId(7),
        };
        let issue = Job::SyncIssue {
            mirror: MirrorId(7),
            iid: Iid(123),
        };
        assert_eq!(
            serde_json::to_string(&scan).unwrap(),
            r#"{"kind":"scan_mirror","mirror":7}"#
        );
        assert_eq!(
            serde_json::to_string(&issue).unwrap(),
            r#"{"kind":"sync_issue","mirror":7,"iid":123}"#
        );
        let check = Job::CheckInstance {
            mirror: MirrorId(7),
        };
        assert_eq!(
            serde_json::to_string(&check).unwrap(),
            r#"{"kind":"check_instance","mirror":7}"#
        );
        assert_eq!(check.key(), "check_instance/7");
        let transfer = Job::TransferUpload {
            mirror: MirrorId(7),
            transfer: TransferId(5),
        };
        assert_eq!(
            serde_json::to_string(&transfer).unwrap(),
            r#"{"kind":"transfer_upload","mirror":7,"transfer":5}"#
        );
        assert_eq!(transfer.key(), "transfer_upload/7/5");
        let errand = Job::Errand {
            errand: ErrandId(3),
        };
        assert_eq!(
            serde_json::to_string(&errand).unwrap(),
            r#"{"kind":"errand","errand":3}"#
        );
        assert_eq!(errand.key(), "errand/3");
        assert_eq!(scan.key(), "scan_mirror/7");
        assert_eq!(issue.key(), "sync_issue/7/123");
        let ticket = Ticket {
            work: WorkId(5),
            ticket: TicketNumber(2),
        };
        assert_eq!(
            serde_json::to_string(&ticket).unwrap(),
            r#"{"work":5,"ticket":2}"#
        );
    }

    #[test]
    fn keys_read_back_and_unknown_kinds_do_not() {
        for job in [
            Job::ScanMirror {
                mirror: MirrorId(1),
            },
            Job::SyncIssue {
                mirror: MirrorId(2),
                iid: Iid(3),
            },
            Job::CheckInstance {
                mirror: MirrorId(4),
            },
            Job::TransferUpload {
                mirror: MirrorId(5),
                transfer: TransferId(6),
            },
            Job::Errand {
                errand: ErrandId(7),
            },
        ] {
            assert_eq!(Job::from_key(&job.key()), Some(job));
        }
        for foreign in [
            "",
            "sync_issue/7",
            "sync_issue/7/x",
            "scan_mirror/7/8",
            "check_instance/7/8",
            "errand/7/8",
            "brew_coffee/7",
        ] {
            assert_eq!(Job::from_key(foreign), None, "{foreign}");
        }
    }
}
