//! Mentions that are to reach somebody on the target, and all the others, which reach nobody.

use gitlab_sim::text::references::{Live, find, find_with_base};
use gitlab_sim::text::visible::visible_text;
use mirror_core::ids::UserId;
use mirror_core::markdown::mentions::set_aside;
use mirror_core::markdown::{Inert, closing, defuse_with};
use mirror_core::people::{Account, People};
use proptest::prelude::*;

use crate::markdown_exceptions::reads_alike;
use crate::markdown_properties::{bodies, normalised, sent, settings};

const INSTANCE: &str = "https://gl.example";

/// Alice of the source is Anna on the target.
fn people(mentions: bool) -> People {
    let anna = Account {
        id: UserId(7),
        username: "a.smith".to_owned(),
    };
    People::new(mentions, [("Alice".to_owned(), anna)])
}

fn rendered(text: &str, people: &People) -> String {
    let aside = set_aside(text, people);
    let inert = Inert {
        target: Some(INSTANCE),
        ..Inert::default()
    };
    aside.put_back(defuse_with(&aside.text, &inert))
}

#[test]
fn a_mention_of_somebody_known_reaches_their_account() {
    for (text, expected) in [
        ("@alice, please", "@a.smith, please"),
        ("ask @Alice.", "ask @a.smith."),
        ("(@alice) and **@alice**", "(@a.smith) and **@a.smith**"),
        ("- [ ] @alice: do it", "- [ ] @a.smith: do it"),
        ("> @alice said", "> @a.smith said"),
        ("| a |\n|---|\n| @alice |", "| a |\n|---|\n| @a.smith |"),
        ("@alice @bob", "@a.smith \\@bob"),
        ("see #1, @alice", "see \\#1, @a.smith"),
    ] {
        assert_eq!(rendered(text, &people(true)), expected, "{text:?}");
    }
}

#[test]
fn whoever_is_not_known_or_not_clearly_meant_is_not_reached() {
    for text in [
        "@bob, @a.smith and @alicea",
        "@alice/team, @alice-b @alice.b @alice_",
        "x@alice, @@alice, \\@alice",
        "_@alice_ ~~@alice~~",
        "`@alice` and\n\n    @alice\n\n```\n@alice\n```",
        "[@alice](https://x.example) [x](@alice)",
        "<pre>\n@alice\n</pre>",
        "<x-y>@alice</x-y>",
        "https://x.example/@alice",
        "&#64;alice @al\\ice",
        "\u{30000} @alice",
        "@all @alice/",
    ] {
        let body = rendered(text, &people(true));
        assert_eq!(find(&body), Vec::<Live>::new(), "{body}");
        assert!(
            !body.contains("@a.smith") || text.contains("a.smith"),
            "{body}"
        );
    }
}

#[test]
fn nobody_is_reached_unless_that_is_asked_for() {
    assert_eq!(rendered("@alice", &people(false)), "\\@alice");
    assert_eq!(rendered("@alice", &People::new(true, [])), "\\@alice");
}

/// Lives in the text: mentions, in lower case; and whatever else does.
fn living(text: &str) -> (Vec<String>, Vec<Live>) {
    let found = find_with_base(text, INSTANCE).into_iter();
    let (users, others): (Vec<Live>, Vec<Live>) =
        found.partition(|live| matches!(live, Live::User(_)));
    let mut names = Vec::new();
    for live in users {
        if let Live::User(name) = live {
            names.push(name.to_lowercase());
        }
    }
    (names, others)
}

/// A body alone, closed, and as it is sent.
fn pages(body: &str) -> [String; 3] {
    let closed = format!("{body}{}", closing(body));
    [body.to_owned(), closed, sent(body)]
}

fn judge(text: &str) -> Result<(), String> {
    let text = normalised(text);
    let bodies = pages(&rendered(&text, &people(true)));
    let inert = pages(&rendered(&text, &people(false)));
    let meant = living(&text).0.contains(&"alice".to_owned());
    for (body, inert) in bodies.iter().zip(&inert) {
        let (mentioned, others) = living(body);
        let strangers = mentioned.iter().any(|name| name != "a.smith");
        let by_the_way = others != living(inert).1;
        if by_the_way || strangers || (!mentioned.is_empty() && !meant) {
            return Err(format!("{mentioned:?} {others:?} in {body:?} of {text:?}"));
        }
    }
    let by_name = |body: &String| {
        let shown = visible_text(&format!("{body}\n"));
        shown
            .replace("@a.smith", "@alice")
            .replace("@Alice", "@alice")
    };
    for (body, inert) in bodies.iter().zip(&inert).take(2) {
        let (before, after) = (by_name(inert), by_name(body));
        if !reads_alike(&text, &before, &after) {
            return Err(format!(
                "{text:?}\n  shows {before:?}\n  then  {after:?}\n  from  {body:?}"
            ));
        }
    }
    Ok(())
}

fn talk() -> impl Strategy<Value = String> {
    let words = [
        "@alice", " @Alice ", "@alice.", "(@alice)", "@a.smith", "*", "**", "_", "\n", " ",
    ];
    let word = prop_oneof![
        3 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => bodies(),
    ];
    prop::collection::vec(word, 1..8).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn only_who_is_known_and_meant_is_reached(text in talk()) {
        prop_assert_eq!(judge(&text), Ok(()));
    }

    #[test]
    fn what_mentions_nobody_known_is_rendered_as_ever(text in bodies()) {
        let nobody = People::new(true, []);
        prop_assert_eq!(rendered(&text, &nobody), rendered(&text, &people(false)));
    }
}
