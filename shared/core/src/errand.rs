//! Errands: what a person wants of a GitLab. Asked for through the API, which speaks to none; done
//! once by a worker, which writes down what came of it.

mod report;

pub use report::{
    DrawnIssue, DrawnPlan, DrawnStep, ErrandReport, InstanceFinding, InstanceReport, Verdict,
};

use crate::ids::{Iid, InstanceId, MirrorId};
use serde::{Deserialize, Serialize};

/// What is wanted. The names are those of the record, pinned by a golden test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Errand {
    /// Tell how an instance answers its stored token.
    CheckInstance {
        /// The instance.
        instance: InstanceId,
    },
    /// Make a mirror of two projects; it is not scheduled yet.
    ConnectMirror {
        /// Where issues come from.
        source: NamedProject,
        /// Where their copies go.
        target: NamedProject,
    },
    /// Tell what a sync would send.
    Plan {
        /// The mirror.
        mirror: MirrorId,
        /// Of these source issues only; none named: of all that are due.
        #[serde(default)]
        iids: Vec<Iid>,
    },
    /// Have the source tell of changes as they happen.
    RegisterHook {
        /// The mirror.
        mirror: MirrorId,
        /// Where it is to tell.
        url: String,
    },
    /// Forget that a copy belongs to its original.
    Unlink {
        /// The mirror.
        mirror: MirrorId,
        /// The mapping, as the record numbers it.
        mapping: i64,
        /// The copy goes, too.
        delete_target: bool,
    },
}

/// A project as people name it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NamedProject {
    /// Its instance; needed unless its web address is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Its web address, its path (`group/project`) or its number.
    pub project: String,
}

impl Errand {
    /// `check_instance`, `connect_mirror`, `plan`, `register_hook`, `unlink`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CheckInstance { .. } => "check_instance",
            Self::ConnectMirror { .. } => "connect_mirror",
            Self::Plan { .. } => "plan",
            Self::RegisterHook { .. } => "register_hook",
            Self::Unlink { .. } => "unlink",
        }
    }

    /// The instance that it is about, where it is about one as a whole.
    pub fn instance(&self) -> Option<InstanceId> {
        match self {
            Self::CheckInstance { instance } => Some(*instance),
            Self::ConnectMirror { .. }
            | Self::Plan { .. }
            | Self::RegisterHook { .. }
            | Self::Unlink { .. } => None,
        }
    }

    /// The mirror that it is about.
    pub fn mirror(&self) -> Option<MirrorId> {
        match self {
            Self::Plan { mirror, .. }
            | Self::RegisterHook { mirror, .. }
            | Self::Unlink { mirror, .. } => Some(*mirror),
            Self::CheckInstance { .. } | Self::ConnectMirror { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_of_errands_is_pinned() {
        let named = |project: &str| NamedProject {
            instance: Some(InstanceId(1)),
            project: project.to_owned(),
        };
        let mirror = MirrorId(7);
        let errands = [
            (
                Errand::CheckInstance {
                    instance: InstanceId(3),
                },
                r#"{"kind":"check_instance","instance":3}"#,
            ),
            (
                Errand::ConnectMirror {
                    source: named("a/b"),
                    target: NamedProject {
                        instance: None,
                        project: "https://gitlab.b/c/d".to_owned(),
                    },
                },
                r#"{"kind":"connect_mirror","source":{"instance":1,"project":"a/b"},"target":{"project":"https://gitlab.b/c/d"}}"#,
            ),
            (
                Errand::Plan {
                    mirror,
                    iids: vec![Iid(5)],
                },
                r#"{"kind":"plan","mirror":7,"iids":[5]}"#,
            ),
            (
                Errand::RegisterHook {
                    mirror,
                    url: "https://m/x".to_owned(),
                },
                r#"{"kind":"register_hook","mirror":7,"url":"https://m/x"}"#,
            ),
            (
                Errand::Unlink {
                    mirror,
                    mapping: 9,
                    delete_target: true,
                },
                r#"{"kind":"unlink","mirror":7,"mapping":9,"delete_target":true}"#,
            ),
        ];
        for (errand, golden) in errands {
            assert_eq!(serde_json::to_string(&errand).unwrap(), golden);
            assert_eq!(serde_json::from_str::<Errand>(golden).unwrap(), errand);
            assert!(golden.contains(&format!(r#""kind":"{}""#, errand.kind())));
        }
    }
}
