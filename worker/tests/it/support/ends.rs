//! One end of a mirror, connected as the binary connects it before it starts work.

use gitlab_sim::{Sim, seed::SeededProject};
use mirror_core::ids::{InstanceId, InstanceName, ProjectId};
use mirror_gitlab::Client;
use mirror_store::Store;
use mirror_worker::End;

/// Asks the simulated GitLab through that client what a mirror has to know of it.
pub(crate) async fn end_of(
    store: &Store,
    sim: &Sim,
    seeded: &SeededProject,
    client: impl FnOnce(InstanceId) -> Client,
) -> End {
    let base = sim.world(|world| world.base_url().to_owned());
    let name = InstanceName(base.strip_prefix("https://").unwrap().to_owned());
    let instance = store.register_instance(&name, &base, &[]).await.unwrap();
    let known = store.instance(instance).await.unwrap().unwrap();
    let client = client(instance);
    let id = i64::try_from(seeded.project).unwrap();
    let project = client.project(ProjectId(id)).await.unwrap();
    let metadata = client.metadata().await.unwrap();
    let user = client.token_user().await.unwrap();
    store
        .remember_our_user(instance, user.id, &user.username)
        .await
        .unwrap();
    End {
        instance,
        name,
        also_known_as: known.also_known_as,
        client,
        project,
        metadata,
        user,
    }
}
