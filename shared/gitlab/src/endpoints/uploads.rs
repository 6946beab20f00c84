//! Files, streamed either way (facts section 6).

use super::project::SEGMENT;
use crate::{
    Client, Error, ErrorKind,
    call::{Call, Payload, Subject},
    limits,
    transport::{ByteStream, TransportError, TransportErrorKind},
    wire::WireUpload,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, Response, header};
use mirror_core::{ids::ProjectId, ports::Class, project::Project};
use percent_encoding::utf8_percent_encode;
use std::fmt;
use std::sync::Mutex;
use url::Url;

/// The first version whose API gives a file by its secret and name.
const API_DOWNLOADS: (u32, u32) = (17, 4);

/// A file, as it comes.
pub struct Download {
    /// Its size in bytes, where it was announced.
    pub length: Option<u64>,
    /// Its pieces; a file that comes shorter than announced, or not at all, ends in an error.
    pub stream: ByteStream,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Where a file has gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uploaded {
    /// `/uploads/<secret>/<name>`, the name as GitLab chose to spell it.
    pub url: String,
    /// The link as GitLab would write it.
    pub markdown: String,
}

impl Client {
    /// Opens a file of a project; `filename` is the name itself, not percent-encoded.
    ///
    /// Before 17.4 the API has no files, and the web address is tried, which often answers
    /// [`ErrorKind::SignIn`]. A redirect to an object storage is followed once, without the token,
    /// and not from `https` to `http`. Never held in memory; only the opening is retried.
    pub async fn download_upload(
        &self,
        project: &Project,
        secret: &str,
        filename: &str,
        version: Option<(u32, u32)>,
    ) -> Result<Download, Error> {
        let file = format!(
            "uploads/{secret}/{}",
            utf8_percent_encode(filename, SEGMENT)
        );
        let by_web = version.is_some_and(|version| version < API_DOWNLOADS);
        let call = if by_web {
            let shown = format!("/projects/{}/uploads/… (web)", project.id);
            self.page(Method::GET, &format!("{}/{file}", project.path), shown)
        } else {
            self.in_project(Method::GET, project.id, &format!("/{file}"))
                .shown_as(format!("/projects/{}/uploads/…", project.id))
        };
        let mut call = call.class(Class::Uploads);
        if !is_secret(secret) || matches!(filename, "" | "." | "..") {
            return Err(Error::unsendable(
                &call.subject,
                "it is not an upload's address",
            ));
        }
        let response = self.open(&mut call).await?;
        let response = self.behind_redirect(&call, response).await?;
        // Attachments are sent as such; a page that is none is somebody's sign-in form.
        let attached = response.headers().contains_key(header::CONTENT_DISPOSITION);
        if by_web && !attached && limits::is(response.headers(), "html") {
            return Err(Error::new(&call.subject, ErrorKind::SignIn));
        }
        let length = limits::text(response.headers(), header::CONTENT_LENGTH.as_str())
            .and_then(|length| length.parse().ok());
        Ok(Download {
            length,
            stream: response.into_body(),
        })
    }

    async fn behind_redirect(
        &self,
        call: &Call,
        response: Response<ByteStream>,
    ) -> Result<Response<ByteStream>, Error> {
        if response.status().is_success() {
            return Ok(response);
        }
        let target = limits::text(response.headers(), header::LOCATION.as_str())
            .and_then(|location| call.url.join(location).ok());
        let (head, _) = response.into_parts();
        let refusal = self.refusal(call, &head, b"");
        let Some(target) = target.filter(|target| self.may_follow(target)) else {
            return Err(refusal);
        };
        if !matches!(refusal.kind(), ErrorKind::Redirected { .. }) {
            return Err(refusal);
        }
        let mut next = Call {
            subject: Subject::new(
                Method::GET,
                format!("{} (object storage)", call.subject.path()),
                call.subject.instance(),
            ),
            method: Method::GET,
            url: target,
            class: Class::Uploads,
            payload: Payload::Nothing,
            counted: false,
        };
        let response = self.open(&mut next).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (head, _) = response.into_parts();
        Err(self.refusal(&next, &head, b""))
    }

