use super::Gitlab;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use gitlab_sim::{Content, Sim};
use mirror_gitlab::ErrorKind;

#[tokio::test]
async fn files_go_up_and_come_down_again() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let (client, id) = (&gitlab.client, gitlab.project);
    let content = stream::iter([Ok("half and ".into()), Ok("half".into())]).boxed();
    let uploaded = client
        .upload(id, "no tes.txt", Some(13), content)
        .await
        .unwrap();
    assert!(uploaded.markdown.contains(&uploaded.url), "{uploaded:?}");

    let mut parts = uploaded.url.trim_start_matches("/uploads/").split('/');
    let (secret, name) = (parts.next().unwrap(), parts.next().unwrap());
    let project = client.project(id).await.unwrap();
    let file = client
        .download_upload(&project, secret, name, Some((18, 4)))
        .await
        .unwrap();
    assert_eq!(file.length, Some(13));
    let bytes: Vec<Bytes> = file.stream.try_collect().await.unwrap();
    assert_eq!(bytes.concat(), b"half and half");
}

#[tokio::test]
async fn file_of_an_old_source_is_refused_by_its_sign_in() {
    let gitlab = Gitlab::start(Sim::builder().version("16.11.0")).await;
    let content = Content::Stored(Bytes::from_static(b"text"));
    let upload = gitlab
        .sim
        .add_upload(gitlab.id(), gitlab.bot, "a.txt", content)
        .unwrap();
    let project = gitlab.client.project(gitlab.project).await.unwrap();
    let version = gitlab.client.metadata().await.unwrap().major_minor;
    assert_eq!(version, Some((16, 11)));
    let error = gitlab
        .client
        .download_upload(&project, &upload.secret, &upload.filename, version)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::SignIn);
}

#[tokio::test]
async fn file_in_an_object_storage_comes_without_the_token_being_shown_there() {
    let storage = Sim::builder().build();
    let storage_server = storage.serve("127.0.0.1:0").await.unwrap();
    let builder = Sim::builder().uploads_redirect_to(&storage_server.url());
    let gitlab = Gitlab::start(builder).await;
    let content = Content::Stored(Bytes::from_static(b"text"));
    let upload = gitlab
        .sim
        .add_upload(gitlab.id(), gitlab.bot, "a.txt", content)
        .unwrap();
    let project = gitlab.client.project(gitlab.project).await.unwrap();
    // The storage knows no such file here; what matters is how it was asked.
    let error = gitlab
        .client
        .download_upload(&project, &upload.secret, &upload.filename, None)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotFound);
    let asked = storage.requests();
    assert_eq!(asked.len(), 1);
    assert!(!asked[0].token_sent);
}
