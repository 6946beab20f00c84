//! Connects a mirror when it is first needed, from what the record keeps of its instances.
//!
//! What the record says (addresses, tokens, limits, settings) is looked at again every two seconds
//! of use, which costs no request: a new token, a changed setting take effect that soon, in every
//! process. What the instances say (whom the token acts as, version, project, role) is read again
//! after five minutes, and at once after a failure that throws doubt on it. What is at fault is
//! never kept: a mirror that a person resumes is read anew by whoever gets its next job.

mod inspect;
mod instances;
mod sharing;

use crate::{End, Link, Settings, Side, SyncError, jobs::check_instance};
use instances::{Instances, Reached};
use mirror_core::{
    ids::{InstanceId, MirrorId},
    ports::{Clock, Entropy, Pace},
    project::{Project, Role},
    rules::Rules,
};
use mirror_gitlab::{HttpTransport, Options, SetupError, Transport};
use mirror_queue::budget::{BucketView, Limit};
use mirror_store::{Cipher, MirrorEnd, NewMirror, Store};
use sharing::{Failed, Order, Read};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use url::Url;

/// How long what an instance said is believed.
const LIFE: Duration = Duration::from_secs(300);
/// As [`LIFE`], where a role falls short: somebody may be about to raise it.
const SHORT_LIFE: Duration = Duration::from_secs(10);
/// How long what the record said is believed.
const LOOK: Duration = Duration::from_secs(2);

/// Makes the way to the instance at this address.
pub type Dial = dyn Fn(&Url, &Options) -> Result<Arc<dyn Transport>, SetupError> + Send + Sync;

/// The [`Dial`] of everybody but tests.
///
/// # Errors
/// The certificates or the proxy of the options cannot be used.
pub fn network(_: &Url, options: &Options) -> Result<Arc<dyn Transport>, SetupError> {
    Ok(Arc::new(HttpTransport::new(options)?))
}

/// What connections are made of.
pub struct Means {
    /// The record.
    pub store: Store,
    /// Opens its tokens.
    pub cipher: Cipher,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Asked before each request.
    pub pace: Arc<dyn Pace>,
    /// Told the known limits of an instance before the first request goes there, and again when
    /// they change.
    pub limits: Box<dyn Fn(InstanceId, Vec<Limit>) + Send + Sync>,
    /// Tells the limits that are known by now.
    pub seen: Box<dyn Fn() -> Vec<BucketView> + Send + Sync>,
    /// Patience and proxy. Certificates that the record keeps with an instance are added to its
    /// own connections.
    pub options: Options,
    /// Makes the way to an instance.
    pub dial: Arc<Dial>,
}

/// Connects mirrors. All mirrors of an instance share one client: one pool of connections, one
/// account in the budget.
pub struct Connector {
    means: Means,
    order: Order,
    instances: Instances,
    mirrors: Mutex<HashMap<MirrorId, Arc<Slot>>>,
}

/// Where the link of a mirror is kept. Held by whoever connects it, while others wait.
#[derive(Default)]
struct Slot {
    doubted: Doubts,
    state: tokio::sync::Mutex<State>,
}

/// What was read of an end before this is no longer believed.
#[derive(Default)]
struct Doubts {
    source: AtomicU64,
    target: AtomicU64,
}

impl Doubts {
    fn of(&self, side: Side) -> &AtomicU64 {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    fn since(&self, side: Side) -> u64 {
        self.of(side).load(Ordering::Relaxed)
    }
}

#[derive(Default)]
struct State {
    connected: Option<Connected>,
    failed: Failed,
}

struct Connected {
    link: Arc<Link>,
    urgent: Arc<Link>,
    source: Part,
    target: Part,
    /// When the record was last looked at.
    looked: Duration,
}

/// One end, with the age of what is known of it.
#[derive(Clone)]
struct Part {
    reached: Arc<Reached>,
    project: Project,
    read: Read,
    life: Duration,
}

impl Part {
    fn is_good(&self, now: Duration, doubted: u64) -> bool {
        self.read.is_good(now, self.life, doubted) && self.reached.read.is_good(now, LIFE, doubted)
    }

    fn end(&self) -> End {
        let reached = &self.reached;
        End {
            instance: reached.access.id,
            name: reached.name.clone(),
            also_known_as: reached.also_known_as.clone(),
            client: reached.client.clone(),
            project: self.project.clone(),
            metadata: reached.metadata.clone(),
            user: reached.user.clone(),
        }
    }
}

impl Connector {
    /// Connects nothing yet.
    pub fn new(means: Means) -> Self {
        Self {
            means,
            order: Order::default(),
            instances: Instances::default(),
            mirrors: Mutex::default(),
        }
    }

    fn slot(&self, mirror: MirrorId) -> Arc<Slot> {
        let mut mirrors = self.mirrors.lock().unwrap_or_else(PoisonError::into_inner);
        mirrors.entry(mirror).or_default().clone()
    }

    pub(crate) fn doubt(&self, mirror: MirrorId, sides: &[Side]) {
        for side in sides {
            let slot = self.slot(mirror);
            let doubted = slot.doubted.of(*side);
            doubted.fetch_max(self.order.next(), Ordering::Relaxed);
        }
    }