    /// What came over TLS does not go on without it.
    fn may_follow(&self, target: &Url) -> bool {
        match target.scheme() {
            "https" => true,
            "http" => self.base().scheme() == "http",
            _ => false,
        }
    }

    /// Uploads a file as a multipart form written piece by piece: nothing is held in memory. Not
    /// idempotent: every upload makes a new address. With a `length` the form's own is announced,
    /// and a stream of another length fails.
    pub async fn upload(
        &self,
        project: ProjectId,
        filename: &str,
        length: Option<u64>,
        stream: ByteStream,
    ) -> Result<Uploaded, Error> {
        let boundary = format!(
            "issue-mirror-{:016x}{:016x}",
            self.shared.entropy.next_u64(),
            self.shared.entropy.next_u64()
        );
        let form = Form::new(&boundary, filename);
        let mut call = self
            .in_project(Method::POST, project, "/uploads")
            .class(Class::Uploads);
        call.payload = Payload::Stream {
            length: length.map(|length| length + form.overhead()),
            content_type: format!("multipart/form-data; boundary={boundary}"),
            stream: Mutex::new(Some(form.around(exactly(stream, length)))),
        };
        let answer = self.exchange(&mut call).await?;
        let uploaded: WireUpload = answer.decode(&call)?;
        Ok(Uploaded {
            url: uploaded.url,
            markdown: uploaded.markdown,
        })
    }
}

/// Of 32 hexadecimal digits, or of 10 in old ones; nothing that could leave the path.
fn is_secret(secret: &str) -> bool {
    !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What stands around a file in a multipart form.
struct Form {
    head: Bytes,
    tail: Bytes,
}

impl Form {
    fn new(boundary: &str, filename: &str) -> Self {
        let name = escaped(filename);
        Self {
            head: Bytes::from(format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; \
                 filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            )),
            tail: Bytes::from(format!("\r\n--{boundary}--\r\n")),
        }
    }

    fn overhead(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64
    }

    fn around(self, file: ByteStream) -> ByteStream {
        let piece = |bytes| stream::once(async move { Ok(bytes) });
        piece(self.head).chain(file).chain(piece(self.tail)).boxed()
    }
}

/// A name inside quotes, as browsers write it; a back-slash and control characters, which servers
/// read differently, are given up: GitLab renames files as it likes anyway.
fn escaped(filename: &str) -> String {
    let mut name = String::with_capacity(filename.len());
    for c in filename.chars() {
        match c {
            '"' => name.push_str("%22"),
            '\\' | '/' => name.push('_'),
            c if c.is_control() => name.push('_'),
            c => name.push(c),
        }
    }
    if name.is_empty() {
        name.push_str("file");
    }
    name
}

/// A stream that is neither longer nor shorter than announced: the announcement is already sent
/// when it shows, and another file's bytes must not make up the difference.
fn exactly(file: ByteStream, length: Option<u64>) -> ByteStream {
    let Some(length) = length else {
        return file;
    };
    let differs = || {
        let cause = "the file is not as long as announced";
        TransportError::new(TransportErrorKind::Cut, cause)
    };
    stream::unfold(Some((file, length)), move |state| async move {
        let (mut file, left) = state?;
        match file.next().await {
            Some(Ok(piece)) => match left.checked_sub(piece.len() as u64) {
                Some(left) => Some((Ok(piece), Some((file, left)))),
                None => Some((Err(differs()), None)),
            },
            Some(Err(error)) => Some((Err(error), None)),
            None if left > 0 => Some((Err(differs()), None)),
            None => None,
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_stays_inside_its_quotes() {
        assert_eq!(escaped("a \"b\".png"), "a %22b%22.png");
        assert_eq!(
            escaped("x\r\nContent-Type: text/html"),
            "x__Content-Type: text_html"
        );
        assert_eq!(escaped("..\\..\\grüße.pdf"), ".._.._grüße.pdf");
        assert_eq!(escaped(""), "file");
    }

    #[test]
    fn a_secret_cannot_lead_out_of_its_path() {
        assert!(is_secret("0123456789abcdef0123456789abcdef"));
        assert!(!is_secret(".."));
        assert!(!is_secret("abc/../def"));
        assert!(!is_secret(""));
    }
}
