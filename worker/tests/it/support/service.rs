//! The worker as a service has it: nothing is connected by hand, all is in the record.

use super::{World, wire};
use gitlab_sim::Sim;
use mirror_core::{
    ids::InstanceId,
    ports::{Admission, BoxFuture, Charge, Observation, Pace},
};
use mirror_gitlab::Transport;
use mirror_queue::budget::Limit;
use mirror_runtime::SeededEntropy;
use mirror_store::{Cipher, InstanceAccess};
use mirror_worker::{Connector, Links, Means, UntilShutdown};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Limits, as they were told.
type Told = Vec<(InstanceId, Vec<Limit>)>;

/// What the connections of a service did beside sending.
#[derive(Clone, Default)]
pub(crate) struct Service {
    /// Limits as they were told.
    pub(crate) limits: Arc<Mutex<Told>>,
    /// Everything that asked to be sent.
    pub(crate) charges: Arc<Mutex<Vec<Charge>>>,
    /// Ways made: a pool of connections each.
    pub(crate) dialled: Arc<Mutex<Vec<String>>>,
    /// What every request is told, once set.
    pub(crate) admission: Arc<Mutex<Option<Admission>>>,
}

impl Pace for Service {
    fn admit<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Admission> {
        self.charges.lock().unwrap().push(charge.clone());
        let admission = *self.admission.lock().unwrap();
        Box::pin(async move { admission.unwrap_or(Admission::Go) })
    }

    fn learn(&self, _: &Charge, _: &Observation) {}
}

pub(crate) fn cipher() -> Cipher {
    Cipher::new(&[3; 32])
}

impl World {
    /// Stores both tokens and connects from the record from now on.
    pub(crate) async fn serve(&mut self) -> Service {
        self.store_token(true).await;
        self.store_token(false).await;
        self.serve_as_stored(cipher())
    }

    /// Connects from what the record holds, opened by this.
    pub(crate) fn serve_as_stored(&mut self, cipher: Cipher) -> Service {
        let service = Service::default();
        let (limits, dialled) = (service.limits.clone(), service.dialled.clone());
        let ways: Vec<(String, Arc<dyn Transport>)> = [&self.source, &self.target]
            .map(|sim| (base_of(sim), wire::transport(sim, &self.clock)))
            .into();
        let means = Means {
            store: self.cx.store.clone(),
            cipher,
            clock: self.cx.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(5)),
            pace: Arc::new(UntilShutdown::new(
                Arc::new(service.clone()),
                self.cx.shutdown.clone(),
                self.cx.clock.clone(),
            )),
            limits: Box::new(move |id, told| limits.lock().unwrap().push((id, told))),
            seen: Box::new(Vec::new),
            options: mirror_gitlab::Options {
                spacing_patience: Duration::from_secs(5),
                ..wire::options()
            },
            dial: Arc::new(move |base, _| {
                let host = base.host_str().unwrap().to_owned();
                let way = ways.iter().find(|(base, _)| base.ends_with(&host));
                dialled.lock().unwrap().push(host);
                Ok(way.unwrap().1.clone())
            }),
        };
        self.cx.links = Links::on_demand(Connector::new(means));
        service
    }

    /// Stores the token of one end as it is now.
    pub(crate) async fn store_token(&self, source: bool) {
        let access = self.access(source).await;
        let entropy = SeededEntropy::new(self.now().timestamp().unsigned_abs());
        let store = &self.cx.store;
        store
            .save_instance_access(&access, &cipher(), &entropy)
            .await
            .unwrap();
    }

    pub(crate) async fn access(&self, source: bool) -> InstanceAccess {
        let (sim, seeded) = if source {
            (&self.source, &self.from)
        } else {
            (&self.target, &self.to)
        };
        let mirror = self.cx.store.mirror(self.mirror).await.unwrap();
        let end = if source { mirror.source } else { mirror.target };
        InstanceAccess {
            id: end.instance,
            title: if source { "from" } else { "to" }.to_owned(),
            api_base: base_of(sim),
            token: seeded.token.clone(),
            ca: None,
            limits: Vec::new(),
            concurrency: 8,
        }
    }
}

fn base_of(sim: &Sim) -> String {
    sim.world(|world| world.base_url().to_owned())
}
