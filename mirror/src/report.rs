//! What a run did, for a person and for a script.

use crate::{
    engine::Left,
    output,
    tally::{Counted, Numbers},
};
use mirror_core::{drawing::took, ids::Iid};
use mirror_gitlab::Calls;
use mirror_worker::Notice;
use serde::Serialize;
use std::{collections::BTreeSet, time::Duration};

/// What a run did.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// `group/project` of both ends.
    pub(crate) source: String,
    /// As `source`.
    pub(crate) target: String,
    /// Everything is in line: nothing failed, nothing is left.
    pub(crate) in_sync: bool,
    /// In numbers.
    #[serde(flatten)]
    pub(crate) numbers: Numbers,
    /// Requests sent, set-up included, by side.
    pub(crate) requests: Requests,
    /// Seconds it took.
    pub(crate) seconds: f64,
    /// Why issues were left out, with their numbers.
    pub(crate) skipped_because: Vec<Group>,
    /// What a person should know, with the issues concerned.
    pub(crate) notices: Vec<Group>,
    /// Issues that were changed on both sides, and wait for a person.
    pub(crate) target_modified: Vec<i64>,
    /// What is not done.
    pub(crate) left: Vec<Left>,
    /// How many are not done, listed or not.
    pub(crate) left_in_all: u64,
    /// Why the mirror rests, if it does.
    pub(crate) paused: Option<String>,
    /// What waits for a person, if anything does.
    pub(crate) held: Option<String>,
    /// Ended on request, before it was through.
    pub(crate) stopped: bool,
}

/// Requests sent.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Requests {
    /// To the source's GitLab.
    pub(crate) source: u64,
    /// To the target's GitLab.
    pub(crate) target: u64,
}

impl Requests {
    /// From the two clients' counters.
    pub(crate) fn new(source: &Calls, target: &Calls) -> Self {
        let all = |calls: &Calls| calls.of(mirror_core::ports::Class::Api);
        Self {
            source: all(source),
            target: all(target),
        }
    }
}

/// One thing that holds for several issues.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    /// What.
    pub(crate) what: String,
    /// The source issues' numbers.
    pub(crate) issues: Vec<i64>,
}

impl Group {
    fn new<'a>(what: String, issues: impl IntoIterator<Item = &'a Iid>) -> Self {
        Self {
            what,
            issues: issues.into_iter().map(|iid| iid.0).collect(),
        }
    }

    fn line(&self) -> String {
        const SHOWN: usize = 8;
        let shown: Vec<String> = self
            .issues
            .iter()
            .take(SHOWN)
            .map(|iid| format!("#{iid}"))
            .collect();
        let more = self.issues.len().saturating_sub(SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("{} ({}{more})", self.what, shown.join(", "))
    }
}

/// The groups of what was counted.
pub(crate) fn groups(counted: &Counted) -> (Vec<Group>, Vec<Group>) {
    let skipped = counted
        .skipped()
        .into_iter()
        .map(|(why, iids)| Group::new(why, &iids))
        .collect();
    let notices = counted
        .notices
        .iter()
        .map(|(notice, iids)| told(notice, iids))
        .collect();
    (skipped, notices)
}

