//! What `--help` says: changed only on purpose.

use super::stage::within;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn the_help_of_sync_shows_how_it_is_called_and_what_can_be_asked_of_it() {
    let mut help = Command::new(env!("CARGO_BIN_EXE_issue-mirror"));
    help.args(["sync", "--help"]).env_clear();
    let output = within(help.output()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    insta::assert_snapshot!(text, @r#"
    Mirror the issues of one project into another, once

    Usage: issue-mirror sync [OPTIONS] <SRC> <DST>

    Arguments:
      <SRC>  The source project's web address, `https://gitlab.a/group/project`
      <DST>  The target project's web address

    Options:
          --source-instance <URL>       The source GitLab's address, if it lives under a path:
                                        `https://host/gitlab`
          --target-instance <URL>       The target GitLab's address, if it lives under a path
          --limit <LIMIT>               What is known of a limit, `[source:|target:]CLASS=N/SECONDS`;
                                        classes: api, notes, issues, search, uploads. Can be given
                                        again. Without it limits are learnt
          --ca-file <FILE>              Certificates (PEM) trusted besides the system's
          --proxy <URL>                 A proxy for all requests, `http://proxy:3128` [default: the
                                        environment's]
          --request-timeout <SECONDS>   Give a request up when no answer has begun after this many
                                        seconds [default: 60]
          --issue <N>                   Only this issue, by its number in the source project
          --full                        Compare everything, field by field, instead of what changed
          --include-closed              Mirror also issues that were closed before they were first seen
          --links                       Carry links between issues that are both mirrored, too. Costs
                                        one request for each issue that is looked at; with --full also
                                        for those that have not changed
          --adopt <FILE>                Take issues of the target for mirrors: CSV with the header
                                        `source_iid,target_iid`. Title, text and fields of these are
                                        overwritten
          --state-dir <DIR>             Where state and key are kept [default:
                                        $XDG_STATE_HOME/issue-mirror]
          --concurrency <N>             Issues under way at once [default: 8]
          --max-attachment-size <SIZE>  Files above this size stay links to the source (`100MiB`, `2GB`,
                                        bytes) [default: 100MiB]
          --mirrored-label <LABEL>      The label that marks mirrored issues; empty for none [default:
                                        MIRRORED]
          --preserve <WHEN>             Whether copies keep the number and the times of their originals,
                                        which takes an Owner's token: auto (where token and target allow
                                        it), never, or require [default: auto]
          --rules <FILE>                Which labels and issues to mirror and who is who on the target,
                                        by the rules in this file (TOML; docs/rules.md). They are kept
                                        with the mirror until other ones are given
          --no-rules                    Forget the mirror's rules: everything is mirrored, under its own
                                        name
          --on-delete <POLICY>          What becomes of the copy of an issue that was deleted at the
                                        source: keep, close or delete [default: close]
          --max-delete <N>              Close or delete at most so many copies at once (or the share
                                        below, if that is more); otherwise none, until `mirrors release`
                                        [default: 10]
          --max-delete-share <PERCENT>  As --max-delete, in percent of all copies [default: 10]
          --expose-files                Copy files of confidential issues and internal comments even
                                        into a target that is not private: whoever has the address of
                                        such a file can open it there
          --on-edit <POLICY>            What becomes of edits on the target: overwrite, or protect (they
                                        stay; what was changed on both sides waits for `issue-mirror
                                        issues resolve`). Kept with the mirror until the other is given
                                        [default: overwrite]
          --wait <SECONDS>              End when nothing is due within this many seconds [default: 600]
          --late-landing <SECONDS>      How long a create without an answer may still take effect, in
                                        seconds [default: 60]
          --json                        Print the result as JSON
      -h, --help                        Print help
      -V, --version                     Print version

    Example:
      export SOURCE_TOKEN=glpat-…   # scope read_api; Reporter or Planner to see confidential issues
      export TARGET_TOKEN=glpat-…   # scope api; Reporter or Planner, better Owner
      issue-mirror sync https://gitlab.a/group/project https://gitlab.b/team/project

    Exit codes: 0 in sync, 1 something failed or is left, 2 usage or configuration error.
    "#);
}
