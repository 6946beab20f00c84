//! Says whether a copy is what design and source ask for, field by field.

use super::{Copy, World, body_of};
use gitlab_sim::{Issue, IssueState, Note, text::visible::visible_text};
use std::collections::{BTreeMap, BTreeSet};

impl World {
    /// All is in line, and stays so without a write.
    pub(crate) async fn a_second_run_writes_nothing(&self) {
        for _ in 0..2 {
            self.later(600);
            self.run().await;
        }
        self.forget_requests();
        self.later(600);
        self.run().await;
        assert_eq!(self.writes(), Vec::<String>::new());
        self.all_went_well().await;
    }

    /// No source issue has two copies, and no comment.
    pub(crate) fn assert_no_duplicates(&self) {
        let mut seen = BTreeSet::new();
        for copy in self.copies() {
            assert!(seen.insert(copy.of), "#{} has two copies", copy.of);
            let mut notes = BTreeSet::new();
            for (of, _) in copy.notes() {
                assert!(notes.insert(of), "note {of} of #{} has two copies", copy.of);
            }
        }
    }

    /// Every one of these source issues has exactly one copy, which is like it in every field.
    pub(crate) fn assert_mirrored(&self, iids: impl IntoIterator<Item = u64>) {
        self.assert_no_duplicates();
        let copies: BTreeMap<u64, Copy> = self
            .copies()
            .into_iter()
            .map(|copy| (copy.of, copy))
            .collect();
        for iid in iids {
            let copy = copies
                .get(&iid)
                .unwrap_or_else(|| panic!("#{iid} has no copy"));
            self.assert_alike(&self.source_issue(iid), copy);
        }
    }

    /// As [`World::assert_mirrored`], of all source issues that are open.
    pub(crate) fn assert_all_mirrored(&self) {
        self.assert_mirrored(self.source_iids(|issue| issue.state == IssueState::Opened));
    }

    /// As [`World::assert_mirrored`], of all source issues.
    pub(crate) fn assert_every_issue_mirrored(&self) {
        self.assert_mirrored(self.source_iids(|_| true));
    }

    fn source_iids(&self, of: impl Fn(&Issue) -> bool) -> Vec<u64> {
        let project = self.from.project;
        self.source.world(|world| {
            let issues = world.issues(project).filter(|issue| of(issue));
            issues.map(|issue| issue.iid).collect()
        })
    }

    fn assert_alike(&self, source: &Issue, copy: &Copy) {
        let (iid, target) = (source.iid, &copy.issue);
        let title = target.title.replace('\u{2060}', "");
        // What parts signs from names may take a title over GitLab's limit; then it is cut.
        let is_like = match title.strip_suffix('…') {
            Some(cut) if target.title.chars().count() == 255 => source.title.starts_with(cut),
            _ => title == source.title.trim(),
        };
        assert!(is_like, "title of #{iid}: {title:?}");
        let text = source.description.as_deref().unwrap_or_default();
        let body = body_of(target.description.as_deref().unwrap());
        assert!(
            reads_like(body, text),
            "description of #{iid}:\n{body}\n--- of ---\n{text}"
        );
        assert_eq!(target.state, source.state, "state of #{iid}");
        assert_eq!(target.issue_type, source.issue_type, "type of #{iid}");
        assert_eq!(
            target.confidential, source.confidential,
            "confidential of #{iid}"
        );
        assert_eq!(target.weight, source.weight, "weight of #{iid}");
        let locked = |issue: &Issue| issue.discussion_locked == Some(true);
        assert_eq!(locked(target), locked(source), "lock of #{iid}");
        assert_eq!(target.due_date, source.due_date, "due date of #{iid}");
        assert_eq!(
            target.time_estimate, source.time_estimate,
            "estimate of #{iid}"
        );
        assert_eq!(
            target.time_spent(),
            source.time_spent(),
            "time spent on #{iid}"
        );
        self.assert_labels(source, target);
        self.assert_notes(source, copy);
    }

    /// The source's labels are there, in their colours. A confidential issue brings no new ones.
    fn assert_labels(&self, source: &Issue, target: &Issue) {
        let of = self.source.world(|world| world.label_titles(source));
        let to = self.target.world(|world| world.label_titles(target));
        let missing: Vec<&String> = of.iter().filter(|title| !to.contains(title)).collect();
        if source.confidential {
            let there: BTreeSet<String> = self.target.world(|world| {
                let labels = world.labels_of(self.to.project);
                labels.map(|label| label.title.clone()).collect()
            });
            assert!(
                missing.iter().all(|title| !there.contains(*title)) || source.confidential,
                "labels of #{}",
                source.iid
            );
            return;
        }
        assert_eq!(missing, Vec::<&String>::new(), "labels of #{}", source.iid);
        for title in of {
            let look = |sim: &gitlab_sim::Sim, project| {
                sim.world(|world| {
                    let label = world.label_titled(project, &title).unwrap();
                    (label.color.clone(), label.description.clone())
                })
            };
            assert_eq!(
                look(&self.target, self.to.project),
                look(&self.source, self.from.project),
                "label {title}"
            );
        }
    }

