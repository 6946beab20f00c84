//! Two projects, as people name them, become a mirror; it is not scheduled yet.

use super::{Came, connector, refused};
use crate::{Connector, Context, Side, SyncError, jobs::check_instance, lease::Lease};
use mirror_core::{
    errand::NamedProject,
    ids::{ErrandId, InstanceId, ProjectId},
    project::{Project, Visibility},
};
use mirror_store::{InstanceEntry, MadeMirror, MirrorEnd, NewMirror, StoreError};
use url::Url;

pub(super) async fn run(
    cx: &Context,
    lease: &Lease,
    id: ErrandId,
    source: &NamedProject,
    target: &NamedProject,
) -> Result<Came, SyncError> {
    let connector = connector(cx)?;
    let known = cx.store.instance_entries().await?;
    let (source, from) = end(connector, Side::Source, source, &known).await?;
    let (target, to) = end(connector, Side::Target, target, &known).await?;
    check_instance::judge_writing(&to)?;
    let warnings = audience(&from, &to).into_iter().collect();
    let new = NewMirror { source, target };
    let made = cx
        .store
        .errand_makes_mirror(&lease.fence, id, &new, warnings)
        .await;
    match made {
        Ok(MadeMirror::New(mirror)) => {
            tracing::info!(mirror.id = %mirror, "a mirror was made");
            Ok(Came::Recorded)
        }
        Ok(MadeMirror::Already(mirror)) => Err(refused(format!(
            "{} into {} is mirror {mirror} already; use that one, or delete it first",
            new.source.path, new.target.path
        ))),
        Err(StoreError::SameProject) => Err(refused(format!(
            "source and target are the same project, {}; name two",
            new.source.path
        ))),
        Err(error) => Err(error.into()),
    }
}

/// The project at one end, asked for with its GitLab's own token.
async fn end(
    connector: &Connector,
    side: Side,
    named: &NamedProject,
    known: &[InstanceEntry],
) -> Result<(MirrorEnd, Project), SyncError> {
    let (instance, project) = place(side, named, known)?;
    let client = connector.client(side, instance).await?;
    let found = match project.parse() {
        Ok(number) => client.project(ProjectId(number)).await,
        Err(_) => client.project_by_path(&project).await,
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return Err(check_instance::reading_failed(side, &project, error)),
    };
    check_instance::judge_reading(side, &found)?;
    let end = MirrorEnd {
        instance,
        project: found.id,
        path: found.path.clone(),
    };
    Ok((end, found))
}

/// The instance, and the path or number of the project there.
fn place(
    side: Side,
    named: &NamedProject,
    known: &[InstanceEntry],
) -> Result<(InstanceId, String), SyncError> {
    let given = named.project.trim();
    let url = Url::parse(given).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url else {
        let instance = named.instance.ok_or_else(|| {
            refused(format!(
                "the {side} project {given} may be on any GitLab; name its instance, or give its \
                 whole web address"
            ))
        })?;
        return Ok((instance, given.trim_matches('/').to_owned()));
    };
    // Of an instance under a path of another's the longer address is meant.
    let entry = known
        .iter()
        .filter(|entry| named.instance.is_none_or(|id| id.0 == entry.id))
        .filter(|entry| url.as_str().starts_with(&entry.api_base))
        .max_by_key(|entry| entry.api_base.len());
    let entry = entry.ok_or_else(|| {
        refused(format!(
            "no GitLab is known at the {side} address {given}; add it as an instance, with a token"
        ))
    })?;
    let path = url.as_str().get(entry.api_base.len()..).unwrap_or("");
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let path = path.split("/-/").next().unwrap_or(path);
    let path = path.trim_end_matches("/-").trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    Ok((InstanceId(entry.id), path.to_owned()))
}

/// What crosses from a narrow audience to a wider one.
fn audience(source: &Project, target: &Project) -> Option<String> {
    let rank = |visibility| match visibility {
        Visibility::Private => 0,
        Visibility::Internal => 1,
        Visibility::Public => 2,
    };
    (rank(target.visibility) > rank(source.visibility)).then(|| {
        format!(
            "{} can be seen by more people than {}: ordinary issues become visible to them; make \
             the target private unless that is meant",
            target.path, source.path
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: i64, api_base: &str) -> InstanceEntry {
        InstanceEntry {
            id,
            title: None,
            name: api_base.to_owned(),
            api_base: api_base.to_owned(),
            has_token: true,
            concurrency: 1,
            mirrors: 0,
            has_ca: false,
            limits: Default::default(),
            revision: 1,
        }
    }

    fn placed(project: &str, given: Option<i64>) -> Option<(i64, String)> {
        let known = [
            instance(1, "https://host/"),
            instance(2, "https://host/gitlab/"),
        ];
        let named = NamedProject {
            instance: given.map(InstanceId),
            project: project.to_owned(),
        };
        let place = place(Side::Source, &named, &known).ok()?;
        Some((place.0.0, place.1))
    }

    #[test]
    fn every_usual_spelling_is_understood() {
        for spelling in [
            "https://host/gitlab/a/b",
            "https://host/gitlab/a/b/",
            "https://host/gitlab/a/b.git",
            "https://host/gitlab/a/b/-/issues?state=all#x",
            "https://host/gitlab/a/b?x=/-/y",
        ] {
            let expected = Some((2, "a/b".to_owned()));
            assert_eq!(placed(spelling, None), expected, "{spelling}");
        }
        assert_eq!(placed("a/b", Some(1)), Some((1, "a/b".to_owned())));
        assert_eq!(placed("17", Some(1)), Some((1, "17".to_owned())));
    }

    #[test]
    fn a_place_that_nobody_knows_is_refused() {
        assert_eq!(placed("a/b", None), None);
        assert_eq!(placed("https://elsewhere/a/b", None), None);
    }
}