    /// The link of a mirror, connected if need be. Of several who need it the first connects it for
    /// all; how that fails is the same for all, too.
    pub(crate) async fn reach(
        &self,
        mirror: MirrorId,
        urgent: bool,
    ) -> Result<Arc<Link>, SyncError> {
        let slot = self.slot(mirror);
        let began = self.order.next();
        let mut state = slot.state.lock().await;
        let doubted = &slot.doubted;
        let now = self.means.clock.monotonic();
        let of = |connected: &Connected| {
            let link = if urgent {
                &connected.urgent
            } else {
                &connected.link
            };
            link.clone()
        };
        if let Some(connected) = &state.connected
            && now.saturating_sub(connected.looked) < LOOK
            && connected.source.is_good(now, doubted.since(Side::Source))
            && connected.target.is_good(now, doubted.since(Side::Target))
        {
            return Ok(of(connected));
        }
        if let Some(error) = state.failed.since(began) {
            return Err(error);
        }
        match self
            .connect(mirror, state.connected.as_ref(), doubted)
            .await
        {
            Ok(connected) => {
                let link = of(&connected);
                state.connected = Some(connected);
                Ok(link)
            }
            Err(error) => {
                state.failed.note(&error, &self.order);
                Err(error)
            }
        }
    }

    async fn connect(
        &self,
        mirror: MirrorId,
        kept: Option<&Connected>,
        doubted: &Doubts,
    ) -> Result<Connected, SyncError> {
        let store = &self.means.store;
        let looked = self.means.clock.monotonic();
        let row = store.mirror(mirror).await?;
        let set = store.settings(mirror).await?;
        let settings = settings(&set, rules(&set.rules.text, kept)?);
        let source = kept.map(|kept| &kept.source);
        let source = self.part(
            Side::Source,
            &row.source,
            source,
            doubted.since(Side::Source),
        );
        let target = kept.map(|kept| &kept.target);
        let target = self.part(
            Side::Target,
            &row.target,
            target,
            doubted.since(Side::Target),
        );
        let (source, target) = futures_util::future::try_join(source, target).await?;
        if source.project.path != row.source.path || target.project.path != row.target.path {
            let renamed = |end: &MirrorEnd, part: &Part| MirrorEnd {
                path: part.project.path.clone(),
                ..end.clone()
            };
            let new = NewMirror {
                source: renamed(&row.source, &source),
                target: renamed(&row.target, &target),
            };
            store.ensure_mirror(&new).await?;
        }
        let link = Link {
            mirror,
            source: source.end(),
            target: target.end(),
            settings,
        };
        Ok(Connected {
            urgent: Arc::new(link.clone().by_hand()),
            link: Arc::new(link),
            source,
            target,
            looked,
        })
    }

    async fn part(
        &self,
        side: Side,
        end: &MirrorEnd,
        kept: Option<&Part>,
        doubted: u64,
    ) -> Result<Part, SyncError> {
        let reached = self
            .instances
            .reach(&self.means, &self.order, side, end.instance, doubted)
            .await?;
        let now = self.means.clock.monotonic();
        if let Some(kept) = kept
            && Arc::ptr_eq(&kept.reached, &reached)
            && kept.is_good(now, doubted)
        {
            return Ok(kept.clone());
        }
        let read = Read {
            order: self.order.next(),
            at: now,
        };
        let project = match reached.client.project(end.project).await {
            Ok(project) => project,
            Err(error) => {
                return Err(instances::without_answer(side, error, |error| {
                    check_instance::mend(side, &end.path, error)
                }));
            }
        };
        check_instance::judge_reading(side, &project)?;
        let falls_short = project.role.is_none_or(|role| role < Role::PLANNER);
        Ok(Part {
            reached,
            project,
            read,
            life: if falls_short { SHORT_LIFE } else { LIFE },
        })
    }
}

/// The rules as they are kept; those that are known already are not read again.
fn rules(text: &str, kept: Option<&Connected>) -> Result<Arc<Rules>, SyncError> {
    let known = kept.map(|kept| &kept.link.settings.rules);
    if let Some(known) = known.filter(|known| known.text() == text) {
        return Ok(known.clone());
    }
    let rules = Rules::read(text).map_err(|error| SyncError::AtFault {
        reason: error.to_string(),
    })?;
    Ok(Arc::new(rules))
}

fn settings(set: &mirror_store::Settings, rules: Arc<Rules>) -> Settings {
    let (schedule, caution) = (&set.schedule, &set.caution);
    let label = &schedule.mirrored_label;
    Settings {
        rules,
        include_closed: schedule.include_closed,
        mirrored_label: (!label.is_empty()).then(|| label.clone()),
        max_attachment: u64::try_from(schedule.max_attachment_size).unwrap_or_default(),
        preserve: schedule.preserve,
        on_delete: caution.on_delete,
        breaker: caution.breaker,
        exposes_files: caution.exposes_files,
        issue_links: set.issue_links,
        on_edit: set.on_edit,
        pair: set.pair,
        came_back: set.came_back,
        ..Settings::default()
    }
}
