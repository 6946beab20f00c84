"""A client that nobody here wrote drives the simulator as it drives GitLab."""

import io

import gitlab
import pytest


@pytest.fixture
def issue(scratch):
    return scratch.issues.create({"title": "Driven", "description": "by python-gitlab"})


def test_it_knows_whom_and_what_it_talks_to(api, edition):
    assert api.user.username == "sim-owner"
    version, _revision = api.version()
    assert version.endswith("-ee") == (edition != "ce")
    token = api.personal_access_tokens.get("self")
    assert token.scopes == ["api"] and token.active


def test_issues_are_created_read_edited_closed_and_deleted(scratch):
    made = scratch.issues.create({"title": "  A title ", "description": "text\r\n", "labels": ["b", "a"]})
    assert (made.title, made.description, made.labels) == ("A title", "text", ["a", "b"])
    made.title = "Another"
    made.due_date = "2030-01-31"
    made.confidential = True
    made.save()
    read = scratch.issues.get(made.iid)
    assert (read.title, read.due_date, read.confidential) == ("Another", "2030-01-31", True)
    read.state_event = "close"
    read.save()
    assert read.state == "closed"
    assert [event.state for event in read.resourcestateevents.list(get_all=True)] == ["closed"]
    read.delete()
    with pytest.raises(gitlab.GitlabGetError) as missing:
        scratch.issues.get(made.iid)
    assert missing.value.response_code == 404


def test_validation_errors_are_understood(scratch):
    with pytest.raises(gitlab.GitlabCreateError) as refused:
        scratch.issues.create({"title": "x" * 256})
    assert refused.value.response_code == 400
    assert "is too long" in str(refused.value.error_message)


def test_lists_filter_and_walk_all_pages(demo):
    everything = demo.issues.list(iterator=True, per_page=7, order_by="updated_at", sort="asc")
    iids = [issue.iid for issue in everything]
    assert len(iids) == everything.total > 14
    assert len(set(iids)) == len(iids)
    moments = [issue.updated_at for issue in demo.issues.list(get_all=True, order_by="updated_at", sort="asc")]
    assert moments == sorted(moments)
    opened = demo.issues.list(get_all=True, state="opened")
    closed = demo.issues.list(get_all=True, state="closed")
    assert {issue.state for issue in opened} == {"opened"} and {issue.state for issue in closed} == {"closed"}
    assert len(opened) + len(closed) == len(iids)
    second = demo.issues.list(page=2, per_page=5)
    assert [issue.iid for issue in second] == [issue.iid for issue in demo.issues.list(get_all=True)][5:10]
    recent = demo.issues.list(get_all=True, updated_after=moments[-1])
    assert recent, "the bound is inclusive"


def test_notes_come_and_go(issue):
    first = issue.notes.create({"body": "first"})
    issue.notes.create({"body": "second", "internal": True})
    first.body = "first, edited"
    first.save()
    bodies = [note.body for note in issue.notes.list(get_all=True, sort="asc", order_by="created_at")]
    assert bodies == ["first, edited", "second"]
    assert issue.notes.get(first.id).body == "first, edited"
    first.delete()
    assert [note.internal for note in issue.notes.list(get_all=True)] == [True]


def test_a_note_of_commands_alone_leaves_no_note(issue):
    answer = issue.manager.gitlab.http_post(f"{issue.manager.path}/{issue.iid}/notes", post_data={"body": "/close"})
    assert answer["commands_changes"] == {"state_event": "close"}
    assert "id" not in answer
    assert issue.manager.get(issue.iid).state == "closed"


def test_threads_take_replies(issue):
    thread = issue.discussions.create({"body": "a question"})
    thread.notes.create({"body": "an answer"})
    read = issue.discussions.get(thread.id)
    assert [note["body"] for note in read.attributes["notes"]] == ["a question", "an answer"]
    assert read.attributes["individual_note"] is False
    assert len(issue.discussions.list(get_all=True)) == 1


def test_labels_are_made_changed_and_removed(scratch, edition):
    name = f"kind::{edition}"
    label = scratch.labels.create({"name": name, "color": "#8899aa", "description": "what it is"})
    label.new_name = f"{name} 2"
    label.save()
    names = [one.name for one in scratch.labels.list(get_all=True)]
    assert f"{name} 2" in names and name not in names
    with pytest.raises(gitlab.GitlabCreateError) as refused:
        scratch.labels.create({"name": f"{name} 2", "color": "#000000"})
    assert refused.value.response_code == 409
    scratch.labels.delete(f"{name} 2")
    assert f"{name} 2" not in [one.name for one in scratch.labels.list(get_all=True)]


def test_scoped_labels_exclude_each_other_where_licensed(scratch, edition):
    made = scratch.issues.create({"title": "scoped", "labels": ["state::one", "state::two"]})
    expected = ["state::one", "state::two"] if edition == "ce" else ["state::two"]
    assert made.labels == expected
    events = made.resourcelabelevents.list(get_all=True)
    assert [event.action for event in events] == ["add"] * len(expected)


def test_weight_is_there_where_licensed(scratch, edition):
    made = scratch.issues.create({"title": "heavy", "weight": 3})
    assert getattr(made, "weight", None) == (None if edition == "ce" else 3)


def test_files_go_up_and_come_down(scratch):
    content = bytes(range(256)) * 64
    uploaded = scratch.upload("picture one.png", filedata=content)
    assert uploaded["markdown"] == f"![{uploaded['alt']}]({uploaded['url']})"
    path = f"/projects/{scratch.id}{uploaded['url']}"
    assert scratch.manager.gitlab.http_get(path, raw=True).content == content
    again = scratch.upload("picture one.png", filedata=io.BytesIO(content))
    assert again["url"] != uploaded["url"]


def test_time_is_estimated_spent_and_taken_back(issue):
    assert issue.time_estimate("3h30m")["time_estimate"] == 12600
    assert issue.add_spent_time("2")["total_time_spent"] == 7200
    assert issue.add_spent_time("-30m")["total_time_spent"] == 5400
    # An object that was read before answers from its own copy.
    assert issue.manager.get(issue.iid).time_stats()["human_total_time_spent"] == "1h 30m"
    assert issue.reset_spent_time()["total_time_spent"] == 0
    assert issue.reset_time_estimate()["time_estimate"] == 0


def test_links_and_reactions(scratch, issue):
    other = scratch.issues.create({"title": "other"})
    issue.links.create({"target_project_id": scratch.id, "target_issue_iid": other.iid})
    assert [link.iid for link in other.links.list(get_all=True)] == [issue.iid]
    issue.awardemojis.create({"name": "thumbsup"})
    assert issue.manager.get(issue.iid).upvotes == 1


def test_milestones_and_members(api, scratch, edition):
    milestone = scratch.milestones.create({"title": f"for {edition}", "due_date": "2031-12-31"})
    made = scratch.issues.create({"title": "planned", "milestone_id": milestone.id})
    assert made.milestone["title"] == f"for {edition}"
    assert scratch.members_all.get(api.user.id).access_level == 50
