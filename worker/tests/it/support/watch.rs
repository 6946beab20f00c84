//! Watches a target for a secret that more people can see than may.

use super::{World, issue};
use gitlab_sim::{HookVerdict, IssueSpec, Sim, Visibility};
use std::sync::{Arc, Mutex};

/// A word that nobody else uses.
pub(crate) const SECRET: &str = "ZEBRA";

/// Where on the target a secret word stands for more people than it may.
pub(crate) fn exposed(sim: &Sim, project: u64) -> Vec<String> {
    sim.world(|world| {
        let mut found = Vec::new();
        for issue in world.issues(project).filter(|issue| !issue.confidential) {
            let text = format!("{}{:?}", issue.title, issue.description);
            if text.contains(SECRET) {
                found.push(format!("#{}", issue.iid));
            }
            let notes = issue
                .notes
                .iter()
                .filter(|note| !note.system && !note.internal && note.body.contains(SECRET));
            found.extend(notes.map(|note| format!("comment {} on #{}", note.id, issue.iid)));
        }
        let labels = world
            .labels_of(project)
            .filter(|label| label.title.contains(SECRET));
        found.extend(labels.map(|label| format!("label {}", label.title)));
        let project = world.project(project).unwrap();
        if project.visibility != Visibility::Private {
            let files = project
                .uploads
                .iter()
                .filter(|file| file.filename.contains(SECRET));
            found.extend(files.map(|file| format!("file {}", file.filename)));
        }
        found
    })
}

/// Looks after every single request.
pub(crate) struct Watch(Arc<Mutex<Vec<String>>>);

impl World {
    pub(crate) fn watch(&self) -> Watch {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (heard, sim, to) = (seen.clone(), self.target.clone(), self.to.project);
        self.target.set_hook(Arc::new(move |event| {
            for place in exposed(&sim, to) {
                let request = format!("{place} after {} {}", event.method, event.path);
                heard.lock().unwrap().push(request);
            }
            Box::pin(async { HookVerdict::Go })
        }));
        Watch(seen)
    }
}

impl Watch {
    pub(crate) fn saw_nothing(&self) {
        assert_eq!(*self.0.lock().unwrap(), Vec::<String>::new());
    }
}

/// A confidential issue to be written.
pub(crate) fn secret(world: &World) -> IssueSpec {
    IssueSpec {
        confidential: true,
        description: Some(format!("The {SECRET} is loose.")),
        ..issue(world.alice, &format!("About the {SECRET}"))
    }
}