    /// All comments, in order, in the same threads, each with author, time and text.
    fn assert_notes(&self, source: &Issue, copy: &Copy) {
        let iid = source.iid;
        let mut of: Vec<&Note> = source.notes.iter().filter(|note| !note.system).collect();
        of.sort_by_key(|note| (note.created_at, note.id));
        let to = copy.notes();
        let claimed: Vec<u64> = to.iter().map(|(of, _)| *of).collect();
        let wanted: Vec<u64> = of.iter().map(|note| note.id).collect();
        assert_eq!(claimed, wanted, "comments on #{iid}");
        for (source, (_, target)) in of.iter().zip(&to) {
            let what = format!("comment {} on #{iid}", source.id);
            assert_eq!(target.internal, source.internal, "{what}");
            let mut parts = target.body.splitn(3, "\n\n");
            let (_, head) = (parts.next(), parts.next().unwrap());
            let text = parts.next().unwrap_or_default();
            assert_eq!(shown(text), shown(&source.body), "{what}");
            let head = visible_text(head);
            let time = source.created_at.format("%Y-%m-%d %H:%M UTC").to_string();
            let (name, username) = self.source.world(|world| {
                let user = world.user(source.author).unwrap();
                (user.name.clone(), user.username.clone())
            });
            for part in [&time, &name, &username] {
                assert!(head.contains(part.as_str()), "{head} lacks {part}, {what}");
            }
        }
        // A comment alone in its thread may be none on the target, and then cannot be resolved.
        let plain: BTreeSet<u64> = to
            .iter()
            .filter(|(_, note)| !note.threaded)
            .map(|(of, _)| *of)
            .collect();
        let threads = |notes: Vec<(u64, &Note)>| {
            let mut threads: BTreeMap<String, (Vec<u64>, bool)> = BTreeMap::new();
            for (id, note) in notes {
                let thread = threads.entry(note.discussion.clone());
                let (ids, resolved) = thread.or_insert((Vec::new(), true));
                ids.push(id);
                *resolved &= !plain.contains(&id) && note.resolved.is_some();
            }
            threads.into_values().collect::<BTreeSet<_>>()
        };
        let wanted = threads(of.iter().map(|note| (note.id, *note)).collect());
        assert_eq!(threads(to), wanted, "threads on #{iid}");
    }

    /// Nothing that was mirrored did anything but stand there, and be noted where it refers to
    /// another copy.
    pub(crate) fn assert_no_noise(&self) {
        let copies = self.copies();
        let is_copy = |project, iid| {
            project == self.to.project && copies.iter().any(|copy| copy.issue.iid == iid)
        };
        self.target.world(|world| {
            assert_eq!(world.executed_commands().len(), 0, "quick actions ran");
            let told: Vec<_> = world.notifications().iter().collect();
            assert!(told.is_empty(), "somebody was told: {told:?}");
            for project in world.projects().values() {
                for issue in project.issues.values() {
                    let crossed = issue.notes.iter().find(|note| {
                        note.mentioned_by.is_some_and(|(from, by)| {
                            !(is_copy(project.id, issue.iid) && is_copy(from, by))
                        })
                    });
                    assert!(crossed.is_none(), "a cross-reference note: {crossed:?}");
                }
            }
        });
    }

    /// Digests of all files of the source, and of the target.
    pub(crate) fn files(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let of = |sim: &gitlab_sim::Sim, project| {
            sim.world(|world| {
                let uploads = &world.project(project).unwrap().uploads;
                uploads
                    .iter()
                    .map(|upload| upload.content.sha256())
                    .collect()
            })
        };
        (
            of(&self.source, self.from.project),
            of(&self.target, self.to.project),
        )
    }
}

/// What a reader sees, but for the addresses of files, which are others. GitLab stores no carriage
/// return that comes through its API.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    let text = visible_text(&text.replace('\r', ""));
    let mut parts = text.split("/uploads/");
    shown.extend(parts.next());
    for part in parts {
        let secret = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        shown.push_str("/uploads/…");
        shown.push_str(&part[secret..]);
    }
    shown
}

/// Whether a copied description shows what its source shows. The lines that close what the source
/// leaves open may bring to light what GitLab puts at a page's end (footnotes, say), so they may be
/// thought away.
pub(crate) fn reads_like(copy: &str, source: &str) -> bool {
    let wanted = shown(source);
    let mut copy = copy;
    while shown(copy) != wanted {
        let Some((rest, last)) = copy.trim_end().rsplit_once('\n') else {
            return false;
        };
        let closes = ["-->", "</", "```", "~~~", "]]>", "?>"];
        if !closes.iter().any(|end| last.contains(end)) {
            return false;
        }
        copy = rest.trim_end();
    }
    true
}
