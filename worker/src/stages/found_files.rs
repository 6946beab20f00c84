//! Files that an earlier record had carried, found again after that record was lost: where a copy
//! would be is told by the texts, that it is one by what is in it.

use super::{case::Case, uploads};
use crate::{
    SyncError,
    error::Side,
    link::{End, Link},
};
use bytes::Bytes;
use futures_util::StreamExt;
use mirror_core::{
    issue::Discussion,
    mapping::UploadOutcome,
    markdown::uploads::{Candidate, SourceProject, UploadRef, candidates},
};
use mirror_gitlab::{ByteStream, Download, Error};
use std::collections::{BTreeSet, HashMap};

/// So many files of one name are looked into for one that was not found in its place.
const TRIES: usize = 4;

/// Those of `unknown` that are on the target already. Recorded, so that they are never carried
/// again.
pub(crate) async fn find(
    case: &mut Case<'_>,
    threads: &[Discussion],
    unknown: &[&UploadRef],
) -> Result<HashMap<UploadRef, UploadOutcome>, SyncError> {
    let mut found = HashMap::new();
    if unknown.is_empty() || case.mapping.target.is_none() || case.mapping.fingerprint.is_some() {
        return Ok(found);
    }
    let candidates = in_texts(case, threads);
    for upload in unknown {
        let may_be = candidates.iter().filter(|one| one.original == **upload);
        for candidate in may_be.take(TRIES) {
            let Some(size) = same_content(case.link, candidate).await? else {
                continue;
            };
            let outcome = UploadOutcome::Transferred {
                url: candidate.url.clone(),
                size,
            };
            let key = uploads::key(case.link, upload);
            let stands = case.cx.store.record_upload(&key, &outcome).await?;
            found.insert((*upload).clone(), stands);
            break;
        }
    }
    Ok(found)
}

/// By the texts of the issue and its comments, and those of their copies.
fn in_texts(case: &Case<'_>, threads: &[Discussion]) -> BTreeSet<Candidate> {
    let source = case.frame().source;
    let target = &case.link.target.project;
    let target = SourceProject {
        id: target.id,
        path: &target.path,
        web_url: &target.web_url,
    };
    let notes = threads.iter().flat_map(|thread| &thread.notes);
    let notes = notes.filter_map(|note| {
        let copy = case.notes.get(&note.id)?.target_note?;
        Some((note.body.as_str(), case.bodies.get(&copy)?.as_str()))
    });
    let issue = case.observed.as_ref().map(|observed| {
        let text = case.source.description.as_str();
        (text, observed.description.as_str())
    });
    issue
        .into_iter()
        .chain(notes)
        .flat_map(|(text, copy)| candidates(text, &source, copy, &target))
        .collect()
}

/// The size, if the two files are the same, byte for byte. What cannot be read proves nothing.
async fn same_content(link: &Link, candidate: &Candidate) -> Result<Option<i64>, SyncError> {
    let Some(original) = open(&link.source, Side::Source, &candidate.original).await? else {
        return Ok(None);
    };
    let Some(copy) = open(&link.target, Side::Target, &candidate.copy).await? else {
        return Ok(None);
    };
    let limit = link.settings.max_attachment;
    let unlike = original
        .length
        .zip(copy.length)
        .is_some_and(|(a, b)| a != b);
    if unlike || original.length.is_some_and(|length| length > limit) {
        return Ok(None);
    }
    Ok(equal_size(original.stream, copy.stream).await)
}

async fn open(end: &End, side: Side, upload: &UploadRef) -> Result<Option<Download>, SyncError> {
    let version = end.metadata.major_minor;
    let opened = end
        .client
        .download_upload(&end.project, &upload.secret, &upload.filename, version)
        .await;
    match opened {
        Ok(download) => Ok(Some(download)),
        Err(source) if Error::is_transient(&source) => Err(SyncError::GitLab { side, source }),
        Err(_) => Ok(None),
    }
}

/// How many bytes both streams bring, if they bring the same ones to their ends.
async fn equal_size(mut a: ByteStream, mut b: ByteStream) -> Option<i64> {
    let mut size = 0;
    let (mut left, mut right) = (Bytes::new(), Bytes::new());
    loop {
        if left.is_empty() {
            left = piece(&mut a).await?;
        }
        if right.is_empty() {
            right = piece(&mut b).await?;
        }
        if left.is_empty() || right.is_empty() {
            return (left.is_empty() && right.is_empty()).then_some(size);
        }
        let length = left.len().min(right.len());
        if left.split_to(length) != right.split_to(length) {
            return None;
        }
        size += i64::try_from(length).ok()?;
    }
}

/// The next piece that is not empty; an empty one is the end, none a failure.
async fn piece(stream: &mut ByteStream) -> Option<Bytes> {
    loop {
        match stream.next().await {
            Some(Ok(piece)) if piece.is_empty() => {}
            Some(Ok(piece)) => return Some(piece),
            Some(Err(_)) => return None,
            None => return Some(Bytes::new()),
        }
    }
}