fn told(notice: &Notice, iids: &BTreeSet<Iid>) -> Group {
    let what = match notice {
        Notice::FieldDropped { field } => match field.strip_prefix("label:") {
            Some(label) => format!("the target does not take the label {label}"),
            None => format!("the target does not take {}", field.replace('_', " ")),
        },
        Notice::NumberTaken => {
            "another issue of the target has its number: from here on copies get the next ones".to_owned()
        }
        Notice::LabelLeft { title } => format!(
            "the target has no label {title}, and the rules create none; create it there, then run \
             it with --full"
        ),
        Notice::NoSuchUser { from, to } => format!(
            "the target has no user {to}, whom the rules give for {from} (users.map); correct the \
             name there, or make the account and run it with --full"
        ),
        Notice::NotInUserMap { username } => format!(
            "{username} is assigned at the source only: the rules (users.map) do not say who that is \
             on the target"
        ),
        Notice::NotAssignable { username } => format!(
            "the target does not let {username} be assigned; give {username} access to its issues, \
             then run it with --full"
        ),
        Notice::UploadLeft { why } => format!("a file stays a link to the source: {why}"),
        Notice::TextCut => {
            "a text longer than GitLab takes was cut; it ends in a link to the whole".to_owned()
        }
        Notice::CommentsFull => {
            "the target's issue holds as many comments as GitLab allows; later ones stay at the source"
                .to_owned()
        }
        Notice::NoteRefused { why } => format!("the target refused a comment: {why}"),
        Notice::AnsweredCommentGone => {
            "a comment deleted at the source was answered on the target: it stays there without \
             its text"
                .to_owned()
        }
        Notice::CommentStays { why } => {
            format!("a comment deleted at the source stays on the target: {why}")
        }
        Notice::CommentsGone { count } => format!(
            "{count} comments are gone at the source, too many to delete at once unasked; look \
             there, then run it with --issue for this issue"
        ),
        Notice::CopyHidden => {
            "not to be seen at the source any more: its copy is confidential now".to_owned()
        }
        Notice::OriginalGone { copy } => format!("deleted at the source: its copy {copy}"),
        Notice::EditKept { what, conflict } => edit_kept(what, *conflict),
        Notice::EditLost { what } => {
            format!("changed on both sides of the pair, so that the original's holds: {what}")
        }
        Notice::ThreadStays { why } => {
            format!("a thread is not resolved or opened as at the source: {why}")
        }
        Notice::CommandExecuted => {
            "ALARM: the target executed a quick action of a mirrored text; please report this"
                .to_owned()
        }
        Notice::TextAltered => "the target altered a text while storing it".to_owned(),
        Notice::TimeUnknown => {
            "logged time differs and what was carried is not known; it is left alone".to_owned()
        }
        Notice::TwinDisarmed { target_iid } => {
            format!("a duplicate that arrived late, #{target_iid} on the target, was put away")
        }
    };
    Group::new(what, iids)
}

fn edit_kept(what: &str, conflict: bool) -> String {
    if conflict {
        format!(
            "changed on both sides, and left on the target until somebody decides (`issue-mirror \
             issues`): {what}"
        )
    } else {
        format!("edited on the target, and kept there: {what}")
    }
}

impl Report {
    /// Prints it.
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            output::line(&serde_json::to_string(self)?);
            return Ok(());
        }
        for line in self.lines() {
            output::line(&line);
        }
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        let Numbers {
            created,
            updated,
            unchanged,
            skipped,
            comments,
            attachments,
            ..
        } = self.numbers;
        let Requests { source, target } = self.requests;
        let mut lines = vec![format!(
            "{} → {}: {created} created, {updated} updated, {unchanged} unchanged, {skipped} \
             skipped; {comments} comments, {attachments} files",
            self.source, self.target
        )];
        lines.extend(
            self.skipped_because
                .iter()
                .map(|group| format!("  skipped: {}", group.line())),
        );
        lines.extend(
            self.notices
                .iter()
                .map(|group| format!("  note: {}", group.line())),
        );
        if !self.target_modified.is_empty() {
            let issues = self.target_modified.iter().copied().map(Iid);
            let issues: Vec<Iid> = issues.collect();
            let what = "target_modified: changed on both sides; `issue-mirror issues` shows it and \
                        settles it";
            let group = Group::new(what.to_owned(), &issues);
            lines.push(format!("  {}", group.line()));
        }
        for left in &self.left {
            let what = &left.what;
            let error = left.error.as_deref().unwrap_or("not done yet");
            let when = if left.gave_up { "failed" } else { "left" };
            lines.push(format!("  {when}: {what}: {error}"));
        }
        let listed = u64::try_from(self.left.len()).unwrap_or(u64::MAX);
        if self.left_in_all > listed {
            lines.push(format!("  … and {} more", self.left_in_all - listed));
        }
        if let Some(reason) = &self.paused {
            lines.push(format!("  stopped: {reason}"));
        }
        if let Some(held) = &self.held {
            lines.push(format!("  held back: {held}"));
        }
        let took = took(Duration::try_from_secs_f64(self.seconds).unwrap_or_default());
        let ended = match (self.in_sync, self.stopped) {
            (true, _) => "in sync",
            (false, false) if self.left_in_all == 0 && self.held.is_some() => {
                "not in sync; it waits for a person"
            }
            (false, true) => "stopped on request; the next run goes on",
            (false, false) => "not in sync; the next run tries again",
        };
        lines.push(format!(
            "  {ended}, {took}, {} requests ({source} source, {target} target)",
            source + target
        ));
        lines
    }
}
