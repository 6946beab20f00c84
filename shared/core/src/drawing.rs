//! Plans as they are shown: each step in a few words, whatever text it carries.

mod words;

pub use words::took;

use crate::{
    errand::{DrawnIssue, DrawnStep},
    ids::Iid,
    plan::{Plan, Step},
    ports::Class,
};
use std::collections::{BTreeMap, BTreeSet};

/// Plans of issues, in words. Holds none of the texts that a plan would send.
#[derive(Debug, Default)]
pub struct Drawing {
    issues: BTreeMap<Iid, Sketch>,
    /// So many steps of an issue are kept; of the others only what they cost.
    most: Option<usize>,
}

/// Plans, ready to be shown.
#[derive(Debug, Default)]
pub struct Shown {
    /// Issues with something to send.
    pub issues: Vec<DrawnIssue>,
    /// Requests by the class of limits that they are charged to; all of them to [`Class::Api`].
    pub charged: BTreeMap<Class, u64>,
    /// Steps that are not among them, because there are too many.
    pub steps_cut: u64,
}

/// The plan of an issue.
#[derive(Debug, Default)]
struct Sketch {
    create: bool,
    delete: bool,
    confidential: bool,
    steps: Vec<Line>,
    /// What those cost that are not kept, and how many they are.
    beyond: BTreeMap<Class, u64>,
    cut: u64,
}

/// One step.
#[derive(Debug)]
struct Line {
    /// `None`: only what it costs is kept, and whether another issue plans the same.
    words: Option<Words>,
    requests: u64,
    class: Option<Class>,
    shared: Option<Shared>,
}

#[derive(Debug)]
struct Words {
    sign: char,
    what: String,
    /// The same for a confidential issue.
    hidden: String,
}

/// What two issues may plan that is sent once: jobs plan side by side.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Shared {
    Label(String),
    Link([Iid; 2]),
    NoLink([Iid; 2]),
}

impl Drawing {
    /// Keeps only so many steps of an issue.
    pub fn at_most(steps: usize) -> Self {
        Self {
            issues: BTreeMap::new(),
            most: Some(steps),
        }
    }

    /// Takes in what is planned for an issue. What is planned again is planned on top: texts to
    /// mend. What was confidential once stays hidden.
    pub fn take(&mut self, iid: Iid, plan: &Plan, confidential: bool) {
        let sketch = self.issues.entry(iid).or_default();
        sketch.confidential |= confidential;
        for step in &plan.steps {
            sketch.create |= matches!(step, Step::CreateIssue(_));
            sketch.delete |= matches!(step, Step::DeleteIssue);
            let kept = self.most.is_none_or(|most| sketch.steps.len() < most);
            let line = Line::of(iid, step, kept);
            if kept || line.shared.is_some() {
                sketch.steps.push(line);
            } else {
                line.charge(&mut sketch.beyond);
                sketch.cut += 1;
            }
        }
    }

    /// All of it, by the issues' numbers.
    pub fn shown(&self) -> Shown {
        let mut shown = Shown::default();
        let mut before = BTreeSet::new();
        for (iid, sketch) in &self.issues {
            let mut lines: Vec<&Line> = sketch.steps.iter().collect();
            lines.retain(|line| match &line.shared {
                Some(shared) => before.insert(shared),
                None => true,
            });
            if lines.is_empty() && sketch.cut == 0 {
                continue;
            }
            let mut charged = sketch.beyond.clone();
            let unworded = lines.iter().filter(|line| line.words.is_none()).count();
            shown.steps_cut += sketch.cut + u64::try_from(unworded).unwrap_or(u64::MAX);
            for line in &lines {
                line.charge(&mut charged);
            }
            let requests = charged.get(&Class::Api).copied().unwrap_or(0);
            for (class, requests) in charged {
                *shown.charged.entry(class).or_default() += requests;
            }
            shown.issues.push(sketch.drawn(*iid, requests, &lines));
        }
        shown
    }
}

impl Sketch {
    fn drawn(&self, iid: Iid, requests: u64, lines: &[&Line]) -> DrawnIssue {
        let steps = lines.iter().filter_map(|line| {
            let words = line.words.as_ref()?;
            let what = if self.confidential {
                &words.hidden
            } else {
                &words.what
            };
            Some(DrawnStep {
                sign: words.sign,
                what: what.clone(),
                requests: line.requests,
            })
        });
        DrawnIssue {
            issue: iid.0,
            create: self.create,
            delete: self.delete,
            requests,
            steps: steps.collect(),
        }
    }
}

