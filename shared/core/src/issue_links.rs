//! Links between issues: which of them a mirror is to have, and which of its own are to go.

use crate::{
    ids::{Iid, LinkId, ProjectId},
    plan::Step,
};
use std::collections::{BTreeMap, BTreeSet};

/// What one issue is to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LinkKind {
    /// They have to do with each other.
    RelatesTo,
    /// The other one waits for it (licensed).
    Blocks,
    /// It waits for the other one (licensed).
    IsBlockedBy,
}

impl LinkKind {
    /// As GitLab calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RelatesTo => "relates_to",
            Self::Blocks => "blocks",
            Self::IsBlockedBy => "is_blocked_by",
        }
    }

    /// By GitLab's name; what is not known yet is a relation.
    pub fn named(name: &str) -> Self {
        [Self::Blocks, Self::IsBlockedBy]
            .into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or(Self::RelatesTo)
    }

    /// The same, seen from the other issue.
    pub fn reversed(self) -> Self {
        match self {
            Self::RelatesTo => Self::RelatesTo,
            Self::Blocks => Self::IsBlockedBy,
            Self::IsBlockedBy => Self::Blocks,
        }
    }
}

/// A link, as the issue that was asked shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IssueLink {
    /// The link's own id.
    pub id: LinkId,
    /// Where the other issue lives.
    pub project: ProjectId,
    /// The other issue.
    pub iid: Iid,
    /// What the asked issue is to it.
    pub kind: LinkKind,
}

/// A link between two mirrors, as it is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KnownLink {
    /// As the one mirror shows it.
    pub kind: LinkKind,
    /// We made it; else it was there, and stays.
    pub ours: bool,
}

/// What is known of an issue's links besides what they should be. All by the other source issue.
#[derive(Clone, Copy, Debug)]
pub struct KnownLinks<'a> {
    /// Those that stand between mirrors.
    pub standing: &'a BTreeMap<Iid, KnownLink>,
    /// Issues that have a mirror.
    pub mirrored: &'a BTreeSet<Iid>,
    /// Issues that the source's token sees: what leads to another one may only be out of sight.
    pub seen: &'a BTreeSet<Iid>,
    /// The target takes links that block.
    pub takes_blocking: bool,
}

/// The links that go and those that come, for one of their two issues.
pub fn diff_links(desired: &BTreeMap<Iid, LinkKind>, known: &KnownLinks<'_>) -> Vec<Step> {
    let mut gone = Vec::new();
    let mut new = Vec::new();
    for (other, standing) in known.standing {
        if !desired.contains_key(other) && standing.ours && known.seen.contains(other) {
            gone.push(Step::RemoveLink { other: *other });
        }
    }
    for (other, kind) in desired {
        let kind = if known.takes_blocking {
            *kind
        } else {
            LinkKind::RelatesTo
        };
        let other = *other;
        match known.standing.get(&other) {
            Some(standing) if standing.kind == kind || !standing.ours => {}
            Some(_) => {
                gone.push(Step::RemoveLink { other });
                new.push(Step::CreateLink { other, kind });
            }
            None if known.mirrored.contains(&other) => new.push(Step::CreateLink { other, kind }),
            None => {}
        }
    }
    gone.extend(new);
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::btree_map, prelude::*};

    fn kind() -> impl Strategy<Value = LinkKind> {
        use LinkKind::*;
        prop_oneof![Just(RelatesTo), Just(Blocks), Just(IsBlockedBy)]
    }

    fn iid() -> impl Strategy<Value = Iid> {
        (1i64..6).prop_map(Iid)
    }

    fn known_link() -> impl Strategy<Value = KnownLink> {
        (kind(), any::<bool>()).prop_map(|(kind, ours)| KnownLink { kind, ours })
    }

    #[test]
    fn a_name_leads_back_to_its_kind() {
        for kind in [LinkKind::RelatesTo, LinkKind::Blocks, LinkKind::IsBlockedBy] {
            assert_eq!(LinkKind::named(kind.name()), kind);
            assert_eq!(kind.reversed().reversed(), kind);
        }
    }

    proptest! {
        #[test]
        fn after_one_round_the_links_are_those_of_the_source_and_peoples_own(
            desired in btree_map(iid(), kind(), 0..5),
            before in btree_map(iid(), known_link(), 0..5),
            mirrored in proptest::collection::btree_set(iid(), 0..5),
            seen in proptest::collection::btree_set(iid(), 0..5),
            takes_blocking: bool,
        ) {
            let mut standing = before.clone();
            let steps = |standing: &BTreeMap<Iid, KnownLink>| {
                diff_links(&desired, &KnownLinks { standing, mirrored: &mirrored, seen: &seen, takes_blocking })
            };
            for step in steps(&standing) {
                match step {
                    Step::RemoveLink { other } => {
                        let gone = standing.remove(&other).expect("it stood");
                        prop_assert!(gone.ours, "people's own stay");
                        prop_assert!(desired.contains_key(&other) || seen.contains(&other));
                    }
                    Step::CreateLink { other, kind } => {
                        let link = KnownLink { kind, ours: true };
                        prop_assert!(standing.insert(other, link).is_none(), "made twice");
                    }
                    Step::TransferUpload { .. } | Step::CreateLabel(_) | Step::CreateIssue(_) | Step::Restrict
                    | Step::UpdateIssue(_) | Step::SetState(_) | Step::CloseAsOf(_) | Step::SetTimeEstimate(_) | Step::AddSpentTime(_)
                    | Step::CreateNote(_) | Step::UpdateNote { .. } | Step::DeleteNote { .. } | Step::WithdrawNote { .. }
                    | Step::SetResolved { .. } | Step::Open | Step::DeleteIssue => prop_assert!(false, "no link: {step:?}"),
                }
            }
            prop_assert!(steps(&standing).is_empty());
            for (other, kind) in &desired {
                let wanted = if takes_blocking { *kind } else { LinkKind::RelatesTo };
                match standing.get(other) {
                    Some(link) => prop_assert!(link.kind == wanted || !link.ours),
                    None => prop_assert!(!mirrored.contains(other)),
                }
            }
        }
    }
}
