//! How an instance answers its stored token, for a person: everything asked anew.

use super::{Connector, instances};
use crate::{Side, SyncError};
use chrono::TimeDelta;
use mirror_core::{
    errand::{InstanceFinding, InstanceReport, Verdict},
    ids::InstanceId,
    ports::Account,
    project::{Metadata, TokenFacts, TokenUser},
};
use mirror_gitlab::{Client, Error, ErrorKind};
use mirror_store::{Cipher, Instance, StoreError};

const STORE_ONE: &str = "store a token with the instance, under the key of this deployment";

/// A token that ends within this is worth a word.
const SOON: TimeDelta = TimeDelta::days(14);

impl Connector {
    /// Opens and seals what the record keeps secret.
    pub(crate) fn cipher(&self) -> &Cipher {
        &self.means.cipher
    }

    /// Speaks to an instance for a person who waits, whichever mirrors there are.
    pub(crate) async fn client(&self, side: Side, id: InstanceId) -> Result<Client, SyncError> {
        let reached = self.instances.reach(&self.means, &self.order, side, id, 0);
        Ok(reached.await?.client.clone().by_hand())
    }

    /// Asks an instance what it makes of its stored token. What is wrong is a finding, not an error;
    /// an error is what may pass: a limit, our own record.
    pub(crate) async fn inspect(&self, id: InstanceId) -> Result<InstanceReport, SyncError> {
        let known = self.means.store.instance(id).await?;
        let known = known.ok_or(StoreError::NoSuchInstance(id))?;
        let mut report = InstanceReport {
            well: true,
            findings: Vec::new(),
        };
        match self.findings(&known, &mut report.findings).await {
            Err(SyncError::AtFault { reason }) => {
                report.findings.push(bad("token", reason, STORE_ONE));
            }
            done => done?,
        }
        report.well = report
            .findings
            .iter()
            .all(|finding| finding.verdict != Verdict::Bad);
        Ok(report)
    }

    async fn findings(
        &self,
        known: &Instance,
        findings: &mut Vec<InstanceFinding>,
    ) -> Result<(), SyncError> {
        let access = instances::access(&self.means, None, known.id).await?;
        let client = instances::client(&self.means, known, &access)?.by_hand();
        let user = match client.token_user().await {
            Ok(user) => user,
            Err(error) => {
                findings.push(unanswered(known, error)?);
                return Ok(());
            }
        };
        findings.push(ok("reachable", format!("{} answers", known.api_base)));
        findings.push(acts_as(&user));
        let client = client.with_account(Account {
            instance: known.id,
            user: user.id.to_string(),
        });
        findings.extend(self.token(&client).await?);
        match client.metadata().await {
            Ok(metadata) => findings.push(version(&metadata)),
            Err(error) => findings.push(unanswered(known, error)?),
        }
        findings.extend(self.limits(known.id, &access.limits));
        Ok(())
    }

    async fn token(&self, client: &Client) -> Result<Vec<InstanceFinding>, SyncError> {
        let facts = match client.token_facts().await {
            Ok(facts) => facts,
            // Tokens of other kinds, and versions before 15.5.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::Unauthorized { .. } | ErrorKind::Forbidden
                ) =>
            {
                let what = "the instance does not tell what the token may do, and until when";
                return Ok(vec![ok("scopes", what)]);
            }
            Err(error) => return Err(passing(error)),
        };
        let today = self.means.clock.now().date_naive();
        let days = facts.expires_at.map(|day| day - today);
        let mut findings = vec![scopes(&facts)];
        findings.push(match (facts.expires_at, days) {
            (Some(day), Some(left)) if left < SOON => InstanceFinding {
                about: "expiry".to_owned(),
                verdict: Verdict::Warn,
                what: format!("the token's last day is {day}"),
                mend: "make a new one in time, and store it with the instance".to_owned(),
            },
            (Some(day), _) => ok("expiry", format!("the token's last day is {day}")),
            (None, _) => ok("expiry", "the token has no last day"),
        });
        Ok(findings)
    }

    /// Those that people told, and those that were learnt from answers.
    fn limits(&self, id: InstanceId, told: &[String]) -> Vec<InstanceFinding> {
        let told = told.iter().map(|limit| format!("{limit}, as was told"));
        let seen = (self.means.seen)()
            .into_iter()
            .filter(|bucket| bucket.account.instance == id)
            .filter_map(|bucket| {
                let (class, seconds) = (bucket.class.name(), bucket.period.as_secs());
                let limit = bucket.limit?;
                Some(format!("{class}: {limit} requests in {seconds} s"))
            });
        told.chain(seen).map(|limit| ok("limits", limit)).collect()
    }
}

fn ok(about: &str, what: impl Into<String>) -> InstanceFinding {
    InstanceFinding {
        about: about.to_owned(),
        verdict: Verdict::Ok,
        what: what.into(),
        mend: String::new(),
    }
}

fn bad(about: &str, what: impl Into<String>, mend: impl Into<String>) -> InstanceFinding {
    InstanceFinding {
        about: about.to_owned(),
        verdict: Verdict::Bad,
        what: what.into(),
        mend: mend.into(),
    }
}

fn acts_as(user: &TokenUser) -> InstanceFinding {
    let admin = if user.admin { ", an administrator" } else { "" };
    ok(
        "user",
        format!("the token acts as {}{admin}", user.username),
    )
}

fn scopes(facts: &TokenFacts) -> InstanceFinding {
    let has = |scope: &str| facts.scopes.iter().any(|given| given == scope);
    let what = format!("the token has the scopes {}", facts.scopes.join(", "));
    if has("api") {
        return ok("scopes", what);
    }
    if has("read_api") {
        return InstanceFinding {
            about: "scopes".to_owned(),
            verdict: Verdict::Warn,
            what,
            mend: "that suffices for a source; a target needs a token with scope api".to_owned(),
        };
    }
    bad(
        "scopes",
        what,
        "make one with scope read_api for a source, api for a target",
    )
}

fn version(metadata: &Metadata) -> InstanceFinding {
    let edition = if metadata.enterprise {
        "Enterprise Edition"
    } else {
        "Community Edition"
    };
    let what = format!("GitLab {}, {edition}", metadata.version);
    if metadata
        .major_minor
        .is_some_and(|version| version < (17, 4))
    {
        return InstanceFinding {
            about: "version".to_owned(),
            verdict: Verdict::Warn,
            what,
            mend: "as a source it gives out attachments in the browser only, and files stay links \
                   to it; GitLab 17.4 or later mends that"
                .to_owned(),
        };
    }
    ok("version", what)
}

/// What stood in the way of an answer, unless a limit did.
fn unanswered(known: &Instance, error: Error) -> Result<InstanceFinding, SyncError> {
    if error.retry_at().is_some() {
        return Err(passing(error));
    }
    let about = if matches!(error.kind(), ErrorKind::Unauthorized { .. }) {
        "token"
    } else {
        "reachable"
    };
    let mend = if error.is_transient() {
        "check the address and the network, and look whether it is up; then check again".to_owned()
    } else {
        instances::mend(known, &error)
    };
    Ok(bad(about, error.to_string(), mend))
}

fn passing(error: Error) -> SyncError {
    SyncError::GitLab {
        side: Side::Source,
        source: error,
    }
}