impl Line {
    fn of(iid: Iid, step: &Step, kept: bool) -> Self {
        let words = || {
            let (sign, what) = words::drawn(step, false);
            let (_, hidden) = words::drawn(step, true);
            Words { sign, what, hidden }
        };
        Self {
            words: kept.then(words),
            requests: step.requests(),
            class: class(step),
            shared: shared(iid, step),
        }
    }

    fn charge(&self, charged: &mut BTreeMap<Class, u64>) {
        *charged.entry(Class::Api).or_default() += self.requests;
        if let Some(class) = self.class {
            *charged.entry(class).or_default() += 1;
        }
    }
}

fn shared(iid: Iid, step: &Step) -> Option<Shared> {
    let pair = |other: Iid| [iid.min(other), iid.max(other)];
    match step {
        Step::CreateLabel(label) => Some(Shared::Label(label.title.clone())),
        Step::CreateLink { other, .. } => Some(Shared::Link(pair(*other))),
        Step::RemoveLink { other } => Some(Shared::NoLink(pair(*other))),
        Step::TransferUpload { .. }
        | Step::CreateIssue(_)
        | Step::Restrict
        | Step::UpdateIssue(_)
        | Step::SetState(_)
        | Step::CloseAsOf(_)
        | Step::SetTimeEstimate(_)
        | Step::AddSpentTime(_)
        | Step::CreateNote(_)
        | Step::UpdateNote { .. }
        | Step::DeleteNote { .. }
        | Step::WithdrawNote { .. }
        | Step::SetResolved { .. }
        | Step::Open
        | Step::DeleteIssue => None,
    }
}

fn class(step: &Step) -> Option<Class> {
    match step {
        Step::CreateIssue(_) => Some(Class::Issues),
        Step::CreateNote(_) => Some(Class::Notes),
        Step::TransferUpload { .. } => Some(Class::Uploads),
        Step::CreateLabel(_)
        | Step::Restrict
        | Step::UpdateIssue(_)
        | Step::SetState(_)
        | Step::CloseAsOf(_)
        | Step::SetTimeEstimate(_)
        | Step::AddSpentTime(_)
        | Step::UpdateNote { .. }
        | Step::DeleteNote { .. }
        | Step::WithdrawNote { .. }
        | Step::SetResolved { .. }
        | Step::CreateLink { .. }
        | Step::RemoveLink { .. }
        | Step::Open
        | Step::DeleteIssue => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::Label;

    fn label(title: &str) -> Step {
        Step::CreateLabel(Label {
            title: title.to_owned(),
            color: None,
            description: None,
        })
    }

    fn file(filename: &str) -> Step {
        Step::TransferUpload {
            filename: filename.to_owned(),
            hidden: false,
        }
    }

    fn plan<const N: usize>(steps: [Step; N]) -> Plan {
        Plan {
            steps: steps.into(),
        }
    }

    fn words(shown: &Shown) -> Vec<(i64, Vec<&str>)> {
        let issues = shown.issues.iter().map(|issue| {
            let steps = issue.steps.iter().map(|step| step.what.as_str());
            (issue.issue, steps.collect())
        });
        issues.collect()
    }

    #[test]
    fn what_two_issues_plan_and_is_sent_once_is_shown_with_the_first() {
        let mut drawing = Drawing::default();
        let link = |other| Step::RemoveLink { other: Iid(other) };
        drawing.take(Iid(7), &plan([label("bug"), link(3)]), false);
        drawing.take(Iid(3), &plan([label("bug"), link(7)]), false);
        let shown = drawing.shown();
        let first = vec!["label bug", "link to the copy of #7"];
        assert_eq!(words(&shown), [(3, first)]);
        let once = label("bug").requests() + link(7).requests();
        assert_eq!(shown.charged[&Class::Api], once);
    }

    #[test]
    fn what_is_confidential_at_any_time_is_told_of_at_none() {
        let mut drawing = Drawing::default();
        for confidential in [false, true, false] {
            drawing.take(Iid(1), &plan([file("zebra.png")]), confidential);
        }
        assert!(!format!("{:?}", drawing.shown()).contains("zebra"));
    }

    #[test]
    fn steps_beyond_the_most_cost_and_are_not_shown() {
        let mut drawing = Drawing::at_most(2);
        drawing.take(Iid(1), &plan([file("a"), file("b"), file("c")]), false);
        drawing.take(Iid(2), &plan([file("d")]), false);
        let shown = drawing.shown();
        let shown_of = [(1, vec!["file a", "file b"]), (2, vec!["file d"])];
        assert_eq!(words(&shown), shown_of);
        assert_eq!(shown.steps_cut, 1);
        let cost = file("a").requests();
        assert_eq!(shown.issues[0].requests, 3 * cost);
        assert_eq!(shown.charged[&Class::Api], 4 * cost);
        assert_eq!(shown.charged[&Class::Uploads], 4);
    }
}
