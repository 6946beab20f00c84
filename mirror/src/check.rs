//! What may be wrong with one end of a mirror, and how it is mended.

use chrono::{NaiveDate, TimeDelta};
use mirror_core::project::{Project, Role, TokenFacts, Visibility};
use mirror_gitlab::{ErrorKind, TokenFault, TransportErrorKind};
use mirror_worker::Side;
use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// Works, with a drawback.
    Warning,
    /// In the way, and not a matter of configuration: the network, the project's state.
    Problem,
    /// In the way, and a matter of configuration: token, address, role.
    Misconfigured,
}

/// Something found out about one end, or about the state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Finding {
    /// How much it matters.
    pub(crate) level: Level,
    /// `source`, `target`, `state`.
    pub(crate) about: String,
    /// What was found.
    pub(crate) what: String,
    /// What to do about it; empty where nothing needs doing.
    pub(crate) mend: String,
}

impl Finding {
    /// As it should be.
    pub(crate) fn ok(about: &str, what: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            about: about.to_owned(),
            what: what.into(),
            mend: String::new(),
        }
    }

    /// Not as it should be.
    pub(crate) fn new(
        level: Level,
        about: &str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            level,
            about: about.to_owned(),
            what: what.into(),
            mend: mend.into(),
        }
    }

    /// The same, of something else.
    pub(crate) fn about(self, about: &str) -> Self {
        Self {
            about: about.to_owned(),
            ..self
        }
    }

    /// The same, with another mend.
    pub(crate) fn mended_by(self, mend: &str) -> Self {
        Self {
            mend: mend.to_owned(),
            ..self
        }
    }

    /// Whether a sync cannot begin.
    pub(crate) fn is_in_the_way(&self) -> bool {
        self.level >= Level::Problem
    }

    /// On one line.
    pub(crate) fn line(&self) -> String {
        let Self {
            about, what, mend, ..
        } = self;
        if mend.is_empty() {
            format!("{about}: {what}")
        } else {
            format!("{about}: {what}; {mend}")
        }
    }
}

/// The variable that holds a side's token.
pub(crate) fn token_variable(side: Side) -> &'static str {
    match side {
        Side::Source => mirror_runtime::environment::SOURCE_TOKEN,
        Side::Target => mirror_runtime::environment::TARGET_TOKEN,
    }
}

fn scope(side: Side) -> &'static str {
    match side {
        Side::Source => "read_api",
        Side::Target => "api",
    }
}

/// An end that could not be asked at all.
pub(crate) fn unreachable(side: Side, path: &str, error: &mirror_gitlab::Error) -> Finding {
    let variable = token_variable(side);
    let (level, mend) = match error.kind() {
        ErrorKind::Unauthorized { fault } => {
            let why = match fault {
                Some(TokenFault::Expired) => "has expired",
                Some(TokenFault::Revoked) => "was revoked",
                None => "is not accepted",
            };
            (
                Level::Misconfigured,
                format!(
                    "the token in {variable} {why}: make a new one with scope {}",
                    scope(side)
                ),
            )
        }
        ErrorKind::InsufficientScope { .. } => (
            Level::Misconfigured,
            format!(
                "the token in {variable} needs scope {}: make a new one",
                scope(side)
            ),
        ),
        ErrorKind::NotFound | ErrorKind::Forbidden => (
            Level::Misconfigured,
            format!(
                "check the spelling of {path}, and that the user of {variable} is a member of it"
            ),
        ),
        ErrorKind::Redirected { to } => (
            Level::Misconfigured,
            format!("the instance answers at {to}: use that address"),
        ),
        ErrorKind::Transport(cause) => transport(cause.kind()),
        ErrorKind::Malformed { .. } | ErrorKind::SignIn => (
            Level::Misconfigured,
            format!("is that address a GitLab? If it lives under a path, give --{side}-instance"),
        ),
        ErrorKind::Unsendable { .. } => (
            Level::Misconfigured,
            format!("copy the token into {variable} again, without line breaks"),
        ),
        ErrorKind::Throttled { .. } => (
            Level::Problem,
            "wait, or tell the limit with --limit".to_owned(),
        ),
        ErrorKind::Moved { .. }
        | ErrorKind::MethodNotAllowed
        | ErrorKind::Conflict(_)
        | ErrorKind::Validation { .. }
        | ErrorKind::Spam { .. }
        | ErrorKind::TooLarge
        | ErrorKind::Unavailable { .. }
        | ErrorKind::Input(_)
        | ErrorKind::UnprovenWalk
        | ErrorKind::Withdrawn
        | ErrorKind::Refused => (Level::Problem, "try again later".to_owned()),
    };
    // With its causes: `connection refused` is what helps.
    let story = format!("{:#}", anyhow::Error::new(error.clone()));
    Finding::new(level, &side.to_string(), story, mend)
}

