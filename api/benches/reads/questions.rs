//! What is asked.

use crate::served::Served;

/// Something that is asked of the API.
pub(crate) struct Question {
    /// What people call it.
    pub(crate) name: &'static str,
    /// As it is sent, in turns where there are several.
    pub(crate) requests: Vec<Vec<u8>>,
}

fn asking(served: &Served) -> impl Fn(&'static str, String) -> Question {
    |name, path| Question {
        name,
        requests: vec![served.request(&path)],
    }
}

/// What is asked all the time while people wait for something.
pub(crate) fn jobs(served: &Served) -> Vec<Question> {
    let question = asking(served);
    let sync = format!("/api/mirrors/{}/issue-sync", served.busy);
    let filled = &served.filled;
    vec![
        question("job under way", format!("{sync}/jobs/{}", filled.running)),
        question(
            "job that has ended",
            format!("{sync}/jobs/{}", filled.ended),
        ),
        question("status of a mirror", format!("{sync}/status")),
    ]
}

/// What a source tells: of a hundred issues, again and again.
pub(crate) fn hooks(served: &Served) -> Vec<Question> {
    vec![Question {
        name: "hook, of one of 100 issues",
        requests: (1..=100).map(|iid| served.telling(iid)).collect(),
    }]
}

/// What people and programs walk through: from the beginning, from the middle, and by what is rare.
pub(crate) fn lists(served: &Served) -> Vec<Question> {
    let question = asking(served);
    let mirror = format!("/api/mirrors/{}", served.busy);
    let sync = format!("{mirror}/issue-sync");
    let (filled, quiet, half) = (&served.filled, served.quiet, served.rows / 2);
    let (issue, run) = (filled.issue + half, filled.ended.0 + half);
    let job = filled.job + half;
    vec![
        question("mirrors", "/api/mirrors".to_owned()),
        question("mirror", mirror),
        question("issues", format!("{sync}/issues")),
        question(
            "issues, from the middle",
            format!("{sync}/issues?after={issue}"),
        ),
        question("issues, failed", format!("{sync}/issues?status=failed")),
        question(
            "issues, unlinked (none)",
            format!("{sync}/issues?status=unlinked"),
        ),
        question(
            "issues, edited on the target",
            format!("{sync}/issues?status=conflict"),
        ),
        question("issues, by number", format!("{sync}/issues?iid={half}")),
        question("issues, by title", format!("{sync}/issues?search=squeaks")),
        question(
            "issues, by title (none)",
            format!("{sync}/issues?search=brakes"),
        ),
        question("issue", format!("{sync}/issues/{issue}")),
        question("sync jobs", format!("{sync}/jobs")),
        question(
            "sync jobs, from the middle",
            format!("{sync}/jobs?after={run}"),
        ),
        question("sync jobs, partial", format!("{sync}/jobs?status=partial")),
        question(
            "sync jobs, cancelled (none)",
            format!("{sync}/jobs?status=cancelled"),
        ),
        question(
            "sync job, errors",
            format!("{sync}/jobs/{}/errors", filled.running),
        ),
        question("jobs", "/api/jobs".to_owned()),
        question("jobs, from the middle", format!("/api/jobs?after={job}")),
        question("jobs, dead", "/api/jobs?state=dead".to_owned()),
        question("jobs, running (none)", "/api/jobs?state=running".to_owned()),
        question(
            "jobs, of a quiet mirror",
            format!("/api/jobs?mirror_id={quiet}"),
        ),
        question(
            "jobs, pending, of a quiet mirror",
            format!("/api/jobs?state=pending&mirror_id={quiet}"),
        ),
        question(
            "jobs, of a rare kind (none)",
            "/api/jobs?kind=scan_mirror".to_owned(),
        ),
        question(
            "jobs, of an instance",
            format!("/api/jobs?instance_id={}", served.instance),
        ),
        question("jobs, paused (none)", "/api/jobs?state=paused".to_owned()),
        question(
            "jobs, so old (all)",
            "/api/jobs?older_than_seconds=60".to_owned(),
        ),
        question(
            "jobs, so old (none)",
            "/api/jobs?older_than_seconds=4000000000".to_owned(),
        ),
        question(
            "jobs, by error",
            "/api/jobs?error_fingerprint=0000000000000510".to_owned(),
        ),
        question(
            "jobs, by error (none)",
            "/api/jobs?error_fingerprint=0".to_owned(),
        ),
        question("job", format!("/api/jobs/{job}")),
        question("job, why", format!("/api/jobs/{job}/why")),
        question("audit", "/api/audit".to_owned()),
        question("audit, from the middle", format!("/api/audit?after={half}")),
        question("audit, by who", "/api/audit?who=user:7".to_owned()),
        question(
            "audit, by who (none)",
            "/api/audit?who=user:nobody".to_owned(),
        ),
        question("audit, of a thing", "/api/audit?object=mirror/7".to_owned()),
        question(
            "audit, of a thing (none)",
            "/api/audit?object=mirror/-1".to_owned(),
        ),
        question("audit, what was done", "/api/audit?what=mirror.".to_owned()),
        question(
            "audit, what was done (none)",
            "/api/audit?what=token.".to_owned(),
        ),
        question(
            "audit, since (none)",
            "/api/audit?since=2030-01-01T00:00:00Z".to_owned(),
        ),
        question("errands", "/api/errands".to_owned()),
        question("workers", "/api/workers".to_owned()),
        question("queues", "/api/queues".to_owned()),
        question("errors of jobs", "/api/jobs/errors".to_owned()),
    ]
}
