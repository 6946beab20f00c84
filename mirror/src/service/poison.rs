//! For trying what becomes of the others when one job brings its worker down.

use crate::exit::misconfigured;
use mirror_core::ports::BoxFuture;
use mirror_gitlab::{Incoming, Options, Outgoing, SetupError, Transport, TransportError};
use mirror_runtime::Environment;
use mirror_worker::{Dial, network};
use std::sync::Arc;
use url::Url;

/// `KIND=PART`, with spaces between several: a job that asks for an address with that part in it
/// does that.
const POISON: &str = "ISSUE_MIRROR_TEST_POISON";

/// What a job does to its worker.
#[derive(Clone, Copy, Debug)]
enum Effect {
    /// As by a defect.
    Panic,
    /// As by code that never yields.
    Block,
    /// As where memory ends.
    Abort,
}

#[derive(Clone, Debug)]
struct Dose {
    effect: Effect,
    part: String,
}

/// The way to an instance: the network's, poisoned if the environment says so.
pub(super) fn dial(environment: &Environment) -> anyhow::Result<Arc<Dial>> {
    let Some(text) = environment.text(POISON)? else {
        return Ok(Arc::new(network));
    };
    let doses = text
        .split_whitespace()
        .map(dose)
        .collect::<Option<Arc<[_]>>>();
    let doses = doses.ok_or_else(|| {
        misconfigured(format!(
            "{POISON}: write `panic=PART`, `block=PART` or `abort=PART`, with spaces between several"
        ))
    })?;
    Ok(Arc::new(
        move |url: &Url, options: &Options| -> Result<Arc<dyn Transport>, SetupError> {
            let doses = doses.clone();
            let way = network(url, options)?;
            Ok(Arc::new(Poisoned { way, doses }))
        },
    ))
}

fn dose(text: &str) -> Option<Dose> {
    let (effect, part) = text.split_once('=')?;
    let effect = match effect {
        "panic" => Effect::Panic,
        "block" => Effect::Block,
        "abort" => Effect::Abort,
        _ => return None,
    };
    let part = part.to_owned();
    Some(Dose { effect, part })
}

struct Poisoned {
    way: Arc<dyn Transport>,
    doses: Arc<[Dose]>,
}

impl Transport for Poisoned {
    fn send<'a>(
        &'a self,
        request: http::Request<Outgoing>,
    ) -> BoxFuture<'a, Result<http::Response<Incoming>, TransportError>> {
        let address = request.uri().to_string();
        let dose = self.doses.iter().find(|dose| address.contains(&dose.part));
        match dose.map(|dose| dose.effect) {
            None => {}
            #[expect(clippy::panic, reason = "asked for")]
            Some(Effect::Panic) => panic!("poisoned"),
            Some(Effect::Block) => loop {
                std::thread::park();
            },
            Some(Effect::Abort) => std::process::abort(),
        }
        self.way.send(request)
    }
}