fn transport(kind: TransportErrorKind) -> (Level, String) {
    let mend = match kind {
        TransportErrorKind::CouldNotConnect => {
            "check the address, the network and --proxy".to_owned()
        }
        TransportErrorKind::Tls => {
            "if the instance has a certificate of a private authority, give that authority's \
             certificate with --ca-file"
                .to_owned()
        }
        TransportErrorKind::TimedOut => "the instance is slow or hangs; try again later".to_owned(),
        TransportErrorKind::Interrupted | TransportErrorKind::Cut => {
            "the connection broke; try again later".to_owned()
        }
    };
    (Level::Problem, mend)
}

/// What the token may do, and until when. `None`: the instance does not tell.
pub(crate) fn token(side: Side, facts: Option<&TokenFacts>, today: NaiveDate) -> Vec<Finding> {
    let about = side.to_string();
    let variable = token_variable(side);
    let Some(facts) = facts else {
        return vec![Finding::ok(
            &about,
            "the instance does not tell the token's scopes",
        )];
    };
    let mut findings = Vec::new();
    let has = |scope: &str| facts.scopes.iter().any(|given| given == scope);
    let enough = match side {
        Side::Source => has("read_api") || has("api"),
        Side::Target => has("api"),
    };
    if !facts.active {
        findings.push(Finding::new(
            Level::Misconfigured,
            &about,
            format!("the token in {variable} is expired or revoked"),
            format!("make a new one with scope {}", scope(side)),
        ));
    } else if !enough {
        findings.push(Finding::new(
            Level::Misconfigured,
            &about,
            format!(
                "the token in {variable} has the scopes {}",
                facts.scopes.join(", ")
            ),
            format!("make one with scope {}", scope(side)),
        ));
    } else {
        findings.push(Finding::ok(
            &about,
            format!("token scopes {}", facts.scopes.join(", ")),
        ));
    }
    if let Some(day) = facts.expires_at
        && facts.active
        && day - today < TimeDelta::days(14)
    {
        findings.push(Finding::new(
            Level::Warning,
            &about,
            format!("the token in {variable} expires on {day}"),
            "renew it in time",
        ));
    }
    findings
}

/// Whether issues can be read (and, on the target, written) in the project.
pub(crate) fn project(side: Side, project: &Project) -> Vec<Finding> {
    let about = side.to_string();
    let path = &project.path;
    let problem = |what: String, mend: &str| Finding::new(Level::Problem, &about, what, mend);
    if project.issues_disabled {
        return vec![problem(
            format!("issues are switched off in {path}"),
            "switch them on in the project's settings",
        )];
    }
    if !project.issues_readable {
        return vec![problem(
            format!("the token may not read the issues of {path}"),
            "give its user a role in the project",
        )];
    }
    if side == Side::Target && project.archived {
        return vec![problem(
            format!("{path} is archived, so it is read-only"),
            "unarchive it",
        )];
    }
    let role = project.role;
    let named = role.map_or("no role", Role::name);
    if role.is_some_and(|role| role >= Role::PLANNER) {
        return vec![Finding::ok(&about, format!("project {path}, role {named}"))];
    }
    match side {
        Side::Source => vec![Finding::new(
            Level::Warning,
            &about,
            format!("the token's user has {named} in {path}: confidential issues stay unseen"),
            "give it Planner or Reporter, if they should cross too",
        )],
        Side::Target => vec![Finding::new(
            Level::Misconfigured,
            &about,
            format!("the token's user has {named} in {path}, which cannot edit issues"),
            "give it at least Planner or Reporter",
        )],
    }
}

/// What crosses from a narrow audience to a wider one.
pub(crate) fn audience(source: &Project, target: &Project) -> Option<Finding> {
    let rank = |visibility| match visibility {
        Visibility::Private => 0,
        Visibility::Internal => 1,
        Visibility::Public => 2,
    };
    (rank(target.visibility) > rank(source.visibility)).then(|| {
        Finding::new(
            Level::Warning,
            "target",
            format!(
                "{} can be seen by more people than {}: ordinary issues become visible to them",
                target.path, source.path
            ),
            "make the target private unless that is meant",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
    }

    fn facts(scopes: &[&str], expires_at: Option<NaiveDate>) -> TokenFacts {
        TokenFacts {
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            active: true,
            expires_at,
        }
    }

    #[test]
    fn a_reading_token_suffices_for_the_source_alone() {
        let reading = facts(&["read_api"], None);
        assert!(
            !token(Side::Source, Some(&reading), day(1))
                .iter()
                .any(Finding::is_in_the_way)
        );
        assert!(
            token(Side::Target, Some(&reading), day(1))
                .iter()
                .any(Finding::is_in_the_way)
        );
    }

    #[test]
    fn a_token_that_runs_out_soon_is_said_in_time() {
        let soon = facts(&["api"], Some(day(10)));
        let levels: Vec<Level> = token(Side::Target, Some(&soon), day(1))
            .into_iter()
            .map(|finding| finding.level)
            .collect();
        assert_eq!(levels, [Level::Ok, Level::Warning]);
    }
}
