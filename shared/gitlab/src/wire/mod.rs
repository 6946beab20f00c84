//! GitLab's JSON of versions 12 to 19, read into the core's types. What a version lacks has a
//! default here; what it has in excess is ignored.

mod hook;
mod issue;
mod link;
mod note;
mod project;

pub(crate) use hook::WireHook;
pub(crate) use issue::{WireAward, WireIssue, WireLabel, WireTime, WireUser};
pub(crate) use link::WireIssueLink;
pub(crate) use note::{WireDiscussion, WireLabelEvent, WireNote, WireUpload};
pub(crate) use project::{WireMember, WireMetadata, WireProject, WireToken, WireTokenUser};
